"""What staff do with events in the admin: write them, change them, read what came of them."""

from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from club.enums import Role
from club.models import Place, User
from cms.models import HomePage
from cms.setup import root_page
from events.domain.schedules import make_sessions
from events.enums import RegistrationStatus
from events.models import EventIndex, EventPage, EventPolicy, Registration, Schedule, Session
from tests.events.test_changes import pay_at_desk
from tests.events.test_register import take, told, unbroken
from tests.factories.club import NOW, MemberFactory, PlaceFactory
from tests.factories.cms import staff
from tests.factories.events import RegistrationFactory, SessionFactory, index_for
from tests.signin import sign_in_staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stopped_clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def index(place: Place) -> EventIndex:
    return index_for(place)


@pytest.fixture
def concierge(client: Client, place: Place, index: EventIndex) -> User:
    user = staff(place, Role.CONCIERGE)
    sign_in_staff(client, user)
    return user


def event_in(index: EventIndex, **fields: Any) -> EventPage:
    fields.setdefault("title", "Atelier cuisine")
    fields.setdefault("slug", "atelier-cuisine")
    event = EventPage(live=True, **fields)
    index.add_child(instance=event)
    return event


def typed(form: Any) -> dict[str, Any]:
    """What a browser sends back of a page form."""
    data: dict[str, Any] = {}
    for field in form:
        value = field.value()
        if field.name == "body":
            data["body-count"] = "0"
        elif value is not None and value is not False:
            data[field.html_name] = value.isoformat() if hasattr(value, "isoformat") else value
    for formset in getattr(form, "formsets", {}).values():
        for field in formset.management_form:
            data[field.html_name] = field.value() or 0
        for line in formset.forms:
            data |= typed(line)
    return data


LINE = {
    "starts_on": "2027-03-11",
    "starts": "18:00",
    "ends": "20:00",
    "frequency": "weekly",
    "holidays": "any",
    "until": "2027-04-01",
    "when_closed": "on",
}


def lines(*rows: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {"schedules-TOTAL_FORMS": len(rows)}
    for number, row in enumerate(rows):
        data |= {f"schedules-{number}-{name}": value for name, value in row.items()}
        data[f"schedules-{number}-ORDER"] = number + 1
    return data


def write(client: Client, index: EventIndex, *rows: dict[str, Any], **more: Any) -> Any:
    url = reverse("wagtailadmin_pages:add", args=["events", "eventpage", index.pk])
    page = client.get(url)
    assert page.status_code == 200, page
    text = {"title": "Atelier cuisine", "slug": "atelier-cuisine"}
    return client.post(url, typed(page.context["form"]) | text | lines(*rows) | more)


def rewrite(client: Client, event: EventPage, **changes: Any) -> Any:
    url = reverse("wagtailadmin_pages:edit", args=[event.pk])
    data = typed(client.get(url).context["form"]) | {"action-publish": "1"} | changes
    return client.post(url, data, follow=True)


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


PUBLISH = {"action-publish": "1"}


# -- Writing ------------------------------------------------------------------------------------


def test_a_concierge_writes_the_workshop_once(
    client: Client, concierge: User, index: EventIndex
) -> None:
    answer = write(client, index, LINE, capacity="12", price_cents="300", **PUBLISH)
    assert answer.status_code == 302
    event = EventPage.objects.get()
    assert event.live
    rows = list(Session.objects.order_by("starts_at"))
    assert [row.day for row in rows] == [
        date(2027, 3, 11), date(2027, 3, 18), date(2027, 3, 25), date(2027, 4, 1),
    ]  # fmt: skip
    assert {(row.capacity, row.price_cents, row.place) for row in rows} == {(12, 300, index.place)}
    told_then = said(client.get(reverse("wagtailadmin_home")))
    assert any(line == "4 séances créées." for line in told_then)
    unbroken()


def test_a_rule_that_is_changed_says_what_became_of_its_sessions(
    client: Client, concierge: User, index: EventIndex
) -> None:
    write(client, index, LINE, **PUBLISH)
    event = EventPage.objects.get()
    first = Session.objects.order_by("starts_at")[0]
    take(MemberFactory(place=index.place), first)
    schedule = Schedule.objects.get()
    changes = {"schedules-0-starts": "19:00", "schedules-0-ends": "21:00"}
    answer = rewrite(client, event, **changes, **{"schedules-0-until": "2027-03-25"})
    [line] = [one for one in said(answer) if "séances" in one]
    assert "2 séances déplacées. 1 séance retirée. 1 séance a des inscrits" in line
    assert f"/admin/session/?event={event.pk}&amp;rule=stray" in line
    assert Schedule.objects.get().pk == schedule.pk
    url = f"{reverse('session:index')}?event={event.pk}&rule=stray"
    assert list(client.get(url).context["object_list"]) == [first]


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"except_on": "24/12/2026, demain"}, "except_on", "« demain » n’est pas une date"),
    ({"until": "2027-03-01"}, "until", "La fin vient après le début."),
    ({"weekdays": ["5"], "until": "2027-03-12"}, "starts_on", "ne donne aucune séance"),
    ({"ends": "18:00"}, "ends", "Changez une des deux"),
    ({"starts_on": "9999-12-31", "until": ""}, "starts_on", "Relisez l’année"),
    ({"starts_on": "31/02/2027"}, "starts_on", "date"),
    ({"weekdays": ["9"]}, "weekdays", "9"),
]


