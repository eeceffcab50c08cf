"""Events from OpenAgenda's JSON and from tables: what comes in, and what a second time does."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management.base import CommandError

from club.imports.report import Report
from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.models import LogEntry, Place
from events.domain.registrations import register
from events.enums import Entry, SessionStatus, Theme
from events.imports.events import import_events
from events.imports.review import Review, words_for
from events.models import EventPage, Session
from tests.factories.club import NOW, PlaceFactory
from tests.factories.events import SessionFactory, index_for, make_event

pytestmark = pytest.mark.django_db

Load = Callable[..., Report]


@pytest.fixture
def programme(place: Place) -> Any:
    return index_for(place)


@pytest.fixture
def load(programme: Any, place: Place, tmp_path: Path) -> Load:
    def call(content: Any, **more: Any) -> Report:
        path = tmp_path / "events.json"
        if not isinstance(content, (str, bytes)):
            content = json.dumps(content, ensure_ascii=False)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        more.setdefault("now", NOW)
        return import_events(path, place=place, **more)

    return call


def portal(uid: str = "1", **changes: Any) -> dict[str, Any]:
    """A record as a public data portal writes it: JSON inside strings, UTC beside +01:00."""
    timings = [{"begin": "2027-03-18T09:00:00+01:00", "end": "2027-03-18T17:00:00+01:00"}]
    fields = {
        "uid": uid,
        "title_fr": f"Concert {uid}",
        "description_fr": f"Un concert de quartier, le {uid}.",
        "longdescription_fr": "<p>Venez <strong>nombreux</strong>.</p>",
        "timings": json.dumps(timings),
        "firstdate_begin": "2027-03-18T08:00:00+00:00",
        "status": '{"id": 1, "label": {"fr": "Programmé"}}',
        "attendancemode": '{"id": 1, "label": {"fr": "Sur place"}}',
        "location_name": "Salle Balzac",
        "location_address": "3 rue Balzac 80080 Amiens",
        "location_postalcode": "80080",
        "location_city": "Amiens",
        "originagenda_title": f"Agenda {uid}",
        "conditions_fr": "Entrée libre",
    }
    return {"recordid": uid, "fields": fields | changes}


def timings(*days: str, begin: str = "18:00", end: str = "20:00") -> str:
    return json.dumps(
        [{"begin": f"{day}T{begin}:00+01:00", "end": f"{day}T{end}:00+01:00"} for day in days]
    )


def records(*found: dict[str, Any]) -> dict[str, Any]:
    return {"records": list(found)}


def only() -> EventPage:
    return EventPage.objects.get()


def outcomes(report: Report) -> list[str]:
    return [str(line.outcome) for line in sorted(report.lines, key=lambda line: line.number)]


def unbroken() -> None:
    assert [line for one in all_invariants() for line in one.violations()] == []


def test_an_event_comes_in_as_a_draft_with_its_dates(load: Load, programme: Any) -> None:
    report = load(records(portal(
        accessibility="hi;mi", age_min=6, age_max=99, keywords_fr="jazz;musique",
        registration='[{"type": "link", "value": "https://salle.example/places"}]',
    )))  # fmt: skip
    assert outcomes(report) == ["created"]
    event = only()
    assert event.get_parent().specific == programme
    assert (event.live, event.review, event.theme) == (False, [], Theme.OUT)
    assert (event.age_min, event.age_max) == (6, None)
    assert (event.step_free, event.for_hearing, event.for_sight) == (True, True, False)
    assert (event.entry, event.entry_url) == (Entry.ELSEWHERE, "https://salle.example/places")
    assert (event.organiser, event.price_text) == ("Agenda 1", "Entrée libre")
    assert event.body[0].value.source == "<p>Venez <b>nombreux</b>.</p>"
    session = event.sessions.get()
    assert session.starts_at == datetime.fromisoformat("2027-03-18T08:00:00+00:00")
    assert (session.room, session.address) == ("Salle Balzac", "3 rue Balzac 80080 Amiens")
    event.full_clean()
    unbroken()


def test_the_agendas_own_export_says_the_same(load: Load) -> None:
    load({
        "total": 1, "sort": ["x"], "after": [1],
        "events": [{
            "uid": 7, "title": {"fr": "Bal", "en": "Ball"},
            "description": {"fr": "On danse."},
            "longDescription": {
                "fr": "On **danse** [ici](https://bal.example/).\n\nJusqu’au soir."
            },
            "keywords": {"fr": ["danse", "bal"]},
            "conditions": {"fr": "Gratuit"},
            "timings": [{"begin": "2027-03-20T19:00:00.000+01:00",
                         "end": "2027-03-20T23:00:00.000+01:00"}],
            "location": {"name": "Salle des fêtes", "address": "1 place Verte",
                         "postalCode": "80080", "city": "Amiens"},
            "accessibility": {"mi": True, "vi": False}, "status": 1, "attendanceMode": 1,
            "age": {"min": 10, "max": None}, "originAgenda": {"uid": 3, "title": "La ville"},
            "registration": [{"type": "email", "value": "bal@demo.example"}],
        }],
    })  # fmt: skip
    event = only()
    assert (event.title, event.organiser, event.age_min) == ("Bal", "La ville", 10)
    assert (event.step_free, event.for_sight, event.review) == (True, False, ["booking"])
    assert event.body[0].value.source == (
        '<p>On danse <a href="https://bal.example/">ici</a>.</p><p>Jusqu’au soir.</p>'
        "<p>Inscription&nbsp;: bal@demo.example.</p>"
    )
    assert event.sessions.get().address == "1 place Verte, 80080 Amiens"


def test_one_event_at_nine_addresses_is_one_event(load: Load) -> None:
    venues = [
        portal(
            str(n), title_fr="Mai à vélo", description_fr="Pédalons ensemble.",
            originagenda_title="Vélo", location_name=f"Lieu {n}",
        )
        for n in range(1, 10)
    ]  # fmt: skip
    report = load(records(*venues))
    assert outcomes(report) == ["created"] + ["merged"] * 8
    assert "9 lignes regroupées" in report.lines[-1].words
    assert sorted(only().sessions.values_list("room", flat=True)) == [
        f"Lieu {n}" for n in range(1, 10)
    ]
    again = load(records(*reversed(venues)))
    assert outcomes(again) == ["unchanged"] + ["merged"] * 8
    assert outcomes(load(records(*venues[3:]))) == ["updated"] + ["merged"] * 5
    assert (EventPage.objects.count(), Session.objects.count()) == (1, 6)


def test_two_events_of_one_text_stay_two(load: Load) -> None:
    text = "Comme chaque année, la nuit des musées."
    load(records(
        portal("1", title_fr="Visite : Formes ouvertes", description_fr=text),
        portal("2", title_fr="Visite : Un monde nouveau", description_fr=text),
    ))  # fmt: skip
    assert EventPage.objects.count() == 2


def test_a_second_time_adds_nothing(load: Load) -> None:
    found = records(portal("1"), portal("2", timings=timings("2027-04-01", "2027-04-08")))
    load(found)
    logged = LogEntry.objects.count()
    assert outcomes(load(found)) == ["unchanged", "unchanged"]
    assert (EventPage.objects.count(), Session.objects.count()) == (2, 3)
    assert LogEntry.objects.count() == logged + 1


def test_what_changed_in_the_file_changes_and_what_staff_wrote_stays(load: Load) -> None:
    load(records(portal()))
    event = only()
    event.bring, event.lead, event.title = "Un coussin.", "Écrit par nous.", "Notre titre"
    event.save_revision().publish()
    report = load(records(portal(title_fr="Concert d’hiver", conditions_fr="5 €")))
    assert outcomes(report) == ["updated"]
    event = only()
    assert (event.title, event.lead, event.bring) == (
        "Concert d’hiver", "Écrit par nous.", "Un coussin.",
    )  # fmt: skip
    assert (event.price_text, event.live, event.has_unpublished_changes) == ("5 €", True, False)


def test_a_draft_over_a_shown_page_takes_the_change_and_is_not_shown(load: Load) -> None:
    load(records(portal()))
    only().save_revision().publish()
    draft = only()
    draft.lead = "Pas encore relu."
    draft.save_revision()
    load(records(portal(title_fr="Concert d’hiver")))
    event = only()
    assert (event.title, event.lead) == ("Concert 1", "Un concert de quartier, le 1.")
    newest = event.get_latest_revision_as_object()
    assert (newest.title, newest.lead) == ("Concert d’hiver", "Pas encore relu.")


def test_a_date_that_moves_or_goes_takes_its_session_along(load: Load) -> None:
    load(records(portal(timings=timings("2027-04-01", "2027-04-08"))))
    load(records(portal(timings=timings("2027-04-08", "2027-04-15"))))
    days = Session.objects.order_by("starts_at").values_list("starts_at__date", flat=True)
    assert [f"{day:%d/%m}" for day in days] == ["08/04", "15/04"]
    load(records(portal(timings=timings("2027-04-08", "2027-04-15", end="21:00"))))
    assert {one.ends_at - one.starts_at for one in Session.objects.all()} == {timedelta(hours=3)}
    unbroken()


def test_a_session_with_people_is_left_to_staff(load: Load, member: Any) -> None:
    load(records(portal(timings=timings("2027-04-01", "2027-04-08"))))
    event = only()
    event.entry = Entry.LISTED
    event.save_revision().publish()
    session = event.sessions.order_by("starts_at").first()
    assert session is not None
    register(member=member, session=session, quantity=2, by=member.user, now=NOW)
    for _each in range(2):
        report = load(records(portal(timings=timings("2027-04-08"))))
        assert "a des inscrits et a changé" in report.lines[0].words
        assert outcomes(report)[0] in {"updated", "unchanged"}
    session.refresh_from_db()
    assert (session.status, session.booked) == (SessionStatus.SCHEDULED, 2)
    report = load(records(portal(
        timings=timings("2027-04-01", "2027-04-08"), status='{"id": 6}',
    )))  # fmt: skip
    assert "a des inscrits et a changé" in report.lines[0].words
    states = dict(event.sessions.values_list("starts_at__day", "status"))
    assert states == {1: SessionStatus.SCHEDULED, 8: SessionStatus.CANCELLED}
    unbroken()


def test_a_session_that_staff_moved_stays_where_they_put_it(load: Load) -> None:
    load(records(portal()))
    session = Session.objects.get()
    moved = session.starts_at + timedelta(days=1)
    Session.objects.update(starts_at=moved, ends_at=moved + timedelta(hours=1), room="Cour")
    assert outcomes(load(records(portal()))) == ["unchanged"]
    assert Session.objects.get().room == "Cour"


@pytest.mark.parametrize(
    ("changes", "code", "sessions"),
    [
        ({"status": '{"id": 6, "label": {"fr": "Annulé"}}'}, "cancelled", 0),
        ({"status": '{"id": 4, "label": {"fr": "Reporté"}}'}, "postponed", 0),
        ({"status": "Annulé"}, "cancelled", 0),
        ({"title_fr": "ANNULÉ : Concert"}, "cancelled", 0),
        ({"status": '{"id": 3}'}, "online_only", 1),
        ({"attendancemode": '{"id": 2}'}, "online_only", 1),
        ({"location_postalcode": "35000"}, "far", 1),
        ({"timings": "[]", "firstdate_begin": ""}, "no_date", 0),
        ({"timings": "n’importe quoi", "firstdate_begin": "hier"}, "no_date", 0),
        ({"timings": timings("2027-01-10"), "firstdate_begin": ""}, "past", 0),
        ({"timings": timings("2027-04-01", begin="00:00", end="23:59")}, "hours", 1),
        ({"conditions_fr": "Sur inscription"}, "booking", 1),
        ({"status": '{"id": 5}'}, "booking", 1),
        ({"registration": '[{"type": "link", "value": "http://vieux.example/"}]'}, "booking", 1),
        ({"conditions_fr": "Réservé aux élèves"}, "reserved", 1),
        ({"title_fr": "Offres spéciales du mois"}, "junk", 1),
        ({"description_fr": "", "longdescription_fr": ""}, "junk", 1),
        ({"location_name": "", "location_address": "", "location_postalcode": ""}, "no_place", 1),
    ],
)  # fmt: skip
def test_what_somebody_has_to_read_first(
    load: Load, changes: dict[str, str], code: str, sessions: int
) -> None:
    load(records(portal(**changes)), publish=True)
    event = only()
    assert (event.review, event.live) == ([code], False)
    assert event.sessions.count() == sessions
    assert words_for(event.review) == [str(Review(code).label)]


@pytest.mark.parametrize(
    "changes",
    [
        {"conditions_fr": "Entrée libre, sans réservation"},
        {"conditions_fr": "Inscription ici : https://place.example/x."},
        {"conditions_fr": "Le cycle complet : 30 €"},
        {"title_fr": "Le programme complet de mai"},
    ],
)
def test_what_nothing_speaks_against_is_published_on_request(
    load: Load, changes: dict[str, str]
) -> None:
    load(records(portal(**changes)))
    assert not only().live
    load(records(portal(**changes)), publish=True)
    event = only()
    assert (event.live, event.review, event.sessions.get().note) == (True, [], "")
    event.unpublish()
    load(records(portal(**changes)), publish=True)
    assert not only().live


@pytest.mark.parametrize(
    "changes",
    [
        {"status": '{"id": 5, "label": {"fr": "Complet"}}'},
        {"title_fr": "Concert 1 (complet)"},
        {"title_fr": "[COMPLET] Concert 1"},
        {"title_fr": "Concert 1 - COMPLET !"},
        {"conditions_fr": "Gratuit. Complet."},
    ],
)
def test_complet_is_understood(load: Load, changes: dict[str, str]) -> None:
    where = {"registration": '[{"type": "link", "value": "https://salle.example/"}]'}
    load(records(portal(**changes, **where)))
    session = Session.objects.select_related("event").get()
    assert (session.event.title, session.event.review) == ("Concert 1", [])
    assert (session.note, session.closes_at) == ("Complet", NOW)
    load(records(portal(**where)))
    session.refresh_from_db()
    assert session.note == ""
    assert session.closes_at == session.starts_at - timedelta(hours=1)


def test_past_dates_make_no_session_and_past_years_no_page(load: Load) -> None:
    report = load(records(
        portal("1", timings=timings("2027-03-01", "2027-03-20")),
        portal("2", timings=timings("2025-03-01")),
    ))  # fmt: skip
    assert outcomes(report) == ["created", "skipped"]
    assert [one.day.isoformat() for one in only().sessions.all()] == ["2027-03-20"]
    assert "1 date passée" in report.lines[0].words


def test_what_a_session_was_stays_when_its_day_is_over(load: Load) -> None:
    found = records(portal(timings=timings("2027-03-20", "2027-03-27")))
    load(found)
    later = load(records(portal(timings=timings("2027-03-27"))), now=NOW + timedelta(days=14))
    assert outcomes(later) == ["unchanged"]
    assert Session.objects.count() == 2


def test_a_year_ahead_and_five_hundred(load: Load) -> None:
    days = [f"{2027 + n // 365}-01-01" for n in range(0, 1200, 365)]
    report = load(records(portal("1", timings=timings("2027-05-01", *days))))
    assert only().sessions.count() == 2
    assert "2 dates à plus d’un an" in report.lines[0].words
    first = datetime.fromisoformat("2027-04-01T08:00:00+02:00")
    many = [
        {"begin": (first + timedelta(hours=6 * n)).isoformat(),
         "end": (first + timedelta(hours=6 * n + 1)).isoformat()}
        for n in range(510)
    ]  # fmt: skip
    report = load(records(portal("2", timings=json.dumps(many))))
    assert "les 500 premières" in report.lines[0].words
    assert Session.objects.filter(event__title="Concert 2").count() == 500


def test_a_stretch_that_an_export_cut_at_midnight_is_whole_again(load: Load) -> None:
    cut = [
        {"begin": "2027-05-01T00:00:00+02:00", "end": "2027-05-01T01:59:59+02:00"},
        {"begin": "2027-05-01T02:00:00+02:00", "end": "2027-05-02T01:59:59+02:00"},
        {"begin": "2027-05-02T02:00:00+02:00", "end": "2027-05-02T23:59:59+02:00"},
    ]
    load(records(portal("1", timings=json.dumps(cut))))
    session = only().sessions.get()
    assert session.ends_at - session.starts_at == timedelta(days=2, seconds=-1)
    shows = [
        {"begin": "2027-05-01T14:00:00+02:00", "end": "2027-05-01T15:00:00+02:00"},
        {"begin": "2027-05-01T15:00:00+02:00", "end": "2027-05-01T16:00:00+02:00"},
    ]
    load(records(portal("2", timings=json.dumps(shows))))
    assert Session.objects.filter(event__title="Concert 2").count() == 2


def test_foreign_html_is_cleaned(load: Load) -> None:
    load(records(portal(
        title_fr="Concert <b>1</b>",
        description_fr='Voir [ici _même_](https://a.example/) <img src=x onerror="alert(1)">',
        longdescription_fr="<h2 onclick='x()'>Titre</h2><div>Un<script>alert(1)</script></div>"
        "<p style='color:red'><a href='javascript:alert(1)'>non</a> "
        "<a href='https://ok.example/' target=_blank>oui</a><iframe src='//x'></iframe></p><p></p>",
        canonicalurl="https://openagenda.example/e/1",
    )))  # fmt: skip
    event = only()
    assert (event.title, event.lead) == ("Concert 1", "Voir ici même")
    assert event.body[0].value.source == (
        '<p><b>Titre</b></p><p>Un</p><p>non <a href="https://ok.example/">oui</a></p>'
        '<p><a href="https://openagenda.example/e/1">Voir l’annonce d’origine</a></p>'
    )


def test_the_same_at_the_same_hour_is_said_to_be_there_already(load: Load, place: Place) -> None:
    starts_at = datetime.fromisoformat("2027-03-18T09:00:00+01:00")
    SessionFactory(place=place, event=make_event(place, title="Le concert 1"), starts_at=starts_at)
    load(records(portal()))
    assert EventPage.objects.get(live=False).review == ["duplicate"]


def test_the_places_own_address_is_not_said_again(load: Load, place: Place) -> None:
    load(records(portal(
        location_name=place.name, location_address=f"{place.address} {place.postcode} {place.city}",
    )))  # fmt: skip
    session = Session.objects.get()
    assert (session.room, session.address, session.event.review) == ("", "", [])


# -- Tables -----------------------------------------------------------------------------------


def test_a_spreadsheet_of_ones_own(load: Load) -> None:
    load(
        "Titre;Date;Heure de début;Heure de fin;Lieu;Tarif;Description\n"
        "Goûter des aînés;20/03/2027;15h;17 h 30;Dans la cour;Gratuit;On goûte.\n"
        "Goûter des aînés;27/03/2027;15h;17h;Dans la cour;Gratuit;On goûte.\n".encode("cp1252")
    )
    event = only()
    assert (event.title, event.sessions.count()) == ("Goûter des aînés", 2)
    first = event.sessions.order_by("starts_at")[0]
    assert first.starts_at == datetime.fromisoformat("2027-03-20T15:00:00+01:00")
    assert first.ends_at == datetime.fromisoformat("2027-03-20T17:30:00+01:00")


def test_the_same_names_as_columns(load: Load) -> None:
    cell = timings("2027-03-20").replace('"', '""')
    load(
        "uid,title_fr,description_fr,timings,location_name,location_postalcode,conditions_fr\n"
        f'9,Bal,On danse.,"{cell}",Salle Balzac,80080,Gratuit\n'
    )
    assert (only().title, only().review, only().sessions.count()) == ("Bal", [], 1)


def test_a_bad_row_is_told_by_its_line_and_keeps_all_out(load: Load) -> None:
    table = "titre;date;lieu\nBal;20/03/2027;Cour\n;21/03/2027;Cour\nBal;22/03/2027;Cour;de trop\n"
    report = load(table)
    faults = sorted((line.number, line.words) for line in report.faults)
    assert faults == [(3, "le titre manque."), (4, "4 cellules, il en faut 3.")]
    assert not EventPage.objects.exists()
    load(table, skip_bad=True)
    assert only().title == "Bal"


def test_letters_that_were_lost_are_no_title(load: Load) -> None:
    report = load(records(portal("1", title_fr="FÃªte"), portal("2")))
    assert [line.number for line in report.faults] == [1]
    report = load("titre;date\nFÃªte;20/03/2027\n")
    assert [line.number for line in report.faults] == [2]


# -- The whole file -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "file_empty"),
        ('{"events": [', "json_broken"),
        ("[" * 100_000, "json_broken"),
        ('{"events": []}', "file_empty"),
        ('[{"uid": 1}]', "missing_column"),
        ("a;b\n1;2\n", "missing_column"),
        (b"PK\x03\x04rest", "file_is_workbook"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "file_empty"),
        (json.dumps([{"title": f"Concert {n}"} for n in range(2001)]), "too_many_events"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_in_words(
    load: Load, content: str | bytes, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        load(content)
    assert refused.value.codes == [code]


def test_what_is_no_event_in_a_list_is_told(load: Load) -> None:
    report = load([1, portal()])
    assert [(line.number, line.outcome) for line in report.faults] == [(1, "refused")]


def test_a_dry_run_writes_nothing(load: Load) -> None:
    report = load(records(portal()), dry_run=True)
    assert outcomes(report) == ["created"]
    assert not report.loaded
    assert not EventPage.objects.exists()
    assert not LogEntry.objects.filter(verb="import_events").exists()


def test_the_same_file_at_two_places_is_two_programmes(
    load: Load, place: Place, tmp_path: Path
) -> None:
    load(records(portal()))
    other = PlaceFactory()
    index_for(other)
    import_events(tmp_path / "events.json", place=other, now=NOW)
    assert EventPage.objects.count() == 2


def test_a_place_without_programme_is_refused(place: Place, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        import_events(tmp_path / "none.json", place=place, now=NOW)
    assert refused.value.codes == ["no_programme"]


def test_statements_do_not_grow_with_what_is_there(
    load: Load, django_assert_num_queries: Any
) -> None:
    for number in (2, 6):
        found = records(*(portal(str(n)) for n in range(number)))
        load(found)
        with django_assert_num_queries(8):
            load(found, dry_run=True)


def test_the_command_says_what_it_did(
    programme: Any, file: Any, run: Any, reports_of_its_own: Path
) -> None:
    path = file(json.dumps(records(portal("1"), portal("2", location_postalcode="35000"))))
    with time_machine.travel(NOW, tick=False):
        said = run("import_events", path, "--publish")
    assert "2 lignes." in said
    assert list(EventPage.objects.order_by("pk").values_list("live", flat=True)) == [True, False]
    [report] = reports_of_its_own.glob("evenements-*.csv")
    text = report.read_text(encoding="utf-8-sig")
    assert "1 séance ; publié" in text
    assert "à relire : loin d’ici" in text


def test_the_command_says_a_sentence_for_a_broken_file(programme: Any, file: Any, run: Any) -> None:
    with pytest.raises(CommandError, match="ce n’est pas du JSON lisible"):
        run("import_events", file('{"events": [}'))
