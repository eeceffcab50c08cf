"""What a balancer and a person on call ask: does it live, and what is down?

`/healthz/live` touches nothing. `/healthz/ready` names what is down and answers 503;
it says nothing of any person.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django_q.models import OrmQ

from club.enums import MessageStatus
from club.kernel import codes
from club.models import Heartbeat, Message, ProviderDifference, ProviderEvent
from club.worker import STALLED_AFTER

WORKER_SILENT = timedelta(seconds=STALLED_AFTER)
QUEUE_WAITS = timedelta(minutes=5)
MESSAGES_WAIT = timedelta(minutes=15)
JOBS_WAIT = timedelta(hours=36)

Found = tuple[bool, dict[str, Any]]
"""Whether a part is up, and what is known of it."""


def live(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


def database() -> Found:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,), {"vendor": connection.vendor}


def shared_cache() -> Found:
    key, value = f"health:{codes.token()[:12]}", codes.token()
    cache.set(key, value, 10)
    held = cache.get(key) == value
    cache.delete(key)
    return held, {}


def storage() -> Found:
    name = default_storage.save(f"health/{codes.token()[:12]}", ContentFile(b"ok"))
    default_storage.delete(name)
    return True, {}


_migrated = False


def migrations() -> Found:
    """Once none is pending none ever is: a process keeps the code that it began with."""
    global _migrated
    if _migrated:
        return True, {"pending": 0}
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    _migrated = not pending
    return _migrated, {"pending": len(pending)}


def age(moment: Any) -> int | None:
    return None if moment is None else max(0, int((timezone.now() - moment).total_seconds()))


def within(seconds: int | None, limit: timedelta) -> bool:
    return seconds is None or seconds <= limit.total_seconds()


def worker() -> Found:
    """The newest heartbeat of any cluster: a machine that has none has no worker."""
    beat = (
        Heartbeat.objects.filter(name__startswith="cluster:")
        .order_by("-beat_at")
        .values_list("beat_at", flat=True)
        .first()
    )
    seconds = age(beat)
    return seconds is not None and within(seconds, WORKER_SILENT), {"heartbeat_age": seconds}


def queue() -> Found:
    """A task that waits is locked since it came; one that is taken, until its retry."""
    waiting = OrmQ.objects.filter(lock__lte=timezone.now()).order_by("lock")
    seconds = age(waiting.values_list("lock", flat=True).first())
    return within(seconds, QUEUE_WAITS), {"oldest_age": seconds, "waiting": waiting.count()}


def messages() -> Found:
    unsent = Message.objects.filter(
        status__in=[MessageStatus.PENDING, MessageStatus.SENDING], due_at__lte=timezone.now()
    )
    seconds = age(unsent.order_by("due_at").values_list("due_at", flat=True).first())
    week_ago = timezone.now() - timedelta(days=7)
    failed = Message.objects.filter(status=MessageStatus.FAILED, due_at__gte=week_ago).count()
    return within(seconds, MESSAGES_WAIT), {"oldest_age": seconds, "failed_in_a_week": failed}


def daily_jobs() -> Found:
    """Jobs that ran once and have not for a day and a half."""
    since = timezone.now() - JOBS_WAIT
    late = Heartbeat.objects.filter(name__startswith="job:", beat_at__lt=since)
    names = [name.removeprefix("job:") for name in late.values_list("name", flat=True)]
    return not names, {"late": sorted(names)}


def payments() -> Found:
    """Messages of the provider that nobody handles, and amounts on which it disagrees."""
    if not settings.STRIPE_SECRET_KEY:
        return True, {"online": False}
    waiting = ProviderEvent.objects.filter(done_at=None).order_by("received_at")
    seconds = age(waiting.values_list("received_at", flat=True).first())
    differences = ProviderDifference.objects.filter(settled_at=None).count()
    is_up = within(seconds, MESSAGES_WAIT) and not differences
    return is_up, {"online": True, "oldest_age": seconds, "differences": differences}


PARTS: dict[str, Callable[[], Found]] = {
    "database": database,
    "cache": shared_cache,
    "storage": storage,
    "migrations": migrations,
    "worker": worker,
    "queue": queue,
    "messages": messages,
    "daily_jobs": daily_jobs,
    "payments": payments,
}


@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    answer: dict[str, Any] = {}
    down = []
    for name, look in PARTS.items():
        try:
            is_up, known = look()
        except Exception as error:
            is_up, known = False, {"error": type(error).__name__}
        answer[name] = {"up": is_up, **known}
        if not is_up:
            down.append(name)
    status = 503 if down else 200
    return JsonResponse(
        {"status": "down" if down else "up", "down": down, "parts": answer}, status=status
    )


urlpatterns = [
    path("healthz/live", live, name="health-live"),
    path("healthz/ready", ready, name="health-ready"),
]
