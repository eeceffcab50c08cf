"""A booking asked for by a page: pressed twice or reloaded, it is made once."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import IntegrityError

from club.kernel.bookings import Booking
from club.kernel.refusal import Refused
from club.kernel.transactions import in_one_transaction

B = TypeVar("B", bound=Booking)


def made_by(model: type[B], member: Any, form_key: str) -> B | None:
    return model._default_manager.filter(member=member, form_key=form_key).first()


@in_one_transaction
def make_with_key(form_key: str, make: Callable[[], B]) -> B:
    booking = make()
    type(booking)._default_manager.filter(pk=booking.pk).update(form_key=form_key)
    booking.form_key = form_key  # type: ignore[attr-defined]
    return booking


def once_a_form(model: type[B], *, form_key: str, member: Any, make: Callable[[], B]) -> B:
    """What `make` books, for the page that carries `form_key`.

    The unique key is the judge between two presses at the same time: the second
    one's transaction undoes itself, and it is answered with what the first made.
    Once that is cancelled or over, the page found again with the back button may
    book anew.
    """
    made = made_by(model, member, form_key)
    if made is not None and made.status in model.OPEN_STATUSES:
        return made
    if made is not None:
        model._default_manager.filter(pk=made.pk).update(form_key=None)
    try:
        return make_with_key(form_key, make)
    except (Refused, IntegrityError):
        made = made_by(model, member, form_key)
        if made is None:
            raise
        return made
