"""What the worker runs for the partners. Each may run twice, or be cut off."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from club.kernel import jobs
from club.kernel.jobs import DailyJob
from club.kernel.refusal import Refused
from marketplace.domain import asks, visits
from marketplace.domain.certificate_reminders import write_certificate_reminders
from marketplace.domain.confirming import ask_to_confirm
from marketplace.domain.monthly import tell_last_month
from marketplace.domain.papers import warn_of_lapses
from marketplace.domain.use_counts import fold_old_uses
from marketplace.queries.visits import chased_in_vain, proposals_over, unchased

logger = logging.getLogger(__name__)

AT_ONCE = 200


def each(work: Callable[..., object], rows: Any, now: datetime) -> None:
    """One that cannot leaves the others."""
    for row in rows:
        try:
            work(row, now=now)
        except Refused as refused:
            logger.warning("%s %s: %s", row._meta.model_name, row.pk, refused.codes)


# -- Visits ----------------------------------------------------------------------------------


def look_after_asks(now: datetime) -> None:
    """Each minute by day: silence is chased, then the next artisan is asked."""
    if not asks.may_disturb(now):
        return
    each(asks.let_proposal_lapse, proposals_over(now)[:AT_ONCE], now)
    each(asks.give_up, chased_in_vain(now - asks.GIVEN_UP_AFTER)[:AT_ONCE], now)
    each(asks.chase, unchased(now - asks.CHASED_AFTER)[:AT_ONCE], now)


def follow_visits(now: datetime) -> None:
    """Each morning: how yesterday's went; what nobody spoke of is done."""
    each(visits.ask_whether_it_took_place, visits.to_ask_about(now), now)
    each(visits.close_unsaid, visits.to_close(now), now)


def register() -> None:
    """Each room's jobs are added here."""
    jobs.register(DailyJob("partner-papers", 7, warn_of_lapses))
    jobs.register_minutely("visits", look_after_asks)
    jobs.register(DailyJob("offer-counts", 4, fold_old_uses))
    jobs.register(DailyJob("partner-month", 8, tell_last_month))
    jobs.register(DailyJob("visits", 8, follow_visits))
    jobs.register(DailyJob("partner-pages", 8, ask_to_confirm))
    jobs.register(DailyJob("certificates", 8, write_certificate_reminders))
