"""The services as residents meet them: a reason, a day, an hour, "C’est réservé"."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse

from club.models import Member, Place, Right
from cms.setup import build_site
from concierge.domain.appointments import book_slot, cancel_appointment
from concierge.domain.slot_wishes import wish
from concierge.enums import ServiceKind, ServiceUnit
from concierge.models import Appointment, Service, ServiceQuestion, SlotWish
from tests.factories.club import MemberFactory, PlaceFactory, UserFactory
from tests.factories.services import AppointmentFactory, ServiceFactory, client_of, on

KEY = "k" * 40
TEN = "2027-03-10T10:00"


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def service(place: Place) -> Service:
    return ServiceFactory(place=place)


@pytest.fixture
def samira(place: Place) -> Member:
    return client_of(place)


@pytest.fixture
def signed_in(client: Client, samira: Member) -> Client:
    client.force_login(samira.user)
    return client


def url(service: Service, act: str = "") -> str:
    return f"/services/{service.public_id}/{act}"


def book(client: Client, service: Service, slot: str = TEN, **more: Any) -> Any:
    return client.post(url(service, "reserver/"), {"slot": slot, "key": KEY, **more})


# -- The list --------------------------------------------------------------------------------


def test_the_reasons_come_first_with_the_next_moment(client, place, service):
    ServiceFactory(
        place=place, name="Photocopies", kind=ServiceKind.COUNTER, unit_cents=20,
        unit=ServiceUnit.PAGE, about="Noir et blanc.",
    )  # fmt: skip
    ServiceFactory(place=place, name="Caché", is_offered=False)
    page = client.get("/services/")
    [card] = page.context["cards"]
    assert card["availability"]["text"] == "Dès mardi 9\u00a0mars à 11\u00a0h\u00a030"
    for words in ("Aide aux papiers", "Photocopies", "0,20\u00a0€ la page"):
        assert words in page.text
    assert "Caché" not in page.text


def test_a_place_without_services_keeps_its_editors_page(client, place):
    build_site(place)
    page = client.get("/services/")
    assert page.status_code == 200
    assert "Prenez rendez-vous par téléphone" in page.text


def test_the_list_costs_the_same_for_one_and_for_three(
    client, place, service, django_assert_num_queries
):
    client.get("/services/")
    for rows in (1, 3):
        for number in range(rows - Service.objects.count()):
            AppointmentFactory(service=ServiceFactory(place=place, name=f"S{number}"))
        client.get("/services/")
        with django_assert_num_queries(LIST):
            assert len(client.get("/services/").context["cards"]) == rows


LIST = 4
"""The place, its services, what is taken, and one of the frame."""


# -- One service -------------------------------------------------------------------------------


def test_days_are_buttons_and_a_day_has_its_hours(signed_in, service):
    page = signed_in.get(url(service))
    assert [(b.label, b.sub) for b in page.context["days"]][:2] == [
        ("Aujourd’hui", "9 créneaux, dès 11\u00a0h\u00a030"),
        ("Mercredi 10\u00a0mars", "14 créneaux, dès 9\u00a0h"),
    ]
    page = signed_in.get(url(service), {"jour": "2027-03-10"})
    hours = page.context["hours"]
    assert (hours[0].label, hours[0].sub, hours[0].value) == (
        "9\u00a0h", "jusqu’à 9\u00a0h\u00a030", "2027-03-10T09:00",
    )  # fmt: skip
    assert len(hours) == 14
    for nonsense in ("2027-13-99", "demain", "2027-03-14", "1999-01-01"):
        assert signed_in.get(url(service), {"jour": nonsense}).status_code == 200


def test_booking_leads_to_the_confirmation_and_pressed_twice_it_is_one(signed_in, service):
    for _ in range(2):
        answer = book(signed_in, service)
        made = Appointment.objects.get()
        assert answer["Location"] == f"/services/reserve/{made.reference}/"
    page = signed_in.get(answer["Location"])
    assert "C’est réservé" in page.text
    assert "de 10\u00a0h à 10\u00a0h\u00a030" in page.text


def test_a_visitor_signs_in_and_comes_back_to_the_same_hour(client, place, service):
    page = client.get(url(service), {"jour": "2027-03-10"})
    _button, way = page.context["hours"][2]
    following = parse_qs(urlsplit(way).query)["next"][0]
    assert following == f"{url(service)}?jour=2027-03-10&choix=2027-03-10T10%3A00"
    client.force_login(client_of(place).user)
    assert client.get(following).context["hours"][0].value == TEN


def test_a_refusal_keeps_what_was_answered(signed_in, service, place):
    asked = ServiceQuestion.objects.create(service=service, text="Quoi ?", choices="CAF\nEDF")
    other = client_of(place)
    book_slot(
        member=other, service=service, starts_at=on(10, 10), by=other.user,
        now=on(9, 9), answers={asked.pk: "CAF"},
    )  # fmt: skip
    page = book(signed_in, service, **{f"question_{asked.pk}": "EDF"})
    assert page.status_code == 422
    assert "Ce créneau vient d’être pris" in page.text
    assert page.context["form"][f"question_{asked.pk}"].value() == "EDF"
    missing = book(signed_in, service, "2027-03-10T11:00")
    assert "Répondez à cette question" in missing.text
    assert missing.context["day"] == date(2027, 3, 10)
    book(signed_in, service, "2027-03-10T11:00", **{f"question_{asked.pk}": "EDF"})
    assert Appointment.objects.exclude(member=other).get().answers.get().value == "EDF"


@pytest.mark.parametrize("slot", ["", "2027-03-10", "n’importe quoi", "2027-03-10T25:00"])
def test_what_is_no_hour_is_told(signed_in, service, slot):
    page = book(signed_in, service, slot)
    assert page.status_code == 422
    assert "Choisissez une heure." in page.text


def test_a_series_tells_which_dates_were_skipped(signed_in, service, place):
    AppointmentFactory(service=service, starts_at=on(17, 10))
    answer = book(signed_in, service, semaines="3")
    page = signed_in.get(answer["Location"])
    assert "Ces dates n’étaient pas libres\u00a0: mercredi 17\u00a0mars." in page.text
    assert [one.starts_at for one in page.context["others"]] == [on(24, 10)]


def test_who_may_not_book_is_told_before(client, place, service, samira):
    stranger = MemberFactory(place=place)
    client.force_login(stranger.user)
    assert "M’abonner" in client.get(url(service)).text
    client.force_login(samira.user)
    service.most_open = 1
    service.save()
    AppointmentFactory(service=service, member=samira)
    page = client.get(url(service))
    assert page.context["reason"].code == "too_many_open"
    assert not Right.objects.filter(household=stranger.household).exists()
    client.force_login(UserFactory())
    assert "Un membre seul peut réserver" in client.get(url(service)).text


def test_somebody_elses_confirmation_does_not_exist(signed_in, service):
    other = AppointmentFactory(service=service)
    assert signed_in.get(f"/services/reserve/{other.reference}/").status_code == 404


def test_a_service_elsewhere_is_seen_where_the_place_is_public(signed_in, place):
    public = ServiceFactory(place=PlaceFactory(landlord=place.landlord))
    hidden = ServiceFactory(place=PlaceFactory(landlord=place.landlord, is_public=False))
    assert signed_in.get(url(public)).context["is_elsewhere"]
    assert signed_in.get(url(hidden)).status_code == 404


def test_a_counter_service_says_hours_and_price(client, place):
    service = ServiceFactory(place=place, name="Code Wi-Fi", kind=ServiceKind.COUNTER)
    page = client.get(url(service))
    assert "Gratuit." in page.text
    assert page.context["hours"][0] == (
        "Mardi 9\u00a0mars", "de 9\u00a0h à 12\u00a0h ou de 14\u00a0h à 18\u00a0h",
    )  # fmt: skip


# -- Waiting ------------------------------------------------------------------------------------


@pytest.fixture
def full(place: Place) -> Service:
    """One slot, on Wednesday at ten, which Jeanne has."""
    service = ServiceFactory(place=place, name="Vélo", lines=[(2, 10, 10.5)], horizon_days=2)
    jeanne = client_of(place, first_name="Jeanne")
    book_slot(member=jeanne, service=service, starts_at=on(10, 10), by=jeanne.user, now=on(9, 10))
    return service


def test_none_fits_so_one_waits_and_may_stop(signed_in, full):
    assert "Aucun créneau libre pour le moment" in signed_in.get(url(full)).text
    page = signed_in.post(
        url(full, "attendre/"), {"first_on": "2027-03-10", "last_on": "2027-03-12"}, follow=True
    )
    assert "C’est noté." in page.text
    assert "Du mercredi 10\u00a0mars au vendredi 12\u00a0mars." in page.text
    page = signed_in.post(url(full, "ne-plus-attendre/"), follow=True)
    assert SlotWish.objects.get().status == "cancelled"
    assert "Vous n’attendez plus de créneau." in page.text


def test_the_form_of_waiting_keeps_what_was_typed(signed_in, service):
    typed = {"first_on": "2027-03-12", "last_on": "2027-03-10"}
    page = signed_in.post(url(service, "attendre/"), typed)
    assert page.status_code == 422
    assert page.context["form"]["first_on"].value() == "2027-03-12"
    page = signed_in.post(
        url(service, "attendre/"), {"first_on": "2027-03-10", "last_on": "2027-03-12"}
    )
    assert "Un créneau est libre ces jours-là" in page.text


def test_an_offer_is_answered_from_the_booking(signed_in, samira, full):
    day = date(2027, 3, 10)
    wish(samira, full, day, day, by=samira.user, now=on(9, 10))
    held = Appointment.objects.get()
    cancel_appointment(held, by=held.member.user, now=on(9, 10))
    page = signed_in.get(url(full))
    assert page.context["is_offered"]
    offered = Appointment.objects.get(status="offered")
    booking = reverse("portal:booking", args=[offered.reference])
    assert "Prendre ce créneau" in signed_in.get(booking).text
    page = signed_in.post(f"{booking}accepter/", follow=True)
    assert "C’est réservé. Venez mercredi 10\u00a0mars à 10\u00a0h." in page.text


# -- My bookings ---------------------------------------------------------------------------------


def test_it_is_moved_and_cancelled_among_ones_bookings(signed_in, service, samira):
    book(signed_in, service)
    made = Appointment.objects.get()
    page = signed_in.get("/mon-espace/reservations/")
    assert "Aide aux papiers" in page.text
    booking = f"/mon-espace/reservations/{made.reference}/"
    assert "Vous pouvez changer ou annuler" in signed_in.get(booking).text
    page = signed_in.get(f"{booking}changer/")
    assert [(button.label, button.value) for button in page.context["buttons"]][:3] == [
        ("Aujourd’hui", "2027-03-09T11:30"),
        ("Mercredi 10\u00a0mars", "2027-03-10T09:00"),
        ("Mercredi 10\u00a0mars", "2027-03-10T09:30"),
    ]
    assert len(page.context["buttons"]) == 8
    page = signed_in.post(f"{booking}changer/", {"slot": "2027-03-11T09:00"}, follow=True)
    assert "Venez jeudi 11\u00a0mars à 9\u00a0h." in page.text
    page = signed_in.post(f"{booking}annuler/", follow=True)
    made.refresh_from_db()
    assert made.status == "cancelled"
    assert "BEGIN:VEVENT" in signed_in.get(f"{booking}agenda.ics").text


def test_after_the_cut_off_the_page_says_to_call(signed_in, service, samira):
    late = AppointmentFactory(
        service=service, member=samira, starts_at=on(9, 10.5) + timedelta(hours=1)
    )
    page = signed_in.get(f"/mon-espace/reservations/{late.reference}/")
    assert "Appelez l’accueil." in page.text
    assert page.context["acts"] == set()


def test_a_home_without_pages_has_a_window_where_there_are_services(signed_in, place, service):
    assert "Réserver un service" in signed_in.get("/mon-espace/").text
    Service.objects.all().delete()
    assert "Réserver un service" not in signed_in.get("/mon-espace/").text


# -- Kept pages -----------------------------------------------------------------------------------


def test_a_kept_page_knows_a_booking_and_when_a_slot_goes(
    client, place, service, settings, django_capture_on_commit_callbacks
):
    settings.PAGE_CACHE_SECONDS = 36_000
    address = url(service)
    assert "9 créneaux, dès 11\u00a0h\u00a030" in client.get(address).text
    connection.run_on_commit.clear()
    with django_capture_on_commit_callbacks(execute=True):
        AppointmentFactory(service=service, starts_at=on(9, 11.5))
    assert "8 créneaux, dès 14\u00a0h" in client.get(address).text
    with time_machine.travel(on(9, 13) + timedelta(minutes=1), tick=False):
        assert "7 créneaux, dès 14\u00a0h\u00a030" in client.get(address).text
