"""Who is reminded of what they collect today: each morning, with the day's other reminders."""

from datetime import date, datetime

from django.db.models import Q

from club.domain.messages import tell_many
from club.domain.reminders import leaves_today, reminders
from club.kernel.spans import end_of, local_day, start_of
from club.models import Message
from concierge.enums import OrderStatus
from concierge.models import Order

TODAY = "order.today"


def recalled_on(day: date) -> Q:
    return Q(status=OrderStatus.ORDERED, starts_at__gte=start_of(day), starts_at__lt=end_of(day))


def write_order_reminders(now: datetime) -> None:
    """Leave the day's reminders in the outbox; again on the same day adds none."""
    found = Order.objects.filter(recalled_on(local_day(now)))
    tell_many(reminders(TODAY, found, now, also_by_sms=True))


def is_of_today(message: Message, order: Order, now: datetime) -> bool:
    """Whether it still is for the day on which it leaves, and still true."""
    is_today = local_day(order.starts_at) == local_day(now) and now < order.ends_at
    return leaves_today(message, now) and is_today and order.status == OrderStatus.ORDERED