@pytest.mark.parametrize("publishes", [True, False])
def test_a_rule_that_cannot_be_is_told_at_its_field_and_nothing_is_lost(
    client: Client, concierge: User, index: EventIndex, publishes: bool
) -> None:
    rows = [LINE | changes for changes, _field, _words in WRONG]
    answer = write(client, index, *rows, **(PUBLISH if publishes else {}))
    assert answer.status_code == 200
    found = answer.context["form"].formsets["schedules"].forms
    for line, (_changes, field, words) in zip(found, WRONG, strict=True):
        assert list(line.errors) == [field]
        assert words in line.errors[field][0]
        assert line["starts"].value() == "18:00"
    assert not EventPage.objects.exists()


def test_ten_thousand_sessions_are_told_at_the_line_that_is_too_much(
    client: Client, concierge: User, index: EventIndex
) -> None:
    daily = LINE | {"frequency": "daily", "until": ""}
    answer = write(client, index, LINE, daily, daily, daily, **PUBLISH)
    faults = [bool(line.errors) for line in answer.context["form"].formsets["schedules"].forms]
    assert faults == [False, False, True, False]


def test_a_draft_makes_no_session_and_publishing_it_does(
    client: Client, concierge: User, index: EventIndex
) -> None:
    assert write(client, index, LINE).status_code == 302
    event = EventPage.objects.get()
    assert not event.live
    assert not Session.objects.exists()
    rewrite(client, event)
    assert Session.objects.count() == 4


def test_sessions_are_put_at_ones_own_places_alone(
    client: Client, concierge: User, index: EventIndex
) -> None:
    elsewhere = PlaceFactory(slug="ailleurs", landlord=index.place.landlord)
    answer = write(client, index, LINE | {"place": elsewhere.pk}, **PUBLISH)
    [line] = answer.context["form"].formsets["schedules"].forms
    assert list(line.errors) == ["place"]


def test_a_concierge_writes_events_and_no_other_page(
    client: Client, concierge: User, index: EventIndex, place: Place
) -> None:
    other = index_for(PlaceFactory(slug="ailleurs", landlord=place.landlord))
    home = index.get_parent()
    may = [page.permissions_for_user(concierge).can_add_subpage() for page in (index, other, home)]
    assert may == [True, False, False]
    assert index.permissions_for_user(concierge).can_publish_subpage()
    concierge.assignments.all().delete()
    fresh = User.objects.get(pk=concierge.pk)
    assert not index.permissions_for_user(fresh).can_add_subpage()


def test_who_came_to_work_before_the_programme_was_opened(place: Place) -> None:
    user = staff(place, Role.CONCIERGE)
    home = HomePage(title="Accueil", slug="accueil", place=place, promise="Bonjour")
    root_page().add_child(instance=home)
    index = EventIndex(title="Programme", slug="programme", place=place)
    home.add_child(instance=index)
    assert index.permissions_for_user(User.objects.get(pk=user.pk)).can_add_subpage()


def test_a_programme_stays_with_its_place(
    client: Client, concierge: User, index: EventIndex, place: Place
) -> None:
    elsewhere = PlaceFactory(slug="ailleurs", landlord=place.landlord)
    rewrite(client, index, place=elsewhere.pk, lead="Le mois")  # type: ignore[arg-type]
    index.refresh_from_db()
    assert (index.place, index.lead) == (place, "Le mois")


