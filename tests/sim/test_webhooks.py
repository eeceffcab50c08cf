"""Signed webhooks, and what may happen to them on the way."""

import socket
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
import stripe

from tests.sim.receiver import Receiver
from tests.sim.shop import Shop
from tests.stripesim.process import SimError

SECRET = "whsec_stripesim"


@pytest.fixture
def listening(shop: Shop, receiver: Receiver) -> Receiver:
    shop.sim.control("webhook", url=receiver.url)
    return receiver


def settled(shop: Shop) -> None:
    assert shop.sim.control("wait") == {"idle": True}


def test_each_event_comes_once_signed_and_in_order(shop: Shop, listening: Receiver) -> None:
    shop.subscribe()
    settled(shop)
    got = [x.event(SECRET) for x in listening.got]
    assert [event.type for event in got] == shop.events()
    assert {event.api_version for event in got} == {stripe.api_version}
    paid = next(event for event in got if event.type == "invoice.paid")
    kept = shop.v1.events.retrieve(paid.id)
    assert kept.data.object.to_dict() == paid.data.object.to_dict()
    assert kept.pending_webhooks == 0


def test_another_secret_does_not_fit(shop: Shop, listening: Receiver) -> None:
    shop.customer()
    settled(shop)
    with pytest.raises(stripe.SignatureVerificationError):
        listening.got[0].event("whsec_other")


def test_an_endpoint_with_its_own_secret_and_events(shop: Shop, receiver: Receiver) -> None:
    wanted = {"secret": "whsec_own", "enabled_events": ["invoice.*", "checkout.session.completed"]}
    shop.sim.control("webhook", url=receiver.url, **wanted)
    shop.subscribe()
    settled(shop)
    assert [x.event("whsec_own").type for x in receiver.got] == [
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        "checkout.session.completed",
    ]


def test_a_change_tells_what_was_there(shop: Shop) -> None:
    customer = shop.customer()
    shop.v1.customers.update(customer.id, {"name": "Leïla B."}, {"idempotency_key": "k1"})
    event = shop.v1.events.list({"type": "customer.updated"}).data[0]
    assert event.data.previous_attributes.to_dict() == {"name": "Leïla"}
    assert event.data.object["name"] == "Leïla B."
    assert event.request.idempotency_key == "k1"
    assert event.request.id.startswith("req_")
    shop.v1.customers.update(customer.id, {"name": "Leïla B."})
    assert len(shop.v1.events.list({"type": "customer.updated"}).data) == 1


def test_events_are_listed_by_type_and_time(shop: Shop) -> None:
    shop.at("2027-03-10T10:00:00")
    shop.customer()
    shop.at("2027-03-11T10:00:00")
    shop.subscribe()
    now = shop.sim.control("clock")["now"]
    recent = shop.v1.events.list({"created": {"gte": now}, "limit": 100}).data
    assert len(recent) == 16
    assert len(shop.v1.events.list({"created": {"lt": now}}).data) == 1
    named = {"types": ["invoice.paid", "customer.created"], "limit": 100}
    assert [x.type for x in shop.v1.events.list(named).data] == [
        "invoice.paid",
        "customer.created",
        "customer.created",
    ]
    assert {x.type for x in shop.v1.events.list({"type": "charge.*"}).data} == {"charge.succeeded"}


def test_events_are_gone_after_thirty_days(shop: Shop) -> None:
    shop.customer()
    event = shop.v1.events.list().data[0]
    shop.advance(days=29)
    assert shop.v1.events.retrieve(event.id).type == "customer.created"
    shop.advance(days=2)
    assert shop.v1.events.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such event"):
        shop.v1.events.retrieve(event.id)
    shop.sim.control("mode", event_days=None)
    assert shop.v1.events.list().data[0].id == event.id


def test_a_failure_is_tried_again(shop: Shop, listening: Receiver) -> None:
    shop.sim.control("delivery", retry_seconds=0.01)
    listening.answers[:] = [500, 503]
    shop.customer()
    settled(shop)
    assert len({x.event(SECRET).id for x in listening.got}) == 1
    assert len(listening.got) == 3
    assert shop.sim.control("state")["lost"] == []


def test_a_delivery_given_up_stays_in_the_list(shop: Shop, listening: Receiver) -> None:
    shop.sim.control("delivery", retries=1, retry_seconds=0.01)
    listening.answers[:] = [500, 500]
    shop.customer()
    settled(shop)
    event = shop.v1.events.list({"delivery_success": False}).data[0]
    assert event.pending_webhooks == 1
    assert shop.sim.control("state")["lost"] == [event.id]


def test_nobody_listens(shop: Shop) -> None:
    shop.sim.control("delivery", retries=0)
    shop.sim.control("webhook", url="http://127.0.0.1:9/hook")
    shop.customer()
    settled(shop)
    assert [x["status"] for x in shop.sim.control("deliveries")] == [0]


def test_drops_and_duplicates_are_drawn_from_the_seed(shop: Shop, listening: Receiver) -> None:
    shop.sim.control("delivery", seed=3, rates={"drop": 0.3, "duplicate": 0.3})
    for i in range(30):
        shop.customer(name=f"n{i}")
    settled(shop)
    lost = shop.sim.control("state")["lost"]
    counts = Counter(x.event(SECRET).id for x in listening.got)
    assert (len(counts) + len(lost), len(set(lost) & set(counts))) == (30, 0)
    assert 2 < len(lost) < 20
    assert set(counts.values()) == {1, 2}


