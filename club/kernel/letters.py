"""The register of what can be told: each app says how its events become words.

A message row holds who, which event and which thing. Its words are made when it
leaves, from the thing as it is then, by the sort that is registered for the event.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.functional import Promise

if TYPE_CHECKING:
    from club.models import Message


@dataclass(frozen=True)
class Attachment:
    name: str
    content: bytes
    mimetype: str


@dataclass(frozen=True)
class Letter:
    """One thing told: the fact with its date, the words in two forms, one link.

    `together` is the subject where several of that sort leave as one, with `%(number)d`.
    """

    subject: str
    text: str
    html: str
    button: str
    link: str
    short_link: str
    attachments: tuple[Attachment, ...] = ()
    together: str = ""


@dataclass(frozen=True)
class Sort:
    """How one event is told.

    `load` reads the things of many messages in one statement; `is_wanted` says
    whether there is still something to tell; `write` makes the words.
    """

    event: str
    model: type[models.Model]
    load: Callable[[Iterable[int]], Mapping[int, Any]]
    is_wanted: Callable[["Message", Any, datetime], bool]
    write: Callable[["Message", Any, datetime], Letter]


_sorts: dict[str, Sort] = {}


def register(sort: Sort) -> None:
    """Called from the app's `ready()`; a second call for an event replaces the first."""
    _sorts[sort.event] = sort


def sort_of(event: str) -> Sort | None:
    return _sorts.get(event)


_groups: dict[str, str | Promise] = {}


def register_group(name: str, subject: str | Promise) -> None:
    """The subject of what leaves together, with `%(number)d`, where its letters have none."""
    _groups[name] = subject


def subject_of_group(name: str) -> str | Promise:
    return _groups.get(name, "")


def models_by_kind() -> dict[str, type[models.Model]]:
    """What a message may be about, by the name that its row holds."""
    return {str(sort.model._meta.model_name): sort.model for sort in _sorts.values()}


def in_status(*statuses: str) -> Callable[["Message", Any, datetime], bool]:
    """Wanted as long as its thing is in one of these, however late."""
    return lambda message, one, now: one.status in statuses
