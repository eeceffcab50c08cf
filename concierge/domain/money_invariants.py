"""A right comes from money received, from a gift or from a sponsor, and from nothing else."""

from collections.abc import Iterator

from django.db.models import CharField, Exists, F, OuterRef, Value
from django.db.models.functions import Cast, Concat

from club.domain.invariants import SHOWN, register_status_of
from club.enums import EntryKind, RightSource
from club.kernel import invariants
from club.kernel.invariants import Invariant
from club.models import LedgerEntry, Right
from concierge.models import Subscription, SubscriptionPeriod


def origin() -> Concat:
    return Concat(Value("period:"), Cast("pk", CharField()), output_field=CharField())


def periods_were_paid() -> Iterator[str]:
    """The payment that gave a period is in the ledger, in the period's own cents.

    Money that came back (a refund that failed, a dispute that was won) gives it anew,
    under a name that begins with the first one's or with the dispute's.
    """
    paid = SubscriptionPeriod.objects.filter(cents__gt=0)
    direct = LedgerEntry.objects.filter(
        kind=EntryKind.PAYMENT, source=OuterRef("source"), cents=OuterRef("cents")
    )
    again = {
        pk: (source, source.rpartition(":")[0])
        for pk, source in paid.exclude(Exists(direct)).values_list("pk", "source")
    }
    known = set(
        LedgerEntry.objects.filter(source__in=[first for _, first in again.values()]).values_list(
            "source", flat=True
        )
    )
    wrong = [(pk, source) for pk, (source, first) in again.items() if first not in known]
    for pk, source in wrong[:SHOWN]:
        yield f"period {pk} was paid by {source}, which is not in the ledger"


def periods_are_charged() -> Iterator[str]:
    charged = LedgerEntry.objects.annotate(owed=-F("cents")).filter(
        kind=EntryKind.CHARGE, source=OuterRef("name"), owed=OuterRef("cents")
    )
    paid = SubscriptionPeriod.objects.filter(cents__gt=0).annotate(name=origin())
    for pk in paid.exclude(Exists(charged)).values_list("pk", flat=True)[:SHOWN]:
        yield f"period {pk} was paid and is not charged"


def rights_have_their_period() -> Iterator[str]:
    live = Right.objects.filter(
        source=RightSource.PAYMENT, origin__startswith="period:", revoked_at=None
    )
    standing = (
        SubscriptionPeriod.objects.filter(revoked_at=None)
        .annotate(name=origin())
        .filter(name=OuterRef("origin"))
    )
    for pk in live.exclude(Exists(standing)).values_list("pk", flat=True)[:SHOWN]:
        yield f"right {pk} is of a period that was taken back"


def register() -> None:
    invariants.register(
        Invariant("paid", "What was paid is in the ledger.", periods_were_paid),
        Invariant("charged", "What was paid is charged.", periods_are_charged),
        Invariant("entitled", "A paid right has its period.", rights_have_their_period),
    )
    register_status_of(Subscription)
