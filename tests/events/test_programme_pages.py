"""The programme by date, its filters and its month; the page of one event; what is kept."""

import json
import re
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.models import Member, Place
from cms.models import HomePage, Navigation, WeekNote
from cms.setup import build_site
from events.domain.registrations import register
from events.enums import Entry
from events.models import EventIndex, Session
from tests.factories.club import NOW, MemberFactory, PlaceFactory
from tests.factories.cms import published
from tests.factories.events import RegistrationFactory, SessionFactory, make_event

LOCAL = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
PATH = "/evenements/"


@pytest.fixture(autouse=True)
def at_the_counter() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def home(place: Place) -> HomePage:
    return build_site(place)


def text_of(response: Any) -> str:
    words = re.sub(r"<[^>]+>", "", response.content.decode())
    return re.sub(r"\s+", " ", words).replace("\u00a0", " ")


def on(day: str, hour: int = 14, **more: Any) -> Session:
    starts_at = NOW.replace(year=int(day[:4]), month=int(day[5:7]), day=int(day[8:]), hour=hour)
    starts_at = starts_at.replace(minute=0)
    more.setdefault("ends_at", starts_at + timedelta(hours=2))
    more.setdefault("closes_at", starts_at - timedelta(hours=1))
    return SessionFactory(starts_at=starts_at, **more)


def names(response: Any) -> list[tuple[str, list[str]]]:
    return [
        (title, [line.event.title for line in lines]) for title, lines in response.context["groups"]
    ]


def states(response: Any) -> list[tuple[str, str]]:
    return [
        (line.state.text, line.state.verb)
        for _title, lines in response.context["groups"]
        for line in lines
    ]


# -- The list --------------------------------------------------------------------------------


def test_the_list_is_by_week_and_then_by_month(
    client: Client, place: Place, home: HomePage
) -> None:
    for title, day in [
        ("Aide aux devoirs", "2027-03-10"),
        ("Couture", "2027-03-17"),
        ("Semis", "2027-03-27"),
        ("Sortie", "2027-05-08"),
        ("Vœux", "2028-01-08"),
        ("Hier", "2027-03-08"),
    ]:
        on(day, place=place, event=make_event(place, title=title))
    assert names(client.get(PATH)) == [
        ("Cette semaine", ["Aide aux devoirs"]),
        ("La semaine suivante", ["Couture"]),
        ("Plus tard en mars", ["Semis"]),
        ("Mai", ["Sortie"]),
        ("Janvier\u00a02028", ["Vœux"]),
    ]


def test_each_line_says_how_it_stands_and_what_one_can_do(
    client: Client, place: Place, home: HomePage, member: Member
) -> None:
    on("2027-03-09", hour=10, place=place)
    on("2027-03-10", place=place, capacity=6)
    full = on("2027-03-11", place=place, capacity=1)
    RegistrationFactory(session=full)
    on("2027-03-12", place=place, event=make_event(place, title="Fête", entry=Entry.FREE))
    on("2027-03-13", place=place, status="cancelled")
    on("2027-03-14", place=place, opens_at=NOW + timedelta(days=2))
    elsewhere = make_event(
        place, title="Sortie", entry=Entry.ELSEWHERE, entry_url="https://example.org/x"
    )
    on("2027-03-15", place=place, event=elsewhere)
    on("2027-03-16", place=place, capacity=None)
    on("2027-03-17", place=place, closes_at=NOW)
    on("2027-03-09", hour=13, place=place, capacity=0 + 1, booked=1, closes_at=NOW.replace(hour=12))
    page = client.get(PATH)
    assert states(page) == [
        ("C’est commencé", ""),
        ("Complet", ""),
        ("6 places libres", "S’inscrire"),
        ("Complet", "Me mettre en attente"),
        ("Entrée libre", ""),
        ("Annulé", ""),
        ("Inscription dès jeudi 11\u00a0mars", ""),
        ("Sur inscription", "S’inscrire ailleurs"),
        ("Places libres", "S’inscrire"),
        ("Inscriptions closes", ""),
    ]
    assert 'href="https://example.org/x" rel="external nofollow"' in page.content.decode()


