"""My data: each model that leads to a person is told, or left out with a reason."""

import csv
import io
import json
import zipfile
from datetime import datetime
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.test import Client

from club.domain.consents import give_consent
from club.domain.receipts import take_payment
from club.domain.tokens import create_token
from club.enums import ConsentKind, Means
from club.kernel import personal
from club.kernel.purchases import Due
from club.models import CodedNote, Household, LogEntry, Member, Place, User
from concierge.domain.lending import reserve_tool
from concierge.domain.subscriptions import subscribe
from concierge.models import Copy
from portal.archive import archive_of, cell
from tests.factories.club import CardFactory, MemberFactory
from tests.factories.money import PlanFactory, TenancyCheckFactory, TillDayFactory

PEOPLE = {User, Member, Household}


def told_models() -> set[type[Model]]:
    return {held.model for room in personal.rooms() for held in room.held}


def leads_to_somebody(model: type[Model], people: set[type[Model]]) -> bool:
    return any(
        field.is_relation and field.related_model in people
        for field in model._meta.local_concrete_fields
    )


def untold(told: set[type[Model]], left_out: dict[str, str]) -> list[str]:
    """Models with a way to a person that are neither told nor left out."""
    return [
        model._meta.label
        for model in apps.get_models()
        if model not in told
        and model._meta.label not in left_out
        and not model._meta.proxy
        and leads_to_somebody(model, PEOPLE | told)
    ]


def test_each_model_with_a_way_to_a_person_is_told_or_left_out() -> None:
    assert untold(told_models(), personal.left_out()) == []


def test_the_walk_finds_what_is_forgotten() -> None:
    told = told_models()
    for model in [apps.get_model("club.Consent"), apps.get_model("concierge.Loan")]:
        assert untold(told - {model}, personal.left_out()) == [model._meta.label]
    left_out = personal.left_out()
    del left_out["club.TillDay"]
    assert "club.TillDay" in untold(told, left_out)


def test_nothing_is_left_out_that_is_not_there_or_is_told() -> None:
    for label, reason in personal.left_out().items():
        assert apps.get_model(label) not in told_models()
        assert len(reason) > 20


# -- The file --------------------------------------------------------------------------------


@pytest.fixture
def busy(member: Member, copy: Copy, place: Place, concierge_user: User, now: datetime) -> Member:
    """Samira, with something of each kind."""
    CardFactory(member=member)
    CodedNote.objects.create(member=member, code="call_first")
    TenancyCheckFactory(member=member)
    TillDayFactory(place=place, opened_by=concierge_user)
    give_consent(member, ConsentKind.CLUB_NEWS, by=member.user, now=now)
    create_token(member.user, "Agenda", "read", now)
    reserve_tool(
        member=member, tool=copy.tool, place=place, starts_on=now.date(), by=member.user, now=now
    )
    subscription = subscribe(
        member, PlanFactory(landlord=place.landlord), place=place, by=member.user, now=now
    )
    take_payment(
        member=member, place=place, means=Means.CASH, by=concierge_user, now=now,
        lines=[Due("subscription", subscription.pk, "=Abonnement", 1200)],
    )  # fmt: skip
    return member


def opened(member: Member, now: datetime) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive_of(member, now))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def rows(files: dict[str, bytes], room: str) -> dict[str, list[dict[str, Any]]]:
    return json.loads(files[f"json/{room}.json"])


def test_it_holds_everything_in_a_file_a_room(busy: Member, now: datetime) -> None:
    files = opened(busy, now)
    assert {name for name in files if name.startswith("json/")} == {
        f"json/{room.name}.json" for room in personal.rooms()
    }
    assert rows(files, "compte")["user"][0]["email"] == busy.user.email
    assert rows(files, "compte")["apitoken"][0]["name"] == "Agenda"
    home = rows(files, "foyer")
    for kind in ("member", "household", "card", "consent", "codednote", "tenancycheck"):
        assert len(home[kind]) == 1, kind
    assert {right["activity"] for right in home["right"]} == {"lending", "services", "events"}
    assert [loan["status"] for loan in rows(files, "prets")["loan"]] == ["reserved"]
    assert rows(files, "abonnements")["subscription"][0]["status"] == "active"
    assert len(rows(files, "abonnements")["subscriptionperiod"]) == 1
    money = rows(files, "argent")
    assert [entry["cents"] for entry in money["ledgerentry"]] == [1200, -1200]
    assert [receipt["cents"] for receipt in money["receipt"]] == [1200]
    assert {m["event"] for m in rows(files, "messages")["message"]} >= {"loan.reserved"}
    verbs = {entry["verb"] for entry in rows(files, "journal")["logentry"]}
    assert verbs >= {"create_token", "give_consent", "take_payment", "add_period"}


def test_no_secret_is_in_it(busy: Member, now: datetime) -> None:
    _token, plain = create_token(busy.user, "Autre", "read", now)
    held = busy.user.access_tokens.get(name="Autre")
    card = busy.cards.get()
    busy.user.set_password("un mot de passe")
    busy.user.save()
    text = b"".join(opened(busy, now).values()).decode()
    for secret in (plain, held.digest, card.token, busy.feed_token, busy.user.password):
        assert secret not in text


def test_nothing_of_the_neighbours_is_in_it(
    busy: Member, other_member: Member, concierge_user: User, now: datetime
) -> None:
    karim = MemberFactory(
        household=busy.household, place=busy.place, user__first_name="Karim",
        user__last_name="Haddad",
    )  # fmt: skip
    CardFactory(member=karim)
    give_consent(karim, ConsentKind.PARTNER_OFFERS, by=karim.user, now=now)
    text = b"".join(opened(busy, now).values()).decode()
    for other in (karim, other_member):
        for secret in (other.user.email, other.user.last_name):
            assert secret not in text
    for name in (concierge_user.last_name, concierge_user.email):
        assert name not in text
    assert "partner_offers" not in text


def test_the_summary_reads_as_a_page(busy: Member, now: datetime) -> None:
    page = opened(busy, now)["resume.html"].decode()
    for words in ("Samira Benali", busy.user.email, "Gaufrier", "12\u00a0€", "nouvelles du club"):
        assert words in page


def test_the_sheets_open_in_a_spreadsheet(busy: Member, now: datetime) -> None:
    files = opened(busy, now)
    sheets = {name for name in files if name.startswith("tableaux/")}
    names = {"prets", "recus", "ecritures", "inscriptions", "colis", "rendez-vous"}
    names |= {"avantages", "demandes", "commandes", "commandes-regulieres", "gardes", "cles"}
    assert sheets == {f"tableaux/{name}.csv" for name in names}
    raw = files["tableaux/ecritures.csv"]
    assert raw.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig")), delimiter=";"))
    assert [line["cents"] for line in lines] == ["1200", "-1200"]
    assert lines[0]["label"] == "'=Abonnement"
    assert (cell(-5), cell("@x"), cell(None), cell("mot")) == (-5, "'@x", "", "mot")


# -- The page --------------------------------------------------------------------------------


def test_it_is_made_on_request_and_written_down(client: Client, busy: Member) -> None:
    client.force_login(busy.user)
    assert client.get("/mon-espace/donnees/").status_code == 200
    assert not LogEntry.objects.filter(verb="export").exists()
    answer = client.post("/mon-espace/donnees/")
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"].startswith('attachment; filename="mes-donnees-')
    assert "no-store" in answer["Cache-Control"]
    assert zipfile.is_zipfile(io.BytesIO(answer.content))
    assert LogEntry.objects.get(verb="export").subject_id == busy.pk
