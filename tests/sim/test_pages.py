"""The hosted pages, as a browser without scripts sees them."""

import re
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

import pytest
import requests

from tests.sim.shop import CANCEL, Shop


class Page(HTMLParser):
    """Words, form fields and buttons of a page."""

    def __init__(self, answer: requests.Response) -> None:
        super().__init__()
        self.url = answer.url
        self.status = answer.status_code
        self.words = ""
        self.links: dict[str, str] = {}
        self.labels: dict[str, str] = {}
        self.inputs: list[dict[str, str | None]] = []
        self.buttons: dict[str, str | None] = {}
        self.open: list[dict[str, str | None]] = []
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input":
            self.inputs.append(given)
            return
        if tag != "meta":
            self.open.append({"tag": tag, **given})

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.words += data
        inside = self.open[-1] if self.open else {}
        if inside.get("tag") == "button":
            self.buttons[data] = inside["value"]
        if inside.get("tag") == "a":
            self.links[data] = inside["href"] or ""


def get(url: str) -> Page:
    return Page(requests.get(url, timeout=5))


def press(page: Page, button: str, **fields: str) -> requests.Response:
    hidden = {
        x["name"]: x.get("value") or ""
        for x in page.inputs
        if x["type"] in ("hidden", "text") or "checked" in x
    }
    body = urlencode({**hidden, **fields, "action": page.buttons[button]})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return requests.post(page.url, body, headers=headers, allow_redirects=False, timeout=5)


def test_a_payment_page(shop: Shop) -> None:
    page = get(shop.session(shop.customer()).url)
    assert page.status == 200
    assert "Payer 12,00\u00a0€" in page.words
    assert "Abonnement\u00a0: 12,00\u00a0€ par an" in page.words
    assert [(x["type"], x["name"]) for x in page.inputs] == [
        ("radio", "method"),
        ("radio", "method"),
        ("text", "name"),
        ("text", "number"),
        ("text", "iban"),
    ]
    assert page.buttons == {"Payer": "pay", "Retour": "back"}


@pytest.mark.parametrize(
    ("recurring", "words"),
    [
        ({"interval": "month", "interval_count": 12}, "par an"),
        ({"interval": "month", "interval_count": 1}, "par mois"),
        ({"interval": "month", "interval_count": 6}, "tous les 6 mois"),
        ({"interval": "week", "interval_count": 2}, "toutes les 2 semaines"),
    ],
)
def test_a_period_in_words(shop: Shop, recurring: dict[str, object], words: str) -> None:
    line = {"price": shop.price(recurring=recurring).id, "quantity": 1}
    page = get(shop.session(shop.customer(), line_items=[line]).url)
    assert f"Abonnement\u00a0: 12,00\u00a0€ {words}" in page.words


def test_paying_leads_to_the_success_page(shop: Shop) -> None:
    session = shop.session(shop.customer())
    answer = press(get(session.url), "Payer", name="Leïla B.")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"https://shop.example/merci?session={session.id}"
    session = shop.v1.checkout.sessions.retrieve(session.id)
    assert (session.payment_status, session.customer_details.name) == ("paid", "Leïla B.")


def test_paying_by_debit(shop: Shop) -> None:
    session = shop.session(shop.customer())
    iban = "FR84 2004 1010 0505 0001 3M02 607"
    press(get(session.url), "Payer", method="sepa_debit", name="Leïla B.", iban=iban)
    assert shop.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    shop.advance(days=5)
    assert shop.events()[-1] == "checkout.session.async_payment_failed"


def test_going_back_pays_nothing(shop: Shop) -> None:
    session = shop.session(shop.customer())
    answer = press(get(session.url), "Retour")
    assert (answer.status_code, answer.headers["Location"]) == (303, CANCEL)
    assert shop.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_a_card_refused_keeps_what_was_typed(shop: Shop) -> None:
    session = shop.session(shop.customer())
    card = "4000 0000 0000 0002"
    page = Page(press(get(session.url), "Payer", name='Leïla "<B>"', number=card))
    assert page.status == 402
    assert "Ce paiement est refusé." in page.words
    typed = {x["name"]: x.get("value") for x in page.inputs if x["type"] == "text"}
    assert typed == {"name": 'Leïla "<B>"', "number": card, "iban": ""}
    assert press(page, "Payer", number="").status_code == 303


def test_a_wrong_number_is_said_in_words(shop: Shop) -> None:
    session = shop.session(shop.customer())
    page = get(session.url)
    wrong = Page(press(page, "Payer", method="sepa_debit", iban="FR14 2004 1010"))
    assert (wrong.status, "Cet IBAN n’est pas valable." in wrong.words) == (422, True)
    wrong = Page(press(page, "Payer", method="card", number="my card"))
    assert "Ce numéro de carte n’est pas valable." in wrong.words


