"""Who lives together: inviting another adult, joining, leaving.

Both sides agree: one shows a code, the other uses it. The code is no row: it is the
number of the inviting person's card under a seal over the day and the adults of the
household. So it ends after two weeks, with the card, and as soon as it was used.

What is a person's own goes along (loans, deposits, what they owe, their own rights);
what is the household's stays, unless nobody stays with it.
"""

from datetime import date, datetime, timedelta

from django.db.models import Count, ProtectedError, Q, QuerySet, Sum
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from club.domain.ledger import enter
from club.domain.members import CLAIM_LETTERS
from club.domain.messages import tell
from club.enums import Account, EntryKind
from club.kernel import households
from club.kernel.households import Move
from club.kernel.refusal import Reason, refuse
from club.kernel.spans import local_day
from club.kernel.transactions import Contended, hold, in_one_transaction
from club.kernel.transitions import log
from club.models import Card, Household, LedgerEntry, Member, Place, Right, User

INVITATION_DAYS = 14
SEAL_LENGTH = 8


def adults_of(household: Household) -> QuerySet[Member]:
    return (
        Member.objects.filter(household=household, user__is_active=True)
        .select_related("user")
        .order_by("joined_at", "pk")
    )


# -- Inviting ------------------------------------------------------------------------------


def seal(card: Card, household: Household, day: date) -> str:
    """Eight letters that nobody can make up, for these adults and this day."""
    adults = sorted(adults_of(household).values_list("pk", flat=True))
    words = f"{card.token} {household.pk} {adults} {day}"
    number = int(salted_hmac("club.invitation", words, algorithm="sha256").hexdigest(), 16)
    letters = []
    for _place in range(SEAL_LENGTH):
        number, letter = divmod(number, len(CLAIM_LETTERS))
        letters.append(CLAIM_LETTERS[letter])
    return "".join(letters)


@in_one_transaction
def invite(member: Member, *, by: User, now: datetime) -> str:
    """A code for another adult: once, within two weeks; the same all day long."""
    card = Card.objects.filter(member=member, revoked_at=None).first()
    if card is None:
        raise refuse("no_card", _("Il faut votre carte de membre. Demandez-la à l’accueil."))
    letters = seal(card, member.household, local_day(now))
    log(member.household, "invite", by=by, now=now)
    return f"{card.number}-{letters[:4]}-{letters[4:]}"


def inviter_of(code: str, now: datetime) -> Member | None:
    """Whose invitation a code is, if it still holds."""
    plain = "".join(c for c in code.upper() if c.isalnum())
    card = (
        Card.objects.filter(number=plain[:6], revoked_at=None, member__user__is_active=True)
        .select_related("member__user", "member__household", "member__place")
        .first()
    )
    if card is None:
        return None
    today = local_day(now)
    for days in range(INVITATION_DAYS + 1):
        made = seal(card, card.member.household, today - timedelta(days=days))
        if constant_time_compare(made, plain[6:]):
            return card.member
    return None


# -- Joining and leaving -------------------------------------------------------------------


def why_not_join(member: Member, inviter: Member | None) -> Reason | None:
    if inviter is None:
        text = _("Cette invitation ne sert plus. Demandez un nouveau code.")
        return Reason("invitation_unknown", text, "code")
    if inviter.household_id == member.household_id:
        return Reason("already_there", _("Vous êtes déjà dans ce foyer."), "code")
    if inviter.household.landlord_id != member.household.landlord_id:
        return Reason("other_landlord", _("Ce foyer dépend d’un autre bailleur."), "code")
    return None


@in_one_transaction
def join_household(member: Member, code: str, *, by: User, now: datetime) -> Household:
    """Move to the household of whoever gave the code."""
    inviter = inviter_of(code, now)
    hold_home(member, *([inviter.household] if inviter else []))
    inviter = inviter_of(code, now)
    reason = why_not_join(member, inviter)
    if reason is not None:
        raise refuse(reason.code, reason.text, reason.field)
    assert inviter is not None
    change_household(member, inviter.household, by=by, now=now)
    return inviter.household


