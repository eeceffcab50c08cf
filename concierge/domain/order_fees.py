"""The money of goods: one balance for each household, in its account of the ledger.

An order of one's own is charged when it is made; what a standing order made, at the
cut-off, when it is sure: nobody owes the baskets of the weeks to come. A change takes the
charge back and makes another; what is cancelled or fails is credited; what is not collected
stays charged. Money can be paid in beforehand.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.db.models import IntegerField, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from club.domain.ledger import enter, reverse, sum_of
from club.enums import Account, EntryKind
from club.kernel import purchases, words
from club.kernel.purchases import Due, Purchase, nothing_to_settle, nothing_to_undo
from club.kernel.refusal import Reason
from club.models import Household, LedgerEntry, User
from concierge.enums import DeliveryStatus
from concierge.models import DeliveryRound, Order

KIND, GOODS = "order", "goods"
TOP_UPS = (10_00, 20_00, 50_00)
"""What can be paid in beforehand."""


def goods_of(household_id: int) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(household=household_id, account=Account.GOODS)


def balance(household: Household) -> int:
    """What the household has for goods; negative: it owes."""
    return sum_of(goods_of(household.pk))


def owed(household: Household) -> int:
    return max(0, -balance(household))


def held_by(household_id: int) -> Coalesce:
    """The balance, inside a verb's single read."""
    sums = goods_of(household_id).order_by().values("household").annotate(sum=Sum("cents"))
    return Coalesce(Subquery(sums.values("sum"), output_field=IntegerField()), 0)


def limit_reason(round: DeliveryRound, held: int, cents: int) -> Reason | None:
    """Whether `cents` more would be owed beyond what the round allows."""
    owing = cents - held
    if not cents or owing <= round.most_owed_cents:
        return None
    facts = {"owed": max(0, -held), "missing": owing - round.most_owed_cents}
    if not round.most_owed_cents and held >= 0:
        text = _("Ici on paie d’avance. Il vous manque %(missing)s.")
    else:
        text = _("Il vous reste trop à payer. Payez d’abord %(missing)s.")
    said = text % {"missing": words.money(facts["missing"])}
    return Reason("owes_too_much", said, None, facts)


def is_charged_now(order: Order) -> bool:
    """One's own at once; what a standing order made once its delivery is sent."""
    return order.standing_id is None or order.delivery.status != DeliveryStatus.OPEN


def label_of(order: Order) -> str:
    return _("%(round)s, %(day)s") % {
        "round": order.delivery.round.name,
        "day": words.day(order.delivery.day),
    }


def charges_of(order: Order) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(subject_kind=KIND, subject_id=order.pk, kind=EntryKind.CHARGE)


def charge(order: Order, *, by: User | None, now: datetime, number: int | None = None) -> None:
    """`number` is given where it is known to be the first, to save a statement."""
    if not order.total_cents:
        return
    if number is None:
        number = charges_of(order).filter(reverses=None).count() + 1
    enter(
        kind=EntryKind.CHARGE,
        account=Account.GOODS,
        cents=-order.total_cents,
        place=order.place,
        household=order.member.household,
        member=order.member,
        subject_kind=KIND,
        subject_id=order.pk,
        label=label_of(order),
        source=f"{KIND}:{order.pk}:{number}",
        at=now,
        by=by,
    )


def uncharge(order: Order, *, by: User | None, now: datetime) -> int:
    """What was charged goes back to the household's balance; says how much."""
    cents = 0
    for entry in charges_of(order).filter(reverses=None, reversed_by=None):
        cents -= entry.cents
        reverse(entry, by=by, now=now)
    return cents


# -- Paying ------------------------------------------------------------------------------------


def goods_label(household: Household) -> str:
    return _("Pain et paniers")


def goods_due(household: Household, now: datetime) -> Iterable[Due]:
    cents = owed(household)
    if cents:
        yield Due(GOODS, household.pk, goods_label(household), cents)


def top_up_label(household: Household) -> str:
    return _("Pain et paniers, payé d’avance")


def top_up_kind(cents: int) -> str:
    return f"{GOODS}-{cents // 100}"


def top_up_of(cents: int) -> Callable[[Household, datetime], Iterable[Due]]:
    def due(household: Household, now: datetime) -> Iterable[Due]:
        yield Due(top_up_kind(cents), household.pk, top_up_label(household), cents)

    return due


PURCHASE = Purchase(
    GOODS, Account.GOODS, Household, goods_label, nothing_to_settle, nothing_to_undo, goods_due
)  # fmt: skip


def register() -> None:
    purchases.register(PURCHASE)
    for cents in TOP_UPS:
        purchases.register(
            Purchase(
                top_up_kind(cents), Account.GOODS, Household, top_up_label, nothing_to_settle,
                nothing_to_undo, top_up_of(cents), at_once=True, on_request=True,
            )
        )  # fmt: skip
