"""What always holds of lending, whatever happened."""

from collections.abc import Iterator

from django.db.models import F, Max, Q, RowRange, Window

from club.domain.invariants import SHOWN, register_status_of, twice
from club.kernel import invariants
from club.kernel.invariants import Invariant
from concierge.enums import HOLDING, CopyStatus, LoanStatus, RepairStatus
from concierge.models import Copy, Loan, Repair


def one_claim_a_copy() -> Iterator[str]:
    """A claim begins after all earlier claims on its copy have ended."""
    claims = Loan.objects.filter(status__in=HOLDING, held_until__gt=F("starts_at")).annotate(
        before=Window(
            Max("held_until"),
            partition_by="copy",
            order_by=["starts_at", "pk"],
            frame=RowRange(None, -1),
        )
    )
    for reference, copy_id in claims.filter(before__gt=F("starts_at")).values_list(
        "reference", "copy_id"
    )[:SHOWN]:
        yield f"loan {reference} claims copy {copy_id} while another does"


def one_out_a_copy() -> Iterator[str]:
    yield from twice(Loan.objects.filter(status=LoanStatus.OUT), "copy")
    wrong = Loan.objects.filter(status=LoanStatus.OUT).filter(
        Q(out_at=None) | Q(copy__status__in=[CopyStatus.PENDING, CopyStatus.RETIRED])
    )
    for reference, status in wrong.values_list("reference", "copy__status")[:SHOWN]:
        yield f"loan {reference} is out, with a copy that is {status}"


def claims_fit_copies() -> Iterator[str]:
    wrong = (
        Loan.objects.filter(status__in=HOLDING)
        .exclude(copy__tool=F("tool"), copy__place=F("place"))
        .values_list("reference", "copy_id")
    )
    for reference, copy_id in wrong[:SHOWN]:
        yield f"loan {reference} claims copy {copy_id}, of another tool or place"


def loans_in_order() -> Iterator[str]:
    wrong = Loan.objects.filter(
        Q(ends_at__lt=F("starts_at"))
        | Q(held_until__lt=F("ends_at"))
        | Q(status=LoanStatus.RETURNED, returned_at=None)
        | Q(status=LoanStatus.CANCELLED, cancelled_at=None)
        | Q(status=LoanStatus.LAPSED, lapsed_at=None)
    )
    for reference in wrong.values_list("reference", flat=True)[:SHOWN]:
        yield f"loan {reference} has its instants in disorder"


def references_once() -> Iterator[str]:
    yield from twice(Loan.objects.all(), "reference")
    yield from twice(Copy.objects.all(), "label")


def repairs_end() -> Iterator[str]:
    ended = Q(status__in=[RepairStatus.RESOLVED, RepairStatus.RETIRED])
    wrong = Repair.objects.filter((ended & Q(closed_at=None)) | (~ended & ~Q(closed_at=None)))
    for pk, status in wrong.values_list("pk", "status")[:SHOWN]:
        yield f"repair {pk} is {status}, against its closing time"
    yield from twice(Repair.objects.filter(closed_at=None), "copy")


def register() -> None:
    invariants.register(
        Invariant("claims", "A copy has one claim at any instant.", one_claim_a_copy),
        Invariant("out", "A copy is lent once, and is there to be lent.", one_out_a_copy),
        Invariant("copies", "A claim is on a copy of its tool and place.", claims_fit_copies),
        Invariant("loans", "A loan's instants are in order.", loans_in_order),
        Invariant("references", "A reference and a label name one thing.", references_once),
        Invariant("repairs", "A copy has one open repair; an ended one is closed.", repairs_end),
    )
    register_status_of(Loan, Copy, Repair)
