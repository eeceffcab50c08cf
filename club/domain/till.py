"""The till: opened with its float, counted by coin and note, closed with its difference."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from club.domain.ledger import enter, sum_of
from club.enums import Account, EntryKind, Means, MovementKind
from club.kernel import words
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import LedgerEntry, Place, TillDay, TillMovement, User

DENOMINATIONS = (
    50000, 20000, 10000, 5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1,
)  # fmt: skip
"""Euro notes and coins, in cents."""
MOST_OF_EACH = 2000


@in_one_transaction
def open_till_day(place: Place, float_cents: int, *, by: User, now: datetime) -> TillDay:
    """Begin a day with the money that is in the drawer."""
    if not 0 <= float_cents <= 100_000:
        raise refuse("float_wrong", _("Le fond de caisse va de 0 à 1 000 €."), "float")
    hold(place)
    if TillDay.objects.filter(place=place, closed_at=None).exists():
        raise refuse("till_open", _("La caisse est déjà ouverte."))
    till = TillDay.objects.create(
        place=place, float_cents=float_cents, opened_at=now, opened_by=by
    )  # fmt: skip
    log(till, "open_till", by=by, now=now, facts={"float_cents": float_cents})
    return till


def expected_cash(till: TillDay) -> int:
    """What the drawer should hold: the float, the cash taken and given, the movements."""
    cash = sum_of(LedgerEntry.objects.filter(till=till, means=Means.CASH))
    moved = till.movements.aggregate(sum=Sum("cents"))["sum"] or 0
    return till.float_cents + cash + moved


def locked_open(till: TillDay) -> TillDay:
    found = TillDay.objects.select_for_update(no_key=True).get(pk=till.pk)
    if found.closed_at is not None:
        raise refuse("till_closed", _("Cette caisse est déjà fermée."))
    return found


@in_one_transaction
def move_cash(till: TillDay, kind: str, cents: int, *, by: User, now: datetime) -> TillMovement:
    """Bring cash to the bank, or change from it: `cents` is what was carried, positive."""
    till = locked_open(till)
    if kind not in MovementKind.values:
        raise refuse("kind_missing", _("Choisissez le mouvement."), "kind")
    if not 0 < cents <= 1_000_000:
        raise refuse("amount_wrong", _("Écrivez un montant au-dessus de zéro."), "cents")
    if kind == MovementKind.BANKED and cents > expected_cash(till):
        text = _("La caisse ne contient que %(cents)s.") % {
            "cents": words.money(expected_cash(till))
        }
        raise refuse("not_enough", text, "cents")
    signed = -cents if kind == MovementKind.BANKED else cents
    moved = TillMovement.objects.create(till=till, kind=kind, cents=signed, at=now, by=by)
    log(till, "move_cash", by=by, now=now, facts={"kind": kind, "cents": signed})
    return moved


@in_one_transaction
def close_till_day(
    till: TillDay, counted: Mapping[int, int], *, by: User, now: datetime
) -> TillDay:
    """Count and close. A difference is entered; a large one waits for a second person.

    `counted` is how many of each note and coin there are, by its cents.
    """
    till = locked_open(till)
    if set(counted) - set(DENOMINATIONS) or any(
        not 0 <= number <= MOST_OF_EACH for number in counted.values()
    ):
        text = _("Comptez de 0 à %(most)d pièces ou billets.") % {"most": MOST_OF_EACH}
        raise Refused(Reason("count_wrong", text))
    till.expected_cents = expected_cash(till)
    till.counted_cents = sum(value * number for value, number in counted.items())
    till.counted = {str(value): number for value, number in counted.items() if number}
    till.closed_at, till.closed_by = now, by
    till.save(
        update_fields=["expected_cents", "counted_cents", "counted", "closed_at", "closed_by"]
    )
    if till.difference_cents:
        enter(
            kind=EntryKind.GAP,
            account=Account.GAP,
            cents=till.difference_cents,
            place=till.place,
            household=None,
            subject_kind="tillday",
            subject_id=till.pk,
            label=str(_("Écart de caisse")),
            source=f"till:{till.pk}:gap",
            means=Means.CASH,
            at=now,
            by=by,
        )
    facts = {"counted": till.counted_cents, "expected": till.expected_cents}
    log(till, "close_till", by=by, now=now, facts=facts)
    return till


def needs_second_person(till: TillDay) -> bool:
    return (
        till.closed_at is not None
        and till.signed_at is None
        and abs(till.difference_cents) > till.place.sign_off_cents
    )


@in_one_transaction
def sign_till_day(till: TillDay, *, by: User, now: datetime) -> None:
    """A second person has seen the difference."""
    till = TillDay.objects.select_for_update(no_key=True).select_related("place").get(pk=till.pk)
    if till.signed_at is not None or not needs_second_person(till):
        raise refuse("nothing_to_sign", _("Cette caisse n’attend pas de signature."))
    if till.closed_by_id == by.pk:
        raise refuse("second_person", _("Une autre personne que celle qui a compté signe."))
    till.signed_at, till.signed_by = now, by
    till.save(update_fields=["signed_at", "signed_by"])
    log(till, "sign_till", by=by, now=now)
