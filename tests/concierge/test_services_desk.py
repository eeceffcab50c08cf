"""Services at the counter: the board, who came, a slot for a person, what is counted."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.kernel.purchases import due_of
from club.models import Member, Place, User
from concierge.enums import ServiceKind, ServiceUnit
from concierge.models import Appointment, CounterUse, Service, ServicePause, ServiceQuestion
from tests.factories.club import NOW, MemberFactory, PlaceFactory
from tests.factories.services import AppointmentFactory, ServiceFactory, client_of, on
from tests.signin import sign_in_staff

KEY = "k" * 40


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def desk(client: Client, concierge_user: User) -> Client:
    sign_in_staff(client, concierge_user)
    return client


@pytest.fixture
def service(place: Place) -> Service:
    return ServiceFactory(place=place)


@pytest.fixture
def samira(place: Place) -> Member:
    return client_of(place)


def words(response: Any) -> str:
    bare = re.sub(r"<(head|template).*?</\1>|<[^>]*>", " ", response.content.decode(), flags=re.S)
    return re.sub(r" (?=[.,])", "", " ".join(html.unescape(bare).split()))


def today(service: Service, member: Member, hour: float = 11, **more: Any) -> Appointment:
    return AppointmentFactory(service=service, member=member, starts_at=on(9, hour), **more)


# -- The day -----------------------------------------------------------------------------------


def test_the_board_has_todays_appointments_by_hour(desk, service, samira):
    today(service, samira, 14)
    today(service, client_of(service.place, first_name="Awa", last_name="Ndiaye"), 9)
    AppointmentFactory(service=service, member=samira)
    [part] = [one for one in desk.get("/desk/").context["parts"] if one.key == "appointments"]
    assert [(entry.end, entry.name) for entry in part.entries] == [
        ("9\u00a0h", "A. Ndiaye"), ("14\u00a0h", "S. Benali"),
    ]  # fmt: skip
    assert "Awa Ndiaye" in words(desk.get("/desk/rendez-vous/"))


def test_what_no_slot_carries_any_more_is_told_and_stays(desk, service, samira):
    """Hours that change, a pause and a cut of seats evict nobody."""
    one = AppointmentFactory(service=service, member=samira)
    [other] = [AppointmentFactory(service=service, member=samira, lane=service.pk * 1000 + 1)]
    assert "hors créneaux" in words(desk.get("/desk/tableau/"))
    assert words(desk.get("/desk/tableau/")).count("hors créneaux") == 1
    other.delete()
    assert "hors créneaux" not in words(desk.get("/desk/tableau/"))
    ServicePause.objects.create(service=service, starts_at=on(10, 8), ends_at=on(10, 18))
    assert "hors créneaux" in words(desk.get("/desk/tableau/"))
    page = desk.get(f"/desk/rendez-vous/{one.reference}/")
    assert "Les heures ou les places ont changé depuis." in words(page)
    one.refresh_from_db()
    assert one.status == "booked"


def test_the_board_and_the_list_cost_the_same_for_one_and_for_three(desk, place):
    for number in range(3):
        service = ServiceFactory(place=place, name=f"S{number}")
        AppointmentFactory(service=service)
        today(service, client_of(place))
        for url, cost in (("/desk/tableau/", BOARD), ("/desk/rendez-vous/", LIST)):
            desk.get(url)
            with CaptureQueriesContext(connection) as held:
                desk.get(url)
            assert len(held) - sessions(held) == cost, url


BOARD, LIST = 18, 5


def sessions(held: Any) -> int:
    """The session is a statement where the cache is a table."""
    return sum("shared_cache" in one["sql"] for one in held)


# -- Who came ------------------------------------------------------------------------------------


def press(desk: Client, one: Appointment, act: str, **more: Any) -> Any:
    return desk.post(f"/desk/rendez-vous/{one.reference}/{act}/", more, follow=True)


def test_one_press_notes_who_came_and_what_is_due(desk, place, samira):
    service = ServiceFactory(place=place, unit_cents=20, unit=ServiceUnit.PAGE)
    one = today(service, samira)
    page = press(desk, one, "venu", quantity="30")
    assert "Venu. Samira Benali, Aide aux papiers" in words(page)
    assert "6\u00a0€ à encaisser." in page.text
    assert [due.cents for due in due_of(samira.household, NOW)] == [600]
    page = press(desk, one, "defaire")
    assert due_of(samira.household, NOW) == []
    one.refresh_from_db()
    assert one.status == "booked"
    assert press(desk, one, "venu", quantity="0").status_code == 422


def test_absent_is_noted_once_the_hour_has_come(desk, service, samira, clock):
    one = today(service, samira)
    assert "L’heure du rendez-vous n’est pas encore venue." in words(press(desk, one, "absent"))
    clock.move_to(on(9, 11.25))
    assert "Noté absent." in words(press(desk, one, "absent"))
    one.refresh_from_db()
    assert one.status == "absent"


def test_the_desk_cancels_after_the_cut_off(desk, service, samira):
    one = today(service, samira)
    assert "Annulé." in words(press(desk, one, "annuler"))
    assert press(desk, one, "mordre").status_code == 404


def test_an_appointment_elsewhere_does_not_exist_here(desk, place):
    elsewhere = ServiceFactory(place=PlaceFactory(landlord=place.landlord))
    one = AppointmentFactory(service=elsewhere)
    assert desk.get(f"/desk/rendez-vous/{one.reference}/").status_code == 404
    assert press(desk, one, "venu").status_code == 404


def test_a_reference_that_is_scanned_opens_the_person(desk, service, samira):
    one = today(service, samira)
    page = desk.post("/desk/", {"texte": one.reference}, headers={"X-Desk": "1"})
    assert "Rendez-vous lu." in words(page)
    assert f"/desk/rendez-vous/{one.reference}/" in page.text


# -- A slot for a person ----------------------------------------------------------------


def test_a_slot_is_taken_for_a_person_in_three_presses(desk, service, samira):
    url = f"/desk/membre/{samira.pk}/rendez-vous/"
    assert service.name in desk.get(url).text
    page = desk.get(url, {"service": service.public_id})
    assert page.context["hours"][0].value == "2027-03-09T10:00"
    posted = {"service": service.public_id, "slot": "2027-03-09T10:00", "key": KEY}
    page = desk.post(url, posted, follow=True)
    assert "Réservé." in words(page)
    made = Appointment.objects.get()
    assert (made.channel, made.member) == ("desk", samira)
    desk.post(url, posted)
    assert Appointment.objects.count() == 1


def test_questions_may_be_left_and_refusals_are_told(desk, service, samira, place):
    ServiceQuestion.objects.create(service=service, text="Quoi ?", choices="CAF\nEDF")
    stranger = MemberFactory(place=place)
    posted = {"service": service.public_id, "slot": "2027-03-10T10:00", "key": KEY}
    page = desk.post(f"/desk/membre/{stranger.pk}/rendez-vous/", posted)
    assert page.status_code == 422
    assert "Il faut un abonnement actif." in words(page)
    desk.post(f"/desk/membre/{samira.pk}/rendez-vous/", posted)
    assert Appointment.objects.get().answers.count() == 0


def test_a_series_tells_what_was_skipped(desk, service, samira):
    AppointmentFactory(service=service, starts_at=on(17, 10))
    posted = {
        "service": service.public_id, "slot": "2027-03-10T10:00", "key": KEY, "semaines": "3",
    }  # fmt: skip
    page = desk.post(f"/desk/membre/{samira.pk}/rendez-vous/", posted, follow=True)
    assert "Sauté, car pris\u00a0: mercredi 17\u00a0mars." in page.text


def test_an_unknown_service_or_person_does_not_exist(desk, samira):
    assert desk.get(f"/desk/membre/{samira.pk}/rendez-vous/?service=x").status_code == 404
    assert desk.get("/desk/membre/999999/rendez-vous/").status_code == 404


# -- Over the counter ----------------------------------------------------------------


@pytest.fixture
def copies(place: Place) -> Service:
    return ServiceFactory(
        place=place, name="Photocopies", kind=ServiceKind.COUNTER, unit_cents=20,
        unit=ServiceUnit.PAGE, needs_right=False,
    )  # fmt: skip


def test_what_is_free_is_counted_for_nobody_and_undone(desk, place):
    code = ServiceFactory(
        place=place, name="Code Wi-Fi", kind=ServiceKind.COUNTER, needs_right=False
    )
    page = desk.post(
        "/desk/compter/", {"service": code.public_id, "quantity": "2", "key": KEY}, follow=True
    )
    use = CounterUse.objects.get()
    assert (use.quantity, use.member) == (2, None)
    assert "Compté. Code Wi-Fi × 2." in words(page)
    page = desk.post(f"/desk/compter/{use.pk}/defaire/", follow=True)
    assert "Ce n’est plus compté." in words(page)
    use.refresh_from_db()
    assert use.undone_at == NOW


def test_what_costs_needs_a_person_and_goes_to_the_till(desk, copies, samira):
    posted = {"service": copies.public_id, "quantity": "10", "key": KEY}
    page = desk.post("/desk/compter/", posted)
    assert (page.status_code, "Scannez d’abord la carte" in page.text) == (422, True)
    assert page.context["form"]["quantity"].value() == "10"
    page = desk.post("/desk/compter/", posted | {"membre": samira.pk}, follow=True)
    assert "2\u00a0€ à encaisser." in page.text
    assert f"/desk/membre/{samira.pk}/encaisser/" in page.text
    assert f"/desk/compter/{CounterUse.objects.get().pk}/" in page.text, "It can be undone."
    [due] = due_of(samira.household, NOW)
    assert (due.kind, due.cents, due.label) == ("counter", 200, "Photocopies × 10")
    desk.post("/desk/compter/", posted | {"membre": samira.pk})
    assert CounterUse.objects.count() == 1
    page = desk.get(f"/desk/membre/{samira.pk}/encaisser/")
    assert "Photocopies × 10" in page.text


def test_another_places_count_does_not_exist_here(desk, place):
    use = CounterUse.objects.create(
        service=(other := ServiceFactory(kind=ServiceKind.COUNTER, place=PlaceFactory())),
        place=other.place, at=NOW - timedelta(hours=1),
    )  # fmt: skip
    assert desk.post(f"/desk/compter/{use.pk}/defaire/").status_code == 404


# -- Figures ---------------------------------------------------------------------------------------


def test_each_month_counts_who_came_and_what_was_counted(desk, place, service, copies, samira):
    for status, day in (("done", 2), ("done", 3), ("absent", 4), ("cancelled", 5)):
        AppointmentFactory(service=service, member=samira, status=status, starts_at=on(day, 10))
    AppointmentFactory(service=service, member=samira, status="done", starts_at=on(3, 10, month=2))
    for quantity, undone_at in ((5, None), (3, None), (9, NOW)):
        CounterUse.objects.create(
            service=copies, place=place, at=NOW, quantity=quantity, undone_at=undone_at
        )
    page = desk.get("/desk/rendez-vous/chiffres/")
    assert [
        (m.first_day.month, m.service, m.served, m.people, m.absent, m.cancelled, m.counted)
        for m in page.context["months"]
    ] == [
        (3, "Aide aux papiers", 2, 1, 1, 1, 0),
        (3, "Photocopies", 0, 0, 0, 0, 8),
        (2, "Aide aux papiers", 1, 1, 0, 0, 0),
    ]
