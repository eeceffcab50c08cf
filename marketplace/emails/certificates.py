"""The yearly certificate: asked for, recalled, accepted, sent back. Nobody is "uninsured"."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from club.emails import letter_of
from club.kernel import letters, words
from club.kernel.letters import Letter, Sort
from club.kernel.spans import local_day
from club.models import Message
from marketplace.domain.certificate_reminders import DAYS, is_still_to_tell, still_ends
from marketplace.enums import CertificateRefusedFor, CertificateStatus
from marketplace.models import Certificate, CertificateCall
from marketplace.queries.certificates import has_running

WHAT_TO_DO = {
    CertificateRefusedFor.UNREADABLE: _("Prenez la photo bien à plat, en pleine lumière."),
    CertificateRefusedFor.OTHER_HOME: _("Demandez à votre assureur celle de votre logement."),
    CertificateRefusedFor.DATES: _("Demandez à votre assureur celle de cette année."),
    CertificateRefusedFor.NOT_ONE: _("Demandez une « attestation habitation » à votre assureur."),
}


def page() -> str:
    return settings.BASE_URL + reverse("own-certificate:home")


def load(ids: Iterable[int]) -> dict[int, Any]:
    """With whether it still is to be recalled: one statement for a batch."""
    recalled = still_ends(Certificate.objects.filter(pk=OuterRef("pk")))
    found = Certificate.objects.select_related("household__landlord")
    return found.annotate(still_ends=Exists(recalled)).in_bulk(list(ids))


def lives_there(message: Message, certificate: Certificate) -> bool:
    assert message.member is not None
    return message.member.household_id == certificate.household_id


def is_recalled(message: Message, certificate: Certificate, now: datetime) -> bool:
    return (
        certificate.still_ends  # type: ignore[attr-defined]
        and lives_there(message, certificate)
        and is_still_to_tell(message.event, certificate, local_day(now))
    )


def recall(message: Message, certificate: Certificate, now: datetime) -> Letter:
    context: dict[str, object] = {
        "day": words.day(certificate.ends_on),
        "is_over": certificate.ends_on < local_day(now),
        "landlord": certificate.household.landlord,
    }
    return letter_of(
        "marketplace/email/certificate_ends",
        context,
        button=gettext("Envoyer mon attestation"),
        link=page(),
    )


def is_accepted(message: Message, certificate: Certificate, now: datetime) -> bool:
    is_so = certificate.status == CertificateStatus.ACCEPTED
    return is_so and lives_there(message, certificate)


def tell_accepted(message: Message, certificate: Certificate, now: datetime) -> Letter:
    context: dict[str, object] = {"day": words.day(certificate.ends_on)}
    return letter_of(
        "marketplace/email/certificate_accepted", context, button=gettext("Voir mon attestation"),
        link=page(),
    )  # fmt: skip


def is_refused(message: Message, certificate: Certificate, now: datetime) -> bool:
    is_so = certificate.status == CertificateStatus.REFUSED
    return is_so and lives_there(message, certificate)


def tell_refused(message: Message, certificate: Certificate, now: datetime) -> Letter:
    why = CertificateRefusedFor(certificate.refused_for)
    context: dict[str, object] = {
        "day": words.day(certificate.received_at),
        "why": why.label,
        "what_to_do": WHAT_TO_DO[why],
    }
    return letter_of(
        "marketplace/email/certificate_refused", context,
        button=gettext("Envoyer une autre attestation"), link=page(),
    )  # fmt: skip


def load_calls(ids: Iterable[int]) -> dict[int, CertificateCall]:
    return CertificateCall.objects.select_related("landlord").in_bulk(list(ids))


def is_asked(message: Message, call: CertificateCall, now: datetime) -> bool:
    assert message.member is not None
    household = message.member.household_id
    return not has_running(household, local_day(now))


def ask(message: Message, call: CertificateCall, now: datetime) -> Letter:
    context: dict[str, object] = {
        "landlord": call.landlord,
        "purpose": call.purpose,
        "day": words.day(call.asked_at),
    }
    return letter_of(
        "marketplace/email/certificate_call", context, button=gettext("Envoyer mon attestation"),
        link=page(),
    )  # fmt: skip


def register() -> None:
    for event in DAYS:
        letters.register(Sort(event, Certificate, load, is_recalled, recall))
    letters.register(Sort("certificate.accepted", Certificate, load, is_accepted, tell_accepted))
    letters.register(Sort("certificate.refused", Certificate, load, is_refused, tell_refused))
    letters.register(Sort("certificate.call", CertificateCall, load_calls, is_asked, ask))
