"""Places at a session by the API: taken, waited for, changed, given back."""

from datetime import timedelta
from typing import Any

import pytest

from club.models import LogEntry, Message
from events.domain.registrations import cancel
from events.enums import RegistrationStatus
from events.models import Registration, Session
from tests.api.conftest import loan_body
from tests.factories.club import NOW, MemberFactory, PlaceFactory
from tests.factories.events import RegistrationFactory, SessionFactory


def body_for(session: Session, quantity: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "kind": "registration",
        "session": session.public_id,
        "quantity": quantity,
        **more,
    }


@pytest.fixture
def session(place: Any) -> Session:
    return SessionFactory(place=place)


@pytest.fixture
def full(place: Any) -> Session:
    """Four places, all taken by one family."""
    session = SessionFactory(place=place, capacity=4)
    RegistrationFactory(session=session, quantity=4)
    return session


def test_three_places_are_taken_with_their_log_and_message(api: Any, session: Session) -> None:
    answer = api.post("/bookings", body_for(session, 3))
    assert answer.status_code == 201
    made = Registration.objects.get()
    assert answer["Location"] == f"/api/v1/bookings/{made.reference}"
    assert answer.json() == {
        "kind": "registration",
        "reference": made.reference,
        "status": "confirmed",
        "place": "tilleuls",
        "session": session.public_id,
        "event": session.event.public_id,
        "title": "Atelier cuisine",
        "starts_at": "2027-03-16T09:24:00Z",
        "ends_at": "2027-03-16T11:24:00Z",
        "quantity": 3,
        "cents": 0,
        "position": None,
        "offer_ends_at": None,
        "pay_until": None,
        "created_at": "2027-03-09T09:24:00Z",
    }
    assert made.channel == "api"
    assert LogEntry.objects.filter(verb="register", channel="api").count() == 1
    assert Message.objects.get().event == "registration.confirmed"
    read = api.get(answer["Location"].removeprefix("/api/v1"))
    assert (read.content, read["ETag"]) == (answer.content, answer["ETag"])


def test_too_few_places_say_how_many_are_left(api: Any, session: Session) -> None:
    RegistrationFactory(session=session, quantity=10)
    answer = api.post("/bookings", body_for(session, 3))
    assert answer.status_code == 409
    problem = answer.json()
    assert (problem["code"], problem["places_left"]) == ("full", 2)
    assert problem["errors"][0]["field"] == "quantity"
    assert problem["errors"][0]["facts"]["can_wait"] is True


def test_a_turn_on_the_list_is_accepted_with_its_position(
    api: Any, other_api: Any, full: Session
) -> None:
    first = other_api.post("/bookings", body_for(full, 3, waiting_list=True))
    second = api.post("/bookings", body_for(full, 2, waiting_list=True, fewer_will_do=True))
    assert (first.status_code, second.status_code) == (202, 202)
    assert [one.json()["position"] for one in (first, second)] == [1, 2]
    assert second.json()["status"] == "waiting"
    assert Registration.objects.get(reference=second.json()["reference"]).fewer_ok


def test_waiting_where_there_are_places_takes_them(api: Any, session: Session) -> None:
    answer = api.post("/bookings", body_for(session, 2, waiting_list=True))
    assert (answer.status_code, answer.json()["status"]) == (201, "confirmed")


def test_an_offer_is_accepted_by_a_change(api: Any, full: Session) -> None:
    made = api.post("/bookings", body_for(full, 4, waiting_list=True)).json()
    holder = Registration.objects.exclude(reference=made["reference"]).get()
    cancel(holder, by=holder.member.user, now=NOW)
    path = f"/bookings/{made['reference']}"
    told = api.get(path).json()
    assert (told["status"], told["offer_ends_at"]) == ("offered", "2027-03-10T19:00:00Z")
    fewer = api.patch(path, {"quantity": 3})
    assert (fewer.status_code, fewer.json()["quantity"]) == (200, 3)
    taken = api.patch(path, {"accept": True})
    assert (taken.status_code, taken.json()["status"]) == (200, "confirmed")


