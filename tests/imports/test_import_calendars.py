"""Events from an iCalendar file: rules, zones, exceptions, and what is broken in it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from club.imports.report import Report
from club.kernel.refusal import Refused
from club.models import Place
from events.enums import SessionStatus
from events.imports.events import import_events
from events.models import EventPage, Session
from tests.factories.club import NOW, PARIS
from tests.factories.events import index_for

pytestmark = pytest.mark.django_db

Load = Callable[..., Report]
WEEKLY = "DTSTART;TZID=Europe/Paris:20270318T180000\nDTEND;TZID=Europe/Paris:20270318T200000\n"
OUTLOOK = """BEGIN:VTIMEZONE
TZID:Romance Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


@pytest.fixture
def load(place: Place, tmp_path: Path) -> Load:
    index_for(place)

    def call(*events: str, name: str = "", zone: str = "", **more: Any) -> Report:
        path = tmp_path / "agenda.ics"
        body = "".join(f"BEGIN:VEVENT\n{one.strip()}\nEND:VEVENT\n" for one in events)
        named = f"X-WR-CALNAME:{name}\n" if name else ""
        text = f"BEGIN:VCALENDAR\nVERSION:2.0\n{named}{zone}{body}END:VCALENDAR\n"
        path.write_bytes(text.replace("\n", "\r\n").encode())
        more.setdefault("now", NOW)
        return import_events(path, place=place, **more)

    return call


def event(when: str, uid: str = "a@x", **more: str) -> str:
    fields = {
        "SUMMARY": "Gym douce", "DESCRIPTION": "On bouge.", "LOCATION": "Salle Balzac",
    } | more  # fmt: skip
    lines = "".join(f"{name}:{value}\n" for name, value in fields.items() if value)
    return f"UID:{uid}\n{lines}{when}"


def starts() -> list[str]:
    found = Session.objects.order_by("starts_at")
    return [f"{one.starts_at.astimezone(PARIS):%d/%m/%Y %H:%M}" for one in found]


def codes() -> list[str]:
    return list(EventPage.objects.get().review)


@pytest.mark.parametrize(
    ("when", "start", "length"),
    [
        ("DTSTART:20270318T170000Z\nDTEND:20270318T180000Z", "18/03/2027 18:00", 1),
        ("DTSTART:20270318T180000\nDURATION:PT2H", "18/03/2027 18:00", 2),
        (WEEKLY, "18/03/2027 18:00", 2),
        ("DTSTART;TZID=America/New_York:20270318T120000\nDURATION:PT1H", "18/03/2027 17:00", 1),
        ("DTSTART;TZID=Romance Standard Time:20270401T180000\nDURATION:PT1H",
         "01/04/2027 18:00", 1),
    ],
)  # fmt: skip
def test_times_with_and_without_a_zone(load: Load, when: str, start: str, length: int) -> None:
    load(event(when), zone=OUTLOOK)
    assert (starts(), codes()) == ([start], [])
    session = Session.objects.get()
    assert session.ends_at - session.starts_at == timedelta(hours=length)


@pytest.mark.parametrize(
    ("when", "length"),
    [
        ("DTSTART:20270318T180000", timedelta(hours=1)),
        ("DTSTART;VALUE=DATE:20270318", timedelta(days=1)),
        ("DTSTART;VALUE=DATE:20270318\nDTEND;VALUE=DATE:20270321", timedelta(days=3)),
        ("DTSTART;VALUE=DATE:20270327\nDTEND;VALUE=DATE:20270329", timedelta(days=2, hours=-1)),
        ("DTSTART:20270318T180000\nDTEND:20270318T170000", timedelta(hours=1)),
    ],
)
def test_without_hours_it_is_to_be_read(load: Load, when: str, length: timedelta) -> None:
    load(event(when))
    session = Session.objects.get()
    assert session.ends_at - session.starts_at == length
    assert codes() == (["hours"] if "T170000" not in when else [])


def test_a_rule_keeps_its_hour_over_the_clock_change(load: Load) -> None:
    load(event(WEEKLY + "RRULE:FREQ=WEEKLY;COUNT=3"))
    assert starts() == ["18/03/2027 18:00", "25/03/2027 18:00", "01/04/2027 18:00"]