def test_a_member_sees_their_own_places(
    client: Client, place: Place, home: HomePage, member: Member
) -> None:
    one, three, waits = (on(f"2027-03-1{n}", place=place, capacity=4) for n in range(3))
    mine = RegistrationFactory(session=one, member=member)
    RegistrationFactory(session=three, member=member, quantity=3)
    RegistrationFactory(session=waits, member=member, status="waiting", queued_at=NOW)
    client.force_login(member.user)
    page = client.get(PATH)
    assert states(page) == [
        ("Vous êtes inscrit", "Voir ma place"),
        ("Vous avez 3 places", "Voir mes places"),
        ("Vous êtes en attente", "Voir ma demande"),
    ]
    assert f"/mon-espace/reservations/{mine.reference}/" in page.content.decode()


def test_an_event_with_many_dates_has_three_lines_and_a_way_to_the_others(
    client: Client, place: Place, home: HomePage
) -> None:
    event = make_event(place, title="Aide aux devoirs")
    for day in range(1, 40):
        SessionFactory(place=place, event=event, in_days=day)
    SessionFactory(place=place, in_days=30)
    page = client.get(PATH)
    titles = [title for _name, found in names(page) for title in found]
    assert titles == ["Aide aux devoirs"] * 3 + ["Atelier cuisine"]
    assert page.content.decode().count("?dates=toutes") == 1
    of_month = client.get(PATH, {"mois": "2027-04"})
    assert [len(found) for _name, found in names(of_month)] == [6]
    of_day = client.get(PATH, {"jour": "2027-04-02"})
    assert names(of_day) == [("", ["Aide aux devoirs"])]


def test_sixty_lines_a_page(client: Client, place: Place, home: HomePage) -> None:
    for number in range(65):
        event = make_event(place, title=f"Atelier {number}")
        SessionFactory(place=place, event=event, in_days=1 + number % 9)
    first = client.get(PATH)
    assert sum(len(found) for _name, found in names(first)) == 60
    assert first.context["next_url"] == "?page=2"
    second = client.get(PATH, {"page": 2})
    assert sum(len(found) for _name, found in names(second)) == 5
    assert (second.context["previous_url"], second.context["next_url"]) == ("?page=1", "")


def test_drafts_and_other_houses_are_not_shown(
    client: Client, place: Place, home: HomePage
) -> None:
    draft = make_event(place, title="Brouillon")
    on("2027-03-10", place=place, event=draft)
    draft.live = False
    draft.save()
    on("2027-03-10", place=PlaceFactory(is_public=False))
    assert names(client.get(PATH)) == []
    assert client.get(f"/seances/{draft.sessions.get().public_id}/").status_code == 404


# -- Filters -----------------------------------------------------------------------------------


@pytest.fixture
def varied(place: Place, home: HomePage) -> Place:
    """Three events that differ in all that one can filter by, and another place."""
    other = PlaceFactory(landlord=place.landlord, slug="gare", name="Accueil de la Gare")
    on(
        "2027-03-10", place=place, capacity=1, booked=0,
        event=make_event(place, title="Éveil musical", theme="meet", audience="children"),
    )  # fmt: skip
    on(
        "2027-03-11", place=other,
        event=make_event(place, title="Gym douce", theme="move", step_free=True, age_min=60),
    )  # fmt: skip
    full = on(
        "2027-04-12", place=place, capacity=1,
        event=make_event(place, title="Couture", theme="mend", audience="adults"),
    )  # fmt: skip
    RegistrationFactory(session=full)
    return other


ALL = ["Éveil musical", "Gym douce", "Couture"]


def titles(client: Client, query: str) -> list[str]:
    page = client.get(f"{PATH}?{query}")
    assert page.status_code == 200
    return [title for _name, found in names(page) for title in found]


def test_the_filters_stand_in_the_address(client: Client, varied: Place) -> None:
    expected = {
        "": ALL,
        "lieu=gare": ["Gym douce"],
        "rayon=mend": ["Couture"],
        "enfants=on": ["Éveil musical"],
        "plain_pied=on": ["Gym douce"],
        "places=on": ["Éveil musical", "Gym douce"],
        "texte=EVEIL": ["Éveil musical"],
        "texte=coutur": ["Couture"],
        "texte=zzzz": [],
        "mois=2027-04": ["Couture"],
        "mois=2027-03&lieu=tilleuls": ["Éveil musical"],
        "jour=2027-03-11": ["Gym douce"],
        "mois=2027-05": [],
    }
    assert {query: titles(client, query) for query in expected} == expected


