"""Members and their rights: made at the desk, in the admin or by the resident alone."""

import secrets
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from allauth.account.models import EmailAddress
from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from rapidfuzz import fuzz, process

from club.domain.cards import issue_card
from club.enums import Activity, RightSource
from club.kernel import codes
from club.kernel.people import e164, folded
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log
from club.models import Household, Member, Place, Right, User

CLAIM_LASTS = timedelta(days=60)
CLAIM_LENGTH = 8
CLAIM_LETTERS = "BCDFGHJKLNPRSTVX23456789"
"""Read aloud and typed without doubt: no vowels, no look-alikes, no W and M."""
SAME_NAME = 88
"""How alike two names must be, of 100, before the desk is asked whether they are one."""


def search_name_of(user: User) -> str:
    return folded(f"{user.first_name} {user.last_name}")[:200]


def others_than(user: User | None, users: QuerySet[User]) -> QuerySet[User]:
    return users.exclude(pk=user.pk) if user else users


def email_faults(email: str, *, besides: User | None = None) -> list[Reason]:
    taken = User.objects.filter(email__iexact=email) | User.objects.filter(
        emailaddress__email__iexact=email
    )
    if not others_than(besides, taken).exists():
        return []
    return [Reason("email_taken", _("Un compte existe déjà avec cet e-mail."), "email")]


def phone_faults(phone: str, *, besides: User | None = None) -> list[Reason]:
    if not others_than(besides, User.objects.filter(phone=phone)).exists():
        return []
    return [Reason("phone_taken", _("Un compte existe déjà avec ce téléphone."), "phone")]


@in_one_transaction
def register_member(
    *,
    first_name: str,
    last_name: str,
    place: Place,
    email: str = "",
    phone: str = "",
    household: Household | None = None,
    by: User | None,
    now: datetime,
) -> Member:
    """Make an account, its member and its card; `household` joins one that exists.

    E-mail and phone are both optional: the printed letter opens the account then.
    """
    reasons: list[Reason] = []
    first_name, last_name = first_name.strip(), last_name.strip()
    email, typed_phone = email.strip().lower(), phone.strip()
    phone = (e164(typed_phone) or "") if typed_phone else ""
    if not first_name:
        reasons.append(Reason("first_name_missing", _("Écrivez le prénom."), "first_name"))
    if not last_name:
        reasons.append(Reason("last_name_missing", _("Écrivez le nom."), "last_name"))
    if email:
        reasons += email_faults(email)
    if typed_phone and not phone:
        text = _("Ce numéro n’existe pas. Exemple : 06 12 34 56 78.")
        reasons.append(Reason("phone_wrong", text, "phone"))
    if phone:
        reasons += phone_faults(phone)
    if household is not None and household.landlord_id != place.landlord_id:
        text = _("Ce foyer dépend d’un autre bailleur.")
        reasons.append(Reason("other_landlord", text, "household"))
    if reasons:
        raise Refused(reasons)
    user = User(first_name=first_name, last_name=last_name, email=email, phone=phone)
    user.set_unusable_password()
    user.save()
    if email:
        EmailAddress.objects.create(user=user, email=email, primary=True)
    if household is None:
        household = Household.objects.create(landlord=place.landlord)
    else:
        adults = household.members.count() + 1
        if household.size < adults:
            household.size = adults
            household.save(update_fields=["size"])
    member = Member.objects.create(
        user=user,
        household=household,
        place=place,
        search_name=search_name_of(user),
        joined_at=now,
    )
    log(member, "register", by=by or user, now=now)
    issue_card(member, by=by or user, now=now)
    return member


@in_one_transaction
def rename_member(
    member: Member, *, first_name: str, last_name: str, by: User, now: datetime
) -> None:
    """Correct a name; the search follows."""
    user = member.user
    user.first_name, user.last_name = first_name.strip(), last_name.strip()
    user.save(update_fields=["first_name", "last_name"])
    member.search_name = search_name_of(user)
    member.save(update_fields=["search_name"])
    log(member, "rename", by=by, now=now)


@in_one_transaction
def set_proven_contact(
    user: User, *, email: str = "", phone: str = "", by: User, now: datetime
) -> None:
    """Keep an e-mail or a phone that the person has just proved by its code.

    An e-mail replaces the one before, so that a lost mailbox opens nothing any more.
    """
    if phone and user.phone == phone and user.phone_verified:
        return
    if email and EmailAddress.objects.filter(user=user, email=email, verified=True).exists():
        return
    reasons = email_faults(email, besides=user) if email else []
    reasons += phone_faults(phone, besides=user) if phone else []
    if reasons:
        raise Refused(reasons)
    if email:
        user.email = email
        EmailAddress.objects.filter(user=user).delete()
        EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    if phone:
        user.phone, user.phone_verified = phone, True
    user.save(update_fields=["email", "phone", "phone_verified"])
    log(user, "set_contact", by=by, now=now, facts={"kind": "email" if email else "phone"})


def bare_email(email: str) -> str:
    """Without what follows a plus sign: "rose+club@…" is Rose."""
    name, at, host = email.strip().lower().partition("@")
    return name.split("+")[0] + at + host


