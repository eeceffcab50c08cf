"""A programme from a file: events as drafts to be read, their dates as sessions.

What came in is found again by the names that the file gives. Of an event that is known
only what has changed in the file since the last time is changed: what staff wrote over
it stays. A session that has anybody registered is never moved, cancelled or taken away
here: the report says so, and staff do it where people are told.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rapidfuzz import fuzz

from club.imports import reader
from club.imports.report import Line, Outcome, Report
from club.imports.values import stable_key
from club.kernel import words
from club.kernel.people import folded
from club.kernel.refusal import refuse
from club.kernel.spans import local_day
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log, move
from club.models import LogEntry, Place, User
from events.domain.schedules import (
    AHEAD,
    MOST,
    logged_as_added,
    new_session,
    set_hours,
)
from events.enums import CancelReason, Entry, SessionStatus
from events.imports.found import Date, Found, key_of
from events.imports.ics import is_calendar, read_calendar
from events.imports.records import Reading, read_records
from events.imports.review import Review, words_for
from events.imports.texts import audience_of, price_words, shortened, theme_of
from events.models import CheckIn, EventIndex, EventPage, Registration, Session, WalkIn

MOST_EVENTS = 2000
ALIKE = 92
"""Likeness of titles, of 100, from which two records with the same text are one event."""
PAST_KEPT = timedelta(days=366)
"""An event that ended before is left aside: past years do not fill the list to read."""
VERB = "import_event"
ACCESS = ("step_free", "for_hearing", "for_sight", "for_understanding")

Bar = Callable[[Iterable[Any], int], Iterable[Any]]


def import_events(
    path: Path,
    *,
    place: Place,
    columns: Mapping[str, str] | None = None,
    by: User | None = None,
    now: datetime,
    dry_run: bool = False,
    skip_bad: bool = False,
    publish: bool = False,
    bar: Bar = lambda rows, total: rows,
) -> Report:
    """Load the events of a file under the programme of a place, as drafts.

    A record with a fault keeps the whole file out unless `skip_bad`. With `publish`,
    those that nothing speaks against are shown at once.
    """
    index = EventIndex.objects.filter(place=place).first()
    if index is None:
        raise refuse("no_programme", _("Ce point d’accueil n’a pas encore de page d’événements."))
    reading = read(path, columns or {}, now)
    report = Report(notes=[*reading.notes])
    report.refuse(reading.faults)
    report.lines += [
        Line(number, "", title, Outcome.SKIPPED, why) for number, title, why in reading.left
    ]
    wanted = without_repeats(reading.found, report)
    load = Load(index, place, now, by, publish=publish)
    if dry_run or (report.faults and not skip_bad):
        load.settle(wanted, report, bar, write=False)
    else:
        store(load, wanted, report, bar)
    return report


def read(path: Path, columns: Mapping[str, str], now: datetime) -> Reading:
    text, encoding = reader.text_of(path)
    if is_calendar(text):
        return read_calendar(text, MOST_EVENTS, now)
    return read_records(text, encoding, columns, MOST_EVENTS, now)


# -- Records that are one event ----------------------------------------------------------------


def without_repeats(found: list[Found], report: Report) -> list[Found]:
    """One event for all the records that tell of it, with the dates of each.

    The same identifier, or the same title from the same organiser, or nearly the same
    title with the same text: an event at nine addresses is one event.
    """
    kept: list[Found] = []
    by_key: dict[str, Found] = {}
    alike: dict[str, list[Found]] = {}
    for one in found:
        text = folded(one.lead) or folded(one.title)
        same_title = f"{folded(one.origin)}\n{folded(one.title)}" if one.origin else ""
        known = by_key.get(one.key) or by_key.get(same_title) or nearly(one, alike.get(text, []))
        if known is None:
            kept.append(one)
            alike.setdefault(text, []).append(one)
        else:
            absorb(known, one)
            said = _("comme la ligne %(number)d, une date ou une adresse de plus")
            line = Line(
                one.number, one.key, one.title, Outcome.MERGED, said % {"number": known.number}
            )
            report.lines.append(line)
        by_key.setdefault(one.key, known or one)
        if same_title:
            by_key.setdefault(same_title, known or one)
    return kept


def nearly(one: Found, others: list[Found]) -> Found | None:
    title = folded(one.title)
    return next((x for x in others if fuzz.ratio(title, folded(x.title)) >= ALIKE), None)


def absorb(known: Found, one: Found) -> None:
    """Its dates come along; what speaks against one of several is still to be read."""
    there = {date.key for date in known.dates}
    places = {(date.starts_at, date.ends_at, date.room, date.address) for date in known.dates}
    known.dates += [
        date
        for date in one.dates
        if date.key not in there
        and (date.starts_at, date.ends_at, date.room, date.address) not in places
    ]
    known.keys += [key for key in one.keys if key not in known.keys]
    known.departments |= one.departments
    known.codes |= one.codes
    known.link = known.link or one.link
    known.is_cancelled = known.is_cancelled and one.is_cancelled
    if known.dates:
        known.codes.discard(Review.NO_DATE)


# -- The database -------------------------------------------------------------------------------


@in_one_transaction
def store(load: "Load", wanted: list[Found], report: Report, bar: Bar) -> None:
    load.settle(wanted, report, bar, write=True)
    report.loaded = True
    log(
        load.place, "import_events", by=load.by, now=load.now, channel="import",
        facts=report.counts,
    )  # fmt: skip


@dataclass
class Change:
    """What becomes of one event: its fields, its sessions, and words for the report."""

    fields: list[str] = field(default_factory=list)
    added: list[Date] = field(default_factory=list)
    moved: list[tuple[Session, Date]] = field(default_factory=list)
    cancelled: list[Session] = field(default_factory=list)
    removed: list[Session] = field(default_factory=list)
    is_reviewed_anew: bool = False
    is_shown: bool = False
    words: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(
            self.fields
            or self.added
            or self.moved
            or self.cancelled
            or self.removed
            or self.is_reviewed_anew
            or self.is_shown
        )


class Load:
    """One run: a programme, a moment, and what is stored already."""

    def __init__(
        self, index: EventIndex, place: Place, now: datetime, by: User | None, *, publish: bool
    ) -> None:
        self.index, self.place, self.now, self.by, self.publish = index, place, now, by, publish
        self.prefix = f"{place.pk}:"
        self.pages: dict[str, EventPage] = {}
        self.seals: dict[int, dict[str, Any]] = {}
        self.held: dict[int, dict[str, Session]] = {}
        self.peopled: set[int] = set()
        self.elsewhere: dict[datetime, list[tuple[int, str]]] = {}

    def settle(self, wanted: list[Found], report: Report, bar: Bar, *, write: bool) -> None:
        """Compare each event with what is stored, say what became of it, and write."""
        self.look()
        for found in bar(wanted, len(wanted)):
            finish(found, self.place, self.now)
            key = found.key
            if ended_long_ago(found, self.now):
                said = _("fini depuis plus d’un an")
                report.lines.append(Line(found.number, key, found.title, Outcome.SKIPPED, said))
                continue
            page = self.page_of(found)
            review = self.review_of(found, page)
            change = self.change_of(found, page, review)
            if page is None:
                outcome = Outcome.CREATED
            else:
                outcome = Outcome.UPDATED if change else Outcome.UNCHANGED
            if write and change:
                self.write(found, page, review, change)
            said = " ; ".join([*told(found, change, review, self.now), *found.words])
            report.lines.append(Line(found.number, key, found.title, outcome, said))

    def look(self) -> None:
        """What came in before, and what else is on, in a few statements."""
        pages = EventPage.objects.child_of(self.index).filter(source__startswith=self.prefix)
        self.pages = {page.source.removeprefix(self.prefix): page for page in pages}
        ids = [page.pk for page in self.pages.values()]
        rows = LogEntry.objects.filter(
            subject_kind="eventpage", subject_id__in=ids, verb=VERB
        ).order_by("pk")
        self.seals = {row.subject_id: row.facts for row in rows}
        for session in Session.objects.filter(event__in=ids).exclude(source=""):
            self.held.setdefault(session.event_id, {})[session.source] = session
        for model in (Registration, WalkIn, CheckIn):
            rows_of = model._default_manager.filter(session__event__in=ids).exclude(
                session__source=""
            )
            self.peopled.update(rows_of.values_list("session", flat=True))
        coming = Session.objects.filter(
            place=self.place, status=SessionStatus.SCHEDULED, ends_at__gt=self.now
        )
        for starts_at, event, title in coming.values_list("starts_at", "event", "event__title"):
            self.elsewhere.setdefault(starts_at, []).append((event, folded(title)))

    def page_of(self, found: Found) -> EventPage | None:
        """By any name that it has gone by: alone, or as several records of the file."""
        names = [found.key, *found.keys, shared_key(found)]
        page = next((self.pages[name] for name in names if name in self.pages), None)
        if page is not None:
            return page
        keys = {date.key for date in found.dates}
        for page in self.pages.values():
            if keys & self.held.get(page.pk, {}).keys():
                return page
        return None

    def review_of(self, found: Found, page: EventPage | None) -> list[str]:
        """The codes of what speaks against it; a page that is shown has been read."""
        codes = set(found.codes)
        coming = [date for date in found.dates if date.ends_at > self.now]
        if found.dates and not coming:
            codes.add(Review.PAST.value)
        near = self.place.postcode[:2]
        if found.departments and near and near not in found.departments:
            codes.add(Review.FAR.value)
        title = folded(found.title)
        for date in coming:
            for event, other in self.elsewhere.get(date.starts_at, []):
                is_other = page is None or event != page.pk
                if is_other and fuzz.token_set_ratio(title, other) >= ALIKE:
                    codes.add(Review.DUPLICATE.value)
        if page is not None and page.live:
            return list(page.review)
        return [code.value for code in Review if code.value in codes]

    # -- What changes -------------------------------------------------------------------

    def change_of(self, found: Found, page: EventPage | None, review: list[str]) -> Change:
        change = Change()
        values = values_of(found)
        seal = self.seals.get(page.pk, {}) if page is not None else {}
        before = seal.get("values", {})
        for name, value in values.items():
            if page is None or (
                before[name] != digest(value) if name in before else getattr(page, name) != value
            ):
                change.fields.append(name)
        change.is_reviewed_anew = page is None or list(page.review) != review
        change.is_shown = (
            self.publish
            and not review
            and (page is None or (not page.live and page.first_published_at is None))
        )
        held = self.held.get(page.pk, {}) if page is not None else {}
        self.compare_dates(found, held, seal.get("dates", {}), change)
        return change

    def compare_dates(
        self, found: Found, held: dict[str, Session], before: dict[str, str], change: Change
    ) -> None:
        coming = dates_to_make(found, self.now, change)
        for date in coming:
            session = held.get(date.key)
            if session is None:
                if not date.is_cancelled:
                    change.added.append(date)
            elif session.status == SessionStatus.SCHEDULED and before.get(date.key) != seal_of(
                date
            ):
                if session.pk in self.peopled:
                    change.words.append(left_to_staff(session))
                elif date.is_cancelled:
                    change.cancelled.append(session)
                elif stands_otherwise(session, date):
                    change.moved.append((session, date))
        there = {date.key for date in found.dates}
        for key, session in held.items():
            is_coming = session.starts_at > self.now and session.status == SessionStatus.SCHEDULED
            if key in there or not is_coming or key not in before:
                continue
            if session.pk not in self.peopled:
                change.removed.append(session)
            else:
                change.words.append(left_to_staff(session))

    # -- Writing ----------------------------------------------------------------------------

    def write(
        self, found: Found, page: EventPage | None, review: list[str], change: Change
    ) -> None:
        values = values_of(found)
        if page is None:
            names = [*found.keys] if len(found.keys) == 1 else [shared_key(found)]
            page = EventPage(
                source=self.prefix + names[0], live=False, review=review, **stored(values)
            )
            self.index.add_child(instance=page)
            self.pages[names[0]] = page
        else:
            page = self.rewritten(page, {n: values[n] for n in change.fields}, review)
        for date in change.added:
            self.add(page, date)
        for session, date in change.moved:
            self.shift(session, page, date)
        for session in change.cancelled:
            self.call_off(session)
        for session in change.removed:
            session.delete()
        if change.is_shown:
            page.save_revision(user=self.by, log_action=False).publish(user=self.by)
        untold = {session.source for session in self.held.get(page.pk, {}).values()}
        dates = {
            date.key: seal_of(date)
            for date in found.dates
            if date.key not in untold or not self.is_behind(page, date, change)
        }
        facts = {
            "values": {name: digest(value) for name, value in values.items()},
            "dates": dates,
        }
        log(page, VERB, by=self.by, now=self.now, channel="import", facts=facts)

    def is_behind(self, page: EventPage, date: Date, change: Change) -> bool:
        """Whether staff still have to follow what the file says of a date."""
        session = self.held[page.pk][date.key]
        done = {one.pk for one, _date in change.moved} | {one.pk for one in change.cancelled}
        return session.pk not in done and stands_otherwise(session, date)

    def rewritten(self, page: EventPage, values: dict[str, Any], review: list[str]) -> EventPage:
        """The fields that changed, in what editors see: their draft where there is one."""
        is_draft = page.has_unpublished_changes
        newest: EventPage = page.get_latest_revision_as_object()
        for name, value in stored(values).items():
            setattr(newest, name, value)
        newest.review = review
        if page.live:
            revision = newest.save_revision(user=self.by, log_action=False)
            if not is_draft:
                revision.publish(user=self.by)
            return EventPage.objects.get(pk=page.pk)
        newest.save()
        if page.latest_revision_id is not None:
            newest.save_revision(user=self.by, log_action=False)
        return newest

    def add(self, page: EventPage, date: Date) -> None:
        session = new_session(page, self.place, date.starts_at, date.ends_at)
        session.source, session.changed_at = date.key, self.now
        dress(session, page, date, self.place, self.now)
        session.save(force_insert=True)
        logged_as_added(session, by=self.by, now=self.now)

    def shift(self, session: Session, page: EventPage, date: Date) -> None:
        """Nobody is registered, so nobody is told."""
        session.starts_at, session.ends_at = date.starts_at, date.ends_at
        set_hours(session, page)
        dress(session, page, date, self.place, self.now)
        session.sequence += 1
        session.changed_at = self.now
        session.save()
        log(session, "move_session", by=self.by, now=self.now, channel="import")

    def call_off(self, session: Session) -> None:
        move(
            session,
            SessionStatus.CANCELLED,
            by=self.by,
            now=self.now,
            verb="cancel_session",
            channel="import",
            cancel_reason=CancelReason.OTHER,
            sequence=session.sequence + 1,
            changed_at=self.now,
        )


# -- Small things ----------------------------------------------------------------------------------


def finish(found: Found, place: Place, now: datetime) -> None:
    """Dates in order; those in our own rooms have no other address."""
    found.dates = sorted(
        (at_home(date, place) for date in found.dates), key=lambda one: (one.starts_at, one.key)
    )


def at_home(date: Date, place: Place) -> Date:
    """A file that names the place itself says nothing new."""
    room, address = folded(date.room), folded(date.address)
    ours = folded(place.address)
    if ours and ours in address and folded(place.city) in address:
        address_left = ""
    else:
        address_left = date.address
    room_left = "" if room == folded(place.name) else date.room
    if (room_left, address_left) == (date.room, date.address):
        return date
    return Date(
        date.key, date.starts_at, date.ends_at, room_left, address_left, date.is_cancelled,
        date.is_full,
    )  # fmt: skip


def ended_long_ago(found: Found, now: datetime) -> bool:
    return bool(found.dates) and all(date.ends_at <= now - PAST_KEPT for date in found.dates)


def dates_to_make(found: Found, now: datetime, change: Change) -> list[Date]:
    """Those to come, within a year and five hundred."""
    coming = [date for date in found.dates if date.ends_at > now]
    near = [date for date in coming if date.starts_at <= now + AHEAD]
    if len(near) < len(coming):
        number = len(coming) - len(near)
        text = ngettext("%(number)d date à plus d’un an", "%(number)d dates à plus d’un an", number)
        change.words.append(text % {"number": number})
    if len(near) > MOST:
        change.words.append(_("les %(most)d premières dates seulement") % {"most": MOST})
    return near[:MOST]


def shared_key(found: Found) -> str:
    """The name of an event that several records tell of, whatever their order."""
    return key_of("ensemble", stable_key(found.title, found.origin or found.lead))


def values_of(found: Found) -> dict[str, Any]:
    """The fields of the page that come from the file."""
    said = price_words(found.price)
    price = shortened(said, 118) if said else _("Prix à voir avec l’organisateur.")
    entry = Entry.ELSEWHERE if found.link else Entry.FREE
    values: dict[str, Any] = {
        "title": found.title,
        "lead": found.lead,
        "body": found.body,
        "theme": str(theme_of(found.title, found.keywords, found.lead)),
        "audience": str(
            audience_of(f"{found.title} {found.keywords}", found.age_min, found.age_max)
        ),
        "age_min": found.age_min,
        "age_max": found.age_max,
        "organiser": found.origin,
        "price_text": price,
        "entry": str(entry),
        "entry_url": found.link,
    }
    return values | {name: name in found.access for name in ACCESS}


def stored(values: Mapping[str, Any]) -> dict[str, Any]:
    """The body as the page holds it: one paragraph block."""
    body = values.get("body")
    if body is None:
        return dict(values)
    return {**values, "body": [("paragraph", body)] if body else []}


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest()[:12]


def seal_of(date: Date) -> str:
    return digest(
        [
            date.starts_at.isoformat(), date.ends_at.isoformat(), date.room, date.address,
            date.is_cancelled, date.is_full,
        ]
    )  # fmt: skip


def dress(session: Session, page: EventPage, date: Date, place: Place, now: datetime) -> None:
    """Where it is, and "complet" where the file says so: others keep its list."""
    session.room, session.address = date.room, date.address
    session.note = _("Complet") if date.is_full else ""
    if date.is_full:
        session.closes_at = min(session.closes_at, now)


def stands_otherwise(session: Session, date: Date) -> bool:
    is_cancelled = session.status == SessionStatus.CANCELLED
    return (
        session.starts_at != date.starts_at
        or session.ends_at != date.ends_at
        or session.room != date.room
        or session.address != date.address
        or is_cancelled != date.is_cancelled
        or (session.note == _("Complet")) != date.is_full
    )


def left_to_staff(session: Session) -> str:
    text = _("le %(day)s a des inscrits et a changé : à faire dans « Séances »")
    return text % {"day": words.day(local_day(session.starts_at))}


def told(found: Found, change: Change, review: list[str], now: datetime) -> list[str]:
    """What the report says of an event."""
    said = []
    past = sum(date.ends_at <= now for date in found.dates)
    for number, one, many in (
        (len(change.added), _("%(number)d séance"), _("%(number)d séances")),
        (len(change.moved), _("%(number)d déplacée"), _("%(number)d déplacées")),
        (len(change.cancelled), _("%(number)d annulée"), _("%(number)d annulées")),
        (len(change.removed), _("%(number)d retirée"), _("%(number)d retirées")),
        (past, _("%(number)d date passée"), _("%(number)d dates passées")),
    ):
        if number:
            said.append((one if number == 1 else many) % {"number": number})
    if len(found.keys) > 1:
        said.append(_("%(number)d lignes regroupées") % {"number": len(found.keys)})
    if review:
        said.append(_("à relire : %(why)s") % {"why": ", ".join(words_for(review))})
    if change.is_shown:
        said.append(_("publié"))
    return [*said, *change.words]
