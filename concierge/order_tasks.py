"""What the worker runs for bread and baskets. Each may run twice, or be cut off."""

from club.kernel import jobs
from club.kernel.jobs import DailyJob
from concierge.domain.deliveries import make_deliveries, send_due
from concierge.domain.order_reminders import write_order_reminders


def register() -> None:
    jobs.register_minutely("order-cutoffs", send_due)
    jobs.register(DailyJob("deliveries", 3, make_deliveries))
    jobs.register(DailyJob("order-reminders", 7, write_order_reminders))
