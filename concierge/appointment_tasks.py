"""What the worker runs for services. Each may run twice, or be cut off."""

import logging
from datetime import datetime

from club.kernel import jobs
from club.kernel.jobs import DailyJob
from club.kernel.refusal import Refused
from concierge.domain.appointment_reminders import write_appointment_reminders
from concierge.domain.slot_wishes import (
    lapse_offer,
    lapse_wish,
    look_again,
    offers_to_lapse,
    services_waited_for,
    wishes_to_lapse,
)

logger = logging.getLogger(__name__)

AT_ONCE = 500


def lapse_offers(now: datetime) -> None:
    """Each minute: what nobody took goes on; one that cannot leaves the others."""
    for appointment in offers_to_lapse(now)[:AT_ONCE]:
        try:
            lapse_offer(appointment, now=now)
        except Refused as refused:
            logger.warning("Appointment %s: %s", appointment.reference, refused.codes)


def offer_free_slots(now: datetime) -> None:
    """Each night: turns whose days are over end, and what came into reach is offered."""
    for wished in wishes_to_lapse(now):
        lapse_wish(wished, now=now)
    for service in services_waited_for():
        look_again(service, by=None, now=now)


def register() -> None:
    jobs.register_minutely("slot-offers", lapse_offers)
    jobs.register(DailyJob("slot-wishes", 6, offer_free_slots))
    jobs.register(DailyJob("appointment-reminders", 7, write_appointment_reminders))
