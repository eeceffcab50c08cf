"""What the worker runs for the events. Each may run twice, or be cut off."""

import logging
from datetime import datetime

from club.kernel import jobs
from club.kernel.jobs import DailyJob
from club.kernel.refusal import Refused
from events.domain.checkin import mark_absent, to_close
from events.domain.registrations import lapse, to_lapse
from events.domain.reminders import write_reminders
from events.domain.schedules import endless, make_sessions
from events.domain.waiting import look_again
from events.models import Registration, Session

logger = logging.getLogger(__name__)

AT_ONCE = 500


def lapse_registrations(now: datetime) -> None:
    """Each minute: what has run out goes on to the next; one that cannot leaves the others."""
    for registration in to_lapse(now)[:AT_ONCE]:
        try:
            lapse(registration, now=now)
        except Refused as refused:
            logger.warning("Registration %s: %s", registration.reference, refused.codes)


def offer_what_is_free(now: datetime) -> None:
    """Each night: places that came free while no list could be walked."""
    waiting = Registration.objects.filter(status="waiting", starts_at__gt=now).values("session")
    for session in Session.objects.filter(pk__in=waiting).order_by("pk"):
        look_again(session, by=None, now=now)


def extend_schedules(now: datetime) -> None:
    for event in endless(now):
        try:
            make_sessions(event, by=None, now=now)
        except Refused as refused:
            logger.warning("The sessions of event %s were not made: %s", event.pk, refused.codes)


def mark_absents(now: datetime) -> None:
    """Each night: who did not come, where the door was held (see `domain.checkin`)."""
    for session in to_close(now):
        mark_absent(session, by=None, now=now)


def register() -> None:
    jobs.register_minutely("registrations", lapse_registrations)
    jobs.register(DailyJob("offers", 6, offer_what_is_free))
    jobs.register(DailyJob("attendance", 4, mark_absents))
    jobs.register(DailyJob("schedules", 3, extend_schedules))
    jobs.register(DailyJob("event-reminders", 7, write_reminders))