def test_the_bank_s_page(shop: Shop) -> None:
    session = shop.session(shop.customer())
    answer = press(get(session.url), "Payer", number="4000002760003184")
    bank = get(urljoin(session.url, answer.headers["Location"]))
    assert "Confirmez le paiement de 12,00\u00a0€." in bank.words
    refused = Page(press(bank, "Refuser"))
    assert "La banque a refusé ce paiement." in refused.words
    answer = press(get(session.url), "Payer", number="4000002760003184")
    answer = press(get(answer.headers["Location"]), "Confirmer")
    assert answer.headers["Location"].endswith(session.id)
    assert shop.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_an_old_page_says_so(shop: Shop) -> None:
    paid, expired = shop.session(shop.customer()), shop.session(shop.customer())
    first, second = get(paid.url), get(expired.url)
    shop.pay(paid)
    shop.v1.checkout.sessions.expire(expired.id)
    page = get(paid.url)
    assert ("Ce paiement est terminé." in page.words, page.buttons) == (True, {})
    assert page.links == {"Retour": CANCEL}
    assert "Cette page de paiement a expiré." in get(expired.url).words
    for old in (first, second):
        assert press(old, "Payer").status_code == 409
    assert shop.sim.control("state")["total"]["received"] == 1_200
    shop.sim.control("mode", allow_pay_expired=True)
    assert press(get(expired.url), "Payer").status_code == 303


@pytest.mark.parametrize("path", ["/c/pay/cs_test_x", "/p/session/bps_x", "/3ds/pi_x", "/rubbish"])
def test_a_page_that_is_not_there(shop: Shop, path: str) -> None:
    assert get(shop.sim.base + path).status == 404


def test_a_late_invoice_is_paid_on_its_own_page(shop: Shop) -> None:
    subscription = shop.subscribe(outcome="authenticate_later")
    shop.sim.control("renew", subscription=subscription.id)
    assert "invoice.payment_action_required" in shop.events()
    assert shop.again(subscription).status == "past_due"
    page = get(shop.invoices(subscription)[0].hosted_invoice_url)
    assert ("12,00\u00a0€ à payer" in page.words, page.buttons) == (True, {"Payer": "pay"})
    refused = Page(press(page, "Payer", number="4000 0000 0000 0002"))
    assert (refused.status, "Ce paiement est refusé." in refused.words) == (402, True)
    assert press(page, "Payer", number="4242 4242 4242 4242").status_code == 303
    assert "payée" in get(page.url).words
    assert shop.again(subscription).status == "active"
    assert press(page, "Payer").status_code == 409
    assert shop.sim.control("state")["total"]["received"] == 2_400


def portal(shop: Shop, customer: str, **params: object) -> str:
    asked = {"customer": customer, "return_url": "https://shop.example/espace", **params}
    return shop.v1.billing_portal.sessions.create(asked).url


def test_the_portal_changes_the_means(shop: Shop) -> None:
    subscription = shop.subscribe()
    page = get(portal(shop, subscription.customer))
    assert "Carte bancaire se terminant par 4242" in page.words
    assert page.links["Retour"] == "https://shop.example/espace"
    press(page, "Changer de moyen de paiement", method="sepa_debit", name="Leïla")
    found = shop.v1.payment_methods.retrieve(shop.again(subscription).default_payment_method)
    assert (found.type, found.customer) == ("sepa_debit", subscription.customer)
    customer = shop.v1.customers.retrieve(subscription.customer)
    assert customer.invoice_settings.default_payment_method == found.id
    assert "Prélèvement SEPA se terminant par 2606 (par défaut)" in get(page.url).words


def test_the_portal_ends_and_takes_back(shop: Shop) -> None:
    subscription = shop.subscribe()
    page = get(portal(shop, subscription.customer))
    press(page, "Arrêter l’abonnement")
    assert shop.again(subscription).cancel_at_period_end is True
    page = get(page.url)
    assert re.search(r"Prend fin le \d\d/\d\d/\d{4}", page.words)
    press(page, "Reprendre l’abonnement")
    assert shop.again(subscription).cancel_at_period_end is False


def test_a_flow_shows_one_thing_and_returns(shop: Shop) -> None:
    subscription = shop.subscribe()
    done = {"type": "redirect", "redirect": {"return_url": "https://shop.example/fait"}}
    flow = {"type": "payment_method_update", "after_completion": done}
    page = get(portal(shop, subscription.customer, flow_data=flow))
    assert list(page.buttons) == ["Changer de moyen de paiement"]
    answer = press(page, "Changer de moyen de paiement", method="card")
    assert answer.headers["Location"] == "https://shop.example/fait"
    flow = {
        "type": "subscription_cancel",
        "subscription_cancel": {"subscription": subscription.id},
    }
    page = get(portal(shop, subscription.customer, flow_data=flow))
    assert list(page.buttons) == ["Arrêter l’abonnement"]


def test_nobody_ends_another_s_subscription(shop: Shop) -> None:
    mine, other = shop.subscribe(), shop.subscribe()
    page = get(portal(shop, mine.customer))
    answer = press(page, "Arrêter l’abonnement", subscription=other.id)
    assert answer.status_code == 422
    assert shop.again(other).cancel_at_period_end is False
