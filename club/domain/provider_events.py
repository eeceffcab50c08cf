"""Messages of the provider: kept once, answered at once, handled by the worker.

A message says that something happened to a customer. Which customer is all that is taken
from it; the rest is read anew (`club.domain.sync`). So one reading handles all messages
about a customer that had come before it.
"""

import logging
from datetime import datetime, timedelta

from django.db.models import F
from django_q.tasks import async_task

from club import gateway
from club.domain.sync import sync
from club.gateway import Told
from club.kernel.transactions import in_one_transaction
from club.models import Customer, Heartbeat, ProviderEvent

logger = logging.getLogger(__name__)

SETTLING = timedelta(seconds=60)
"""So long the worker has for a message before the sweeper comes back to it."""
LONGEST_WAIT = timedelta(hours=6)
LOOK_BACK = timedelta(days=3)
"""How far the first search for lost messages goes; later ones go on from the last."""
OVERLAP = timedelta(hours=2)
LISTED = "payments:listed"


@in_one_transaction
def receive(told: Told, *, now: datetime) -> bool:
    """Keep a message and have it handled; False where it is here already."""
    if ProviderEvent.objects.filter(event_id=told.id).exists():
        return False
    row = ProviderEvent(
        event_id=told.id,
        kind=told.kind[:80],
        customer=told.customer,
        happened_at=told.at,
        received_at=now,
    )
    # Twice at the same instant: one row, and a second task that finds it done.
    ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)
    kept = ProviderEvent.objects.get(event_id=told.id)
    async_task("club.tasks.handle_event", kept.pk, group="provider")
    return True


def handle(event_id: int, *, now: datetime) -> None:
    """Read the customer, and with it everything that had been told before about them.

    Whatever goes wrong stands on the row, and the sweeper comes back to it.
    """
    event = ProviderEvent.objects.get(pk=event_id)
    if event.done_at is not None:
        return
    ProviderEvent.objects.filter(pk=event.pk).update(attempts=F("attempts") + 1)
    try:
        if not event.customer:
            event.customer = gateway.customer_of(event.event_id)
            event.save(update_fields=["customer"])
        customer = Customer.objects.filter(provider_id=event.customer).first()
        if customer is None:
            done(
                [event.pk], now=now, note="Unknown customer." if event.customer else "No customer."
            )
            return
        same = ProviderEvent.objects.filter(customer=event.customer, done_at=None)
        told = [*same.values_list("pk", flat=True), event.pk]
        sync(customer.pk, now=now)
    except gateway.NotThere as error:
        done([event.pk], now=now, note=str(error))
    except Exception as error:
        note = f"{type(error).__name__}: {error}"[:200]
        ProviderEvent.objects.filter(pk=event.pk).update(error=note)
        logger.warning("The message %s is not handled yet: %s", event.event_id, note)
        raise
    else:
        done(told, now=now)


def done(events: list[int], *, now: datetime, note: str = "") -> None:
    ProviderEvent.objects.filter(pk__in=events).update(done_at=now, error=note[:200])


def undone(now: datetime) -> list[int]:
    """Messages to come back to: at first after a minute, then less and less often."""
    waiting = ProviderEvent.objects.filter(done_at=None, received_at__lte=now - SETTLING)
    due, seen = [], set()
    for event in waiting.order_by("received_at")[:500]:
        wait = min(SETTLING * 2 ** min(event.attempts, 9), LONGEST_WAIT)
        if event.received_at + wait > now or (event.customer and event.customer in seen):
            continue
        seen.add(event.customer)
        due.append(event.pk)
    return due


def fetch_lost(now: datetime) -> int:
    """List what the provider has told since the last look, and keep what never came."""
    last = Heartbeat.objects.filter(name=LISTED).values_list("beat_at", flat=True).first()
    since = max(last - OVERLAP if last else now - LOOK_BACK, now - timedelta(days=29))
    lost = 0
    for told in gateway.messages_since(since):
        lost += receive(told, now=now)
    Heartbeat.objects.update_or_create(name=LISTED, defaults={"beat_at": now})
    if lost:
        logger.warning("%d messages of the provider had not arrived.", lost)
    return lost