def test_exceptions_and_added_dates(load: Load) -> None:
    load(event(
        WEEKLY + "RRULE:FREQ=WEEKLY;UNTIL=20270408T160000Z\n"
        "EXDATE;TZID=Europe/Paris:20270325T180000\nRDATE;TZID=Europe/Paris:20270410T100000"
    ))  # fmt: skip
    assert starts() == [
        "18/03/2027 18:00", "01/04/2027 18:00", "08/04/2027 18:00", "10/04/2027 10:00",
    ]  # fmt: skip


def test_one_date_moved_and_one_cancelled(load: Load) -> None:
    master = event(WEEKLY + "RRULE:FREQ=WEEKLY;COUNT=3")
    load(master)
    moved = event(
        "RECURRENCE-ID;TZID=Europe/Paris:20270325T180000\n"
        "DTSTART;TZID=Europe/Paris:20270326T100000\nDTEND;TZID=Europe/Paris:20270326T110000",
        LOCATION="Dans la cour",
    )
    gone = event(
        "RECURRENCE-ID:20270401T160000Z\nDTSTART:20270401T160000Z\nDTEND:20270401T170000Z",
        STATUS="CANCELLED",
    )
    report = load(master, moved, gone)
    assert [line.words for line in report.lines] == ["1 déplacée ; 1 annulée"]
    assert starts() == ["18/03/2027 18:00", "26/03/2027 10:00", "01/04/2027 18:00"]
    states = [one.status for one in Session.objects.order_by("starts_at")]
    assert states == [SessionStatus.SCHEDULED, SessionStatus.SCHEDULED, SessionStatus.CANCELLED]
    assert Session.objects.order_by("starts_at")[1].room == "Dans la cour"
    assert [line.outcome for line in load(master, moved, gone).lines] == ["unchanged"]


def test_a_changed_date_without_its_rule_is_a_date(load: Load) -> None:
    when = WEEKLY + "RECURRENCE-ID;TZID=Europe/Paris:20270317T180000"
    load(event(when))
    assert starts() == ["18/03/2027 18:00"]


def test_a_single_event_that_moves_keeps_its_session(load: Load) -> None:
    load(event(WEEKLY))
    before = Session.objects.get().pk
    load(event(WEEKLY.replace("20270318", "20270319")))
    session = Session.objects.get()
    assert (session.pk, session.sequence, starts()) == (before, 1, ["19/03/2027 18:00"])


def test_a_rule_without_end_goes_a_year_ahead_and_on_the_next_time(load: Load) -> None:
    endless = event(WEEKLY.replace("2027", "1998") + "RRULE:FREQ=WEEKLY;BYDAY=TH")
    load(endless)
    first = Session.objects.count()
    assert first == 52
    load(endless, now=NOW + timedelta(days=28))
    assert Session.objects.count() == first + 4


def test_a_daily_rule_stays_within_a_year(load: Load) -> None:
    load(event(WEEKLY + "RRULE:FREQ=DAILY"), event(WEEKLY + "RRULE:FREQ=DAILY", uid="b@x",
         SUMMARY="Chaque jour, autre chose"))  # fmt: skip
    assert Session.objects.count() == 2 * 357


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=SECONDLY", "au plus une fois par jour"),
        ("FREQ=HOURLY;INTERVAL=1", "au plus une fois par jour"),
        ("FREQ=DAILY;INTERVAL=0", "illisible"),
        ("FREQ=WEEKLY;BYDAY=XX", "illisible"),
        ("FREQ=DAILY;COUNT=0", "illisible"),
        ("n’importe quoi", "n’est pas lue"),
    ],
)
def test_a_rule_that_cannot_be_read_spoils_no_other(load: Load, rule: str, words: str) -> None:
    bad, good = event(WEEKLY + f"RRULE:{rule}"), event(WEEKLY, uid="b@x", SUMMARY="Yoga")
    report = load(bad, good, skip_bad=True)
    [fault] = report.faults
    assert fault.number == 3
    assert words in fault.words
    assert EventPage.objects.get().title == "Yoga"


