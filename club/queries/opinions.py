"""Whom the desk calls about an unhappy answer, and who was called."""

from datetime import datetime

from django.db.models import Q, QuerySet

from club.enums import CallOutcome, Face
from club.kernel.spans import local_day, start_of
from club.models import LogEntry, Opinion, Place


def unhappy_at(place: Place) -> QuerySet[Opinion]:
    """Of this place, whoever is still somebody."""
    rows = Opinion.objects.filter(place=place, face=Face.UNHAPPY, member__isnull=False)
    return rows.select_related("member__user")


def calls_to_make(place: Place) -> QuerySet[Opinion]:
    """The longest waiting first; who was called in vain comes after the others."""
    waiting = unhappy_at(place).filter(called_at=None)
    return waiting.order_by("outcome", "answered_at", "pk")


def noted_today(place: Place, now: datetime) -> QuerySet[Opinion]:
    """What can still be undone: each call of today whose last line is a note."""
    today = start_of(local_day(now))
    lines = LogEntry.objects.filter(subject_kind="opinion", at__gte=today, verb="note_call")
    noted = Q(called_at__gte=today) | Q(outcome=CallOutcome.NO_ANSWER, called_at=None)
    found = unhappy_at(place).filter(noted, pk__in=lines.values("subject_id"))
    return found.order_by("pk")
