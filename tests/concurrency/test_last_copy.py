"""Invariant 1: a copy has at most one claim on any instant."""

import subprocess
import sys
import threading
from datetime import date, timedelta

import pytest
from django.db import connection, transaction

from club.kernel import guards
from concierge.domain.lending import hand_over, reserve_tool, take_back
from concierge.enums import HOLDING, LoanStatus
from concierge.guards import ONE_CLAIM
from concierge.models import Copy, Loan
from tests.concurrency.conftest import accepted, unexpected
from tests.factories.club import NOW, AssignmentFactory, MemberFactory, PlaceFactory, RightFactory
from tests.factories.concierge import CopyFactory, PolicyFactory, ToolFactory

pytestmark = pytest.mark.django_db(transaction=True)
WEDNESDAY = date(2027, 3, 10)
PEOPLE = 8


@pytest.fixture
def shelf():
    place = PlaceFactory()
    PolicyFactory(place=place, limit=50)
    place.refresh_from_db()
    tool = ToolFactory(landlord=place.landlord)
    copy = CopyFactory(tool=tool, place=place)
    members = []
    for _ in range(PEOPLE):
        member = MemberFactory(place=place)
        RightFactory(household=member.household)
        members.append(member)
    return place, tool, copy, members


def overlaps() -> int:
    """Pairs of claims on one copy that run at the same instant."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM concierge_loan a JOIN concierge_loan b"
            " ON a.copy_id = b.copy_id AND a.id < b.id"
            " AND a.starts_at < b.held_until AND b.starts_at < a.held_until"
            " WHERE a.status IN ('reserved', 'ready', 'out')"
            " AND b.status IN ('reserved', 'ready', 'out')"
        )
        return cursor.fetchone()[0]


def reserving(shelf, starts_on=WEDNESDAY):
    place, tool, _copy, _members = shelf
    return lambda member: reserve_tool(
        member=member, tool=tool, place=place, starts_on=starts_on, by=member.user, now=NOW
    )


def check_then_insert(shelf, gate):
    """What a booking looks like without the guard: look, think, write."""
    place, tool, copy, _members = shelf

    def call(member):
        with transaction.atomic():
            free = not Loan.objects.filter(copy=copy, status__in=HOLDING).exists()
            if connection.vendor == "postgresql":
                gate.wait(timeout=10)
            if free:
                Loan.objects.create(
                    member=member,
                    tool=tool,
                    copy=copy,
                    place=place,
                    starts_at=NOW,
                    pickup_ends_at=NOW,
                    ends_at=NOW + timedelta(days=7),
                    held_until=NOW + timedelta(days=7),
                    due_on=WEDNESDAY,
                    created_at=NOW,
                )

    return call


def test_without_the_guard_the_last_copy_is_promised_twice(shelf, race, seed):
    """The race is real. On SQLite a write transaction excludes the others from its
    first read on (BEGIN IMMEDIATE), so there the read stands outside it."""
    guards.remove(ONE_CLAIM)
    try:
        place, tool, copy, members = shelf
        if connection.vendor == "postgresql":
            race(check_then_insert(shelf, threading.Barrier(PEOPLE)), members)
        else:
            gate = threading.Barrier(PEOPLE)

            def read_outside(member):
                free = not Loan.objects.filter(copy=copy, status__in=HOLDING).exists()
                gate.wait(timeout=10)
                if free:
                    check_then_insert_row(member)

            def check_then_insert_row(member):
                Loan.objects.create(
                    member=member,
                    tool=tool,
                    copy=copy,
                    place=place,
                    starts_at=NOW,
                    pickup_ends_at=NOW,
                    ends_at=NOW + timedelta(days=7),
                    held_until=NOW + timedelta(days=7),
                    due_on=WEDNESDAY,
                    created_at=NOW,
                )

            race(read_outside, members)
        assert overlaps() > 0
    finally:
        Loan.objects.all().delete()
        guards.install(only=ONE_CLAIM)


def test_the_database_itself_refuses_the_second_claim(shelf, race, seed):
    """The guard alone, without the verb: the writes race, one stays."""
    if connection.vendor == "postgresql":
        answers = race(check_then_insert(shelf, threading.Barrier(PEOPLE)), shelf[3])
        assert len(accepted(answers)) == 1
    assert overlaps() == 0


def test_one_of_many_gets_the_last_copy_and_the_others_are_told(shelf, race, seed):
    answers = race(reserving(shelf), shelf[3])
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 1
    refusals = [answer for answer in answers if isinstance(answer, Exception)]
    assert {tuple(refusal.codes) for refusal in refusals} == {("taken",)}
    assert all(refusal.reasons[0].facts["next_free"] for refusal in refusals)
    assert overlaps() == 0


def test_different_weeks_on_one_copy_all_fit(shelf, race, seed):
    place, tool, _copy, members = shelf
    weeks = [(member, WEDNESDAY + timedelta(days=8 * n)) for n, member in enumerate(members)]
    answers = race(
        lambda pair: reserve_tool(
            member=pair[0],
            tool=tool,
            place=place,
            starts_on=open_day(pair[1]),
            ends_on=open_day(pair[1]),
            by=pair[0].user,
            now=NOW,
        ),
        weeks,
    )
    assert unexpected(answers) == []
    assert len(accepted(answers)) == PEOPLE
    assert overlaps() == 0


def open_day(day):
    while day.weekday() in {0, 6}:
        day += timedelta(days=1)
    return day


def test_as_many_as_there_are_copies_get_one(shelf, race, seed):
    place, tool, _copy, members = shelf
    CopyFactory(tool=tool, place=place)
    CopyFactory(tool=tool, place=place)
    answers = race(reserving(shelf), members)
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 3
    assert len({loan.copy_id for loan in accepted(answers)}) == 3


def test_two_desks_hand_over_one_copy_once(shelf, race, seed):
    place, _tool, copy, members = shelf
    staff = AssignmentFactory(place=place).user
    answers = race(lambda member: hand_over(copy=copy, member=member, by=staff, now=NOW), members)
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 1
    assert Loan.objects.filter(status=LoanStatus.OUT).count() == 1


def test_two_desks_take_one_copy_back_once(shelf, race, seed):
    place, _tool, copy, members = shelf
    staff = AssignmentFactory(place=place).user
    hand_over(copy=copy, member=members[0], by=staff, now=NOW)
    answers = race(lambda _n: take_back(copy=copy, by=staff, now=NOW), list(range(4)))
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 1


def test_one_person_in_two_tabs_stays_within_the_limit(shelf, race, seed):
    """The limit counts what is reserved; two tabs at once may not slip past it."""
    place, _tool, _copy, members = shelf
    place.policies.update(limit=1)
    place.save()
    place.refresh_from_db()
    tools = [ToolFactory(landlord=place.landlord, name=f"Objet {n}") for n in range(4)]
    for tool in tools:
        CopyFactory(tool=tool, place=place)
    answers = race(
        lambda tool: reserve_tool(
            member=members[0],
            tool=tool,
            place=place,
            starts_on=WEDNESDAY,
            by=members[0].user,
            now=NOW,
        ),
        tools,
    )
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 1


PROCESS = """
import django, sys
django.setup()
from datetime import date
from django.db import connection
from club.kernel.refusal import Refused
from club.models import Member
from concierge.domain.lending import reserve_tool
from concierge.models import Tool
from tests.factories.club import NOW
member = Member.objects.get(pk=int(sys.argv[1]))
sys.stdin.readline()
try:
    reserve_tool(member=member, tool=Tool.objects.get(), place=member.place,
                 starts_on=date(2027, 3, 10), by=member.user, now=NOW)
    print("booked")
