"""What the worker runs for the whole house. Each may run twice, or be cut off."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, time

from django.conf import settings
from django.utils import timezone, translation

from club import gateway
from club.domain import checkouts, provider_events, reconciliation, refunds, sync
from club.domain.closures import forget_old_calls
from club.domain.housekeeping import tidy
from club.domain.opinions import ask_lately, forget_old_opinions
from club.domain.outbox import send_due
from club.domain.retention import retain
from club.emails import MailAndSms
from club.kernel import jobs
from club.kernel.jobs import DailyJob
from club.kernel.spans import at, local_day
from club.models import Customer, Heartbeat

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


# -- The payment provider: each asks it outside any transaction ---------------------------


def handle_event(event_id: int) -> None:
    with translation.override(settings.LANGUAGE_CODE):
        provider_events.handle(event_id, now=timezone.now())


def sync_customer(customer_id: int) -> None:
    with translation.override(settings.LANGUAGE_CODE):
        sync.sync(customer_id, now=timezone.now())


def push_to_provider(kind: str, subject_id: int) -> None:
    sync.push(kind, subject_id)


def end_renewal(subscription: str) -> None:
    with suppress(gateway.NotThere):
        gateway.end_now(subscription)


def close_page(session: str) -> None:
    """Paid at the same moment: then it is closed already."""
    with suppress(gateway.Declined):
        gateway.close_page(session)


def send_refund(refund_id: int) -> None:
    refunds.send_refund(refund_id, now=timezone.now())


def try_debit_again(customer_id: int) -> None:
    """The person has given another card or account: what is open is debited once more."""
    sync.try_again(customer_id, now=timezone.now())


def forget_mandate(mandate_id: int) -> None:
    sync.forget_mandate(mandate_id)


def forget_customer(customer_id: int) -> None:
    gateway.forget_customer(Customer.objects.get(pk=customer_id).provider_id)


def sweep_payments(now: datetime | None = None) -> None:
    """Each minute: what was not handled, not sent, or is over. One failure stops no other."""
    if not settings.STRIPE_SECRET_KEY:
        return
    now = now or timezone.now()
    checkouts.expire_old(now)
    for event_id in provider_events.undone(now):
        with logged("The message %s was not handled", event_id):
            handle_event(event_id)
    for refund_id in refunds.unsent(now):
        with logged("The refund %s was not sent", refund_id):
            send_refund(refund_id)


def run_minute_jobs(now: datetime | None = None) -> None:
    """Each minute, each app's own; one failure stops no other."""
    with translation.override(settings.LANGUAGE_CODE):
        for name, work in jobs.minutely():
            with logged("The work of each minute failed: %s", name):
                work(now or timezone.now())


def fetch_lost_events(now: datetime | None = None) -> None:
    """Each hour: what the provider told and nobody heard."""
    if settings.STRIPE_SECRET_KEY:
        provider_events.fetch_lost(now or timezone.now())


def read_provider(now: datetime) -> None:
    """Each night: who was active, then all amounts against the ledger."""
    if not settings.STRIPE_SECRET_KEY:
        return
    sync.payers_who_left(now)
    sync.push_coming(now)
    reconciliation.read_active(now)
    reconciliation.reconcile(now)


@contextmanager
def logged(words: str, *of: object) -> Iterator[None]:
    try:
        yield
    except Exception:
        logger.exception(words, *of)


def register() -> None:
    jobs.register(DailyJob("tidy", 4, tidy))
    jobs.register(DailyJob("retention", 5, retain))
    jobs.register(DailyJob("payments", 2, read_provider))
    jobs.register(DailyJob("old-opinions", 4, forget_old_opinions))
    jobs.register(DailyJob("closure-calls", 4, forget_old_calls))
    jobs.register(DailyJob("opinions", 10, ask_lately))