def test_a_copy_is_an_event_of_its_own(client: Client, concierge: User, index: EventIndex) -> None:
    write(client, index, LINE, **PUBLISH)
    event = EventPage.objects.get()
    url = reverse("wagtailadmin_pages:copy", args=[event.pk])
    form = {"new_title": "Atelier pain", "new_slug": "pain", "new_parent_page": index.pk}
    assert client.post(url, form).status_code == 302
    copy = EventPage.objects.get(slug="pain")
    assert copy.public_id != event.public_id
    assert not Session.objects.filter(event=copy).exists()
    rewrite(client, copy)
    assert Session.objects.filter(event=copy).count() == 4
    assert Session.objects.filter(event=event).count() == 4


# -- Taking off and away ------------------------------------------------------------------------


def test_an_event_with_people_is_not_deleted(
    client: Client, concierge: User, index: EventIndex
) -> None:
    session = SessionFactory(place=index.place, event=event_in(index))
    take(MemberFactory(place=index.place), session)
    url = reverse("wagtailadmin_pages:delete", args=[session.event_id])
    answer = client.post(url, follow=True)
    assert any("Des personnes se sont inscrites" in line for line in said(answer))
    bulk = reverse("wagtail_bulk_action", args=["wagtailcore", "page", "delete"])
    home = reverse("wagtailadmin_home")
    answer = client.post(f"{bulk}?id={session.event_id}&next={home}", follow=True)
    assert any("Des personnes se sont inscrites" in line for line in said(answer))
    assert Session.objects.get() == session


def test_an_event_nobody_came_to_goes_with_its_sessions(
    client: Client, concierge: User, index: EventIndex
) -> None:
    session = SessionFactory(place=index.place, event=event_in(index))
    client.post(reverse("wagtailadmin_pages:delete", args=[session.event_id]))
    assert not EventPage.objects.exists()
    assert not Session.objects.exists()


def test_taking_an_event_off_the_site_tells_who_comes_all_the_same(
    client: Client, concierge: User, index: EventIndex
) -> None:
    session = SessionFactory(place=index.place, event=event_in(index))
    take(MemberFactory(place=index.place), session, 3)
    url = reverse("wagtailadmin_pages:unpublish", args=[session.event_id])
    answer = client.post(url, follow=True)
    assert any("3 places sont encore prises." in line for line in said(answer))
    assert not EventPage.objects.get().live


def test_an_event_in_another_programme_goes_there_where_nobody_is(
    place: Place, index: EventIndex
) -> None:
    other = index_for(PlaceFactory(slug="ailleurs", landlord=place.landlord))
    event = event_in(index)
    Schedule.objects.create(
        event=event, starts_on=date(2027, 3, 11), starts=time(18), ends=time(20),
        frequency="weekly", until=date(2027, 3, 18),
    )  # fmt: skip
    make_sessions(event, by=None, now=NOW)
    first = Session.objects.order_by("starts_at")[0]
    take(MemberFactory(place=place), first)
    event.move(other, pos="last-child")
    rows = Session.objects.order_by("starts_at")
    assert [row.place for row in rows] == [place, other.place]


# -- Sessions -----------------------------------------------------------------------------------


@pytest.fixture
def session(place: Place, index: EventIndex) -> Session:
    return SessionFactory(place=place, event=event_in(index))


def terms(session: Session, **changes: Any) -> dict[str, Any]:
    data = {
        "capacity": session.wanted_capacity,
        "price_cents": session.price_cents,
        "member_price_cents": session.member_price_cents,
        "cancel_hours": session.cancel_hours,
        "pay_first": "on",
        "closes_at": f"{session.closes_at:%Y-%m-%d %H:%M}",
    }
    return data | changes


def test_the_list_says_places_taken_and_waited_for(
    client: Client, concierge: User, session: Session
) -> None:
    take(MemberFactory(place=session.place), session, 11)
    take(MemberFactory(place=session.place), session, 2, waits=True)
    SessionFactory(place=session.place, event=session.event, in_days=-7)
    page = client.get(reverse("session:index"))
    [row] = page.context["object_list"]
    assert (row, row.booked, row.waiting) == (session, 11, 2)
    assert "11 / 12" in page.content.decode()
    past = client.get(reverse("session:index"), {"when": "past"})
    assert len(past.context["object_list"]) == 1
    both = client.get(reverse("session:index"), {"when": "all", "event": session.event_id})
    assert len(both.context["object_list"]) == 2


