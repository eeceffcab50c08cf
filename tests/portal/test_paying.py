"""The pages of paying on line: the price before, the state after, nothing of anybody else."""

import re
from typing import Any

import pytest
from django.test import Client

from club.enums import CheckoutStatus
from club.models import Checkout, Member
from concierge.models import Plan, Subscription
from tests.club.payments.conftest import clock, house, plan, stripesim, stripesim_process
from tests.club.payments.house import House
from tests.factories.club import MemberFactory

__all__ = ["clock", "house", "plan", "stripesim", "stripesim_process"]


@pytest.fixture
def asked(house: House, member: Member, plan: Plan) -> Subscription:
    return house.subscribe(member, plan)


def url(subscription: Subscription) -> str:
    return f"/mon-espace/payer/subscription/{subscription.pk}/"


def form_action(answer: Any) -> str:
    policy = answer["Content-Security-Policy"]
    return str(re.search(r"form-action ([^;]*)", policy)[1])


def test_the_page_says_the_price_and_that_it_renews(signed_in: Client, asked: Subscription) -> None:
    answer = signed_in.get(url(asked))
    assert answer.status_code == 200
    assert "12\xa0€" in answer.text
    assert "Soit 1\xa0€ par mois." in answer.text
    assert "Prélevé chaque année, tout seul." in answer.text


def test_the_payment_host_is_in_the_policy_only_where_a_form_leads_there(
    signed_in: Client, asked: Subscription, house: House
) -> None:
    assert form_action(signed_in.get(url(asked))) == f"'self' {house.sim.base}"
    assert form_action(signed_in.get("/mon-espace/moyens-de-paiement/")).endswith(house.sim.base)
    assert form_action(signed_in.get("/mon-espace/")) == "'self'"


def test_a_press_leads_to_the_providers_page(
    signed_in: Client, asked: Subscription, house: House
) -> None:
    answer = signed_in.post(url(asked))
    assert answer.status_code == 303
    assert answer["Location"] == Checkout.objects.get().url
    assert answer["Location"].startswith(house.sim.base)


def test_a_provider_that_is_down_is_told_in_words_and_nothing_is_lost(
    signed_in: Client, asked: Subscription, house: House
) -> None:
    house.sim.control("faults", rules=[{"kind": "before_write", "times": 20}])
    answer = signed_in.post(url(asked))
    assert answer.status_code == 503
    assert "Rien n’est débité, et rien n’est perdu." in answer.text
    house.sim.control("faults", clear=True)
    assert signed_in.post(url(asked)).status_code == 303


def test_without_keys_one_pays_at_the_desk(
    signed_in: Client, asked: Subscription, settings: Any
) -> None:
    settings.STRIPE_SECRET_KEY = ""
    answer = signed_in.post(url(asked))
    assert answer.status_code == 422
    assert "Ici, on paie à l’accueil." in answer.text
    assert 'method="post" action="/mon-espace/payer' not in answer.text


def test_what_is_anothers_is_not_there(
    client: Client, asked: Subscription, house: House, member: Member
) -> None:
    checkout = house.begin(member, asked)
    client.force_login(MemberFactory(place=asked.place).user)
    for method in (client.get, client.post):
        assert method(url(asked)).status_code == 404
    assert client.get(f"/mon-espace/payer/retour/{checkout.reference}/").status_code == 404


@pytest.mark.parametrize(
    "path", ["rien/1", "subscription/999999", "subscription/abc", f"subscription/{10**30}"]
)
def test_what_is_nothing_is_not_there(signed_in: Client, house: House, path: str) -> None:
    assert signed_in.get(f"/mon-espace/payer/{path}/").status_code == 404


def back(client: Client, checkout: Checkout) -> Any:
    return client.get(f"/mon-espace/payer/retour/{checkout.reference}/")


def title(answer: Any) -> str:
    return re.sub(r"<[^>]+>", "", re.search(r"<h1>(.*?)</h1>", answer.text, re.S)[1]).strip()


def test_coming_back_proves_nothing_until_the_provider_was_read(
    signed_in: Client, asked: Subscription, house: House, member: Member
) -> None:
    checkout = house.begin(member, asked)
    answer = back(signed_in, checkout)
    assert title(answer) == "Paiement en cours de vérification"
    assert house.tasks() == ["club.tasks.sync_customer"]
    house.work()
    asked.refresh_from_db()
    assert asked.paid_until is None
    assert title(back(signed_in, checkout)) == "Paiement en cours de vérification"


def test_loaded_again_and_again_the_provider_is_read_once(
    signed_in: Client, asked: Subscription, house: House, member: Member
) -> None:
    checkout = house.begin(member, asked)
    for _ in range(5):
        back(signed_in, checkout)
    assert house.tasks() == ["club.tasks.sync_customer"]


def test_coming_back_alone_is_enough_where_no_message_comes(
    signed_in: Client, asked: Subscription, house: House, member: Member
) -> None:
    checkout = house.begin(member, asked)
    house.pay(checkout)
    assert title(back(signed_in, checkout)) == "Paiement en cours de vérification"
    house.work()
    answer = back(signed_in, checkout)
    assert title(answer) == "C’est payé"
    assert "jusqu’au mercredi 8\xa0mars\xa02028" in answer.text
    assert "2027-000001" in answer.text


def test_a_debit_under_way_is_told(
    signed_in: Client, asked: Subscription, house: House, member: Member
) -> None:
    checkout = house.begin(member, asked)
    house.pay(checkout, "sepa_debit")
    house.hear()
    assert title(back(signed_in, checkout)) == "Prélèvement en cours"


def test_an_abandoned_page_is_told(
    signed_in: Client, asked: Subscription, house: House, member: Member
) -> None:
    checkout = house.begin(member, asked)
    Checkout.objects.update(status=CheckoutStatus.EXPIRED)
    assert title(back(signed_in, checkout)) == "Rien n’est payé"


def test_the_means_are_changed_on_the_providers_page(
    signed_in: Client, asked: Subscription, house: House, member: Member
) -> None:
    path = "/mon-espace/moyens-de-paiement/"
    assert "aucune carte" in signed_in.get(path).text
    house.pay(house.begin(member, asked))
    house.hear()
    assert "carte bancaire" in signed_in.get(path).text
    answer = signed_in.post(path)
    assert answer.status_code == 303
    assert answer["Location"].startswith(f"{house.sim.base}/p/session/")


def test_after_a_refused_renewal_another_card_pays_it(
    signed_in: Client, asked: Subscription, house: House, member: Member
) -> None:
    from concierge.domain.subscriptions import tend

    house.pay(house.begin(member, asked))
    house.hear()
    customer = member.household.customer.provider_id
    method = house.objects("payment_methods", customer=customer)[0]
    house.sim.control("means", payment_method=method.id, behaviour="expired")
    house.pass_time(days=366, hours=2)
    house.hear()
    tend(house.now)
    signed_in.force_login(member.user)
    answer = signed_in.get(url(asked))
    assert "Changer de moyen de paiement" in answer.text
    assert signed_in.post(url(asked)).status_code == 422
    house.sim.control("portal", customer=customer, action="change", method="card")
    signed_in.get("/mon-espace/moyens-de-paiement/?retour")
    house.work()
    asked.refresh_from_db()
    assert asked.status == "active"
    assert asked.paid_until is not None
    assert asked.paid_until.isoformat() == "2029-03-08"
    assert house.money_there() == 2400
