"""What the worker runs for stays. Each may run twice, or be cut off."""

import logging
from datetime import datetime

from club.kernel import jobs
from club.kernel.jobs import DailyJob
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from concierge.domain.stay_personal import forget_old_pictures
from concierge.domain.stay_reminders import write_stay_reminders
from concierge.domain.stays import lapse_stay, replan
from concierge.enums import WATCHED
from concierge.models import Stay

logger = logging.getLogger(__name__)


def tend_stays(now: datetime) -> None:
    """Each night: what is over ends, and visits that fell on closed days move."""
    for stay in Stay.objects.filter(status__in=WATCHED, ends_at__lte=now).order_by("pk"):
        try:
            lapse_stay(stay, now=now)
        except Refused as refused:
            logger.warning("Stay %s did not end: %s", stay.reference, refused.codes)
    ahead = Stay.objects.filter(
        status__in=WATCHED, visits__done_at=None, visits__day__gte=local_day(now)
    )
    for stay in ahead.distinct().order_by("pk"):
        replan(stay, by=None, now=now)


def register() -> None:
    jobs.register(DailyJob("stay-pictures", 4, forget_old_pictures))
    jobs.register(DailyJob("stays", 5, tend_stays))
    jobs.register(DailyJob("stay-reminders", 7, write_stay_reminders))