def test_the_list_costs_the_same_for_many(
    client: Client, concierge: User, session: Session, django_assert_max_num_queries: Any
) -> None:
    def cost() -> int:
        with django_assert_max_num_queries(100) as seen:
            client.get(reverse("session:index"))
        return len(seen)

    client.get(reverse("session:index"))
    before = cost()
    for days in (1, 2, 3):
        SessionFactory(place=session.place, event=session.event, in_days=days)
    assert cost() == before


def test_fewer_places_are_asked_about_at_the_field(
    client: Client, concierge: User, session: Session
) -> None:
    take(MemberFactory(place=session.place), session, 9)
    session.refresh_from_db()
    url = reverse("session:edit", args=[session.pk])
    answer = client.post(url, terms(session, capacity="6", note="spécial crêpes"))
    assert "3 places de trop" in answer.context["form"].errors["capacity"][0]
    session.refresh_from_db()
    assert (session.capacity, session.note) == (12, "")
    answer = client.post(
        url, terms(session, capacity="6", note="spécial crêpes", keep_registered="on")
    )
    assert answer.status_code == 302
    session.refresh_from_db()
    assert (session.capacity, session.wanted_capacity, session.booked) == (9, 6, 9)
    assert session.note == "spécial crêpes"
    assert client.get(url).context["form"]["capacity"].value() == 6
    unbroken()


def test_who_is_registered_keeps_the_price(
    client: Client, concierge: User, session: Session
) -> None:
    made = take(MemberFactory(place=session.place), session)
    session.refresh_from_db()
    url = reverse("session:edit", args=[session.pk])
    client.post(url, terms(session, price_cents="500", needs_approval="on"))
    made.refresh_from_db()
    session.refresh_from_db()
    assert (made.unit_cents, session.price_cents, session.needs_approval) == (0, 500, True)
    unbroken()


WRONG_TERMS: list[tuple[dict[str, str], str]] = [
    ({"capacity": "0"}, "capacity"),
    ({"capacity": str(10**20)}, "capacity"),
    ({"price_cents": "-1"}, "price_cents"),
    ({"closes_at": "2027-03-30 10:00"}, "closes_at"),
    ({"opens_at": "2027-03-17 10:00"}, "opens_at"),
    ({"opens_at": "2027-03-10 10:00", "others_at": "2027-03-09 10:00"}, "others_at"),
    ({"closes_at": ""}, "closes_at"),
    ({"household_limit": "0"}, "household_limit"),
]


def test_terms_that_cannot_be(client: Client, concierge: User, session: Session) -> None:
    url = reverse("session:edit", args=[session.pk])
    for changes, field in WRONG_TERMS:
        answer = client.post(url, terms(session, **changes))
        assert list(answer.context["form"].errors) == [field]


def test_one_more_date_is_added_on_the_events_terms(
    client: Client, concierge: User, index: EventIndex
) -> None:
    event = event_in(index, capacity=8, price_cents=300)
    url = reverse("session:add")
    assert client.get(url, {"event": event.pk}).context["form"]["event"].value() == event.pk
    data = {
        "event": event.pk,
        "place": index.place.pk,
        "starts_at": "2027-03-20 10:00",
        "ends_at": "2027-03-20 12:00",
        "room": "Balzac",
    }
    assert client.post(url, data).status_code == 302
    made = Session.objects.get()
    assert (made.capacity, made.price_cents, made.room) == (8, 300, "Balzac")
    assert made.closes_at == made.starts_at - timedelta(hours=1)
    for changes, field in (
        ({"ends_at": "2027-03-20 09:00"}, "ends_at"),
        ({"starts_at": "2027-03-01 10:00"}, "starts_at"),
        ({"starts_at": "9999-12-31 10:00", "ends_at": "9999-12-31 23:59"}, "starts_at"),
        ({"event": "999999"}, "event"),
    ):
        answer = client.post(url, data | changes)
        assert list(answer.context["form"].errors) == [field]
    unbroken()