UNREADABLE = [
    "mois=2027-13", "mois=2027-3", "mois=0000-01", "mois=2020-01", "mois=9999-12", "mois=²027-03",
    "jour=2027-02-30", "jour=hier", "jour=2020-01-01", "jour=9999-12-31", "lieu=%00", "lieu=é è",
    "rayon=rien", "rayon=%00", "page=0", "page=-1", "page=abc", "page=99999999999999999999",
    "texte=%00", "texte=" + "a" * 500, "enfants=", "papier=", "mois=%00&jour=%00", "lieu=../..",
]  # fmt: skip


def test_what_cannot_be_read_is_left_out(client: Client, varied: Place) -> None:
    assert {query: titles(client, query) for query in UNREADABLE} == dict.fromkeys(UNREADABLE, ALL)


def test_an_unknown_place_is_an_empty_list_that_says_what_to_do(
    client: Client, varied: Place
) -> None:
    words = text_of(client.get(PATH, {"lieu": "nulle-part"}))
    assert "Rien de tel n’est prévu" in words
    assert "Voir tout le programme" in words


def test_an_empty_programme_says_what_to_do(client: Client, home: HomePage) -> None:
    words = text_of(client.get(PATH))
    assert "Rien n’est prévu pour le moment" in words
    assert "Appeler le 03 53 01 24 60" in words


# -- The month ---------------------------------------------------------------------------------


def test_the_month_shows_the_days_with_something(
    client: Client, place: Place, home: HomePage
) -> None:
    for day in ("2027-03-10", "2027-03-24", "2027-04-02"):
        on(day, place=place)
    on("2027-03-25", place=place, status="cancelled")
    month = client.get(PATH).context["month"]
    linked = {cell["day"]: cell["url"] for week in month["weeks"] for cell in week if cell}
    assert {day: url for day, url in linked.items() if url} == {
        date(2027, 3, 10): "?jour=2027-03-10",
        date(2027, 3, 24): "?jour=2027-03-24",
    }
    assert month["before"] is None
    assert month["after"] == {"url": "?mois=2027-04", "name": "Avril"}
    kept = client.get(PATH, {"mois": "2028-04", "enfants": "on"}).context["month"]
    assert kept["after"] is None
    assert kept["before"]["url"] == "?enfants=on&mois=2028-03"


def test_the_month_on_paper_lists_every_date(client: Client, place: Place, home: HomePage) -> None:
    event = make_event(place, title="Aide aux devoirs")
    for day in range(1, 23):
        SessionFactory(place=place, event=event, in_days=day)
    page = client.get(PATH, {"mois": "2027-03", "papier": "1"})
    assert page.content.decode().count("<strong>Aide aux devoirs</strong>") == 22
    assert "Événements de mars" in text_of(page)
    empty = client.get(PATH, {"mois": "2027-08", "papier": "1"})
    assert "Événements d’août" in text_of(empty)
    assert "Choisissez un autre mois" in text_of(empty)


# -- What it costs -----------------------------------------------------------------------------


def statements(client: Client, path: str, **query: str) -> int:
    client.get(path, query)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path, query).status_code == 200
    return len(captured)


def test_the_list_and_an_event_cost_the_same_for_one_and_for_fifty(
    client: Client, place: Place, home: HomePage, settings: Any
) -> None:
    settings.CACHES = LOCAL
    member = Client()
    member.force_login(MemberFactory(place=place).user)
    often = make_event(place, title="Souvent")
    costs = []
    for wanted in (1, 3, 50):
        while Session.objects.exclude(event=often).count() < wanted:
            number = Session.objects.count()
            event = make_event(place, title=f"Atelier {number}")
            SessionFactory(place=place, event=event, in_days=1 + number % 9)
            SessionFactory(place=place, event=often, in_days=1 + number)
        costs.append(
            [
                statements(client, PATH),
                statements(client, PATH, mois="2027-03"),
                statements(client, PATH, mois="2027-03", papier="1"),
                statements(member, PATH),
                statements(client, often.url),
                statements(client, often.url, dates="toutes"),
            ]
        )
    assert costs == [[7, 7, 6, 10, 8, 8]] * 3


# -- One event ---------------------------------------------------------------------------------


