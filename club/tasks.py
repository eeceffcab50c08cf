"""What the worker runs for the whole house. Each may run twice, or be cut off."""

import logging
from datetime import datetime, time

from django.conf import settings
from django.utils import timezone, translation

from club.domain.housekeeping import tidy
from club.domain.outbox import send_due
from club.emails import MailAndSms
from club.kernel import jobs
from club.kernel.jobs import DailyJob
from club.kernel.spans import at, local_day
from club.models import Heartbeat

logger = logging.getLogger(__name__)


def send_messages() -> None:
    with MailAndSms() as transport, translation.override(settings.LANGUAGE_CODE):
        send_due(timezone.now(), transport)


def run_daily_jobs(now: datetime | None = None) -> None:
    """Run each job whose hour has come today and that has not ended today.

    One that fails leaves the others alone and is run again at the next look.
    """
    now = now or timezone.now()
    with translation.override(settings.LANGUAGE_CODE):
        for job in jobs.daily():
            if is_due(job, now):
                try:
                    job.work(now)
                except Exception:
                    logger.exception("The daily job %s failed", job.name)
                else:
                    done(job, now)


def mark(job: DailyJob) -> str:
    return f"job:{job.name}"


def is_due(job: DailyJob, now: datetime) -> bool:
    today = local_day(now)
    if now < at(today, time(job.hour)):
        return False
    last = Heartbeat.objects.filter(name=mark(job)).values_list("beat_at", flat=True).first()
    return last is None or local_day(last) < today


def done(job: DailyJob, now: datetime) -> None:
    Heartbeat.objects.update_or_create(name=mark(job), defaults={"beat_at": now})


def register() -> None:
    jobs.register(DailyJob("tidy", 4, tidy))
