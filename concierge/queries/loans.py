"""Who may see which loans, and the lists that screens are made of."""

from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from club.enums import Role
from club.kernel.spans import end_of
from club.models import Member, Place, User
from concierge.enums import BEFORE_HANDOVER, HOLDING, CopyStatus, LoanStatus
from concierge.models import Copy, Loan, Repair

WITH_NAMES = ("tool__department", "tool__photo", "copy", "place", "member__user")


def visible_to(user: Any) -> QuerySet[Loan]:
    """A member's own loans; all those of a place for its concierges and officers."""
    if not isinstance(user, User) or not user.is_active:
        return Loan.objects.none()
    staffed = user.assignments.filter(role__in=[Role.CONCIERGE, Role.OFFICER]).values("place")
    return Loan.objects.filter(Q(member__user=user) | Q(place__in=staffed)).select_related(
        *WITH_NAMES
    )


def to_hand_over(place: Place, on: date) -> QuerySet[Loan]:
    """What is to be fetched on that day or should have been before, by hour."""
    return (
        Loan.objects.filter(place=place, status__in=BEFORE_HANDOVER, starts_at__lt=end_of(on))
        .select_related(*WITH_NAMES)
        .order_by("starts_at", "pk")
    )


def out(place: Place) -> QuerySet[Loan]:
    return (
        Loan.objects.filter(place=place, status=LoanStatus.OUT)
        .select_related(*WITH_NAMES)
        .order_by("due_on", "pk")
    )


def due(place: Place, on: date) -> QuerySet[Loan]:
    return out(place).filter(due_on=on)


def late(place: Place, today: date) -> QuerySet[Loan]:
    return out(place).filter(due_on__lt=today)


def next_claim(copy_id: int) -> Loan | None:
    """The next claim on a copy that is not handed over yet."""
    return (
        Loan.objects.filter(copy_id=copy_id, status__in=BEFORE_HANDOVER)
        .select_related(*WITH_NAMES)
        .order_by("starts_at")
        .first()
    )


# -- The day board and the counter ------------------------------------------------


def named(rows: QuerySet[Loan]) -> QuerySet[Loan]:
    """With all that a line shows; a photo's small sizes come in one more statement."""
    return rows.select_related(*WITH_NAMES).prefetch_related("tool__photo__renditions")


def open_of_member(member: Member, place: Place) -> QuerySet[Loan]:
    """All that a member has at home or has claimed at a place, by due day."""
    return named(Loan.objects.filter(member=member, place=place, status__in=HOLDING)).order_by(
        "due_on", "pk"
    )


def open_of_copy(copy: Copy) -> QuerySet[Loan]:
    return named(Loan.objects.filter(copy=copy, status__in=HOLDING)).order_by("starts_at")


def to_prepare(place: Place, until: date) -> QuerySet[Loan]:
    """Claims up to that day whose copy is not pulled from the shelf yet, by hour."""
    return to_hand_over(place, until).filter(status=LoanStatus.RESERVED)


def set_aside_now(place: Place) -> QuerySet[Loan]:
    """What is pulled from the shelf and waits for its borrower, by hour."""
    return (
        Loan.objects.filter(place=place, status=LoanStatus.READY)
        .select_related(*WITH_NAMES)
        .order_by("starts_at", "pk")
    )


def due_until(place: Place, day: date) -> QuerySet[Loan]:
    """What is late or due by that day, the oldest first."""
    return out(place).filter(due_on__lte=day)


def due_days(place: Place) -> list[date]:
    """The days, without repetition, on which something is to come back."""
    return list(
        Loan.objects.filter(place=place, status__in=HOLDING)
        .order_by("due_on")
        .values_list("due_on", flat=True)
        .distinct()
    )


def without_a_copy(place: Place, until: date) -> QuerySet[Loan]:
    """Claims up to that day whose copy is still out or cannot be lent."""
    still_out = Loan.objects.filter(copy=OuterRef("copy"), status=LoanStatus.OUT)
    return to_hand_over(place, until).filter(Exists(still_out) | ~Q(copy__status=CopyStatus.ACTIVE))


def open_repairs(place: Place) -> QuerySet[Repair]:
    return (
        Repair.objects.filter(copy__place=place, closed_at=None)
        .select_related("copy__tool__department")
        .order_by("opened_at", "pk")
    )


def to_call(place: Place, today: date) -> QuerySet[Loan]:
    """Late for more than three days, or late and out of reach of any message."""
    unreachable = Q(member__user__email="", member__user__phone="")
    return late(place, today).filter(Q(due_on__lt=today - timedelta(days=3)) | unreachable)