except Refused as refused:
    print(refused.codes[0])
"""


def test_processes_at_once_get_one_too(shelf, seed, tmp_path):
    import os

    from django.conf import settings

    name = connection.settings_dict["NAME"]
    if connection.vendor == "postgresql":
        values = connection.settings_dict
        url = f"postgres://{values['USER']}@{values['HOST']}:{values['PORT']}/{name}"
    elif "memory" in str(name):
        pytest.fail("The suite must run SQLite in a file: two processes cannot share memory.")
    else:
        url = f"sqlite:///{name}"
    environment = os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "VAR_DIR": str(tmp_path),
        "PYTHONPATH": str(settings.BASE_DIR),
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(member.pk)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for member in shelf[3][:4]
    ]
    outputs = [process.communicate("go\n", timeout=120)[0].strip() for process in processes]
    assert sorted(outputs) == ["booked", "taken", "taken", "taken"]
    assert overlaps() == 0


def test_a_claim_cannot_be_moved_onto_another_by_hand(shelf):
    """The guard watches updates too, whoever writes them."""
    from django.db import IntegrityError

    place, tool, copy, members = shelf
    other = CopyFactory(tool=tool, place=place)
    first = reserving(shelf)(members[0])
    second = reserving(shelf)(members[1])
    assert {first.copy_id, second.copy_id} == {copy.pk, other.pk}
    with pytest.raises(IntegrityError), transaction.atomic():
        Loan.objects.filter(pk=second.pk).update(copy_id=first.copy_id)
    assert Copy.objects.count() == 2
