"""What stands on a home page and on every page of a site, read once per change.

Publishing a page or saving the menus gives every place a new `rules_stamp` (see
`cms.signals`); what was read under another stamp is never used. So a process may keep
it, and a page costs no statement for its menus.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from wagtail.models import Site

from club.context import place_of
from club.kernel.spans import local_day
from cms.models import NEWS_ON_HOME, AccessibilityPage, Article, HomePage, Link, Navigation
from events.models import Session
from events.queries.programme import week_at

WEEK_LINES = 3


@dataclass(frozen=True)
class Entry:
    label: Any
    url: str


@dataclass(frozen=True)
class Window:
    """One of the six tiles."""

    label: str
    url: str
    wall: str
    pictures: str


@dataclass(frozen=True)
class Note:
    day: date
    hour: time | None
    words: str
    text: str
    url: str


@dataclass(frozen=True)
class News:
    title: str
    url: str
    lead: str
    day: date


@dataclass(frozen=True)
class Alert:
    text: str
    level: str
    starts_at: datetime | None
    ends_at: datetime | None

    def __str__(self) -> str:
        return self.text

    @property
    def is_urgent(self) -> bool:
        return self.level == "urgent"

    def is_shown(self, now: datetime) -> bool:
        begun = self.starts_at is None or self.starts_at <= now
        return bool(self.text) and begun and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True)
class Furnishing:
    """What stands on one home page."""

    buttons: list[Entry] = field(default_factory=list)
    tiles: list[Window] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    news: list[News] = field(default_factory=list)


@dataclass(frozen=True)
class Frame:
    """What stands around every page of a site."""

    menu: list[Entry] = field(default_factory=list)
    footer_menu: list[Entry] = field(default_factory=list)
    alert: Alert | None = None


# By page (or site) and the place that is shown above it, whose stamp it was read under.
_furnishings: dict[tuple[int, int], tuple[str, Furnishing]] = {}
_frames: dict[tuple[int, int], tuple[str, Frame]] = {}


def entries(links: Any, request: HttpRequest) -> list[Entry]:
    found = [Entry(link.label, link.href(request)) for link in links]
    return [entry for entry in found if entry.url]


def with_pages(links: Any) -> Any:
    """The links with their pages in one statement, also for a preview's unsaved ones."""
    return links.select_related("page") if hasattr(links, "select_related") else links.all()


def windows(links: list[Link], request: HttpRequest) -> list[Window]:
    found = [Window(t.label, t.href(request), t.wall, t.pictures) for t in links]
    return [window for window in found if window.url]


def read_furnishing(home: HomePage, request: HttpRequest) -> Furnishing:
    notes = sorted(with_pages(home.week_notes), key=lambda note: (note.day, note.hour or time.min))
    articles = (
        Article.objects.descendant_of(home).live().order_by("-published_on", "-pk")[:NEWS_ON_HOME]
    )
    return Furnishing(
        buttons=entries(with_pages(home.buttons), request),
        tiles=windows(with_pages(home.tiles), request),
        notes=[
            Note(
                note.day, note.hour, note.words, note.text,
                (note.page.get_url(request) or "") if note.page and note.page.live else "",
            )
            for note in notes
        ],
        news=[
            News(a.title, a.get_url(request) or "", a.lead, a.published_on) for a in articles
        ],
    )  # fmt: skip


def furnishing_of(home: HomePage, request: HttpRequest) -> Furnishing:
    place = place_of(request)
    if place is None or home.pk is None or getattr(request, "is_preview", False):
        return read_furnishing(home, request)
    held = _furnishings.get((home.pk, place.pk))
    if held is None or held[0] != place.rules_stamp:
        held = (place.rules_stamp, read_furnishing(home, request))
        _furnishings[home.pk, place.pk] = held
    return held[1]


def week_of(home: HomePage, request: HttpRequest, now: datetime) -> list[Note]:
    """The next three lines by day: the editors' own, and what is on at the place.

    The kept page goes when something that it names begins or is over.
    """
    today = local_day(now)
    notes = [note for note in furnishing_of(home, request).notes if note.day >= today]
    sessions = week_at(home.place_id, now, WEEK_LINES)
    moments = [moment for one in sessions for moment in (one.starts_at, one.ends_at)]
    request._changes_at = moments  # type: ignore[attr-defined]
    notes += [session_note(session, request, today) for session in sessions]
    notes.sort(key=lambda note: (note.day, note.hour or time.min))
    return notes[:WEEK_LINES]


def session_note(session: Session, request: HttpRequest, today: date) -> Note:
    event = session.event
    hour = timezone.localtime(session.starts_at).time()
    return Note(max(session.day, today), hour, "", event.title, event.get_url(request) or "")


def tiles_of(request: HttpRequest) -> list[Window]:
    """The six windows of the place's home page, for the member's own home."""
    place = place_of(request)
    home = HomePage.objects.filter(place=place).live().first() if place else None
    return furnishing_of(home, request).tiles if home else []


def read_frame(site: Site, request: HttpRequest) -> Frame:
    footer: list[Entry] = []
    declaration = AccessibilityPage.objects.descendant_of(site.root_page).live().first()
    if declaration is not None:
        footer.append(Entry(declaration.footer_words(), declaration.get_url(request) or ""))
    navigation = Navigation.objects.filter(site=site).first()
    if navigation is None:
        return Frame(footer_menu=footer)
    return Frame(
        menu=entries(with_pages(navigation.menu_items), request),
        footer_menu=footer + entries(with_pages(navigation.footer_items), request),
        alert=Alert(
            navigation.alert_text,
            navigation.alert_level,
            navigation.alert_starts_at,
            navigation.alert_ends_at,
        ),
    )


def frame_of(request: HttpRequest) -> Frame:
    site = Site.find_for_request(request)
    if site is None:
        return Frame()
    place = place_of(request)
    if place is None:
        return read_frame(site, request)
    held = _frames.get((site.pk, place.pk))
    if held is None or held[0] != place.rules_stamp:
        held = (place.rules_stamp, read_frame(site, request))
        _frames[site.pk, place.pk] = held
    return held[1]
