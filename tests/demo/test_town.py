"""The town is built once for all tests of this file, then read."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib.staticfiles import finders
from django.db import transaction

from club.domain.access import sync_groups
from club.enums import Account, Activity, TenancyResult
from club.kernel.invariants import all_invariants
from club.kernel.spans import local_day
from club.models import (
    Card,
    Closure,
    Dwelling,
    Household,
    Landlord,
    LedgerEntry,
    LogEntry,
    Member,
    Message,
    OpeningHours,
    Opinion,
    Place,
    Residence,
    TenancyDigest,
    User,
)
from club.queries.calendar import calendar_of
from club.queries.entitlement import coverage, may
from club.queries.opinion_figures import by_month
from club.queries.opinions import calls_to_make
from concierge.enums import (
    CopyStatus,
    KeyStatus,
    LoanStatus,
    OrderStatus,
    RepairStatus,
    StayStatus,
)
from concierge.models import (
    Copy,
    Department,
    KeySet,
    Loan,
    Order,
    Parcel,
    Repair,
    StandingOrder,
    Stay,
    StayVisit,
    Tool,
)
from concierge.queries.availability import lines
from concierge.queries.deliveries import coming
from concierge.queries.loans import to_hand_over
from concierge.queries.parcels import live_proxies, numbers_at, waiting_for
from demo import town
from desk.stays import door_of
from events.enums import RegistrationStatus
from events.models import EventPage, Registration, WalkIn
from marketplace.queries.uses import saved_by_residence
from tests.factories.club import NOW

MOMENTS = {
    "a Tuesday in term": NOW,
    "a Sunday in summer": NOW.replace(month=8, day=15, hour=16),
}


@pytest.fixture(scope="module", params=MOMENTS)
def moment(request: Any, django_db_setup: Any, django_db_blocker: Any) -> Iterator[datetime]:
    """The whole town at one moment, rolled back after the tests that read it."""
    now = MOMENTS[request.param]
    with django_db_blocker.unblock(), time_machine.travel(now, tick=False):
        before = transaction.atomic()
        before.__enter__()
        try:
            town.load(now)
            yield now
        finally:
            transaction.set_rollback(True)
            before.__exit__(None, None, None)


@pytest.fixture
def now(moment: datetime, db: None) -> datetime:
    return moment


@pytest.fixture
def tilleuls(now: datetime) -> Place:
    return Place.objects.get(slug="tilleuls")


def test_the_catalogue_has_each_drawn_picture_and_a_hundred_copies(now):
    keys = set(Tool.objects.values_list("picture", flat=True))
    assert len(keys) == Tool.objects.count() == 62
    assert [key for key in keys if not finders.find(f"img/tools/{key}.svg")] == []
    assert Copy.objects.filter(place__slug="tilleuls").count() >= 100
    assert Copy.objects.filter(place__slug="pigeonnier").count() == 12
    names = list(Department.objects.order_by("position").values_list("name", "wall"))
    assert names == [
        ("Bricoler", "butter"), ("Nettoyer", "water"), ("Cuisiner", "clay"),
        ("Faire la fête", "rose"), ("Jardiner", "linden"), ("S’équiper", "honey"),
    ]  # fmt: skip


def test_every_tool_says_what_it_is_and_how_to_use_it(now):
    for tool in Tool.objects.all():
        assert tool.description
        assert tool.advice
        assert tool.other_names
        assert tool.deposit


def test_loans_in_every_state(now):
    states = Counter(Loan.objects.values_list("status", flat=True))
    assert set(states) == set(LoanStatus.values)


def test_late_loans_and_one_due_on_the_next_open_day(now, tilleuls):
    out = Loan.objects.filter(place=tilleuls, status=LoanStatus.OUT)
    today = local_day(now)
    late = sorted(loan.days_late(today) for loan in out if loan.days_late(today))
    assert len(late) == 3
    assert late[0] >= 1
    assert late[1] >= 3
    assert late[2] >= 9
    following = calendar_of(tilleuls).next_open_day(today)
    assert out.filter(due_on=following).count() >= 2
    assert out.filter(renewals=1).exists()


def test_things_to_hand_over_and_things_set_aside(now, tilleuls):
    following = calendar_of(tilleuls).next_open_day(local_day(now))
    waiting = to_hand_over(tilleuls, following)
    assert {loan.status for loan in waiting} == {LoanStatus.RESERVED, LoanStatus.READY}
    ahead = Loan.objects.filter(status=LoanStatus.RESERVED, starts_at__gt=now + timedelta(days=5))
    assert ahead.count() >= 3


def test_copies_in_every_state_and_repairs_at_every_step(now):
    states = set(Copy.objects.values_list("status", flat=True))
    assert states == set(CopyStatus.values) - {CopyStatus.PENDING}
    assert set(Repair.objects.values_list("status", flat=True)) == set(RepairStatus.values)


def test_the_waffle_iron_can_be_had_on_the_next_open_day(now, tilleuls):
    waffles = Tool.objects.select_related("department").get(name="Gaufrier")
    assert waffles.copies.filter(place=tilleuls).count() >= 3
    assert lines([waffles], tilleuls, now)[waffles.pk].state == "free"


def test_nothing_of_the_past_is_told_again(now):
    assert not Message.objects.filter(due_at__lt=now).exclude(status="sent").exists()


def test_the_named_people(now):
    by_name = {
        name: User.objects.get(email=f"{name}@demo.example")
        for name in (
            "leila", "marc", "rose", "concierge", "officer", "editor", "baker", "plumber",
        )
    }  # fmt: skip
    today = local_day(now)
    leila, marc, rose = (by_name[name].member for name in ("leila", "marc", "rose"))
    assert may(leila, Activity.LENDING, today, today + timedelta(days=30)) is None
    assert leila.household.size - leila.household.members.count() == 2
    assert leila.tenancy_checks.get().result == TenancyResult.YES
    assert coverage(marc, Activity.LENDING, today).ends_on is None
    assert not marc.tenancy_checks.exists()
    assert not rose.user.phone
    assert rose.claimed_at is None
    assert LogEntry.objects.get(subject_kind="member", subject_id=rose.pk).actor is not None
    for name in ("concierge", "officer", "editor"):
        user = by_name[name]
        assert user.has_usable_password()
        assert user.assignments.exists()
        held = set(user.groups.values_list("name", flat=True))
        sync_groups(user)
        assert set(user.groups.values_list("name", flat=True)) == held != set()
    for name in ("baker", "plumber"):
        assert not by_name[name].has_usable_password()
        assert not Member.objects.filter(user=by_name[name]).exists()


def test_a_neighbourhood_of_households_with_cards_rights_and_leases(now):
    assert Member.objects.count() >= 60
    assert 45 <= Household.objects.count() <= 52
    assert Card.objects.filter(revoked_at=None).count() == Member.objects.count()
    assert TenancyDigest.objects.count() > 40
    assert Residence.objects.count() == 9
    today = local_day(now)
    ends = [coverage(m, Activity.LENDING, today).ends_on for m in Member.objects.all()]
    assert any(end is None for end in ends)
    assert any(end and end < today for end in ends)
    assert any(end and today <= end <= today + timedelta(days=14) for end in ends)
    assert Member.objects.filter(user__email="", user__phone="").count() >= 3


def test_tenants_have_a_dwelling_each_and_savings_name_residences(now):
    homes = list(Household.objects.filter(members__tenancy_checks__result=TenancyResult.YES))
    assert homes and not [home for home in homes if home.dwelling is None]
    lived_in = Counter(
        Household.objects.exclude(dwelling=None).values_list("dwelling__residence__name", flat=True)
    )
    assert set(lived_in) == {"Les Tilleuls", "Les Cerisiers", "Les Hortillons", "Le Pigeonnier"}
    dwellings = Dwelling.objects.filter(households__isnull=False)
    assert dwellings.distinct().count() == sum(lived_in.values())
    leila = Household.objects.get(members__user__email="leila@demo.example")
    assert "allée des Tilleuls" in door_of(leila)
    today = local_day(now)
    first = (today.replace(day=1) - timedelta(days=60)).replace(day=1)
    saved = saved_by_residence(Landlord.objects.all(), first, today)
    assert {line.residence.name for line in saved if line.residence} >= {"Les Tilleuls"}


def test_hours_and_a_closure_ahead(now, tilleuls):
    assert OpeningHours.objects.filter(place=tilleuls, season=None, weekday=1).count() == 2
    assert tilleuls.seasons.count() == 1
    assert Closure.objects.get(place=tilleuls).starts_on > local_day(now)
    assert not calendar_of(tilleuls).is_open_day(Closure.objects.get().starts_on)


def test_a_programme_of_events_with_drawings_and_dates_to_come(now):
    events = list(EventPage.objects.live())
    assert len(events) == 10
    assert [one for one in events if not finders.find(f"img/{one.drawn}.svg")] == []
    for event in events:
        assert event.sessions.filter(starts_at__gt=now).exists(), event.title
        assert event.review == []
        event.full_clean()


def test_the_cooking_workshop_is_each_second_thursday_in_term(now, tilleuls):
    workshop = EventPage.objects.get(title="Atelier cuisine")
    calendar = calendar_of(tilleuls)
    days = [one.day for one in workshop.sessions.order_by("starts_at")]
    assert {day.weekday() for day in days} == {3}
    assert {(later - earlier).days % 14 for earlier, later in pairwise(days)} == {0}
    assert not [day for day in days if calendar.is_school_holiday(day)]
    assert days[-1].month == 6


def test_registrations_in_every_state_that_the_present_can_show(now):
    states = set(Registration.objects.values_list("status", flat=True))
    assert states == set(RegistrationStatus.values) - {
        RegistrationStatus.LAPSED, RegistrationStatus.REFUSED,
    }  # fmt: skip
    assert WalkIn.objects.filter(undone_at=None).count() >= 3


def test_one_session_is_full_and_its_free_place_goes_to_the_first_it_suits(now):
    waiting = Registration.objects.filter(status=RegistrationStatus.WAITING)
    assert sorted(waiting.values_list("quantity", flat=True)) == [2, 2]
    offer = Registration.objects.select_related("session").get(status=RegistrationStatus.OFFERED)
    assert (offer.quantity, offer.session.is_full, offer.offer_holds(now)) == (1, True, True)
    assert offer.session_id == waiting.values_list("session_id", flat=True).distinct().get()


def test_leila_comes_with_two_children_and_marc_has_a_place_to_pay(now):
    coming = Registration.objects.filter(starts_at__gt=now)
    leila = coming.filter(member__user__email="leila@demo.example")
    assert [(one.quantity, one.cents, one.status) for one in leila] == [
        (3, 0, RegistrationStatus.CONFIRMED)
    ] * 2
    assert list(leila[0].participants.order_by("pk").values_list("age", flat=True)) == [None, 9, 6]
    marc = coming.get(member__user__email="marc@demo.example")
    assert (marc.cents, marc.status) == (3_00, RegistrationStatus.PENDING)
    assert marc.pay_until > now


def test_the_shelves_have_parcels_that_wait_in_each_way(now, tilleuls):
    numbers = numbers_at(tilleuls, local_day(now))
    assert (numbers.for_somebody, numbers.for_nobody, numbers.to_send_back) == (5, 1, 1)
    leila = Member.objects.get(user__email="leila@demo.example")
    assert waiting_for(leila).count() == 2
    assert len(live_proxies([leila], local_day(now))) == 2
    assert Parcel.objects.filter(status="collected").count() > 10
    assert Parcel.objects.filter(status="returned").exists()


def test_bread_and_baskets_are_ordered_fetched_and_paid(now, tilleuls):
    states = Counter(Order.objects.values_list("status", flat=True))
    assert set(states) == {OrderStatus.ORDERED, OrderStatus.COLLECTED, OrderStatus.MISSED}
    assert states[OrderStatus.COLLECTED] > 60
    ahead = coming(tilleuls, now)
    assert {delivery.round.name for delivery in ahead} == {"Pain frais", "Panier de légumes"}
    assert sum(delivery.ordered for delivery in ahead) > 10
    leila = Member.objects.get(user__email="leila@demo.example")
    assert StandingOrder.objects.get().member == leila
    assert Order.objects.filter(member=leila, status=OrderStatus.ORDERED).count() >= 4
    rose = Order.objects.filter(member__user__email="rose@demo.example")
    assert [(one.status, one.channel) for one in rose] == [(OrderStatus.ORDERED, "desk")] * 2
    assert LedgerEntry.objects.filter(account=Account.GOODS, kind="payment").count() > 5


def test_a_home_is_looked_after_and_keys_hang_on_the_board(now):
    assert Counter(Stay.objects.values_list("status", flat=True)) == {
        StayStatus.ENDED: 1, StayStatus.RUNNING: 1, StayStatus.BOOKED: 2,
    }  # fmt: skip
    hooks = KeySet.objects.order_by("hook").values_list("hook", "status")
    assert list(hooks) == [(2, KeyStatus.RETURNED), (3, KeyStatus.HELD), (7, KeyStatus.HELD)]
    assert StayVisit.objects.exclude(incident="").filter(called_at=None).count() == 1


def test_people_said_how_it_went_and_two_wait_for_a_call(now, tilleuls):
    faces = Counter(Opinion.objects.values_list("face", flat=True))
    assert faces["happy"] > faces[""] / 2 > faces["unhappy"] > calls_to_make(tilleuls).count() == 2
    assert len(by_month(Place.objects.all(), now.date() - timedelta(days=120), now.date())) > 5


def test_what_always_holds_holds_in_the_town(now):
    assert [line for one in all_invariants() for line in one.violations()] == []


def test_loading_again_changes_nothing(now):
    before = {model: model.objects.count() for model in watched()}
    assert town.load(now + timedelta(hours=3)) is False
    assert {model: model.objects.count() for model in watched()} == before


def watched() -> list[Any]:
    labels = {"club", "concierge", "cms", "events", "wagtailcore"}
    return [
        model for model in apps.get_models()
        if model._meta.app_label in labels and model.__name__ != "ReferenceIndex"
    ]  # fmt: skip


def test_the_town_knows_its_age_and_that_it_is_alone(now):
    assert town.age_in_days(now + timedelta(days=3)) == 3
    assert town.stands_alone()
    from tests.factories.club import LandlordFactory

    LandlordFactory(slug="other", name="Autre")
    assert not town.stands_alone()