def test_places_are_changed_and_the_date_too(api: Any, session: Session) -> None:
    other = SessionFactory(place=session.place, event=session.event, in_days=14)
    made = api.post("/bookings", body_for(session, 2)).json()
    path = f"/bookings/{made['reference']}"
    assert api.patch(path, {"quantity": 5}).json()["quantity"] == 5
    moved = api.patch(path, {"session": other.public_id})
    assert (moved.status_code, moved.json()["session"]) == (200, other.public_id)
    more = api.patch(path, {"quantity": 13})
    assert (more.status_code, more.json()["code"]) == (422, "more_than_capacity")


def test_another_date_that_is_full_changes_nothing(api: Any, session: Session) -> None:
    other = SessionFactory(place=session.place, event=session.event, in_days=14, capacity=1)
    made = api.post("/bookings", body_for(session, 2))
    path = f"/bookings/{made.json()['reference']}"
    answer = api.patch(path, {"session": other.public_id})
    assert (answer.status_code, answer.json()["code"]) == (409, "full")
    assert api.get(path).content == made.content


def test_cancelling_twice_is_a_conflict(api: Any, session: Session) -> None:
    path = f"/bookings/{api.post('/bookings', body_for(session)).json()['reference']}/cancel"
    assert api.post(path).json()["status"] == "cancelled"
    second = api.post(path)
    assert (second.status_code, second.json()["code"]) == (409, "wrong_state")
    assert api.post("/bookings", body_for(session)).status_code == 201


def test_no_registration_is_renewed(api: Any, session: Session) -> None:
    made = api.post("/bookings", body_for(session)).json()
    assert api.post(f"/bookings/{made['reference']}/renew").status_code == 404


@pytest.mark.parametrize("status", [201, 202])
def test_one_key_one_registration(api: Any, session: Session, full: Session, status: int) -> None:
    wanted = body_for(session, 3) if status == 201 else body_for(full, 3, waiting_list=True)
    first = api.post("/bookings", wanted, Idempotency_Key="k-1")
    again = api.post("/bookings", wanted, Idempotency_Key="k-1")
    assert first.status_code == again.status_code == status
    assert again.content == first.content
    assert again["Idempotent-Replayed"] == "true"
    assert Registration.objects.filter(member__isnull=False, channel="api").count() == 1


def test_the_same_session_twice_is_a_conflict(api: Any, session: Session) -> None:
    assert api.post("/bookings", body_for(session)).status_code == 201
    answer = api.post("/bookings", body_for(session))
    assert (answer.status_code, answer.json()["code"]) == (409, "already_registered")


def test_names_and_answers_are_asked_as_on_the_page(api: Any, session: Session) -> None:
    session.event.asks_names = True
    session.event.age_min = 6
    session.event.save()
    refused = api.post("/bookings", body_for(session, 2, people=[{"name": "Inès", "age": 4}]))
    assert refused.status_code == 422
    assert [one["code"] for one in refused.json()["errors"]] == ["names_missing", "too_young"]
    people = [{"name": "Samira"}, {"name": "Inès", "age": 8}]
    assert api.post("/bookings", body_for(session, 2, people=people)).status_code == 201
    assert Registration.objects.get().participants.count() == 2