# -- Cancelling and moving ----------------------------------------------------------------------


def ask_to_cancel(session: Session, **more: Any) -> str:
    asked = {"scope": "one", "reason": "illness"} | more
    return f"{reverse('session:cancel', args=[session.pk])}?{urlencode(asked)}"


def ask_to_move(session: Session, **more: Any) -> str:
    asked = {
        "scope": "one",
        "day": "2027-03-20",
        "starts": "10:00",
        "ends": "12:00",
        "place": session.place_id,
    } | more
    return f"{reverse('session:move', args=[session.pk])}?{urlencode(asked)}"


def seal_of(page: Any) -> str:
    return str(page.context["plan"].seal)


def test_a_session_is_cancelled_after_its_dry_run(
    client: Client, concierge: User, session: Session
) -> None:
    other = SessionFactory(place=session.place, event=session.event, in_days=14)
    family = MemberFactory(place=session.place, user__last_name="Vandenbroeck")
    rose = MemberFactory(
        place=session.place, user__email="", user__phone="", user__first_name="Rose"
    )
    take(family, session, 4)
    take(rose, session, 1)
    form = client.get(reverse("session:cancel", args=[session.pk]))
    assert list(form.context["form"].fields["instead"].queryset) == [other]
    shown = client.get(ask_to_cancel(session, instead=other.pk))
    text = shown.content.decode()
    assert "Vandenbroeck" in text
    assert "5 personnes prévenues" in text
    assert "à appeler" in text
    session.refresh_from_db()
    assert session.status == "scheduled"
    url = ask_to_cancel(session, instead=other.pk)
    done = client.post(url, {"seal": seal_of(shown)}, follow=True)
    assert done.redirect_chain[-1][0] == reverse("session:told", args=[session.pk])
    assert "Rose" in done.content.decode()
    assert "La séance est annulée. 1 inscrit prévenu. 1 personne à appeler." in said(done)[0]
    session.refresh_from_db()
    other.refresh_from_db()
    assert (session.status, session.replaced_by, other.booked) == ("cancelled", other, 5)
    assert told(family) == ["registration.confirmed", "registration.session_cancelled"]
    # Pressed twice: it is done, and nobody is told twice.
    client.post(url, {"seal": seal_of(shown)}, follow=True)
    assert told(family) == ["registration.confirmed", "registration.session_cancelled"]
    unbroken()


def test_a_plan_that_changed_is_shown_again(
    client: Client, concierge: User, session: Session
) -> None:
    shown = client.get(ask_to_cancel(session))
    take(MemberFactory(place=session.place, user__last_name="Lecomte"), session)
    again = client.post(ask_to_cancel(session), {"seal": seal_of(shown)})
    assert "Lecomte" in again.content.decode()
    assert "Relisez la liste" in again.content.decode()
    session.refresh_from_db()
    assert session.status == "scheduled"
    client.post(ask_to_cancel(session), {"seal": seal_of(again)})
    session.refresh_from_db()
    assert session.status == "cancelled"


def test_the_whole_series_is_cancelled(client: Client, concierge: User, session: Session) -> None:
    later = SessionFactory(place=session.place, event=session.event, in_days=14)
    elsewhere = SessionFactory(
        place=PlaceFactory(slug="ailleurs", landlord=session.place.landlord),
        event=session.event,
        in_days=21,
    )
    url = ask_to_cancel(session, scope="following")
    client.post(url, {"seal": seal_of(client.get(url))})
    statuses = [Session.objects.get(pk=one.pk).status for one in (session, later, elsewhere)]
    assert statuses == ["cancelled", "cancelled", "scheduled"]


def test_money_that_goes_back_asks_for_a_fresh_proof(
    client: Client, concierge: User, session: Session
) -> None:
    Session.objects.filter(pk=session.pk).update(price_cents=300)
    session.refresh_from_db()
    pay_at_desk(take(MemberFactory(place=session.place), session, 2), concierge)
    url = ask_to_cancel(session)
    shown = client.get(url)
    assert "À rendre : 6" in shown.content.decode()
    with time_machine.travel(NOW + timedelta(hours=2), tick=False):
        for answer in (client.get(url), client.post(url, {"seal": seal_of(shown)})):
            assert answer.status_code == 302
            assert answer["Location"].startswith(reverse("mfa_reauthenticate"))
    session.refresh_from_db()
    assert session.status == "scheduled"
    client.post(url, {"seal": seal_of(shown)})
    session.refresh_from_db()
    assert session.status == "cancelled"
    unbroken()