def test_reordering(shop: Shop, listening: Receiver) -> None:
    shop.sim.control("delivery", seed=5, rates={"reorder": 0.8}, max_delay=0.2)
    shop.subscribe()
    settled(shop)
    told = shop.events()
    got = [x.event(SECRET).type for x in listening.got]
    assert got != told
    assert sorted(got) == sorted(told)


def test_as_many_at_once_as_control_says(shop: Shop, listening: Receiver) -> None:
    shop.sim.control("delivery", workers=4)
    shop.subscribe()
    settled(shop)
    before = len(listening.got)
    shop.sim.control("delivery", workers=1)
    for _ in range(3):
        shop.subscribe()
    settled(shop)
    got = [x.event(SECRET).type for x in listening.got[before:]]
    assert got == shop.events()[before:]


def test_a_corrupted_copy_comes_before_the_good_one(shop: Shop, listening: Receiver) -> None:
    shop.sim.control("delivery", rates={"corrupt": 1.0})
    shop.customer()
    settled(shop)
    bad, good = listening.got
    with pytest.raises(stripe.SignatureVerificationError):
        bad.event(SECRET)
    assert good.event(SECRET).type == "customer.created"


def test_held_events_leave_by_hand_in_any_order(shop: Shop, listening: Receiver) -> None:
    shop.sim.control("delivery", mode="hold")
    shop.subscribe()
    assert listening.got == []
    held = shop.sim.control("held")
    assert [x["type"] for x in held] == shop.events()
    for one in held[::-1][:3]:
        shop.sim.control("deliver", event=one["id"])
    assert [x.event(SECRET).id for x in listening.got] == [x["id"] for x in held[::-1][:3]]
    shop.sim.control("deliver", type="invoice.paid", times=3)
    assert Counter(x.type for x in listening.got)["invoice.paid"] == 3
    rest = shop.sim.control("deliver")["sent"]
    sent_by_hand = {held[-1]["id"], held[-2]["id"], held[-3]["id"]}
    assert len(rest) == len(held) - len(sent_by_hand) - 1
    assert shop.sim.control("held") == []


def test_held_events_leave_together_when_the_mode_changes(shop: Shop, listening: Receiver) -> None:
    shop.sim.control("delivery", mode="hold")
    shop.customer()
    shop.sim.control("delivery", mode="now")
    settled(shop)
    assert [x.type for x in listening.got] == ["customer.created"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"corrupt": "signature"},
        {"corrupt": "body"},
        {"stale_timestamp": True},
        {"secret": "whsec_somebody"},
    ],
)
def test_what_a_receiver_must_refuse(
    shop: Shop, listening: Receiver, wrong: dict[str, object]
) -> None:
    shop.sim.control("delivery", mode="hold")
    shop.subscribe()
    shop.sim.control("deliver", type="invoice.paid", **wrong)
    with pytest.raises(stripe.SignatureVerificationError):
        listening.got[0].event(SECRET)


def test_a_stamp_from_the_future(shop: Shop, listening: Receiver) -> None:
    """The SDK takes it; a receiver of ours must look at it."""
    shop.sim.control("delivery", mode="hold")
    shop.customer()
    shop.sim.control("deliver", future_timestamp=True)
    stamp = int(listening.got[0].signature.split(",")[0].removeprefix("t="))
    assert 3_500 < stamp - time.time() < 3_700


def test_the_stamp_follows_the_server_s_clock_when_asked(shop: Shop, listening: Receiver) -> None:
    shop.sim.control("mode", signature_clock="sim")
    shop.advance(days=30)
    shop.customer()
    settled(shop)
    stamp = int(listening.got[0].signature.split(",")[0].removeprefix("t="))
    assert 29 * 86_400 < stamp - time.time() < 31 * 86_400


def test_a_test_that_travels_takes_the_server_along(shop: Shop, listening: Receiver) -> None:
    moment = datetime(2024, 2, 29, 12, tzinfo=UTC)
    shop.sim.at(moment)
    assert 0 <= shop.customer().created - moment.timestamp() < 60
    settled(shop)
    stamp = int(listening.got[0].signature.split(",")[0].removeprefix("t="))
    assert 0 <= stamp - moment.timestamp() < 60
    shop.subscribe()
    with pytest.raises(SimError, match="time does not go back"):
        shop.sim.at(datetime(2024, 2, 28, tzinfo=UTC))


def test_any_body_can_be_sent_signed(shop: Shop, listening: Receiver) -> None:
    event = {"id": "evt_x", "object": "event", "type": "invoice.paid", "data": {"object": {}}}
    assert shop.sim.control("deliver", body=event) == {
        "sent": [{"event": "evt_x", "type": "invoice.paid", "status": 200}]
    }
    assert listening.got[0].event(SECRET).id == "evt_x"


def test_a_slow_receiver_does_not_hold_the_server(shop: Shop) -> None:
    """The address takes the connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        shop.sim.control("delivery", timeout=2, retries=0)
        shop.sim.control("webhook", url=f"http://127.0.0.1:{deaf.getsockname()[1]}/")
        shop.customer()
        began = time.monotonic()
        shop.customer()
        assert time.monotonic() - began < 1.5
        settled(shop)


def test_a_mode_that_is_not_there(shop: Shop) -> None:
    with pytest.raises(SimError, match="unknown modes"):
        shop.sim.control("mode", sepa=1)
    with pytest.raises(SimError, match="sepa_pending_status is one of"):
        shop.sim.control("mode", sepa_pending_status="perhaps")
    with pytest.raises(SimError, match="http address"):
        shop.sim.control("webhook", url="https://shop.example/")
    with pytest.raises(SimError, match="mode is now or hold"):
        shop.sim.control("delivery", rates={"burn": 1})
    with pytest.raises(SimError, match="No control burn"):
        shop.sim.control("burn")