def test_a_price_is_to_be_paid_first(api: Any, place: Any) -> None:
    session = SessionFactory(place=place, price_cents=300)
    made = api.post("/bookings", body_for(session, 2)).json()
    assert (made["status"], made["cents"]) == ("pending", 600)
    assert made["pay_until"] == "2027-03-11T09:24:00Z"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": 0}, "invalid"),
        ({"quantity": 10**20}, "invalid"),
        ({"quantity": 21}, "quantity_wrong"),
        ({"quantity": "deux"}, "invalid"),
        ({"session": "../autre"}, "invalid"),
        ({"session": "nulle-part"}, "unknown_session"),
        ({"people": [{"nom": "Inès"}]}, "invalid"),
        ({"people": [{"name": "a\x00b"}]}, "invalid"),
        ({"people": [{"name": "A"}] * 2}, "too_many_people"),
        ({"answers": [{"question": 10**12, "value": "yes"}]}, "invalid"),
        ({"kind": "slot"}, "invalid"),
    ],
)
def test_what_cannot_be_read_is_refused(
    api: Any, session: Session, changes: dict[str, Any], code: str
) -> None:
    answer = api.post("/bookings", body_for(session) | changes)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not Registration.objects.exists()


def test_another_landlords_session_is_unknown(api: Any) -> None:
    strange = PlaceFactory(slug="loin", landlord__slug="autre", landlord__name="Autre bailleur")
    answer = api.post("/bookings", body_for(SessionFactory(place=strange)))
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_session")


def test_nobody_changes_anothers_registration(api: Any, other_api: Any, session: Session) -> None:
    made = other_api.post("/bookings", body_for(session)).json()
    path = f"/bookings/{made['reference']}"
    assert api.get(path).status_code == 404
    assert api.patch(path, {"quantity": 2}).status_code == 404
    assert api.post(f"{path}/cancel").status_code == 404


def test_a_change_is_read_as_its_bookings_kind(
    api: Any, session: Session, tool: Any, copy: Any
) -> None:
    loan = f"/bookings/{api.post('/bookings', loan_body(tool)).json()['reference']}"
    place = f"/bookings/{api.post('/bookings', body_for(session)).json()['reference']}"
    for path, wrong, field in (
        (loan, {"quantity": 2}, "starts_on"),
        (place, {"starts_on": "2027-03-16"}, "starts_on"),
        (loan, {"starts_on": "demain"}, "starts_on"),
        (place, {"quantity": 0}, "quantity"),
    ):
        answer = api.patch(path, wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert answer.json()["errors"][0]["field"] == field
    for wrong in ([], "oui", 3, None):
        assert api.patch(place, wrong).status_code in {400, 422}
    assert api.patch(place, {}).json()["code"] == "one_change"
    assert api.patch(place, {"quantity": 2, "accept": True}).json()["code"] == "one_change"
    assert api.patch(loan, {"starts_on": "2027-03-16"}).status_code == 200
    assert api.patch(place, {"quantity": 2}).status_code == 200


def test_if_match_holds_for_registrations_too(api: Any, session: Session) -> None:
    made = api.post("/bookings", body_for(session))
    path = f"/bookings/{made.json()['reference']}"
    assert api.patch(path, {"quantity": 2}, If_Match=made["ETag"]).status_code == 200
    late = api.patch(path, {"quantity": 3}, If_Match=made["ETag"])
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")


def test_bookings_of_both_kinds_are_one_list(
    api: Any, session: Session, tool: Any, copy: Any, member: Any
) -> None:
    api.post("/bookings", loan_body(tool))
    api.post("/bookings", body_for(session))
    RegistrationFactory(session=session, member=MemberFactory(place=session.place))
    page = api.get("/bookings?limit=1").json()
    rest = api.get(f"/bookings?limit=1&cursor={page['next']}").json()
    assert {page["items"][0]["kind"], rest["items"][0]["kind"]} == {"loan", "registration"}
    assert rest["next"] is None


def test_a_waiting_turn_is_told_by_its_reader_too(api: Any, full: Session) -> None:
    made = api.post("/bookings", body_for(full, 2, waiting_list=True))
    assert api.get(f"/bookings/{made.json()['reference']}").content == made.content
    late = full.starts_at - timedelta(hours=2)
    assert Registration.objects.get(status=RegistrationStatus.WAITING).starts_at > late