def test_the_event_says_who_may_come_what_to_bring_and_what_it_costs(
    client: Client, place: Place, home: HomePage
) -> None:
    event = make_event(
        place, title="Atelier cuisine", lead="Un repas à faire ensemble.", audience="families",
        age_min=6, age_max=12, step_free=True, for_hearing=True, bring="Apportez un tablier.",
        organiser="La conciergerie", partner="Corinne", price_cents=300,
    )  # fmt: skip
    for days in range(1, 8):
        SessionFactory(place=place, event=event, in_days=days, price_cents=300, room="salle Balzac")
    page = client.get(event.url)
    words = text_of(page)
    for said in [
        "Atelier cuisine",
        "Un repas à faire ensemble.",
        "En famille, de 6 à 12 ans",
        "De plain-pied",
        "Adapté aux personnes sourdes",
        "Apportez un tablier.",
        "3 € la place, gratuit pour les abonnés",
        "La conciergerie",
        "Corinne",
        "Mercredi 10 mars",
        "salle Balzac",
        "12 places libres. S’inscrire",
        "Voir toutes les dates",
    ]:
        assert said in words, said
    assert len(page.context["lines"]) == 5
    every = client.get(event.url, {"dates": "toutes"})
    assert len(every.context["lines"]) == 7
    assert "Voir toutes les dates" not in text_of(every)


def structured(page: Any) -> Any:
    found = re.search(
        r'<script type="application/ld\+json">(.*?)</script>', page.content.decode(), re.DOTALL
    )
    assert found is not None
    return json.loads(found[1])


def test_search_engines_read_one_date_or_a_series(
    client: Client, place: Place, home: HomePage
) -> None:
    event = make_event(place, title="Fête </script><b>", lead="Tous & chacun", age_min=6)
    first = SessionFactory(place=place, event=event, price_cents=300)
    told = structured(client.get(event.url))
    assert told["@type"] == "Event"
    assert told["name"] == "Fête </script><b>"
    assert told["startDate"] == "2027-03-16T10:24:00+01:00"
    assert told["offers"]["price"] == "3.00"
    assert told["location"]["address"]["postalCode"] == "80080"
    assert told["typicalAgeRange"] == "6-"
    second = SessionFactory(place=place, event=event, in_days=30, status="cancelled")
    told = structured(client.get(event.url))
    assert (told["@type"], len(told["subEvent"])) == ("EventSeries", 2)
    assert told["subEvent"][1]["eventStatus"] == "https://schema.org/EventCancelled"
    assert [one["url"].rpartition("/seances/")[2] for one in told["subEvent"]] == [
        f"{first.public_id}/",
        f"{second.public_id}/",
    ]


def test_a_shared_link_shows_title_words_and_address(
    client: Client, place: Place, home: HomePage
) -> None:
    event = make_event(place, title="Fête", lead="Dans la cour.")
    page = client.get(event.url).content.decode()
    assert '<meta property="og:title" content="Fête">' in page
    assert '<meta property="og:description" content="Dans la cour.">' in page
    assert f'<meta property="og:url" content="http://testserver{event.get_url()}">' in page
    assert '<link rel="canonical" href="http://testserver' in page


def test_an_event_without_dates_says_to_call(client: Client, place: Place, home: HomePage) -> None:
    event = make_event(place)
    on("2027-03-08", place=place, event=event)
    words = text_of(client.get(event.url))
    assert "Pas de date pour le moment" in words
    assert "Appeler le 03 53 01 24 60" in words


def test_a_preview_in_the_admin_stands_without_dates(place: Place, home: HomePage, rf: Any) -> None:
    event = make_event(place, title="À venir", bring="Un tablier.")
    answer = event.make_preview_request()
    assert answer.status_code == 200
    answer.render()
    assert "Un tablier." in answer.content.decode()
    index = EventIndex.objects.get(place=place)
    assert index.make_preview_request().status_code == 200


# -- Around it ---------------------------------------------------------------------------------


def test_a_new_place_has_a_programme_in_its_menu_and_its_windows(
    client: Client, place: Place, home: HomePage
) -> None:
    index = EventIndex.objects.get()
    assert (index.place, index.title, index.url) == (place, "Événements", PATH)
    menu = {item.label: item.href() for item in Navigation.objects.get().menu_items.all()}
    assert menu["Événements"] == PATH
    assert {tile.label: tile.href() for tile in home.tiles.all()}["Événements"] == PATH
    second = PlaceFactory(slug="gare", name="Accueil de la Gare", landlord=place.landlord)
    other = build_site(second)
    assert EventIndex.objects.get(place=second).url == "/gare/evenements/"
    tiles = {tile.label: tile.href() for tile in other.tiles.all()}
    assert tiles["Événements"] == "/gare/evenements/"
    build_site(second)
    assert EventIndex.objects.count() == 2
    words = text_of(client.get("/gare/evenements/"))
    assert "Accueil de la Gare" in words


