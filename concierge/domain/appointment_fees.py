"""What an appointment costs: charged once somebody was served, paid at the desk.

Of what is priced by the hour the slot's length counts; of the rest the quantity that the
desk writes (pages, kilos). Over the counter it is the same, at once.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from club.domain.ledger import balance_of_subject, enter, reverse
from club.enums import Account, EntryKind
from club.kernel import purchases, words
from club.kernel.purchases import Due, Purchase, nothing_to_settle, nothing_to_undo
from club.kernel.refusal import refuse
from club.kernel.spans import local_day
from club.models import Household, LedgerEntry, Member, User
from concierge.enums import ServiceUnit
from concierge.models import Appointment, CounterUse, Stay

KIND, COUNTER = "appointment", "counter"


def price_of(appointment: Appointment, quantity: int | None = None) -> int:
    """What it costs, for the quantity that was served."""
    cents = appointment.unit_cents * (appointment.quantity if quantity is None else quantity)
    if appointment.service.unit != ServiceUnit.HOUR:
        return cents
    minutes = int((appointment.ends_at - appointment.starts_at).total_seconds()) // 60
    return (cents * minutes + 30) // 60


def label_of(appointment: Appointment) -> str:
    return _("%(service)s, %(day)s") % {
        "service": appointment.service.name,
        "day": words.day(local_day(appointment.starts_at)),
    }


def label_of_use(use: CounterUse) -> str:
    return _("%(service)s × %(number)d") % {"service": use.service.name, "number": use.quantity}


def entries_of(kind: str, subject_id: int) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(
        subject_kind=kind, subject_id=subject_id, kind=EntryKind.CHARGE
    )


def charge(
    kind: str, subject: Appointment | CounterUse | Stay, member: Member, cents: int, label: str,
    *, by: User | None, now: datetime,
) -> None:  # fmt: skip
    if not cents:
        return
    number = entries_of(kind, subject.pk).filter(reverses=None).count() + 1
    enter(
        kind=EntryKind.CHARGE,
        account=Account.FEE,
        cents=-cents,
        place=subject.place,
        household=member.household,
        member=member,
        subject_kind=kind,
        subject_id=subject.pk,
        label=label,
        source=f"{kind}:{subject.pk}:{number}",
        at=now,
        by=by,
    )


def uncharge(kind: str, subject_id: int, *, by: User | None, now: datetime) -> None:
    """It was a mistake. What was paid meanwhile is given back by its receipt first."""
    charged = entries_of(kind, subject_id).filter(reverses=None, reversed_by=None)
    owed = -sum(entry.cents for entry in charged)
    if owed and balance_of_subject(kind, subject_id) > -owed:
        raise refuse("paid_already", _("C’est déjà payé. Annulez d’abord le reçu."))
    for entry in charged:
        reverse(entry, by=by, now=now)


def owing(household: Household, kind: str) -> dict[int, int]:
    rows = (
        LedgerEntry.objects.filter(household=household, subject_kind=kind)
        .values("subject_id")
        .annotate(sum=Sum("cents"))
        .filter(sum__lt=0)
        .order_by("subject_id")
    )
    return {row["subject_id"]: -row["sum"] for row in rows}


def dues(household: Household, now: datetime) -> Iterable[Due]:
    """What was served by appointment and is not paid yet."""
    owed = owing(household, KIND)
    rows = Appointment.objects.filter(pk__in=owed).select_related("service").order_by("pk")
    for one in rows if owed else ():
        yield Due(KIND, one.pk, label_of(one), owed[one.pk])


def counter_dues(household: Household, now: datetime) -> Iterable[Due]:
    """What was done over the counter and is not paid yet."""
    owed = owing(household, COUNTER)
    rows = CounterUse.objects.filter(pk__in=owed).select_related("service").order_by("pk")
    for use in rows if owed else ():
        yield Due(COUNTER, use.pk, label_of_use(use), owed[use.pk])


APPOINTMENTS = Purchase(
    KIND, Account.FEE, Appointment, label_of, nothing_to_settle, nothing_to_undo, dues
)  # fmt: skip
USES = Purchase(
    COUNTER, Account.FEE, CounterUse, label_of_use, nothing_to_settle, nothing_to_undo,
    counter_dues,
)  # fmt: skip


def register() -> None:
    purchases.register(APPOINTMENTS)
    purchases.register(USES)
