"""What the house forgets at night, each in small bites, so that nobody waits for it."""

from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django_q.models import Task

from club.enums import MessageStatus
from club.models import Heartbeat, IdempotentAnswer, Message, UsageCount

ANSWERS_KEPT = timedelta(days=3)
MESSAGES_KEPT = relativedelta(months=13)
TASKS_KEPT = timedelta(days=30)
BITE = 2000


def delete_in_bites(rows: QuerySet) -> int:
    """Delete rows some at a time: each statement holds its locks for a moment only."""
    deleted = 0
    while ids := list(rows.order_by().values_list("pk", flat=True)[:BITE]):
        rows.model._default_manager.filter(pk__in=ids).delete()
        deleted += len(ids)
    return deleted


def tidy(now: datetime) -> None:
    """Answers to old requests, ended sessions, old messages, finished tasks."""
    settled = [MessageStatus.SENT, MessageStatus.DROPPED, MessageStatus.FAILED]
    for rows in (
        IdempotentAnswer.objects.filter(answered_at__lt=now - ANSWERS_KEPT),
        UsageCount.objects.filter(ends_at__lt=now),
        Session.objects.filter(expire_date__lt=now),
        Message.objects.filter(status__in=settled, due_at__lt=now - MESSAGES_KEPT),
        Task.objects.filter(stopped__lt=now - TASKS_KEPT),
        Heartbeat.objects.filter(name__startswith="cluster:", beat_at__lt=now - TASKS_KEPT),
    ):
        delete_in_bites(rows)