def likely_same(
    first_name: str, last_name: str, email: str, phone: str, place: Place
) -> list[Member]:
    """Members of the same landlord who may be this person, the surest first, five at most."""
    known = Member.objects.filter(place__landlord=place.landlord_id)
    found: list[int] = []
    number = e164(phone) if phone else None
    if number:
        found += known.filter(user__phone=number).values_list("pk", flat=True)
    if "@" in email:
        name, _at, host = bare_email(email).partition("@")
        near = Q(user__email__istartswith=name, user__email__iendswith="@" + host)
        found += [
            pk
            for pk, held in known.filter(near).values_list("pk", "user__email")
            if bare_email(held) == f"{name}@{host}"
        ]
    name = folded(f"{first_name} {last_name}")
    if name:
        names = dict(known.values_list("pk", "search_name"))
        close = process.extract(
            name, names, scorer=fuzz.token_sort_ratio, score_cutoff=SAME_NAME, limit=5
        )
        found += [pk for _name, _score, pk in close]
    order = list(dict.fromkeys(found))[:5]
    rows = Member.objects.select_related("user", "household", "place").in_bulk(order)
    return [rows[pk] for pk in order]


@in_one_transaction
def give_right(
    holder: Member | Household,
    activities: Iterable[str],
    starts_on: date,
    ends_on: date,
    source: str,
    *,
    by: User,
    now: datetime,
) -> list[Right]:
    """Open activities over dates, both days included: to one member or to a whole household."""
    wanted = list(dict.fromkeys(activities))
    reasons: list[Reason] = []
    if not wanted or set(wanted) - set(Activity.values):
        reasons.append(
            Reason("activity_missing", _("Choisissez ce que le droit ouvre."), "activities")
        )
    if source not in RightSource.values:
        reasons.append(Reason("source_missing", _("Choisissez l’origine du droit."), "source"))
    if ends_on < starts_on:
        reasons.append(
            Reason("dates_order", _("La fin ne peut pas être avant le début."), "ends_on")
        )
    if reasons:
        raise Refused(reasons)
    member = holder if isinstance(holder, Member) else None
    household = holder.household if isinstance(holder, Member) else holder
    rights = []
    for activity in wanted:
        right = Right.objects.create(
            household=household,
            member=member,
            activity=activity,
            starts_on=starts_on,
            ends_on=ends_on,
            source=source,
            given_by=by,
        )
        facts = {"activity": activity, "until": ends_on.isoformat(), "source": source}
        log(right, "give_right", by=by, now=now, facts=facts)
        rights.append(right)
    return rights


@in_one_transaction
def withdraw_right(right: Right, *, by: User, now: datetime) -> None:
    """End a right now; what was done under it stands."""
    done = Right.objects.filter(pk=right.pk, revoked_at=None).update(revoked_at=now)
    if not done:
        raise refuse("already_withdrawn", _("Ce droit est déjà retiré."))
    right.revoked_at = now
    log(right, "withdraw_right", by=by, now=now)


def claim_digest(code: str) -> str:
    """Keyed, because a code that people type is short enough to be guessed from a bare digest."""
    plain = "".join(c for c in code.upper() if c.isalnum())
    return salted_hmac("club.claim", plain, algorithm="sha256").hexdigest()


@in_one_transaction
def issue_claim(member: Member, now: datetime, *, by: User | None = None) -> str:
    """A new code for the printed letter, told once; an older one opens nothing any more."""
    code = codes.unused(
        lambda: "".join(secrets.choice(CLAIM_LETTERS) for _ in range(CLAIM_LENGTH)),
        lambda made: Member.objects.filter(claim_digest=claim_digest(made)).exists(),
    )
    member.claim_digest = claim_digest(code)
    member.claim_expires_at = now + CLAIM_LASTS
    member.save(update_fields=["claim_digest", "claim_expires_at"])
    log(member, "issue_claim", by=by, now=now)
    return f"{code[:4]}-{code[4:]}"


@in_one_transaction
def claim(code: str, last_name: str, *, now: datetime) -> Member:
    """The member whose letter this is: right code, right name, in time, and once.

    Each failure has the same words, so that nothing can be learned by trying.
    """
    no = refuse(
        "claim_unknown",
        _(
            "Ce code et ce nom ne vont pas ensemble, ou la lettre a déjà servi."
            " L’accueil peut en imprimer une autre."
        ),
    )
    digest = claim_digest(code)
    member = (
        Member.objects.select_related("user")
        .filter(claim_digest=digest, claim_expires_at__gt=now, user__is_active=True)
        .first()
    )
    if member is None or folded(member.last_name) != folded(last_name):
        raise no
    spent = Member.objects.filter(pk=member.pk, claim_digest=digest).update(
        claim_digest="", claim_expires_at=None, claimed_at=now
    )
    if not spent:
        raise no
    member.claim_digest, member.claim_expires_at, member.claimed_at = "", None, now
    log(member, "claim", by=member.user, now=now)
    return member
