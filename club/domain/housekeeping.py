"""What the house forgets at night, each in small bites, so that nobody waits for it."""

from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_q.models import Task

from club.enums import MessageStatus
from club.kernel import personal
from club.kernel.personal import Term
from club.models import Heartbeat, IdempotentAnswer, Message, ProviderEvent, UsageCount

ANSWERS_KEPT = timedelta(days=3)
TASKS_KEPT = timedelta(days=30)
EVENTS_KEPT = timedelta(days=90)
BITE = 2000


def delete_in_bites(rows: QuerySet) -> int:
    """Delete rows some at a time: each statement holds its locks for a moment only."""
    deleted = 0
    while ids := list(rows.order_by().values_list("pk", flat=True)[:BITE]):
        rows.model._default_manager.filter(pk__in=ids).delete()
        deleted += len(ids)
    return deleted


def old_messages(now: datetime) -> QuerySet[Message]:
    settled = [MessageStatus.SENT, MessageStatus.DROPPED, MessageStatus.FAILED]
    kept = relativedelta(months=settings.RETENTION_MESSAGES_MONTHS)
    return Message.objects.filter(status__in=settled, due_at__lt=now - kept)


def tidy(now: datetime) -> None:
    """Answers to old requests, ended sessions, finished tasks, and what has had its term."""
    for rows in (
        IdempotentAnswer.objects.filter(answered_at__lt=now - ANSWERS_KEPT),
        UsageCount.objects.filter(ends_at__lt=now),
        Session.objects.filter(expire_date__lt=now),
        Task.objects.filter(stopped__lt=now - TASKS_KEPT),
        Heartbeat.objects.filter(name__startswith="cluster:", beat_at__lt=now - TASKS_KEPT),
        # The provider lists its messages for 30 days: none of these can come as lost.
        ProviderEvent.objects.filter(done_at__lt=now - EVENTS_KEPT),
        *(term.rows(now) for term in personal.terms()),
    ):
        delete_in_bites(rows)


def register() -> None:
    personal.keep_for(Term("messages", _("Les messages envoyés"), old_messages))
