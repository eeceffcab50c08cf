"""The register of keys: received, taken out, given back once, lost; one bunch a hook."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from dateutil.relativedelta import relativedelta
from django.db import connection

from club.domain.erasure import erase_member
from club.kernel.invariants import all_invariants
from club.kernel.purchases import due_of
from club.kernel.refusal import Refused
from club.models import LogEntry, Member, Message, Place
from concierge.domain.keys import (
    change_hook,
    give_back,
    hang_again,
    mark_lost,
    put_back,
    receive_keys,
    signature_of,
    take_out,
)
from concierge.domain.stay_personal import forget_old_pictures
from concierge.domain.stays import cancel_stay, end_stay
from concierge.enums import KeyReason
from concierge.models import KeySet, Proxy, Stay
from concierge.queries.stays import lowest_free_hook
from tests.factories.club import NOW, MemberFactory, PlaceFactory
from tests.factories.services import client_of, on
from tests.factories.stays import KeySetFactory, StayFactory, StayServiceFactory, drawn


@pytest.fixture(autouse=True)
def unbroken(db: None) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield
    assert [line for one in all_invariants() for line in one.violations()] == []


@pytest.fixture
def samira(place: Place) -> Member:
    return client_of(place)


@pytest.fixture
def stay(place: Place, samira: Member) -> Stay:
    return StayFactory(service=StayServiceFactory(place=place), member=samira)


@pytest.fixture
def receive(samira: Member, concierge_user: Any) -> Callable[..., KeySet]:
    def received(**more: Any) -> KeySet:
        asked: dict[str, Any] = {
            "place": samira.place, "member": samira, "hook": 1, "reason": KeyReason.SPARE,
            "on_paper": True, "by": concierge_user, "now": NOW,
        }  # fmt: skip
        return receive_keys(**(asked | more))

    return received


def refused(call: Callable[[], Any]) -> list[str]:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.codes


# -- Receiving ---------------------------------------------------------------------------------


def test_keys_are_received_against_a_signature(receive, samira):
    keys = receive(on_paper=False, signature=signature_of(drawn()), pieces=3)
    assert (keys.status, keys.hook, keys.pieces, keys.received_on_paper) == ("held", 1, 3, False)
    assert keys.received_signature.size > 100
    assert list(Message.objects.values_list("event", "member")) == [("keys.received", samira.pk)]
    on_paper = receive(hook=2)
    assert (on_paper.received_on_paper, bool(on_paper.received_signature)) == (True, False)
    assert refused(lambda: receive(hook=3, on_paper=False)) == ["unsigned"]
    assert KeySet.objects.count() == 2


def test_an_empty_sheet_is_no_signature():
    assert signature_of("") is None
    assert signature_of(drawn(blank=True)) is None
    for text in ("data:image/png;base64,AAAA", "<svg>", drawn()[:-9], "data:image/png;base64,é"):
        assert refused(lambda text=text: signature_of(text)) == ["signature_unreadable"]
    assert refused(lambda: signature_of("data:image/png;base64," + "A" * 500_000)) == [
        "signature_unreadable"
    ]


def test_a_hook_holds_one_bunch_and_the_lowest_free_is_told(receive, samira):
    receive()
    receive(hook=3)
    with pytest.raises(Refused) as caught:
        receive(hook=3)
    assert caught.value.codes == ["hook_taken"]
    assert caught.value.reasons[0].facts == {"free": 2}
    assert lowest_free_hook(samira.place) == 2
    assert lowest_free_hook(PlaceFactory(landlord=samira.place.landlord)) == 1
    for wrong in ({"hook": 0}, {"hook": 1000}, {"hook": 2, "pieces": 31}):
        assert refused(lambda wrong=wrong: receive(**wrong)) == ["number_wrong"]


def test_whose_and_what_for(receive, stay, place):
    assert refused(lambda: receive(reason=KeyReason.STAY)) == ["stay_wrong"]
    assert refused(lambda: receive(stay=stay)) == ["stay_wrong"]
    assert refused(lambda: receive(reason="gift")) == ["reason_wrong"]
    other = client_of(place)
    assert refused(lambda: receive(member=other, reason=KeyReason.STAY, stay=stay)) == [
        "stay_wrong"
    ]
    far = client_of(PlaceFactory(landlord__slug="autre", landlord__name="Autre"))
    assert refused(lambda: receive(member=far)) == ["unknown_member"]


def test_with_its_keys_a_stay_runs_and_without_the_last_it_ends(receive, stay, concierge_user):
    first = receive(reason=KeyReason.STAY, stay=stay)
    second = receive(reason=KeyReason.STAY, stay=stay, hook=2)
    stay.refresh_from_db()
    assert stay.status == "running"
    assert refused(lambda: end_stay(stay, by=concierge_user, now=on(17, 9))) == ["keys_here"]
    take_out(second, by=concierge_user, now=on(17, 9))
    give_back(first, stay.member, on_paper=True, by=concierge_user, now=on(18, 9))
    stay.refresh_from_db()
    assert stay.status == "running", "One bunch is still here."
    give_back(second, stay.member, on_paper=True, by=concierge_user, now=on(18, 9.5))
    stay.refresh_from_db()
    assert (stay.status, stay.quantity) == ("ended", 3)
    assert [due.cents for due in due_of(stay.member.household, NOW)] == [900]
    hang_again(second, by=concierge_user, now=on(18, 10))
    stay.refresh_from_db()
    assert (stay.status, due_of(stay.member.household, NOW)) == ("running", [])
    assert stay.visits.exists()


def test_keys_that_go_back_before_the_first_day_end_nothing(receive, stay, concierge_user):
    keys = receive(reason=KeyReason.STAY, stay=stay)
    give_back(keys, stay.member, on_paper=True, by=concierge_user, now=NOW)
    stay.refresh_from_db()
    assert (stay.status, stay.running_at) == ("booked", None)
    hang_again(keys, by=concierge_user, now=NOW)
    stay.refresh_from_db()
    assert stay.status == "running"
    cancel_stay(stay, by=stay.member.user, now=NOW)
    keys.refresh_from_db()
    assert keys.status == "held", "They stay on their hook until they go back."


# -- Out, back, given back -----------------------------------------------------------------


def test_out_for_a_visit_and_back_on_the_hook(receive, concierge_user):
    keys = take_out(receive(), by=concierge_user, now=NOW)
    assert (keys.status, keys.out_by, keys.out_at) == ("out", concierge_user, NOW)
    assert refused(lambda: take_out(keys, by=concierge_user, now=NOW)) == ["wrong_state"]
    keys = put_back(keys, by=concierge_user, now=NOW)
    assert (keys.status, keys.out_at) == ("held", None)
    moved = change_hook(keys, 40, by=concierge_user, now=NOW)
    receive()
    assert moved.hook == 40
    assert refused(lambda: change_hook(moved, 1, by=concierge_user, now=NOW)) == ["hook_taken"]


def test_to_the_member_an_adult_of_the_home_or_a_named_person(receive, samira, concierge_user):
    marc = MemberFactory(place=samira.place, household=samira.household)
    aunt = Proxy.objects.create(
        member=samira, first_name="Awa", last_name="Diallo", named_at=NOW
    )  # fmt: skip
    for hook, to in enumerate((samira, marc, aunt), start=1):
        keys = receive(hook=hook)
        given = give_back(
            keys, to, signature=signature_of(drawn()), by=concierge_user, now=NOW
        )  # fmt: skip
        assert (given.returned_to, given.returned_by) == (str(to), concierge_user)
        assert given.returned_signature.size > 100
    stranger = MemberFactory(place=samira.place)
    keys = receive(hook=9)
    assert refused(
        lambda: give_back(keys, stranger, on_paper=True, by=concierge_user, now=NOW)
    ) == ["not_named"]
    assert refused(lambda: give_back(keys, samira, by=concierge_user, now=NOW)) == ["unsigned"]


def test_a_second_time_is_refused_with_who_and_when(receive, samira, concierge_user):
    keys = receive()
    give_back(keys, samira, on_paper=True, by=concierge_user, now=NOW)
    with pytest.raises(Refused) as caught:
        give_back(keys, samira, on_paper=True, by=concierge_user, now=NOW + timedelta(hours=1))
    assert caught.value.codes == ["given_back"]
    assert str(caught.value.reasons[0].text) == (
        "Ces clés sont déjà rendues\u00a0: à Samira Benali, mardi 9\u00a0mars à 10\u00a0h\u00a024."
    )
    for verb in (take_out, put_back, mark_lost):
        assert refused(lambda verb=verb: verb(keys, by=concierge_user, now=NOW)) == ["given_back"]
    assert LogEntry.objects.filter(verb="returned").count() == 1


def test_a_return_is_undone_on_its_day_alone(receive, samira, concierge_user):
    keys = receive()
    give_back(keys, samira, on_paper=True, by=concierge_user, now=NOW)
    later = NOW + timedelta(days=1)
    assert refused(lambda: hang_again(keys, by=concierge_user, now=later)) == ["too_late"]
    assert hang_again(keys, by=concierge_user, now=on(9, 19)).status == "held"
    mark_lost(keys, by=concierge_user, now=NOW)
    assert hang_again(keys, by=concierge_user, now=later).status == "held", "Found any day."


def test_undone_on_another_hook_where_the_first_is_taken(receive, samira, concierge_user):
    keys = receive()
    give_back(keys, samira, on_paper=True, by=concierge_user, now=NOW)
    receive()
    again = hang_again(keys, by=concierge_user, now=NOW)
    assert (again.status, again.hook, again.returned_to) == ("held", 2, "")
    assert refused(lambda: hang_again(again, by=concierge_user, now=NOW)) == ["wrong_state"]
    lost = mark_lost(again, by=concierge_user, now=NOW)
    assert (lost.status, lost.lost_at) == ("lost", NOW)
    assert Message.objects.filter(event="keys.lost").count() == 1
    assert refused(
        lambda: give_back(lost, samira, on_paper=True, by=concierge_user, now=NOW)
    ) == ["wrong_state"]  # fmt: skip
    assert hang_again(lost, by=concierge_user, now=NOW).lost_at is None


# -- People ------------------------------------------------------------------------------------


def test_nobody_is_erased_while_the_desk_holds_keys(receive, samira, concierge_user):
    keys = receive(signature=signature_of(drawn()), on_paper=False)
    assert "keys_here" in refused(lambda: erase_member(samira, by=concierge_user, now=NOW))
    give_back(keys, samira, on_paper=True, by=concierge_user, now=NOW)
    erase_member(samira, by=concierge_user, now=NOW)
    keys.refresh_from_db()
    assert (keys.returned_to, bool(keys.received_signature)) == ("", False)


def test_signatures_go_after_thirteen_months(receive, samira, concierge_user):
    keys = receive(signature=signature_of(drawn()), on_paper=False)
    held = KeySetFactory(member=samira, hook=77)
    give_back(keys, samira, on_paper=True, by=concierge_user, now=NOW)
    end = NOW + relativedelta(months=13)
    forget_old_pictures(end - timedelta(days=1))
    keys.refresh_from_db()
    assert keys.received_signature
    forget_old_pictures(end + timedelta(days=1))
    for one in (keys, held):
        one.refresh_from_db()
    assert (bool(keys.received_signature), keys.returned_to, held.status) == (False, "", "held")


def test_two_on_one_hook_are_seen(receive, samira, no_hook_rule):
    receive()
    KeySetFactory(member=samira, hook=1)
    found = [line for one in all_invariants() if one.name == "hooks" for line in one.violations()]
    assert found
    KeySet.objects.filter(hook=1).update(hook=2)
    KeySet.objects.filter(pk=KeySet.objects.latest("pk").pk).update(hook=3)


@pytest.fixture
def no_hook_rule(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX concierge_hook_once")
