"""A page that nobody has confirmed for six months asks its people whether it is right."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from club.models import Message, Place
from club.tasks import send_messages
from marketplace.domain import people
from marketplace.domain.confirming import ask, ask_to_confirm, confirm_page
from marketplace.enums import PartnerStatus
from marketplace.models import EntryLink, Partner, PartnerHours
from marketplace.queries.confirmed import Asking, asking
from tests.factories.club import PARIS
from tests.factories.marketplace import PartnerFactory, PersonFactory


def morning(day: date) -> datetime:
    return datetime.combine(day, time(8, 5), tzinfo=PARIS)


@pytest.fixture
def bakery(place: Place) -> Partner:
    """Confirmed on 9 September 2026: six months are over on 9 March 2027."""
    partner = PartnerFactory(landlord=place.landlord, name="Fournil", confirmed_on=date(2026, 9, 9))
    PersonFactory(partner=partner, user__email="paul@example.org")
    return partner


def keys() -> list[str]:
    return [key.split(":", 2)[2] for key in Message.objects.values_list("key", flat=True)]


@pytest.mark.parametrize(
    ("confirmed_on", "today", "due"),
    [
        (date(2026, 9, 9), date(2027, 3, 8), None),
        (date(2026, 9, 9), date(2027, 3, 9), Asking(date(2027, 3, 9), 0)),
        (date(2026, 9, 9), date(2027, 4, 7), Asking(date(2027, 3, 9), 0)),
        (date(2026, 9, 9), date(2027, 4, 8), Asking(date(2027, 3, 9), 1)),
        (date(2026, 9, 9), date(2027, 6, 7), Asking(date(2027, 3, 9), 3)),
        (date(2026, 9, 9), date(2027, 9, 8), Asking(date(2027, 3, 9), 3)),
        (date(2026, 9, 9), date(2027, 9, 9), Asking(date(2027, 9, 9), 0)),
        (date(2026, 8, 31), date(2027, 2, 27), None),
        (date(2026, 8, 31), date(2027, 2, 28), Asking(date(2027, 2, 28), 0)),
        (date(2027, 3, 20), date(2027, 3, 9), None),
    ],
)
def test_half_years_are_calendar_months(confirmed_on: date, today: date, due: Any) -> None:
    partner = Partner(status=PartnerStatus.LIVE, confirmed_on=confirmed_on)
    assert asking(partner, today) == due


def test_it_is_asked_once_then_three_times_more(bakery: Partner) -> None:
    first = date(2027, 3, 1)
    for day in range(180):
        ask_to_confirm(morning(first + timedelta(days=day)))
        ask_to_confirm(morning(first + timedelta(days=day)) + timedelta(hours=1))
    number = bakery.people.get().pk
    assert keys() == [f"2027-03-09:{turn}:{number}" for turn in range(4)]
    due = Message.objects.order_by("pk").values_list("due_at", flat=True)
    days = [moment.astimezone(PARIS).date() for moment in due]
    assert days == [date(2027, 3, 9) + timedelta(days=30 * turn) for turn in range(4)]


def test_a_worker_that_was_down_asks_when_it_is_back(bakery: Partner) -> None:
    ask_to_confirm(morning(date(2027, 4, 20)))
    assert [key.split(":")[1] for key in keys()] == ["1"]


def test_confirming_ends_it_for_half_a_year(bakery: Partner) -> None:
    day = morning(date(2027, 3, 9))
    ask_to_confirm(day)
    confirm_page(bakery, by=bakery.people.get().user, now=day)
    ask_to_confirm(morning(date(2027, 4, 8)))
    assert Message.objects.count() == 1
    ask_to_confirm(morning(date(2027, 9, 9)))
    assert Message.objects.count() == 2


def test_only_pages_that_residents_may_see_are_asked(place: Place) -> None:
    old = morning(date(2026, 9, 8))
    asked = PersonFactory(
        partner=PartnerFactory(landlord=place.landlord, confirmed_on=None, live_at=old)
    )
    PersonFactory(
        partner=PartnerFactory(
            landlord=place.landlord, confirmed_on=None, created_at=old,
            live_at=morning(date(2027, 1, 5)),
        )
    )  # fmt: skip
    for status in (PartnerStatus.PAUSED, PartnerStatus.DRAFT, PartnerStatus.ENDED):
        PersonFactory(
            partner=PartnerFactory(
                landlord=place.landlord, status=status, confirmed_on=date(2026, 1, 1)
            )
        )
    ask_to_confirm(morning(date(2027, 3, 9)))
    assert list(Message.objects.values_list("user", flat=True)) == [asked.user.pk]


def test_each_person_gets_a_link_of_their_own_and_who_left_gets_none(bakery: Partner) -> None:
    day = morning(date(2027, 3, 9))
    PersonFactory(partner=bakery)
    PersonFactory(partner=bakery, left_at=day)
    assert ask(bakery, now=day) == 2
    assert EntryLink.objects.filter(following=reverse("pro:page")).count() == 2
    assert ask(bakery, now=day) == 0


def test_the_letter_says_what_residents_read_and_its_button_leads_to_the_page(
    bakery: Partner, client: Client, mailoutbox: Any, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    PartnerHours.objects.create(partner=bakery, weekday=1, opens=time(7), closes=time(19))
    day = morning(date(2027, 3, 9))
    with time_machine.travel(day, tick=False):
        ask_to_confirm(day)
        send_messages()
        (mail,) = mailoutbox
        assert mail.to == ["paul@example.org"]
        words = f"{mail.subject} {mail.body}".replace("\u00a0", " ")
        assert mail.subject.replace("\u00a0", " ") == (
            "Fournil : votre page du 9 septembre 2026 est-elle juste ?"
        )
        assert "Horaires : Le mardi, de 7 h à 19 h" in words
        assert "Téléphone : 03 22 00 00 00" in words
        link = reverse("pro:entry", args=[people.signed(EntryLink.objects.get())])
        assert link in mail.body
        answer = client.post(link)
        assert answer["Location"] == reverse("pro:page")
        client.post(reverse("pro:confirm"))
    bakery.refresh_from_db()
    assert bakery.confirmed_on == date(2027, 3, 9)


def test_a_letter_that_waits_is_dropped_once_it_is_answered(
    bakery: Partner, mailoutbox: Any, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    day = morning(date(2027, 3, 9))
    with time_machine.travel(day, tick=False):
        ask_to_confirm(day)
        confirm_page(bakery, by=bakery.people.get().user, now=day)
        send_messages()
    assert mailoutbox == []
    assert Message.objects.get().status == "dropped"
