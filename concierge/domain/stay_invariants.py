"""What always holds of stays and keys, whatever happened."""

from collections.abc import Iterator

from django.db.models import F, Max, Q, RowRange, Window

from club.domain.invariants import SHOWN, register_status_of, twice
from club.kernel import invariants
from club.kernel.invariants import Invariant
from club.kernel.spans import local_day
from concierge.domain.appointment_invariants import charged_for
from concierge.domain.stay_fees import KIND, price_of
from concierge.enums import ON_HOOK, WATCHED, KeyStatus, StayStatus
from concierge.models import KeySet, Stay, StayVisit
from concierge.queries.slots import LANES


def one_home_a_seat() -> Iterator[str]:
    """A stay begins after all earlier ones on its lane are over."""
    watched = Stay.objects.filter(status__in=WATCHED).annotate(
        before=Window(
            Max("ends_at"),
            partition_by="lane",
            order_by=["starts_at", "pk"],
            frame=RowRange(None, -1),
        )
    )
    wrong = watched.filter(before__gt=F("starts_at")).values_list("reference", "lane")
    for reference, lane in wrong[:SHOWN]:
        yield f"stay {reference} is on lane {lane} while another is"
    first = F("service_id") * LANES
    strangers = Stay.objects.filter(Q(lane__lt=first) | Q(lane__gte=first + LANES))
    for reference, lane in strangers.values_list("reference", "lane")[:SHOWN]:
        yield f"stay {reference} is on lane {lane}, of another service"


def visits_in_their_stay() -> Iterator[str]:
    """On a day of the stay; and nobody is sent to a home whose stay is over or off."""
    rows = StayVisit.objects.order_by().values_list(
        "pk", "day", "done_at", "incident", "stay__starts_at", "stay__ends_at", "stay__status"
    )
    for pk, day, done_at, incident, starts_at, ends_at, status in rows.iterator():
        is_inside = local_day(starts_at) <= day < local_day(ends_at)
        if (status in WATCHED or done_at is None) and not is_inside:
            yield f"visit {pk} of {day} lies outside its stay"
        if status not in WATCHED and done_at is None and not incident:
            yield f"visit {pk} is to do for a stay that is {status}"


def one_set_a_hook() -> Iterator[str]:
    """A hook holds one bunch; whoever has keys is known, and since when."""
    yield from twice(KeySet.objects.filter(status__in=ON_HOOK), "place", "hook")
    returned, lost = Q(returned_at__isnull=False), Q(lost_at__isnull=False)
    wrong = (
        Q(status=KeyStatus.HELD) & (Q(out_at__isnull=False) | returned | lost)
        | Q(status=KeyStatus.OUT) & (Q(out_at=None) | returned | lost)
        | Q(status=KeyStatus.RETURNED) & (~returned | lost)
        | Q(status=KeyStatus.LOST) & (~lost | returned)
    )
    for reference, status in KeySet.objects.filter(wrong).values_list("reference", "status")[
        :SHOWN
    ]:
        yield f"keys {reference} are {status}, against their times"


def kept_is_charged() -> Iterator[str]:
    """What has ended owes its price; nothing else owes anything."""
    rows = Stay.objects.filter(unit_cents__gt=0).annotate(charged=charged_for(KIND))
    for stay in rows.iterator():
        due = price_of(stay) if stay.status == StayStatus.ENDED else 0
        if stay.charged != -due:
            yield f"stay {stay.reference} is charged {-stay.charged} cents for {due}"


def register() -> None:
    invariants.register(
        Invariant("stay-lanes", "A seat of a service is one home at a time.", one_home_a_seat),
        Invariant("stay-visits", "A visit is on a day of its stay.", visits_in_their_stay),
        Invariant("hooks", "A hook holds one bunch of keys.", one_set_a_hook),
        Invariant("stay-fees", "What has ended is charged its price.", kept_is_charged),
    )
    register_status_of(Stay, KeySet)