def test_the_programme_has_one_short_address(client: Client, place: Place, home: HomePage) -> None:
    assert client.get("/seances/").headers["Location"] == PATH
    EventIndex.objects.get().unpublish()
    assert client.get("/seances/").headers["Location"] == "/"


def test_the_home_shows_what_is_on_among_the_editors_lines(
    client: Client, place: Place, home: HomePage
) -> None:
    home.week_notes = [
        WeekNote(day=date(2027, 3, 10), words="Avant mercredi soir", text="Commandez"),
        WeekNote(day=date(2027, 3, 13), text="Retrait des paniers"),
    ]
    published(home)
    event = make_event(place, title="Gym douce")
    for hour in (10, 11, 12):
        on("2027-03-11", hour=hour, place=place, event=event)
    on("2027-03-10", place=place, status="cancelled", event=make_event(place, title="Annulée"))
    on("2027-03-30", place=place, event=make_event(place, title="Plus tard"))
    on("2027-03-10", place=PlaceFactory(slug="gare"), event=make_event(place, title="Ailleurs"))
    week = client.get("/").context["week"]
    assert [(note.text, note.url) for note in week] == [
        ("Commandez", ""),
        ("Gym douce", event.url),
        ("Retrait des paniers", ""),
    ]


def test_the_home_costs_no_more_with_sessions(
    client: Client, place: Place, home: HomePage, settings: Any
) -> None:
    settings.CACHES = LOCAL
    for days in range(1, 6):
        SessionFactory(place=place, in_days=days)
    assert statements(client, "/") == 6


def test_search_and_the_map_of_the_site_know_events(
    client: Client, place: Place, home: HomePage
) -> None:
    event = make_event(place, title="Semis pour les balcons")
    assert event.url in client.get("/sitemap.xml").content.decode()
    assert event.url in client.get("/recherche/", {"q": "semi balcon"}).content.decode()


# -- Kept pages --------------------------------------------------------------------------------


@pytest.fixture
def keeping(settings: Any) -> Any:
    settings.PAGE_CACHE_SECONDS = 600
    settings.CACHES = LOCAL
    cache.clear()
    yield
    cache.clear()


def cost(path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        Client().get(path)
    return len(captured)


@pytest.fixture
def kept(place: Place, home: HomePage, keeping: Any) -> tuple[Session, list[str]]:
    session = SessionFactory(place=place, capacity=3)
    return session, [PATH, session.event.url, session.get_absolute_url(), "/"]


def test_a_visitors_pages_are_kept(kept: tuple[Session, list[str]]) -> None:
    for path in kept[1]:
        assert cost(path) > 0, path
        assert cost(path) == 0, path


def test_a_place_taken_is_the_next_readers(
    kept: tuple[Session, list[str]], member: Member, django_capture_on_commit_callbacks: Any
) -> None:
    session, paths = kept
    for path in paths:
        cost(path)
    connection.run_on_commit.clear()
    with django_capture_on_commit_callbacks(execute=True):
        register(member=member, session=session, quantity=2, by=member.user, now=NOW)
    assert [cost(path) > 0 for path in paths] == [True] * 4
    assert "1 place libre" in text_of(Client().get(PATH))


def test_a_changed_session_or_event_is_the_next_readers(
    kept: tuple[Session, list[str]], django_capture_on_commit_callbacks: Any
) -> None:
    session, _paths = kept
    for change in (session, session.event):
        cost(PATH)
        assert cost(PATH) == 0
        connection.run_on_commit.clear()
        with django_capture_on_commit_callbacks(execute=True):
            change.save()
        assert cost(PATH) > 0


def test_a_kept_page_goes_when_a_session_opens_closes_or_begins(
    place: Place, home: HomePage, keeping: Any
) -> None:
    in_five = NOW + timedelta(minutes=5)
    later = NOW + timedelta(days=2)
    for fields in (
        {"starts_at": later, "opens_at": in_five},
        {"starts_at": later, "closes_at": in_five},
        {"starts_at": in_five},
    ):
        cache.clear()
        session = SessionFactory(place=place, **fields)
        paths = [session.event.url, session.get_absolute_url()]
        for path in paths:
            cost(path)
        with time_machine.travel(in_five - timedelta(seconds=2), tick=False):
            assert [cost(path) for path in paths] == [0, 0], fields
        with time_machine.travel(in_five, tick=False):
            assert [cost(path) > 0 for path in paths] == [True, True], fields
