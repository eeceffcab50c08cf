"""The yearly insurance certificate, of any insurer: sent, read, asked for.

The landlord may ask its tenants for it each year (law of 6 July 1989, article 7 g). What
is written of a household is whether a certificate has come in, never whether it is insured.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import PurePath
from typing import Any

from dateutil.relativedelta import relativedelta
from django.core.files.base import File
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from club.domain.messages import channel_for, tell_change, tell_many
from club.kernel import codes
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import local_day, start_of
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Household, Landlord, Member, Message, User
from content.pictures import reencoded
from marketplace.enums import CertificateRefusedFor, CertificateStatus
from marketplace.files import MOST_BYTES, check_paper
from marketplace.models import Certificate, CertificateCall
from marketplace.queries.certificates import (
    ASKED,
    at_places,
    is_tenant,
    readers_of,
    tenants,
    with_standing,
)

LONGEST = relativedelta(months=13)
AHEAD = timedelta(days=60)
"""A certificate of next year is sent some weeks before it starts, not a year."""
TWICE = timedelta(minutes=10)
MOST_WAITING = 5
"""Of one household, sent and not yet read."""


def as_kept(upload: Any) -> File:
    """The file as it is stored: its type told by its bytes, a photo drawn anew, its name
    forgotten. Raises `ValidationError` with what is wrong with it."""
    sort = check_paper(upload)
    kept: File = upload if sort == "application/pdf" else reencoded(upload, MOST_BYTES)
    ending = ".pdf" if sort == "application/pdf" else PurePath(str(kept.name)).suffix
    kept.name = codes.token()[:20] + ending
    return kept


def faults_of(insurer: str, starts_on: date, ends_on: date, on: date) -> list[Reason]:
    reasons = []
    if not insurer:
        reasons.append(Reason("insurer_missing", _("Écrivez le nom de l’assureur."), "insurer"))
    if ends_on < starts_on:
        text = _("La fin ne peut pas être avant le début.")
        reasons.append(Reason("dates_in_disorder", text, "ends_on"))
    elif ends_on < on:
        text = _("Cette attestation est déjà finie. Demandez la nouvelle à votre assureur.")
        reasons.append(Reason("over", text, "ends_on"))
    elif starts_on <= on + AHEAD and ends_on > starts_on + LONGEST:
        text = _("Une attestation dure un an. Relisez les deux dates.")
        reasons.append(Reason("too_long", text, "ends_on"))
    if starts_on > on + AHEAD:
        text = _("Elle commence dans plus de deux mois. Envoyez celle d’aujourd’hui.")
        reasons.append(Reason("too_early", text, "starts_on"))
    return reasons


@in_one_transaction
def send_certificate(
    member: Member,
    *,
    insurer: str,
    starts_on: date,
    ends_on: date,
    file: File | None,
    by: User,
    now: datetime,
) -> Certificate:
    """A household's certificate comes in; it counts once somebody has read it.

    Without a file staff have it in their hands: they read it then and there, no copy is
    made, and it is accepted at once. A press that comes twice sends it once.
    """
    is_own = by == member.user
    insurer = " ".join(insurer.split())
    reasons = faults_of(insurer, starts_on, ends_on, local_day(now))
    if file is None and is_own:
        reasons.append(Reason("file_missing", _("Ajoutez une photo ou un fichier."), "file"))
    if not is_tenant(member.household):
        reasons.append(Reason("no_tenant", _("La location de ce foyer n’est pas vérifiée.")))
    if reasons:
        raise Refused(reasons)
    hold(member.household)
    lately = Certificate.objects.filter(
        household=member.household, member=member, insurer=insurer, starts_on=starts_on,
        ends_on=ends_on, received_at__gt=now - TWICE,
    ).exclude(status=CertificateStatus.REFUSED)  # fmt: skip
    for sent in lately:
        if holds(sent, file):
            return sent
    waiting = Certificate.objects.filter(
        household=member.household, status=CertificateStatus.RECEIVED
    ).count()
    if is_own and waiting >= MOST_WAITING:
        text = _("Plusieurs attestations attendent déjà. L’accueil va les lire.")
        raise refuse("too_many", text, "file")
    certificate = Certificate.objects.create(
        household=member.household, member=member, insurer=insurer, starts_on=starts_on,
        ends_on=ends_on, file=file or "", received_at=now,
    )  # fmt: skip
    channel = "web" if is_own else "desk"
    facts = {"from": None, "to": certificate.status}
    log(certificate, "receive", by=by, now=now, channel=channel, facts=facts)
    if file is None:
        move(certificate, CertificateStatus.ACCEPTED, by=by, now=now, verb="read", channel=channel)
    return certificate


def holds(sent: Certificate, file: File | None) -> bool:
    """A sharper photo of the same paper is another one; the same bytes are a second press."""
    if file is None or not sent.file:
        return file is None and not sent.file
    file.seek(0)
    content = file.read()
    file.seek(0)
    with sent.file.open() as kept:
        return bool(kept.read() == content)


@in_one_transaction
def accept(certificate: Certificate, *, by: User, now: datetime) -> Certificate:
    """Staff have read it: it counts until its last day."""
    if certificate.ends_on < local_day(now):
        raise refuse("over", _("Cette attestation est déjà finie."), "ends_on")
    move(certificate, CertificateStatus.ACCEPTED, by=by, now=now, verb="accept", refused_for="")
    tell_of(certificate, "certificate.accepted", now)
    return certificate


@in_one_transaction
def turn_away(
    certificate: Certificate, *, refused_for: str, by: User, now: datetime
) -> Certificate:
    """It does not count, or no longer; the household is told why and sends another."""
    if refused_for not in CertificateRefusedFor.values:
        raise refuse("reason_missing", _("Choisissez pourquoi."), "refused_for")
    move(
        certificate, CertificateStatus.REFUSED, by=by, now=now, verb="refuse",
        refused_for=refused_for,
    )  # fmt: skip
    tell_of(certificate, "certificate.refused", now)
    return certificate


def tell_of(certificate: Certificate, event: str, now: datetime) -> None:
    reader = readers_of([certificate.household_id]).get(certificate.household_id)
    if reader is not None:
        key = f"{event}:{certificate.pk}:{now.isoformat()}"
        tell_change(reader, event, certificate, key=key, now=now)


# -- Asking for it -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Asking:
    """Who would be asked today: those whom a message reaches, and how many it does not."""

    readers: dict[int, Member]
    to_call: int


def without(
    landlord: Landlord, on: date, places: Iterable[int] | None = None
) -> QuerySet[Household]:
    """Tenants from whom nothing that runs has come in."""
    households = at_places(tenants(landlord), places)
    return with_standing(households, on).filter(standing__in=ASKED)


def to_ask(landlord: Landlord, on: date, places: Iterable[int] | None = None) -> Asking:
    """Who was asked already today is not asked again."""
    asked = Message.objects.filter(key__startswith=f"certificate.call:{on}:", member__isnull=False)
    left = without(landlord, on, places).exclude(pk__in=asked.values("member__household"))
    pks = list(left.values_list("pk", flat=True))
    readers = readers_of(left.values("pk"))
    return Asking(readers, len(pks) - len(readers))


@in_one_transaction
def call(
    landlord: Landlord,
    *,
    purpose: str,
    by: User,
    now: datetime,
    places: Iterable[int] | None = None,
) -> CertificateCall:
    """Ask each tenant household (of `places`) without a certificate for it, one adult each.

    It says why: the purpose is written down and told. Pressed twice on one day, it asks
    nobody twice and is one act.
    """
    purpose = " ".join(purpose.split())
    if not purpose:
        raise refuse("purpose_missing", _("Écrivez pourquoi vous demandez."), "purpose")
    hold(landlord)
    day = local_day(now)
    asking = to_ask(landlord, day, places)
    if not asking.readers:
        done = CertificateCall.objects.filter(
            landlord=landlord, by=by, purpose=purpose, asked_at__gte=start_of(day)
        ).last()
        if done is not None:
            return done
        raise refuse("nobody", _("Il n’y a personne à prévenir aujourd’hui."))
    made = CertificateCall.objects.create(
        landlord=landlord, asked_at=now, by=by, purpose=purpose, households=len(asking.readers)
    )
    facts = {"households": made.households, "purpose": purpose}
    log(made, "call", by=by, now=now, facts=facts)
    tell_many(
        Message(
            key=f"certificate.call:{day}:{household}",
            event="certificate.call",
            member=reader,
            subject_kind="certificatecall",
            subject_id=made.pk,
            channel=channel_for(reader) or "",
            due_at=now,
        )
        for household, reader in asking.readers.items()
    )
    return made