@in_one_transaction
def leave_household(member: Member, *, by: User, now: datetime) -> Household:
    """A household of one's own; the rights of the one that is left stay with it."""
    hold_home(member)
    if not adults_of(member.household).exclude(pk=member.pk).exists():
        raise refuse("alone", _("Il n’y a pas d’autre adulte dans ce foyer."))
    after = Household.objects.create(landlord_id=member.household.landlord_id)
    change_household(member, after, by=by, now=now)
    return after


def hold_home(member: Member, *others: Household) -> None:
    """Lock where the member lives now, whatever the page knew, and the other households."""
    member.refresh_from_db(fields=["household"])
    for home in sorted([member.household, *others], key=lambda home: home.pk):
        hold(home)
    lives_at = Member.objects.values_list("household", flat=True).get(pk=member.pk)
    if lives_at != member.household_id:
        raise Contended


def change_household(member: Member, after: Household, *, by: User, now: datetime) -> None:
    before = member.household
    others = adults_of(before).exclude(pk=member.pk).count()
    move = Move(member, before, after, leaves_nobody=not others)
    carry_money(move, by=by, now=now)
    Right.objects.filter(household=before, member=member).update(household=after)
    if move.leaves_nobody:
        Right.objects.filter(household=before, member=None).update(household=after, member=member)
    member.household = after
    member.save(update_fields=["household"])
    resize(before, max(others, before.size - 1, 1))
    resize(after, max(after.size, adults_of(after).count()))
    log(member, "change_household", by=by, now=now, facts={"from": before.pk, "to": after.pk})
    tell_both(move, now)
    for follow in households.followers():
        follow(move, by=by, now=now)
    if move.leaves_nobody:
        drop_if_unused(before)


def tell_both(move: Move, now: datetime) -> None:
    """Nobody comes or goes without the others being told."""
    for event, home in (("household.left", move.before), ("household.joined", move.after)):
        for adult in adults_of(home).exclude(pk=move.member.pk):
            key = f"{event}:{move.member.pk}:{home.pk}:{adult.pk}:{int(now.timestamp())}"
            tell(adult, event, move.member, key=key, now=now, facts={"household": home.pk})


def resize(household: Household, size: int) -> None:
    household.size = size
    household.save(update_fields=["size"])


def carry_money(move: Move, *, by: User, now: datetime) -> None:
    """What a person is owed or owes goes along, by two opposite entries: no money moves."""
    kept = LedgerEntry.objects.filter(household=move.before)
    if not move.leaves_nobody:
        kept = kept.exclude(account=Account.SUBSCRIPTION)
    open_sums = (
        kept.values("place", "account", "subject_kind", "subject_id")
        .annotate(sum=Sum("cents"), own=Count("pk", filter=Q(member=move.member)))
        .exclude(sum=0)
        .order_by("subject_kind", "subject_id", "account")
    )
    places = Place.objects.in_bulk()
    for row in open_sums:
        if not (row["own"] or move.leaves_nobody):
            continue
        name = f"{row['account']}:{row['subject_kind']}:{row['subject_id']}:{row['place']}"
        for household, cents, way in (
            (move.before, -row["sum"], "out"),
            (move.after, row["sum"], "in"),
        ):
            enter(
                kind=EntryKind.CHARGE,
                account=row["account"],
                cents=cents,
                place=places[row["place"]],
                household=household,
                member=move.member,
                subject_kind=row["subject_kind"],
                subject_id=row["subject_id"],
                label=gettext("Passage à un autre foyer"),
                source=f"move:{move.member.pk}:{int(now.timestamp())}:{name}:{way}",
                at=now,
                by=by,
            )


def drop_if_unused(household: Household) -> None:
    """A household without anybody goes, unless accounts or subscriptions name it."""
    try:
        Household.objects.get(pk=household.pk).delete()
    except ProtectedError:
        Household.objects.filter(pk=household.pk).update(dwelling=None)
