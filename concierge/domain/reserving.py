"""A reservation asked for by a page."""

from typing import Any

from club.kernel.form_keys import once_a_form
from club.models import Member
from concierge.domain.lending import reserve_tool
from concierge.models import Loan


def reserve_once(*, form_key: str, member: Member, **wanted: Any) -> Loan:
    """`reserve_tool` for the page that carries `form_key`: pressed twice, made once."""
    return once_a_form(
        Loan,
        form_key=form_key,
        member=member,
        make=lambda: reserve_tool(member=member, **wanted),
    )
