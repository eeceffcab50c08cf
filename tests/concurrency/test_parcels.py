"""Two desks at one second: a label is received once, a parcel handed over once."""

from datetime import datetime
from typing import Any

import pytest

from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.models import LogEntry, Member, User
from concierge.domain.parcels import (
    hand_over_parcel,
    name_proxy,
    receive_parcel,
    send_back,
    undo_hand_over,
)
from concierge.enums import ParcelStatus
from concierge.models import Parcel, Proxy
from tests.concurrency.conftest import accepted, unexpected
from tests.factories.parcels import ParcelFactory, ParcelPolicyFactory

pytestmark = pytest.mark.django_db(transaction=True)

CODE = "6A12345678901"
DESKS = 6


def broken() -> list[str]:
    return [line for one in all_invariants() for line in one.violations()]


def codes(answers: list[Any]) -> set[str]:
    return {code for answer in answers if isinstance(answer, Refused) for code in answer.codes}


def test_one_label_scanned_at_six_desks_is_one_parcel(
    member: Member, race: Any, now: datetime
) -> None:
    ParcelPolicyFactory(place=member.place)

    def receive(number: int) -> Parcel:
        return receive_parcel(place=member.place, member=member, tracking=CODE, by=None, now=now)

    answers = race(receive, list(range(DESKS)))
    assert unexpected(answers) == []
    assert len(accepted(answers)) == Parcel.objects.count() == 1
    assert codes(answers) == {"is_here"}
    assert broken() == []


def test_one_parcel_is_handed_over_once(
    member: Member, concierge_user: User, race: Any, now: datetime
) -> None:
    parcel = ParcelFactory(member=member)
    LogEntry.objects.create(
        subject_kind="parcel", subject_id=parcel.pk, verb="receive", at=now, facts={"to": "waiting"}
    )
    verbs = [
        lambda: hand_over_parcel(parcel, member, by=concierge_user, now=now),
        lambda: send_back(parcel, by=concierge_user, now=now),
    ] * 3
    answers = race(lambda verb: verb(), verbs)
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 1
    assert codes(answers) == {"wrong_state"}
    assert broken() == []


def test_an_undo_and_the_same_label_again_leave_one_that_waits(
    member: Member, concierge_user: User, race: Any, now: datetime
) -> None:
    ParcelPolicyFactory(place=member.place)

    def receive() -> Parcel:
        return receive_parcel(place=member.place, member=member, tracking=CODE, by=None, now=now)

    first = hand_over_parcel(receive(), member, by=concierge_user, now=now)
    answers = race(
        lambda verb: verb(),
        [lambda: undo_hand_over(first, by=concierge_user, now=now), receive, receive],
    )
    assert unexpected(answers) == []
    assert Parcel.objects.filter(status=ParcelStatus.WAITING).count() == 1
    assert broken() == []


def test_a_list_of_five_never_has_six(member: Member, race: Any, now: datetime) -> None:
    answers = race(
        lambda number: name_proxy(member, f"P{number}", "Diallo", by=member.user, now=now),
        list(range(8)),
    )
    assert unexpected(answers) == []
    assert Proxy.objects.count() == 5
    assert codes(answers) == {"too_many"}
