"""Mes reçus et mes paiements: the household's own, in words, and nobody else's."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.domain.ledger import enter
from club.domain.messages import tell
from club.domain.outbox import Round, send_due
from club.domain.receipts import cancel_receipt, take_payment
from club.emails import MailAndSms
from club.enums import Account, EntryKind
from club.kernel.purchases import due_of
from club.models import Member, Message, Place, Receipt, User
from concierge.domain.subscriptions import subscribe
from tests.factories.club import MemberFactory
from tests.factories.money import PlanFactory, TillDayFactory

NBSP = "\u00a0"


@pytest.fixture
def newcomer(place: Place) -> Member:
    return MemberFactory(place=place)


@pytest.fixture
def browser(client: Client, newcomer: Member) -> Client:
    client.force_login(newcomer.user)
    return client


def paid(member: Member, by: User, now: datetime, **more: Any) -> Receipt:
    plan = PlanFactory(landlord=member.place.landlord)
    subscribe(member, plan, place=member.place, by=member.user, now=now)
    TillDayFactory(place=member.place, opened_by=by)
    return take_payment(
        member=member, place=member.place, lines=due_of(member.household, now),
        by=by, now=now, **{"means": "cash"} | more,
    )  # fmt: skip


@pytest.fixture
def receipt(newcomer: Member, concierge_user: User, now: datetime) -> Receipt:
    return paid(newcomer, concierge_user, now, given_cents=2000)


def entered(member: Member, now: datetime, kind: str, cents: int, number: int, **more: Any) -> Any:
    return enter(
        kind=kind, cents=cents, place=member.place, household=member.household,
        subject_kind="loan", subject_id=1, label=f"Ligne {number}", source=f"essai:{number}",
        at=now, by=None, **{"account": Account.FEE} | more,
    )  # fmt: skip


# -- Receipts --------------------------------------------------------------------------------


def test_an_empty_list_says_where_receipts_come_from(browser: Client) -> None:
    page = browser.get("/mon-espace/recus/")
    assert "Aucun reçu pour le moment" in page.text


def test_each_receipt_is_listed_with_what_it_paid(browser: Client, receipt: Receipt) -> None:
    page = browser.get("/mon-espace/recus/")
    ((line),) = page.context["lines"]
    assert (line["title"], line["labels"]) == (
        "Reçu 2027-000001",
        [f"Abonnement «{NBSP}Habitants{NBSP}»"],
    )
    assert f"12{NBSP}€" in page.text
    assert f'href="/mon-espace/recus/{receipt.pk}/"' in page.text


def test_a_receipt_has_all_that_it_needs_and_can_be_printed(
    browser: Client, receipt: Receipt, place: Place
) -> None:
    place.payee = "Association des Tilleuls"
    place.save()
    page = browser.get(f"/mon-espace/recus/{receipt.pk}/")
    for words in (
        "Reçu 2027-000001",
        "Association des Tilleuls",
        "Conciergerie des Tilleuls",
        "7, allée des Tilleuls, 80080 Amiens",
        f"Abonnement «{NBSP}Habitants{NBSP}»",
        f"12{NBSP}€",
        "Espèces",
        f"reçu 20{NBSP}€, rendu 8{NBSP}€",
        f"Mardi 9{NBSP}mars à 10{NBSP}h{NBSP}24",
        "Samira Benali",
    ):
        assert words in page.text
    assert "data-print-page" in page.text


def test_a_cancelled_receipt_and_its_opposite_name_each_other(
    browser: Client, receipt: Receipt, concierge_user: User, now: datetime
) -> None:
    opposite = cancel_receipt(receipt, by=concierge_user, now=now)
    page = browser.get(f"/mon-espace/recus/{receipt.pk}/")
    assert f"Le reçu 2027-000002 du mardi 9{NBSP}mars l’annule." in page.text
    page = browser.get(f"/mon-espace/recus/{opposite.pk}/")
    assert "Reçu 2027-000002, annule le 2027-000001" in page.text
    assert "Total rendu" in page.text
    assert len(browser.get("/mon-espace/recus/").context["lines"]) == 2


def test_the_household_s_adults_see_its_receipts_and_nobody_else_does(
    client: Client, newcomer: Member, other_member: Member, receipt: Receipt
) -> None:
    partner = MemberFactory(place=newcomer.place, household=newcomer.household)
    path = f"/mon-espace/recus/{receipt.pk}/"
    client.force_login(partner.user)
    assert client.get(path).status_code == 200
    client.force_login(other_member.user)
    assert client.get(path).status_code == 404
    assert client.get("/mon-espace/recus/").context["lines"] == []
    assert client.get("/mon-espace/paiements/").context["lines"] == []


# -- Payments --------------------------------------------------------------------------------


def test_charges_and_payments_stand_in_their_columns_and_the_balance_in_words(
    browser: Client, receipt: Receipt
) -> None:
    page = browser.get("/mon-espace/paiements/")
    assert "Tout est payé. Vous ne devez rien." in page.text
    assert [(line["owed"], line["paid"], line["how"]) for line in page.context["lines"]] == [
        (f"12{NBSP}€", "", ""),
        ("", f"12{NBSP}€", "espèces"),
    ]


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([], "Tout est payé. Vous ne devez rien."),
        ([("charge", -300)], f"Il reste 3{NBSP}€ à payer."),
        ([("charge", -300), ("payment", 100)], f"Il reste 2{NBSP}€ à payer."),
        ([("payment", 550)], f"Vous avez 5,50{NBSP}€ d’avance."),
    ],
)
def test_the_balance_is_a_sentence(
    browser: Client, newcomer: Member, now: datetime, entries: list[tuple[str, int]], words: str
) -> None:
    for number, (kind, cents) in enumerate(entries):
        means = "cash" if kind == EntryKind.PAYMENT else ""
        entered(newcomer, now, kind, cents, number, means=means)
    assert browser.get("/mon-espace/paiements/").context["balance"] == words


def test_a_deposit_is_no_advance(browser: Client, newcomer: Member, now: datetime) -> None:
    entered(newcomer, now, "payment", 4000, 1, account=Account.DEPOSIT, means="cash")
    page = browser.get("/mon-espace/paiements/")
    assert page.context["balance"] == "Tout est payé. Vous ne devez rien."
    assert f"Caution gardée pour vous{NBSP}: 40{NBSP}€." in page.text


@pytest.mark.parametrize("path", ["/mon-espace/recus/", "/mon-espace/paiements/"])
def test_a_long_list_costs_no_more(
    browser: Client, newcomer: Member, receipt: Receipt, now: datetime, path: str
) -> None:
    def add(first: int, last: int) -> None:
        for number in range(first, last):
            one = Receipt.objects.create(
                place=newcomer.place, year=2026, number=number, household=newcomer.household,
                member=newcomer, means="cash", cents=100, issued_at=now - timedelta(days=99),
            )  # fmt: skip
            entered(newcomer, now, "payment", 100, number, means="cash", receipt=one)

    add(1, 3)
    browser.get(path)
    with CaptureQueriesContext(connection) as few:
        browser.get(path)
    add(3, 40)
    with CaptureQueriesContext(connection) as many:
        page = browser.get(path)
    assert len(page.context["lines"]) == 30
    assert len(many) == len(few)


# -- By letter -------------------------------------------------------------------------------


def sent(now: datetime) -> Round:
    with MailAndSms() as transport:
        return send_due(now, transport)


def test_the_receipt_itself_stands_in_the_letter(
    receipt: Receipt, place: Place, now: datetime, settings: Any
) -> None:
    settings.BASE_URL = "https://club.example.org"
    Message.objects.exclude(event="receipt.issued").delete()
    assert sent(now) == Round(sent=1)
    (letter,) = mail.outbox
    assert letter.subject == f"Reçu 2027-000001{NBSP}: 12{NBSP}€, mardi 9{NBSP}mars"
    html = letter.alternatives[0].content
    for form in (letter.body, html):
        for words in (
            "2027-000001",
            f"Abonnement «{NBSP}Habitants{NBSP}»",
            f"12{NBSP}€",
            "espèces",
            "Conciergerie des Tilleuls",
            f"https://club.example.org/mon-espace/recus/{receipt.pk}/",
            "Voir mon reçu",
        ):
            assert words in form
        assert "{" not in form.split("</style>")[-1]
    assert html.count('class="button"') == 1


def test_a_cancelled_receipt_is_told_by_its_opposite_alone(
    receipt: Receipt, concierge_user: User, now: datetime
) -> None:
    opposite = cancel_receipt(receipt, by=concierge_user, now=now)
    Message.objects.exclude(event__startswith="receipt.").delete()
    assert sent(now) == Round(sent=1, dropped=1)
    (letter,) = mail.outbox
    assert letter.subject == f"Reçu annulé{NBSP}: 12{NBSP}€, mardi 9{NBSP}mars"
    for form in (letter.body, letter.alternatives[0].content):
        assert f"-12{NBSP}€" in form
        assert f"/mon-espace/recus/{opposite.pk}/" in form


def test_a_refund_in_part_says_what_comes_back(
    newcomer: Member, receipt: Receipt, place: Place, now: datetime
) -> None:
    back = Receipt.objects.create(
        place=place, year=2027, number=9, household=newcomer.household, member=newcomer,
        means="card", cents=-500, issued_at=now,
    )  # fmt: skip
    Message.objects.all().delete()
    tell(newcomer, "receipt.issued", back, key="back", now=now)
    assert sent(now) == Round(sent=1)
    assert mail.outbox[0].subject == f"Remboursé{NBSP}: 5{NBSP}€, mardi 9{NBSP}mars"
    assert "L’argent vous est rendu." in mail.outbox[0].body


def test_an_sms_holds_the_number_and_the_amount(
    newcomer: Member, receipt: Receipt, now: datetime, settings: Any, tmp_path: Any
) -> None:
    settings.VAR_DIR, settings.SMS_SENDER = tmp_path, "club.sms.ConsoleSender"
    newcomer.user.phone = "+33612345678"
    newcomer.user.save()
    Message.objects.exclude(event="receipt.issued").delete()
    Message.objects.update(channel="sms")
    assert sent(now) == Round(sent=1)
    (file,) = (tmp_path / "sms").iterdir()
    text = file.read_text().splitlines()[1]
    assert text.startswith(
        "Conciergerie des Tilleuls: Reçu 2027-000001 : 12 €, mardi 9 mars".replace("ç", "c")
    )
    assert text.endswith(f"/mon-espace/recus/{receipt.pk}/")
    assert len(text) <= 160


def test_a_charge_names_its_period_with_the_years(
    newcomer: Member, concierge_user: User, now: datetime
) -> None:
    with time_machine.travel(now.replace(day=1)):
        paid(newcomer, concierge_user, now.replace(day=1))
    charge = newcomer.household.entries.get(kind=EntryKind.CHARGE)
    assert charge.label == (f"Habitants, du 1er{NBSP}mars{NBSP}2027 au 29{NBSP}février{NBSP}2028")
