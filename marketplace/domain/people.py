"""The people who act for a partner: added, sent a link, let in once by it, gone.

A link opens one phone, once. Who forwards it gives away an entry that the right person
then finds used; a new one goes only to the address that staff wrote down.
"""

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.core import signing
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from club.domain.messages import tell_user
from club.kernel.people import e164
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import Member, User
from club.queries.team import is_team
from marketplace.models import EntryLink, Partner, PartnerPerson
from marketplace.queries.people import acting, place_for

LIFE = timedelta(days=14)
SALT = "partner-entry"


@in_one_transaction
def add_person(
    partner: Partner,
    *,
    first_name: str,
    last_name: str,
    email: str = "",
    phone: str = "",
    by: User | None,
    now: datetime,
) -> PartnerPerson:
    """Somebody who may act for the partner; they are sent their link at once.

    Who has an account already keeps it. Staff cannot: their sessions need more than a link.
    """
    first_name, last_name = first_name.strip(), last_name.strip()
    email, typed = email.strip().lower(), phone.strip()
    number = (e164(typed) or "") if typed else ""
    reasons = []
    if not first_name:
        reasons.append(Reason("first_name_missing", _("Écrivez le prénom."), "first_name"))
    if not last_name:
        reasons.append(Reason("last_name_missing", _("Écrivez le nom."), "last_name"))
    if not email and not typed:
        text = _("Écrivez un e-mail ou un téléphone : le lien y est envoyé.")
        reasons.append(Reason("contact_missing", text, "email"))
    if typed and not number:
        text = _("Ce numéro n’existe pas. Exemple : 06 12 34 56 78.")
        reasons.append(Reason("phone_wrong", text, "phone"))
    if reasons:
        raise Refused(reasons)
    hold(partner)
    user = account_of(first_name, last_name, email, number)
    if PartnerPerson.objects.filter(partner=partner, user=user, left_at=None).exists():
        raise refuse("is_there", _("Cette personne est déjà là."), "email")
    person = PartnerPerson.objects.create(partner=partner, user=user, added_at=now)
    log(person, "add_person", by=by, now=now, facts={"partner": partner.pk})
    send_link(person, now=now)
    return person


def account_of(first_name: str, last_name: str, email: str, phone: str) -> User:
    """The account that has that e-mail or phone, or a new one."""
    same = Q(email__iexact=email) if email else Q()
    if phone:
        same |= Q(phone=phone)
    known = list(User.objects.filter(same).order_by("pk")[:2])
    if len(known) > 1:
        text = _("Cet e-mail et ce téléphone sont à deux personnes. N’en écrivez qu’un.")
        raise refuse("two_accounts", text, "email")
    if known:
        if is_team(known[0]):
            text = _("C’est l’adresse de quelqu’un de l’équipe. Prenez-en une autre.")
            raise refuse("is_team", text, "email")
        if not known[0].is_active:
            raise refuse("is_closed", _("Ce compte est fermé. Prenez une autre adresse."), "email")
        return known[0]
    user = User(first_name=first_name, last_name=last_name, email=email, phone=phone)
    user.set_unusable_password()
    user.save()
    if email:
        EmailAddress.objects.create(user=user, email=email, primary=True)
    return user


@in_one_transaction
def leave(person: PartnerPerson, *, by: User | None, now: datetime) -> None:
    """They act for the partner no more: their next page says so, their links are dead."""
    if not PartnerPerson.objects.filter(pk=person.pk, left_at=None).update(left_at=now):
        raise refuse("has_left", _("Cette personne est déjà partie."))
    person.left_at = now
    EntryLink.objects.filter(person=person, used_at=None, expires_at__gt=now).update(expires_at=now)
    log(person, "leave", by=by, now=now)


# -- Links -----------------------------------------------------------------------------------


def make_link(person: PartnerPerson, *, now: datetime, following: str = "") -> EntryLink:
    return EntryLink.objects.create(
        person=person, following=following, created_at=now, expires_at=now + LIFE
    )


@in_one_transaction
def send_link(person: PartnerPerson, *, now: datetime, following: str = "") -> EntryLink:
    """A message with a link that lets this person in."""
    place = place_for(person.partner)
    if place is None:
        raise refuse("no_place", _("Aucun point d’accueil n’est encore ouvert."))
    link = make_link(person, now=now, following=following)
    tell_user(
        person.user,
        place,
        "partner.entry",
        person,
        key=f"partner.entry:{link.pk}",
        now=now,
        facts={"link": link.pk},
    )
    return link


@in_one_transaction
def send_again(person: PartnerPerson, *, by: User, now: datetime) -> EntryLink:
    """What staff press for somebody who lost the link, or has a new phone."""
    if person.left_at is not None:
        raise refuse("has_left", _("Cette personne est déjà partie."))
    log(person, "send_link", by=by, now=now)
    return send_link(person, now=now)


def signed(link: EntryLink) -> str:
    return signing.Signer(salt=SALT).sign(str(link.pk))


def link_of(text: str) -> EntryLink | None:
    """The link that was signed so; None where it was tampered with or is there no more."""
    try:
        number = int(signing.Signer(salt=SALT).unsign(text))
    except (signing.BadSignature, ValueError):
        return None
    found = EntryLink.objects.select_related("person__user", "person__partner__landlord")
    return found.filter(pk=number).first()


def lives(link: EntryLink, now: datetime) -> bool:
    """Whether it may still be pressed; who presses is asked then (`enter`)."""
    is_fresh = link.used_at is None and now < link.expires_at
    return is_fresh and (is_team(link.person.user) or acts(link.person))


def acts(person: PartnerPerson) -> bool:
    return acting(person.user).filter(pk=person.pk).exists()


@in_one_transaction
def enter(link: EntryLink, *, now: datetime) -> PartnerPerson:
    """Use the link up: the phone that does so is let in, the next one is not."""
    person = link.person
    if is_team(person.user):
        raise refuse("is_team", _("Entrez avec votre mot de passe d’équipe."))
    if not acts(person):
        raise refuse("has_left", _("Ce lien n’ouvre plus rien. Appelez l’accueil."))
    fresh = EntryLink.objects.filter(pk=link.pk, used_at=None, expires_at__gt=now)
    if not fresh.update(used_at=now):
        raise refuse("link_used", _("Ce lien a déjà servi, ou il est trop ancien."))
    log(person, "enter", by=person.user, now=now)
    return person


def is_also_member(person: PartnerPerson) -> bool:
    return Member.objects.filter(user=person.user).exists()