def test_a_day_that_never_comes_ends(load: Load) -> None:
    load(event(WEEKLY + "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=5"))
    assert starts() == ["18/03/2027 18:00"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"STATUS": "CANCELLED"}, "cancelled"),
        ({"STATUS": "TENTATIVE"}, "tentative"),
        ({"LOCATION": "https://visio.example/salle"}, "online_only"),
        ({"LOCATION": ""}, "no_place"),
        ({"LOCATION": "Musée\\, 2 rue du Port\\, 35000 Rennes\\, France"}, "far"),
        ({"DESCRIPTION": ""}, "junk"),
    ],
)
def test_what_somebody_has_to_read_first(load: Load, changes: dict[str, str], code: str) -> None:
    load(event(WEEKLY, **changes), publish=True)
    found = EventPage.objects.get()
    assert (found.review, found.live) == ([code], False)


def test_where_it_is_and_under_which_heading(load: Load) -> None:
    load(
        event(
            WEEKLY, LOCATION="Gymnase\\, 2 rue du Port\\, 80080 Amiens", CATEGORIES="Sport,Santé",
            URL="https://ville.example/gym", ORGANIZER="mailto:jean.dupont@mail.example",
        ),
        name="Sports d’Amiens",
    )  # fmt: skip
    found = EventPage.objects.get()
    session = found.sessions.get()
    assert (session.room, session.address) == ("Gymnase", "2 rue du Port, 80080 Amiens")
    assert (found.theme, found.organiser) == ("move", "Sports d’Amiens")
    text = str(found.body[0].value.source)
    assert "https://ville.example/gym" in text
    assert "dupont" not in text


def test_what_is_private_is_left_aside(load: Load) -> None:
    report = load(event(WEEKLY, CLASS="PRIVATE", SUMMARY="Dentiste"))
    assert [(line.outcome, line.name) for line in report.lines] == [("skipped", "")]
    assert not EventPage.objects.exists()


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("UID:x\nSUMMARY:Sans date", "le début manque."),
        ("UID:x\nDTSTART:99999999T999999\nSUMMARY:x", "DTSTART est illisible."),
        ("UID:x\nDTSTART:00010101T000000Z\nSUMMARY:x", "date illisible"),
        (f"UID:x\n{WEEKLY}", "le titre manque."),
        ("DTSTART:20270318T180000", "ni identifiant ni titre."),
        (f"UID:x\nSUMMARY:FÃªte\n{WEEKLY}", "lettres abîmées"),
    ],
)
def test_what_is_broken_is_told_with_its_line(load: Load, block: str, words: str) -> None:
    report = load(event(WEEKLY), block)
    [fault] = report.faults
    assert fault.number == 11
    assert words in fault.words
    assert not EventPage.objects.exists()


def test_a_file_cut_in_the_middle_is_told(place: Place, tmp_path: Path) -> None:
    index_for(place)
    path = tmp_path / "cut.ics"
    path.write_text(f"BEGIN:VCALENDAR\nBEGIN:VEVENT\n{event(WEEKLY)}")
    report = import_events(path, place=place, now=NOW)
    assert [(line.number, line.words) for line in report.faults] == [
        (2, "l’événement n’est pas fini : END:VEVENT manque.")
    ]


def test_too_many_events_are_refused_before_they_are_read(place: Place, tmp_path: Path) -> None:
    index_for(place)
    path = tmp_path / "huge.ics"
    block = f"BEGIN:VEVENT\n{event(WEEKLY)}\nEND:VEVENT\n"
    path.write_text("BEGIN:VCALENDAR\n" + block * 200_000 + "END:VCALENDAR\n")
    assert path.stat().st_size > 30 * 1024 * 1024
    with pytest.raises(Refused) as refused:
        import_events(path, place=place, now=NOW)
    assert refused.value.codes == ["too_many_events"]


def test_our_own_calendar_can_be_read_back(load: Load, place: Place, tmp_path: Path) -> None:
    from club.kernel.bookings import CalendarEntry
    from club.kernel.calendars import ics_of

    starts_at = datetime(2027, 3, 28, 1, 30, tzinfo=PARIS)
    entry = CalendarEntry(
        uid="s1@conciergerie", sequence=0, title="Nuit blanche", starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=3), where="Cour", description="On veille.",
        cancelled=False, changed_at=NOW,
    )  # fmt: skip
    path = tmp_path / "own.ics"
    path.write_bytes(ics_of([entry]))
    import_events(path, place=place, now=NOW)
    session = Session.objects.get()
    assert session.starts_at == starts_at
    assert session.event.title == "Nuit blanche"
