"""What always holds of sessions and registrations, whatever happened."""

from collections.abc import Iterator

from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from club.domain.invariants import SHOWN, register_status_of, twice
from club.enums import EntryKind
from club.kernel import invariants
from club.kernel.invariants import Invariant
from club.models import LedgerEntry
from events.domain.fees import KIND, PAYABLE
from events.enums import HOLDING, LIVE, RegistrationStatus, SessionStatus
from events.models import Registration, Session, WalkIn


def counter_is_rows() -> Iterator[str]:
    held = (
        Registration.objects.filter(session=OuterRef("pk"), status__in=HOLDING)
        .order_by()
        .values("session")
        .annotate(n=Sum("quantity"))
        .values("n")
    )
    walked_in = (
        WalkIn.objects.filter(session=OuterRef("pk"), undone_at=None)
        .order_by()
        .values("session")
        .annotate(n=Sum("quantity"))
        .values("n")
    )
    counted = Session.objects.annotate(
        counted=Coalesce(Subquery(held), 0) + Coalesce(Subquery(walked_in), 0)
    )
    for pk, booked, rows in counted.exclude(booked=F("counted")).values_list(
        "pk", "booked", "counted"
    )[:SHOWN]:
        yield f"session {pk} counts {booked} places, its rows {rows}"


def never_too_many() -> Iterator[str]:
    for pk, booked in Session.objects.filter(booked__gt=F("capacity")).values_list("pk", "booked")[
        :SHOWN
    ]:
        yield f"session {pk} has {booked} places taken, more than there are"
    yield from twice(Registration.objects.filter(status__in=LIVE), "session", "member")


def queue_in_order() -> Iterator[str]:
    wrong = Registration.objects.filter(
        Q(status=RegistrationStatus.WAITING, queued_at=None)
        | Q(status=RegistrationStatus.OFFERED, offer_ends_at=None)
        | Q(status=RegistrationStatus.OFFERED, quantity__gt=F("wanted"))
        | Q(status=RegistrationStatus.OFFERED, quantity__lt=F("wanted"), fewer_ok=False)
        | Q(status=RegistrationStatus.OFFERED, offer_ends_at__gt=F("starts_at"))
    )
    for reference in wrong.values_list("reference", flat=True)[:SHOWN]:
        yield f"registration {reference} waits or is offered against the rule"


def at_its_session() -> Iterator[str]:
    live = Registration.objects.filter(status__in=LIVE)
    wrong = live.exclude(
        starts_at=F("session__starts_at"), ends_at=F("session__ends_at"), place=F("session__place")
    ) | live.filter(session__status=SessionStatus.CANCELLED).exclude(
        status=RegistrationStatus.ABSENT
    )
    for reference in wrong.values_list("reference", flat=True)[:SHOWN]:
        yield f"registration {reference} is not where its session is"


def charges_are_places() -> Iterator[str]:
    """What is charged is what the held places cost."""
    charged = (
        LedgerEntry.objects.filter(
            subject_kind=KIND, subject_id=OuterRef("pk"), kind=EntryKind.CHARGE
        )
        .order_by()
        .values("subject_id")
        .annotate(n=Sum("cents"))
        .values("n")
    )
    rows = Registration.objects.annotate(charged=Coalesce(Subquery(charged), 0))
    wrong = rows.filter(status__in=PAYABLE).exclude(charged=-F("unit_cents") * F("quantity"))
    for reference, cents in wrong.values_list("reference", "charged")[:SHOWN]:
        yield f"registration {reference} is charged {-cents} cents"


def register() -> None:
    invariants.register(
        Invariant("places", "A session's counter is its rows.", counter_is_rows),
        Invariant("seats", "A session has never too many, nobody is there twice.", never_too_many),
        Invariant("queue", "Who waits has a turn; an offer is what was wanted.", queue_in_order),
        Invariant("sessions", "A registration is where its session is.", at_its_session),
        Invariant("registrations-paid", "A place is charged its price.", charges_are_places),
    )
    register_status_of(Registration, Session)
