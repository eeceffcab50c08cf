"""What always holds of services, whatever happened."""

from collections.abc import Iterator

from django.db.models import F, Max, OuterRef, Q, RowRange, Subquery, Sum, Window
from django.db.models.functions import Coalesce

from club.domain.invariants import SHOWN, register_status_of, twice
from club.enums import EntryKind
from club.kernel import invariants
from club.kernel.invariants import Invariant
from club.models import LedgerEntry
from concierge.domain.appointment_fees import COUNTER, KIND, price_of
from concierge.enums import SEATED, AppointmentStatus, WishStatus
from concierge.models import Appointment, CounterUse, SlotWish
from concierge.queries.slots import LANES


def one_person_a_seat() -> Iterator[str]:
    """An appointment begins after all earlier ones on its lane are over."""
    seated = Appointment.objects.filter(status__in=SEATED).annotate(
        before=Window(
            Max("held_until"),
            partition_by="lane",
            order_by=["starts_at", "pk"],
            frame=RowRange(None, -1),
        )
    )
    wrong = seated.filter(before__gt=F("starts_at")).values_list("reference", "lane")
    for reference, lane in wrong[:SHOWN]:
        yield f"appointment {reference} sits on lane {lane} while another does"
    first = F("service_id") * LANES
    strangers = Appointment.objects.filter(Q(lane__lt=first) | Q(lane__gte=first + LANES))
    for reference, lane in strangers.values_list("reference", "lane")[:SHOWN]:
        yield f"appointment {reference} sits on lane {lane}, of another service"


def served_is_charged() -> Iterator[str]:
    """Who was served owes the price; nobody else owes anything."""
    rows = Appointment.objects.filter(unit_cents__gt=0).annotate(charged=charged_for(KIND))
    for one in rows.select_related("service").iterator():
        due = price_of(one) if one.status == AppointmentStatus.DONE else 0
        if one.charged != -due:
            yield f"appointment {one.reference} is charged {-one.charged} cents for {due}"
    uses = CounterUse.objects.exclude(member=None, unit_cents__gt=0).annotate(
        charged=charged_for(COUNTER)
    )
    wrong = uses.filter(
        Q(undone_at=None) & ~Q(charged=-F("unit_cents") * F("quantity"))
        | Q(undone_at__isnull=False) & ~Q(charged=0)
    )
    for pk, cents in wrong.values_list("pk", "charged")[:SHOWN]:
        yield f"counter use {pk} is charged {-cents} cents"


def charged_for(kind: str) -> Coalesce:
    sums = (
        LedgerEntry.objects.filter(
            subject_kind=kind, subject_id=OuterRef("pk"), kind=EntryKind.CHARGE
        )
        .order_by()
        .values("subject_id")
        .annotate(n=Sum("cents"))
        .values("n")
    )
    return Coalesce(Subquery(sums), 0)


def wishes_in_order() -> Iterator[str]:
    """An offer has its end, its turn and its appointment; nobody stands on a list twice."""
    offered = Appointment.objects.filter(status=AppointmentStatus.OFFERED)
    wrong = offered.filter(Q(offered_until=None) | Q(offered_until__gt=F("starts_at")))
    for reference in wrong.values_list("reference", flat=True)[:SHOWN]:
        yield f"appointment {reference} is offered without a fitting end"
    live = SlotWish.objects.filter(status=WishStatus.OFFERED)
    lost = live.exclude(appointment__status=AppointmentStatus.OFFERED)
    for pk in lost.values_list("pk", flat=True)[:SHOWN]:
        yield f"wish {pk} is offered nothing"
    yield from twice(live, "appointment")
    waiting = SlotWish.objects.filter(status__in=[WishStatus.WAITING, WishStatus.OFFERED])
    yield from twice(waiting, "service", "member")


def register() -> None:
    invariants.register(
        Invariant("lanes", "A seat of a service has one person at a time.", one_person_a_seat),
        Invariant("served", "What was served is charged its price.", served_is_charged),
        Invariant("wishes", "An offer has its turn; a turn is one.", wishes_in_order),
    )
    register_status_of(Appointment, SlotWish)
