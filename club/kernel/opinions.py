"""The register of what people may be asked about: each app says what ended lately.

Who is asked, when and how often is decided once, in `club.domain.opinions`. An app that
has a question of its own about the same things says whom it asked, so that the two
together stay one question a week.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Ended:
    """One thing that is over for one person: `label` is what the person calls it."""

    member_id: int
    place_id: int
    kind: str
    subject_id: int
    label: str
    at: datetime


@dataclass(frozen=True)
class Source:
    """A kind of thing: `title` heads its figures; before a label the desk reads `noun`,
    and the person `about`.

    `ended(since, until)` gives what ended in that time, in one statement.
    """

    kind: str
    title: str | Promise
    noun: str | Promise
    about: str | Promise
    ended: Callable[[datetime, datetime], Iterable[Ended]]


AskedElsewhere = Callable[[Collection[int], datetime], Iterable[int]]
"""Which of these members were asked since then by the app's own question."""

_sources: dict[str, Source] = {}
_elsewhere: dict[str, AskedElsewhere] = {}


def register(*found: Source) -> None:
    """Called from the app's `ready()`; a second call for a kind replaces the first."""
    for source in found:
        _sources[source.kind] = source


def sources() -> list[Source]:
    return list(_sources.values())


def source(kind: str) -> Source | None:
    return _sources.get(kind)


def about(kind: str, label: str) -> str:
    """ "Votre prêt : Gaufrier", as pages and letters say it."""
    found = source(kind)
    return headed(found.about, label) if found else label


def named(kind: str, label: str) -> str:
    """ "Prêt : Gaufrier", as the desk reads it."""
    found = source(kind)
    return headed(found.noun, label) if found else label


def headed(head: str | Promise, label: str) -> str:
    return _("%(about)s : %(label)s") % {"about": head, "label": label}


def register_elsewhere(name: str, asked: AskedElsewhere) -> None:
    _elsewhere[name] = asked


def asked_elsewhere(members: Collection[int], since: datetime) -> set[int]:
    return {pk for asked in _elsewhere.values() for pk in asked(members, since)}
