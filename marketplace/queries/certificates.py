"""Where each household stands with its yearly insurance certificate, on a day."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from club.domain.messages import channel_for
from club.enums import TenancyResult
from club.kernel import words
from club.models import Card, Household, Landlord, Member, TenancyCheck
from marketplace.enums import CertificateStatus
from marketplace.models import Certificate


class Standing(models.TextChoices):
    """What the landlord knows, in the words of the law: nobody is said to be uninsured."""

    VALID = "valid", gettext_lazy("reçue et valable")
    TO_CHECK = "to_check", gettext_lazy("reçue, à vérifier")
    REFUSED = "refused", gettext_lazy("à renvoyer")
    EXPIRED = "expired", gettext_lazy("expirée")
    MISSING = "missing", gettext_lazy("attestation non reçue")


ASKED = (Standing.REFUSED, Standing.EXPIRED, Standing.MISSING)
"""Who is asked for one: what has come in and waits to be read is not asked for again."""


def tenants(landlord: Landlord | None = None) -> QuerySet[Household]:
    """Households whose tenancy was confirmed, by the last answer that anybody there had."""
    said = TenancyCheck.objects.filter(member__household=OuterRef("pk"))
    last = said.order_by("-checked_on", "-pk").values("result")[:1]
    found = Household.objects.alias(tenancy=Subquery(last)).filter(tenancy=TenancyResult.YES)
    return found.filter(landlord=landlord) if landlord else found


def is_tenant(household: Household) -> bool:
    return tenants().filter(pk=household.pk).exists()


def with_standing(households: QuerySet[Household], on: date) -> QuerySet[Any]:
    """Each with `standing`: what still runs or will goes before what is over."""
    own = Certificate.objects.filter(household=OuterRef("pk"))
    running = own.filter(ends_on__gte=on)
    last = own.order_by("-received_at", "-pk").values("status")[:1]
    return households.alias(last_status=Subquery(last)).annotate(
        standing=Case(
            When(Exists(running.filter(status=CertificateStatus.ACCEPTED)), then=Value("valid")),
            When(Exists(running.filter(status=CertificateStatus.RECEIVED)), then=Value("to_check")),
            When(last_status=CertificateStatus.REFUSED, then=Value("refused")),
            When(last_status__isnull=False, then=Value("expired")),
            default=Value("missing"),
            output_field=CharField(),
        )
    )


def telling(standing: str, certificates: Iterable[Certificate], on: date) -> Certificate | None:
    """The certificate that the standing speaks of."""
    own = sorted(certificates, key=lambda one: (one.received_at, one.pk))
    wanted = {
        Standing.VALID: [
            one for one in own if one.status == CertificateStatus.ACCEPTED and one.ends_on >= on
        ],
        Standing.TO_CHECK: [
            one for one in own if one.status == CertificateStatus.RECEIVED and one.ends_on >= on
        ],
        Standing.REFUSED: own,
        Standing.EXPIRED: [one for one in own if one.status != CertificateStatus.REFUSED],
    }.get(Standing(standing), [])
    if standing in {Standing.VALID, Standing.EXPIRED}:
        return max(wanted, key=lambda one: one.ends_on, default=None)
    return wanted[-1] if wanted else None


@dataclass(frozen=True)
class Line:
    """One household: where it stands, by which certificate, and who is written to."""

    household: Household
    standing: str
    certificate: Certificate | None
    reader: Member | None

    @property
    def said(self) -> str:
        one = self.certificate
        if one is None:
            return str(Standing(self.standing).label)
        if self.standing == Standing.VALID:
            return _("reçue, valable jusqu’au %(day)s") % {"day": words.day(one.ends_on)}
        if self.standing == Standing.TO_CHECK:
            return _("reçue le %(day)s, à vérifier") % {"day": words.day(one.received_at)}
        if self.standing == Standing.REFUSED:
            return _("à renvoyer : %(why)s") % {"why": one.get_refused_for_display()}
        return _("expirée le %(day)s") % {"day": words.day(one.ends_on)}


def lines_of(households: Iterable[Household], on: date) -> list[Line]:
    """In the order given, of households `with_standing`; three statements however many."""
    rows = list(households)
    papers: dict[int, list[Certificate]] = defaultdict(list)
    for one in Certificate.objects.filter(household__in=rows):
        papers[one.household_id].append(one)
    readers = readers_of(rows)
    return [
        Line(
            row,
            row.standing,  # type: ignore[attr-defined]
            telling(row.standing, papers[row.pk], on),  # type: ignore[attr-defined]
            readers.get(row.pk),
        )
        for row in rows
    ]


def line_of(household: Household, on: date) -> Line:
    return lines_of(with_standing(Household.objects.filter(pk=household.pk), on), on)[0]


def readers_of(households: Any) -> dict[int, Member]:
    """Whom a household is told through: who sent the last certificate, else the first adult
    whom a message reaches. A household that nothing reaches has nobody: the desk calls."""
    reached: dict[int, list[Member]] = defaultdict(list)
    adults = Member.objects.filter(household__in=households, user__is_active=True)
    for member in adults.select_related("user").order_by("pk"):
        if channel_for(member):
            reached[member.household_id].append(member)
    sent = Certificate.objects.filter(household__in=households, member__isnull=False)
    last = dict(sent.order_by("received_at", "pk").values_list("household", "member"))
    return {
        household: next((one for one in adults if one.pk == last.get(household)), adults[0])
        for household, adults in reached.items()
    }


def at_places(households: QuerySet[Household], places: Iterable[int] | None) -> QuerySet[Household]:
    """Those with somebody of these places; of any where no places are named."""
    if places is None:
        return households
    there = Member.objects.filter(household=OuterRef("pk"), place__in=list(places))
    return households.filter(Exists(there))


def is_followed() -> Exists:
    """Whether a certificate that holds longer has come in for the same household."""
    same = Certificate.objects.filter(household=OuterRef("household")).exclude(
        status=CertificateStatus.REFUSED
    )
    longer = Q(ends_on__gt=OuterRef("ends_on"))
    later = Q(ends_on=OuterRef("ends_on"), pk__gt=OuterRef("pk"))
    return Exists(same.filter(longer | later))


def has_running(household: int, on: date) -> bool:
    """Whether one that runs, or will, has come in, read or not."""
    own = Certificate.objects.filter(household=household, ends_on__gte=on)
    return own.exclude(status=CertificateStatus.REFUSED).exists()


def cards_of(households: Iterable[Household]) -> dict[int, str]:
    """A live card of each household, to name it by."""
    cards = Card.objects.filter(member__household__in=list(households), revoked_at=None)
    return dict(cards.order_by("-pk").values_list("member__household", "number"))