WRONG_CANCELLATIONS: list[tuple[dict[str, str], str]] = [
    ({"reason": ""}, "reason"),
    ({"reason": "fatigue"}, "reason"),
    ({"scope": "all"}, "scope"),
    ({"instead": "999999"}, "instead"),
    ({"instead": "x"}, "instead"),
]


def test_a_cancellation_that_cannot_be(client: Client, concierge: User, session: Session) -> None:
    SessionFactory(place=session.place, event=session.event, in_days=14)
    for asked, field in WRONG_CANCELLATIONS:
        answer = client.get(ask_to_cancel(session, **asked))
        assert answer.context["plan"] is None
        assert list(answer.context["form"].errors) == [field]


def test_a_session_is_moved_after_its_dry_run(
    client: Client, concierge: User, session: Session
) -> None:
    made = take(MemberFactory(place=session.place), session, 2)
    form = client.get(reverse("session:move", args=[session.pk])).context["form"]
    assert form["day"].value() == session.day
    url = ask_to_move(session, room="Balzac")
    shown = client.get(url)
    assert "samedi 20" in shown.content.decode()
    client.post(url, {"seal": seal_of(shown)})
    session.refresh_from_db()
    made.refresh_from_db()
    assert (session.day, session.room) == (date(2027, 3, 20), "Balzac")
    assert (made.starts_at, made.sequence) == (session.starts_at, 1)
    assert told(made.member) == ["registration.session_moved"]
    unbroken()


def test_the_following_move_as_many_days(client: Client, concierge: User, session: Session) -> None:
    later = SessionFactory(place=session.place, event=session.event, in_days=21)
    url = ask_to_move(session, scope="following")
    client.post(url, {"seal": seal_of(client.get(url))})
    later.refresh_from_db()
    # From Tuesday 16 to Saturday 20; so Tuesday 30, after the clock change, to 3 April at 10.
    assert later.starts_at == datetime(2027, 4, 3, 10, tzinfo=NOW.tzinfo)


WRONG_MOVES: list[tuple[dict[str, str], str]] = [
    ({"day": "2027-03-01"}, "day"),
    ({"day": "31/02/2027"}, "day"),
    ({"day": "9999-12-31"}, "day"),
    ({"ends": "10:00"}, "ends"),
    ({"starts": "25:00"}, "starts"),
    ({"place": "999999"}, "place"),
]


def test_a_move_that_cannot_be(client: Client, concierge: User, session: Session) -> None:
    for asked, field in WRONG_MOVES:
        page = client.get(ask_to_move(session, **asked))
        assert page.context["plan"] is None
        assert list(page.context["form"].errors) == [field]
    session.refresh_from_db()
    assert session.sequence == 0


def test_changes_stop_at_ones_places(client: Client, session: Session) -> None:
    elsewhere = PlaceFactory(slug="ailleurs", landlord=session.place.landlord)
    sign_in_staff(client, staff(elsewhere, Role.CONCIERGE))
    paths = [reverse(f"session:{name}", args=[session.pk]) for name in ("cancel", "move", "told")]
    asked = [*paths, ask_to_cancel(session), ask_to_move(session)]
    assert {client.get(url).status_code for url in asked} == {404}
    assert {client.post(url).status_code for url in asked} == {404}
    sign_in_staff(client, staff(session.place, Role.EDITOR))
    assert {client.get(url).status_code for url in asked} <= {302, 403}


# -- Reading ------------------------------------------------------------------------------------


def test_registrations_are_found_by_name_and_state(
    client: Client, concierge: User, session: Session
) -> None:
    mine = RegistrationFactory(session=session)
    mine.member.search_name = "samira vandenbroeck"
    mine.member.save()
    gone = RegistrationFactory(session=session, status=RegistrationStatus.CANCELLED)
    RegistrationFactory(session=SessionFactory(place=PlaceFactory(slug="ailleurs")))
    url = reverse("registration:index")
    assert set(client.get(url).context["object_list"]) == {mine, gone}
    found = client.get(url, {"q": "vandenb"})
    assert list(found.context["object_list"]) == [mine]
    found = client.get(url, {"status": "cancelled"})
    assert list(found.context["object_list"]) == [gone]
    assert client.post(reverse("registration:edit", args=[mine.pk]), {}).status_code == 302
    assert Registration.objects.filter(pk=mine.pk, status="confirmed").exists()


