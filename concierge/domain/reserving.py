"""A reservation asked for by a page: pressed twice or reloaded, it is made once."""

from typing import Any

from django.db import IntegrityError

from club.kernel.refusal import Refused
from club.kernel.transactions import in_one_transaction
from club.models import Member
from concierge.domain.lending import reserve_tool
from concierge.enums import HOLDING
from concierge.models import Loan


def made_by(member: Member, form_key: str) -> Loan | None:
    return Loan.objects.filter(member=member, form_key=form_key).first()


@in_one_transaction
def reserve_with_key(*, form_key: str, member: Member, **wanted: Any) -> Loan:
    loan = reserve_tool(member=member, **wanted)
    Loan.objects.filter(pk=loan.pk).update(form_key=form_key)
    loan.form_key = form_key
    return loan


def reserve_once(*, form_key: str, member: Member, **wanted: Any) -> Loan:
    """`reserve_tool` for the page that carries `form_key`.

    The unique key is the judge between two presses at the same time: the second
    one's transaction undoes itself, and it is answered with what the first made.
    Once that is cancelled or over, the page found again with the back button may
    reserve anew.
    """
    made = made_by(member, form_key)
    if made is not None and made.status in HOLDING:
        return made
    if made is not None:
        Loan.objects.filter(pk=made.pk).update(form_key=None)
    try:
        return reserve_with_key(form_key=form_key, member=member, **wanted)
    except (Refused, IntegrityError):
        made = made_by(member, form_key)
        if made is None:
            raise
        return made
