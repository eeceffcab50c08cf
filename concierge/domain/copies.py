"""Copies: a label for each, and into service."""

from datetime import date, datetime

from django.db.models import IntegerField, Max
from django.db.models.functions import Cast, Length, Substr
from django.utils.translation import gettext_lazy as _

from club.kernel import codes
from club.kernel.refusal import refuse
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log, move
from club.models import Place, User
from concierge.domain.assignment import free_the_copy
from concierge.domain.lending.rules import locked_copy
from concierge.enums import Condition, CopyStatus, LoanStatus
from concierge.models import Copy, Loan, Tool
from concierge.queries.loans import next_claim
from concierge.queries.policies import policy_for


def next_label() -> str:
    """The label after the highest: numbers are given once, also to retired copies."""
    highest = Copy.objects.annotate(
        number=Cast(Substr("label", 2, Length("label") - 2), IntegerField())
    ).aggregate(highest=Max("number"))["highest"]
    return codes.label_code((highest or 1000) + 1)


@in_one_transaction
def add_copy(
    *,
    tool: Tool,
    place: Place,
    by: User | None,
    now: datetime,
    condition: str = Condition.GOOD,
    shelf: str = "",
    serial: str = "",
    bought_on: date | None = None,
    price_cents: int | None = None,
    in_service: bool = True,
    label: str = "",
) -> Copy:
    """A new copy with its label, on the shelf at once unless it is to be prepared."""
    copy = Copy.objects.create(
        tool=tool,
        place=place,
        label=label or next_label(),
        condition=condition,
        shelf=shelf,
        serial=serial,
        bought_on=bought_on,
        price_cents=price_cents,
    )
    log(copy, "add", by=by, now=now, facts={"to": copy.status})
    if in_service:
        move(copy, CopyStatus.ACTIVE, by=by, now=now, verb="put_in_service")
    return copy


@in_one_transaction
def move_copy(copy: Copy, to: str, *, by: User | None, now: datetime, reason: str = "") -> Copy:
    """Missing, found, retired: one step of the copy's own life.

    What is out is refused; a copy that leaves the shelf leaves its claims to the others.
    """
    copy = locked_copy(copy)
    loan = (
        Loan.objects.filter(copy=copy, status=LoanStatus.OUT).select_related("member__user").first()
    )
    if loan is not None:
        raise refuse(
            "already_out",
            _("Noté chez %(name)s. Rendez-le d’abord.") % {"name": loan.member.short_name},
            reference=loan.reference,
        )
    aside = next_claim(copy.pk)
    if aside is not None and aside.status == LoanStatus.READY:
        move(aside, LoanStatus.RESERVED, by=by, now=now, verb="put_back", ready_at=None)
    move(copy, to, by=by, now=now, retired_reason=reason)
    if to != CopyStatus.ACTIVE:
        free_the_copy(copy, policy_for(copy.place, copy.tool.value_class), now)
    return copy