def test_an_officer_sets_the_rules_of_the_place(
    client: Client, place: Place, index: EventIndex
) -> None:
    sign_in_staff(client, staff(place, Role.OFFICER))
    data = {
        "place": place.pk,
        "offer_until": "20:00",
        "last_offer_minutes": "120",
        "pay_hours": "24",
        "no_show_limit": "0",
        "no_show_days": "180",
        "pause_days": "30",
    }
    assert client.post(reverse("eventpolicy:add"), data).status_code == 302
    assert EventPolicy.objects.get().last_offer_minutes == 120
    twice = client.post(reverse("eventpolicy:add"), data)
    assert list(twice.context["form"].errors) == ["place"]


def test_attendance_by_month_as_page_and_file(
    client: Client, concierge: User, session: Session
) -> None:
    place = session.place
    Place.objects.filter(pk=place.pk).update(name="=HYPERLINK(1)")
    past = SessionFactory(place=place, event=session.event, in_days=-7)
    RegistrationFactory(session=past, quantity=3, came=2, status=RegistrationStatus.PRESENT)
    foreign = PlaceFactory(slug="ailleurs", landlord=place.landlord)
    SessionFactory(place=foreign, event=session.event, in_days=-7)
    url = reverse("events-attendance:index")
    page = client.get(url)
    [month] = page.context["months"]
    assert (month.month, month.came, month.no_shows) == (date(2027, 3, 1), 2, 1)
    answer = client.get(url + page.context["file_url"])
    rows = answer.content.decode("utf-8-sig").splitlines()
    assert answer["Content-Type"].startswith("text/csv")
    assert rows[1:] == ["03/2027;'=HYPERLINK(1);1;0;0;12;3;2;1;0;1;25"]


WRONG_PERIODS: list[tuple[dict[str, str], str]] = [
    ({"first": "2027-03-01", "last": "2027-01-01"}, "last"),
    ({"first": "0001-01-01", "last": "9999-12-31"}, "last"),
    ({"first": "0001-01-01", "last": "0001-01-31"}, "last"),
    ({"first": "hier", "last": "2027-01-01"}, "first"),
    ({"first": "2027-01-01", "last": "2027-03-01", "place": "999"}, "place"),
]


def test_a_period_that_cannot_be(client: Client, concierge: User) -> None:
    for asked, field in WRONG_PERIODS:
        page = client.get(reverse("events-attendance:index"), asked | {"fichier": "csv"})
        assert list(page.context["form"].errors) == [field]


def test_what_was_imported_is_read_and_then_shown(
    client: Client, concierge: User, index: EventIndex
) -> None:
    event = EventPage(
        title="Chorale", slug="chorale", live=False, review=["far", "no_date", "strange"]
    )
    index.add_child(instance=event)
    event.save_revision()
    elsewhere = index_for(PlaceFactory(slug="ailleurs", landlord=index.place.landlord))
    elsewhere.add_child(instance=EventPage(title="Loto", slug="loto", live=False, review=["far"]))
    page = client.get(reverse("events-review:index"))
    assert page.context["rows"] == [
        (event, ["aucune date lisible", "loin d’ici", "strange"]),
    ]
    rewrite(client, event)
    event.refresh_from_db()
    assert (event.live, event.review) == (True, [])
    assert client.get(reverse("events-review:index")).context["rows"] == []
    # Taken off the site again, it is no import to be read.
    event.unpublish()
    assert client.get(reverse("events-review:index")).context["rows"] == []


def test_the_event_leads_to_its_sessions(client: Client, concierge: User, session: Session) -> None:
    url = reverse("wagtailadmin_pages:edit", args=[session.event_id])
    page = client.get(url).content.decode()
    assert f"/admin/session/?event={session.event_id}&amp;when=all" in page


def test_the_menu_shows_what_one_may_open(client: Client, concierge: User) -> None:
    page = client.get(reverse("wagtailadmin_home")).content.decode()
    for name in ("session:index", "registration:index", "events-attendance:index"):
        assert reverse(name) in page
