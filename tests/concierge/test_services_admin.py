"""Services in the admin: prices in euros, hours that follow, nobody evicted in silence."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from club.enums import Role
from club.models import Place
from concierge.domain.slot_wishes import wish
from concierge.models import Service, SlotWish
from tests.factories.club import NOW
from tests.factories.cms import staff
from tests.factories.services import AppointmentFactory, ServiceFactory, client_of
from tests.factories.stays import StayFactory
from tests.signin import sign_in_staff


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def admin(client: Client, place: Place) -> Client:
    sign_in_staff(client, staff(place, Role.OFFICER))
    return client


def rows(name: str, *lines: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {
        f"{name}-TOTAL_FORMS": len(lines), f"{name}-INITIAL_FORMS": 0,
        f"{name}-MIN_NUM_FORMS": 0, f"{name}-MAX_NUM_FORMS": 1000,
    }  # fmt: skip
    for number, line in enumerate(lines):
        for field, value in ({"id": "", "ORDER": number + 1, "DELETE": ""} | line).items():
            data[f"{name}-{number}-{field}"] = value
    return data


def posted(place: Place, **more: Any) -> dict[str, Any]:
    hours, pauses = more.pop("hours", ()), more.pop("pauses", ())
    return {
        "place": place.pk, "kind": "slot", "name": "Aide aux papiers", "about": "Avec vous.",
        "picture": "", "wall": "water", "is_offered": "on", "position": 0, "euros": "0,20",
        "unit": "page", "needs_right": "on", "minutes": 30, "buffer_minutes": 0, "seats": 1,
        "most_open": 2, "lead_minutes": 60, "horizon_days": 30, "cutoff_minutes": 120,
        "visit_every": 2, "most_days": 35,
        **rows("hours", *hours), **rows("pauses", *pauses), **rows("questions"), **more,
    }  # fmt: skip


def test_a_service_is_written_with_its_price_in_euros(admin, place):
    hours = [{"weekday": 2, "opens": "09:00", "closes": "12:00", "seats": ""}]
    answer = admin.post(reverse("service:add"), posted(place, hours=hours))
    assert answer.status_code == 302
    service = Service.objects.get()
    assert (service.unit_cents, service.hours.get().weekday) == (20, 2)
    page = admin.get(reverse("service:edit", args=[service.pk]))
    assert page.context["form"]["euros"].value() == "0,20"


def test_the_list_says_what_is_free_and_the_words_are_no_commentary(admin, place):
    ServiceFactory(place=place, unit_cents=0)
    service = ServiceFactory(place=place, name="Photocopies", unit_cents=20)
    listed = admin.get(reverse("service:index")).text
    assert "gratuit" in listed and "0,20\u00a0€" in listed and ">0\u00a0€" not in listed
    for name in ("edit", "inspect"):
        page = admin.get(reverse(f"service:{name}", args=[service.pk])).text
        assert "Comment ça marche" in page, name


@pytest.mark.parametrize("more", [{"euros": "201"}, {"euros": "cher"}, {"minutes": 3}])
def test_what_cannot_be_is_told(admin, place, more):
    assert admin.post(reverse("service:add"), posted(place, **more)).status_code == 200
    assert not Service.objects.exists()


def test_a_stay_has_something_to_do_and_a_price_by_the_day_or_once(admin, place):
    wrong = admin.post(reverse("service:add"), posted(place, kind="stay"))
    assert set(wrong.context["form"].errors) == {"tasks", "unit"}
    stay = posted(place, kind="stay", unit="day", tasks=["look", "cat"], visit_every=3)
    assert admin.post(reverse("service:add"), stay).status_code == 302
    service = Service.objects.get()
    assert (service.tasks, service.visit_every, service.unit_cents) == (["look", "cat"], 3, 20)
    StayFactory(service=service)
    page = admin.get(reverse("service:edit", args=[service.pk]))
    assert page.context["form"].fields["kind"].disabled


def test_two_lines_of_a_day_do_not_overlap(admin, place):
    hours = [
        {"weekday": 2, "opens": "09:00", "closes": "12:00", "seats": ""},
        {"weekday": 2, "opens": "11:00", "closes": "13:00", "seats": ""},
    ]
    page = admin.post(reverse("service:add"), posted(place, hours=hours))
    assert page.status_code == 200
    assert "Deux lignes d’heures se suivent mal le mercredi." in page.text


def test_new_hours_name_whom_they_leave_outside(admin, place):
    service = ServiceFactory(place=place)
    one = AppointmentFactory(service=service, member=client_of(place))
    hours = [{"weekday": 2, "opens": "14:00", "closes": "18:00", "seats": ""}]
    page = admin.post(
        reverse("service:edit", args=[service.pk]), posted(place, hours=hours), follow=True
    )
    assert "Hors créneaux, à prévenir" in page.text
    assert "Samira Benali, mercredi 10\u00a0mars à 10\u00a0h" in page.text
    one.refresh_from_db()
    assert one.status == "booked"


def test_more_seats_are_offered_to_who_waits(admin, place):
    service = ServiceFactory(place=place, lines=[(2, 10, 10.5)])
    AppointmentFactory(service=service, member=client_of(place))
    waiting = client_of(place)
    day = date(2027, 3, 10)
    wish(waiting, service, day, day, by=waiting.user, now=NOW)
    admin.post(reverse("service:edit", args=[service.pk]), posted(place, seats=2))
    assert SlotWish.objects.get().status == "offered"
