"""What always holds of parcels, whatever happened."""

from collections.abc import Iterator

from django.db.models import F, Q

from club.domain.invariants import SHOWN, register_status_of, twice
from club.kernel import invariants
from club.kernel.invariants import Invariant
from concierge.enums import ParcelStatus
from concierge.models import Parcel


def waiting_once() -> Iterator[str]:
    waiting = Parcel.objects.filter(status=ParcelStatus.WAITING).exclude(tracking="")
    yield from twice(waiting, "place", "tracking")


def state_and_times() -> Iterator[str]:
    """On the shelf without an end; collected or sent back at one instant, and not both."""
    collected, returned = Q(collected_at__isnull=False), Q(returned_at__isnull=False)
    wrong = (
        Q(status=ParcelStatus.WAITING) & (collected | returned | ~Q(collected_by=""))
        | Q(status=ParcelStatus.COLLECTED) & (~collected | returned)
        | Q(status=ParcelStatus.RETURNED) & (~returned | collected)
    )
    for reference, status in Parcel.objects.filter(wrong).values_list("reference", "status")[
        :SHOWN
    ]:
        yield f"parcel {reference} is {status}, against its times"


def of_ones_landlord() -> Iterator[str]:
    wrong = Parcel.objects.exclude(member=None).exclude(
        member__place__landlord=F("place__landlord")
    )
    for reference in wrong.values_list("reference", flat=True)[:SHOWN]:
        yield f"parcel {reference} is for a member of another landlord"


def register() -> None:
    invariants.register(
        Invariant("parcels", "A barcode waits once at a place.", waiting_once),
        Invariant("parcel-times", "A parcel's state and times agree.", state_and_times),
        Invariant("parcel-owners", "A parcel is for one of the landlord's.", of_ones_landlord),
    )
    register_status_of(Parcel)
