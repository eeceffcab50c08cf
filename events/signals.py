"""What publishing an event sets going, whoever published it: a person, a file, the clock."""

import logging
from contextvars import ContextVar
from typing import Any

from django.dispatch import receiver
from django.utils import timezone
from wagtail.signals import page_published, post_page_move

from club.kernel.refusal import Refused
from club.models import User
from events.domain.schedules import Made, make_sessions
from events.models import EventPage

logger = logging.getLogger(__name__)

made_for: ContextVar[tuple[int, Made | Refused] | None] = ContextVar("made_for", default=None)
"""What publishing this event did, for the screen that comes after."""


def bring_in_line(event: EventPage, by: User | None) -> None:
    """A rule that cannot be followed leaves the page published, and is told."""
    try:
        made: Made | Refused = make_sessions(event, by=by, now=timezone.now())
    except Refused as refused:
        logger.warning("The sessions of event %s were not made: %s", event.pk, refused.codes)
        made = refused
    made_for.set((event.pk, made))


@receiver(page_published, sender=EventPage)
def published(instance: EventPage, revision: Any = None, **kwargs: Any) -> None:
    """Its sessions are made, and whoever published it has read it."""
    made_for.set(None)
    if not instance.live or instance.alias_of_id:
        return
    if instance.review:
        instance.review = []
        EventPage.objects.filter(pk=instance.pk).update(review=[])
    bring_in_line(instance, revision.user if revision is not None else None)


@receiver(post_page_move, sender=EventPage)
def moved(instance: Any, **kwargs: Any) -> None:
    """In the programme of another place: sessions nobody is at go there."""
    event: EventPage = instance.specific
    if event.live:
        bring_in_line(event, None)
