"""What the worker runs for lending. Each may run twice, or be cut off."""

import logging
from datetime import datetime

from club.kernel import jobs
from club.kernel.jobs import DailyJob
from club.kernel.refusal import Refused
from club.kernel.spans import local_day, start_of
from concierge.domain.lending import lapse_loan
from concierge.domain.parcel_reminders import write_parcel_reminders
from concierge.domain.reminders import write_reminders
from concierge.domain.renewal_reminders import write_renewal_reminders
from concierge.enums import BEFORE_HANDOVER
from concierge.models import Loan

logger = logging.getLogger(__name__)


def lapse_loans(now: datetime) -> None:
    """End the claims whose day is over; one that cannot end leaves the others alone."""
    over = Loan.objects.select_related("place").filter(
        status__in=BEFORE_HANDOVER, pickup_ends_at__lt=start_of(local_day(now))
    )
    for loan in over.order_by("pk"):
        try:
            lapse_loan(loan, now=now)
        except Refused as refused:
            logger.warning("Loan %s did not lapse: %s", loan.reference, refused.codes)


def register() -> None:
    jobs.register(DailyJob("lapse", 4, lapse_loans))
    jobs.register(DailyJob("parcels", 7, write_parcel_reminders))
    jobs.register(DailyJob("reminders", 7, write_reminders))
    jobs.register(DailyJob("renewal-reminders", 7, write_renewal_reminders))
