"""A shop or artisan that members would like: proposed, voted on, negotiated with, joined."""

from datetime import datetime, time

from django.utils.translation import gettext_lazy as _

from club.domain.messages import tell_change
from club.kernel.people import folded
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import at, local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Member, User
from marketplace.enums import DeclinedFor, PartnerStatus, Shop, SuggestionStatus, Trade
from marketplace.models import Partner, Suggestion, SuggestionVote
from marketplace.queries.suggestions import VOTED

MOST_A_MONTH = 5


@in_one_transaction
def suggest(
    member: Member,
    *,
    name: str,
    street: str = "",
    shop: str = "",
    trade: str = "",
    by: User,
    now: datetime,
) -> Suggestion:
    """Staff read it first: until then nobody else sees what was written."""
    name, street = " ".join(name.split()), " ".join(street.split())
    reasons = []
    if len(folded(name)) < 2:
        text = _("Écrivez le nom du commerce ou de l’artisan.")
        reasons.append(Reason("name_missing", text, "name"))
    if (shop in Shop.values) == (trade in Trade.values):
        reasons.append(Reason("sort_missing", _("Choisissez ce qu’il fait."), "sort"))
    if reasons:
        raise Refused(reasons)
    hold(member)
    own = Suggestion.objects.filter(member=member)
    waiting = own.filter(status=SuggestionStatus.RECEIVED).values_list("name", flat=True)
    if folded(name) in {folded(other) for other in waiting}:
        raise refuse("is_there", _("Vous l’avez déjà proposé. L’accueil va le lire."), "name")
    month = at(local_day(now).replace(day=1), time.min)
    if own.filter(received_at__gte=month).count() >= MOST_A_MONTH:
        text = _(
            "Vous avez déjà fait %(number)d propositions ce mois-ci. Revenez le mois prochain."
        )
        raise refuse("too_many", text % {"number": MOST_A_MONTH}, "name")
    suggestion = Suggestion.objects.create(
        landlord_id=member.household.landlord_id,
        member=member,
        name=name[:80],
        street=street[:120],
        shop=shop,
        trade=trade,
        received_at=now,
    )
    log(suggestion, "suggest", by=by, now=now, facts={"from": None, "to": suggestion.status})
    return suggestion


# -- Votes ---------------------------------------------------------------------------------


def closed_to(suggestion: Suggestion, member: Member) -> bool:
    """Whether that member cannot vote on it now: asked under lock, so that no voice is late."""
    hold(suggestion)
    still = Suggestion.objects.filter(pk=suggestion.pk, status__in=VOTED)
    return not still.filter(landlord=member.household.landlord_id).exists()


def refuse_closed() -> Refused:
    return refuse("vote_closed", _("On ne vote plus pour ce commerce."))


@in_one_transaction
def vote(suggestion: Suggestion, member: Member, *, by: User, now: datetime) -> None:
    """One voice a member, however often they press."""
    if closed_to(suggestion, member):
        raise refuse_closed()
    if cast(suggestion, member, now):
        log(suggestion, "vote", by=by, now=now)


def cast(suggestion: Suggestion, member: Member, now: datetime) -> bool:
    """Whether the voice is new."""
    _vote, is_new = SuggestionVote.objects.get_or_create(
        suggestion=suggestion, member=member, defaults={"at": now}
    )
    return is_new


@in_one_transaction
def take_vote_back(suggestion: Suggestion, member: Member, *, by: User, now: datetime) -> None:
    if closed_to(suggestion, member):
        raise refuse_closed()
    gone, _by_model = SuggestionVote.objects.filter(suggestion=suggestion, member=member).delete()
    if gone:
        log(suggestion, "take_vote_back", by=by, now=now)


# -- Staff ---------------------------------------------------------------------------------


def tell_author(suggestion: Suggestion, event: str, now: datetime) -> None:
    if suggestion.member is not None:
        tell_one(suggestion, suggestion.member, event, now)


def tell_one(suggestion: Suggestion, member: Member, event: str, now: datetime) -> None:
    key = f"{event}:{suggestion.pk}:{member.pk}:{now.isoformat()}"
    tell_change(member, event, suggestion, key=key, now=now)


@in_one_transaction
def open_vote(suggestion: Suggestion, *, by: User, now: datetime) -> Suggestion:
    """Everybody sees it from now on. Who proposed it has a voice for it."""
    move(
        suggestion, SuggestionStatus.OPEN, by=by, now=now, verb="open_vote", declined_for="",
        declined_at=None,
    )  # fmt: skip
    if suggestion.member is not None:
        cast(suggestion, suggestion.member, now)
    tell_author(suggestion, "suggestion.open", now)
    return suggestion


@in_one_transaction
def talk(suggestion: Suggestion, *, by: User, now: datetime) -> Suggestion:
    move(suggestion, SuggestionStatus.TALKING, by=by, now=now, verb="talk")
    tell_author(suggestion, "suggestion.talking", now)
    return suggestion


@in_one_transaction
def join(suggestion: Suggestion, *, partner: Partner | None, by: User, now: datetime) -> Suggestion:
    """It became that partner. Who proposed it and all who voted are told."""
    if partner is None or partner.landlord_id != suggestion.landlord_id:
        text = _("Choisissez d’abord le partenaire, puis enregistrez.")
        raise refuse("partner_missing", text, "partner")
    if partner.status != PartnerStatus.LIVE:
        raise refuse("partner_not_live", _("Mettez d’abord ce partenaire en ligne."), "partner")
    move(
        suggestion, SuggestionStatus.JOINED, by=by, now=now, verb="join", partner=partner
    )  # fmt: skip
    told = {vote.member for vote in suggestion.votes.select_related("member__user")}
    if suggestion.member is not None:
        told.add(suggestion.member)
    for member in sorted(told, key=lambda one: one.pk):
        tell_one(suggestion, member, "suggestion.joined", now)
    return suggestion


@in_one_transaction
def decline(suggestion: Suggestion, *, declined_for: str, by: User, now: datetime) -> Suggestion:
    if declined_for not in DeclinedFor.values:
        raise refuse("reason_missing", _("Choisissez pourquoi."), "declined_for")
    move(
        suggestion, SuggestionStatus.DECLINED, by=by, now=now, verb="decline",
        declined_for=declined_for,
    )  # fmt: skip
    tell_author(suggestion, "suggestion.declined", now)
    return suggestion
