"""Messages of the provider: signed, kept once, answered at once, worked off in any order."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from stripe.params import _webhook_endpoint_create_params as event_names

from club.domain import provider_events
from club.domain.housekeeping import tidy
from club.gateway import LISTENED
from club.models import Household, LedgerEntry, Member, ProviderEvent
from club.tasks import sweep_payments
from concierge.enums import SubscriptionStatus
from concierge.models import Plan, Subscription, SubscriptionPeriod
from tests.club.payments.house import House, entries
from tests.stripesim.delivery import sign

URL = "/stripe/webhook/"


def post(client: Client, house: House, body: bytes, *, skew: int = 0, secret: str = "") -> int:
    stamp = int(house.now.timestamp()) + skew
    header = sign(body, secret or house.sim.secret, stamp)
    answer = client.post(
        URL, body, content_type="application/json", headers={"Stripe-Signature": header}
    )
    return answer.status_code


def messages(house: House) -> list[bytes]:
    """What the provider would send, the oldest first."""
    found = [event for event in house.objects("events") if event.type in LISTENED]
    return [as_sent(event) for event in found][::-1]


def as_sent(event: Any) -> bytes:
    return json.dumps(event.to_dict(), default=str).encode()


@pytest.fixture
def paid(house: House, samira: Member, plan: Plan) -> Subscription:
    """Paid there, and nobody has told us."""
    subscription = house.subscribe(samira, plan)
    house.pay(house.begin(samira, subscription))
    house.forget()
    return subscription


def status_of(subscription: Subscription) -> str:
    subscription.refresh_from_db()
    return subscription.status


def test_one_message_is_kept_and_answered_before_it_is_handled(
    house: House, paid: Subscription, client: Client
) -> None:
    body = messages(house)[-1]
    assert post(client, house, body) == 200
    assert house.tasks() == ["club.tasks.handle_event"]
    assert status_of(paid) == SubscriptionStatus.PENDING
    house.work()
    assert status_of(paid) == SubscriptionStatus.ACTIVE
    assert ProviderEvent.objects.get().done_at == house.now


def test_a_message_that_comes_twice_is_kept_once(
    house: House, paid: Subscription, client: Client, household: Household
) -> None:
    body = messages(house)[-1]
    assert [post(client, house, body) for _ in range(3)] == [200, 200, 200]
    assert len(house.tasks()) == 1
    house.work()
    assert post(client, house, body) == 200
    assert house.tasks() == []
    assert entries(household) == [("payment", 1200), ("charge", -1200)]


@pytest.mark.parametrize("turned", [False, True])
def test_all_messages_in_either_order_are_one_payment(
    house: House, paid: Subscription, client: Client, household: Household, turned: bool
) -> None:
    bodies = messages(house)
    assert len(bodies) >= 4
    for body in bodies[::-1] if turned else bodies:
        assert post(client, house, body) == 200
        house.work()
    assert entries(household) == [("payment", 1200), ("charge", -1200)]
    assert SubscriptionPeriod.objects.count() == 1
    assert not ProviderEvent.objects.filter(done_at=None).exists()


def test_one_reading_handles_all_that_had_come(
    house: House, paid: Subscription, client: Client
) -> None:
    for body in messages(house):
        post(client, house, body)
    before = len(house.calls("GET", "/v1/charges"))
    house.work()
    assert len(house.calls("GET", "/v1/charges")) - before == 1


def test_a_message_that_never_comes_is_fetched(
    house: House, paid: Subscription, household: Household
) -> None:
    house.pass_time(hours=1)
    assert provider_events.fetch_lost(house.now) > 0
    house.work()
    assert status_of(paid) == SubscriptionStatus.ACTIVE
    assert provider_events.fetch_lost(house.now) == 0


def test_a_message_two_months_late_changes_nothing_more(
    house: House, paid: Subscription, client: Client, household: Household
) -> None:
    late = messages(house)[0]
    house.hear()
    house.pass_time(days=60)
    before = entries(household)
    ProviderEvent.objects.all().delete()
    assert post(client, house, late) == 200
    house.work()
    assert entries(household) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "whsec_somebody_else"},
        {"skew": -3600},
        {"skew": 3600},
    ],
    ids=["secret", "old", "future"],
)
def test_what_is_not_signed_now_by_the_provider_is_refused(
    house: House, paid: Subscription, client: Client, wrong: dict[str, Any]
) -> None:
    assert post(client, house, messages(house)[-1], **wrong) == 400
    assert ProviderEvent.objects.count() == 0


@pytest.mark.parametrize(
    "header", ["", "t=abc,v1=00", "v1=00", "t=1", "nonsense", "t=99999999999999999999,v1=0"]
)
def test_a_header_that_is_none_is_refused(house: House, client: Client, header: str) -> None:
    answer = client.post(
        URL, b"{}", content_type="application/json", headers={"Stripe-Signature": header}
    )
    assert answer.status_code == 400


def test_a_changed_body_is_refused(house: House, paid: Subscription, client: Client) -> None:
    body = messages(house)[-1]
    header = sign(body, house.sim.secret, int(house.now.timestamp()))
    answer = client.post(
        URL, body + b" ", content_type="application/json", headers={"Stripe-Signature": header}
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[]", b"{}", b"nonsense", b'{"object": "event"}'])
def test_signed_nonsense_is_refused(house: House, client: Client, body: bytes) -> None:
    if body == b"\xff\xfe":
        header = "t=1,v1=0"
        answer = client.post(
            URL, body, content_type="application/json", headers={"Stripe-Signature": header}
        )
        assert answer.status_code == 400
    else:
        assert post(client, house, body) == 400


def test_a_body_beyond_256_kib_is_refused(house: House, client: Client) -> None:
    assert post(client, house, b" " * (256 * 1024 + 1)) == 413


def test_without_keys_there_is_no_such_page(client: Client, settings: Any, db: None) -> None:
    settings.STRIPE_WEBHOOK_SECRET = ""
    assert client.post(URL, b"{}", content_type="application/json").status_code == 404


def test_only_a_post_is_answered(house: House, client: Client) -> None:
    assert client.get(URL).status_code == 405


def test_an_unknown_customer_is_kept_and_done_with_a_note(house: House, client: Client) -> None:
    from club import gateway

    gateway.make_customer(4711, "somebody")
    assert post(client, house, as_sent(house.objects("events")[0])) == 200
    house.work()
    event = ProviderEvent.objects.get()
    assert (event.done_at, event.error) == (house.now, "Unknown customer.")


def test_the_provider_down_the_message_waits_and_the_sweeper_comes_back(
    house: House, paid: Subscription, client: Client
) -> None:
    post(client, house, messages(house)[-1])
    house.sim.control("faults", rules=[{"kind": "before_write", "times": 6, "method": "GET"}])
    with pytest.raises(Exception, match="APIError"):
        house.work()
    house.forget()
    event = ProviderEvent.objects.get()
    assert (event.done_at, event.attempts) == (None, 1)
    assert event.error.startswith("Unavailable")
    house.sim.control("faults", clear=True)
    sweep_payments(house.now + timedelta(minutes=3))
    assert status_of(paid) == SubscriptionStatus.ACTIVE


def test_a_message_whose_task_died_with_its_worker_is_swept(
    house: House, paid: Subscription, client: Client
) -> None:
    post(client, house, messages(house)[-1])
    house.forget()
    sweep_payments(house.now + timedelta(seconds=30))
    assert status_of(paid) == SubscriptionStatus.PENDING
    sweep_payments(house.now + timedelta(seconds=90))
    assert status_of(paid) == SubscriptionStatus.ACTIVE


def test_a_dispute_that_names_no_customer_finds_it(
    house: House, paid: Subscription, client: Client, household: Household
) -> None:
    house.hear()
    payment = LedgerEntry.objects.get(kind="payment").source.removeprefix("stripe:")
    house.sim.control("dispute", payment_intent=payment)
    created = next(x for x in house.objects("events") if x.type == "charge.dispute.created")
    assert post(client, house, as_sent(created)) == 200
    house.work()
    event = ProviderEvent.objects.get(event_id=created.id)
    assert event.customer == household.customer.provider_id
    assert LedgerEntry.objects.filter(kind="dispute", cents=-1200).exists()


def test_handled_messages_are_forgotten_after_a_while_and_others_kept(
    house: House, paid: Subscription
) -> None:
    house.hear()
    old = ProviderEvent.objects.order_by("pk")[0]
    waiting = ProviderEvent.objects.order_by("pk")[1]
    ProviderEvent.objects.filter(pk=old.pk).update(done_at=house.now - timedelta(days=91))
    ProviderEvent.objects.filter(pk=waiting.pk).update(
        done_at=None, received_at=house.now - timedelta(days=91)
    )
    before = ProviderEvent.objects.count()
    tidy(house.now)
    assert ProviderEvent.objects.count() == before - 1
    assert not ProviderEvent.objects.filter(pk=old.pk).exists()


def test_every_message_listened_to_exists_at_the_provider() -> None:
    """As the installed SDK names them: an upgrade that renames one fails here."""
    assert len(LISTENED) == len(set(LISTENED)) <= 20
    source = Path(event_names.__file__).read_text()
    unknown = [name for name in LISTENED if f"{name}'" not in source and f'{name}"' not in source]
    assert unknown == []
