"""The officer's screens: a partner comes in, its papers are read, it goes on line."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from club.enums import Role
from club.models import Dwelling, Place, Residence
from marketplace.domain import moderation, offers
from marketplace.enums import DocumentStatus, PartnerKind, PartnerStatus, Trade
from marketplace.models import Offer, Partner, PartnerDocument
from marketplace.queries.offers import asked_now
from marketplace.queries.shown import partners_shown, trades_shown
from marketplace.wagtail_hooks.offers import state_of
from tests.factories.club import LandlordFactory, MemberFactory
from tests.factories.cms import staff
from tests.factories.marketplace import (
    ArtisanFactory,
    CertificateFactory,
    OfferFactory,
    PersonFactory,
    insured,
    siret_of,
)
from tests.marketplace.test_certificates import checked
from tests.marketplace.test_offers import terms
from tests.signin import sign_in_staff

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF"


@pytest.fixture(autouse=True)
def private_files(settings: Any, tmp_path: Any) -> None:
    private = settings.STORAGES["private"] | {"OPTIONS": {"location": tmp_path, "base_url": None}}
    settings.STORAGES = settings.STORAGES | {"private": private}


@pytest.fixture
def officer(client: Client, place: Place) -> Client:
    sign_in_staff(client, staff(place, Role.OFFICER))
    return client


def lines(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    data = {
        f"{name}-TOTAL_FORMS": len(rows),
        f"{name}-INITIAL_FORMS": 0,
        f"{name}-MIN_NUM_FORMS": 0,
        f"{name}-MAX_NUM_FORMS": 1000,
    }
    for n, row in enumerate(rows):
        data |= {f"{name}-{n}-{key}": value for key, value in row.items()}
        data |= {f"{name}-{n}-id": "", f"{name}-{n}-ORDER": n + 1}
    return data


def partner_data(place: Place, **more: Any) -> dict[str, Any]:
    today = timezone.localdate()
    return {
        "landlord": place.landlord.pk,
        "kind": PartnerKind.ARTISAN,
        "name": "Plomberie Aziz",
        "siret": siret_of(12_345_678),
        "phone": "03 22 00 00 00",
        "languages": ["fr", "ar"],
        **lines("trades", [{"trade": Trade.PLUMBING}]),
        **lines("hours", [{"weekday": 0, "opens": "08:00", "closes": "18:00"}]),
        **lines("prices", []),
        **lines(
            "conventions",
            [
                {
                    "version": "2026",
                    "signed_on": today.isoformat(),
                    "starts_on": today.isoformat(),
                    "ends_on": today.replace(year=today.year + 1, day=1).isoformat(),
                    "fee_cents": "10000",
                }
            ],
        ),
        **more,
    }


def test_a_plumber_from_the_form_to_the_directory(officer: Client, place: Place) -> None:
    answer = officer.post(reverse("partner:add"), partner_data(place))
    assert answer.status_code == 302
    partner = Partner.objects.get()
    assert (partner.status, partner.languages) == (PartnerStatus.DRAFT, ["fr", "ar"])
    publish = reverse("partner:step", args=[partner.pk, "publier"])
    refused = officer.post(publish)
    assert "assurance décennale, plomberie" in refused.content.decode()
    today = timezone.localdate()
    answer = officer.post(
        reverse("partnerdocument:add"),
        {
            "partner": partner.pk,
            "kind": "decennial",
            "issuer": "Assurances du Nord",
            "number": "AN-12",
            "starts_on": today.isoformat(),
            "ends_on": today.replace(year=today.year + 1, day=1).isoformat(),
            "file": SimpleUploadedFile("attestation.pdf", PDF),
            **lines("trades", [{"trade": Trade.PLUMBING}]),
        },
    )
    assert answer.status_code == 302
    paper = PartnerDocument.objects.get()
    assert paper.status == DocumentStatus.RECEIVED
    read = officer.get(reverse("partner-paper", args=[paper.pk]))
    assert b"".join(read.streaming_content) == PDF  # type: ignore[attr-defined]
    assert read["Content-Disposition"].startswith("attachment")
    officer.post(reverse("partnerdocument:step", args=[paper.pk, "accepter"]))
    assert officer.post(publish).status_code == 302
    assert list(partners_shown(place.landlord, today)) == [partner]


def test_a_wrong_siret_is_told_at_its_field_and_nothing_is_lost(
    officer: Client, place: Place
) -> None:
    answer = officer.post(reverse("partner:add"), partner_data(place, siret="12345678900011"))
    form = answer.context["form"]
    assert list(form.errors) == ["siret"]
    assert form["name"].value() == "Plomberie Aziz"
    assert not Partner.objects.exists()


def test_two_partners_do_not_claim_one_siret(officer: Client, place: Place) -> None:
    ArtisanFactory(landlord=place.landlord, siret=siret_of(12_345_678))
    answer = officer.post(reverse("partner:add"), partner_data(place))
    assert "Un partenaire a déjà ce numéro SIRET." in answer.content.decode()


def test_an_accepted_paper_is_not_rewritten(officer: Client, place: Place) -> None:
    paper = insured(ArtisanFactory(landlord=place.landlord), Trade.PLUMBING)
    answer = officer.post(
        reverse("partnerdocument:edit", args=[paper.pk]),
        {
            "partner": paper.partner.pk,
            "kind": paper.kind,
            "issuer": paper.issuer,
            "starts_on": "2027-01-01",
            "ends_on": "2099-12-31",
            **lines("trades", []),
        },
    )
    assert "déjà vérifié" in answer.content.decode()
    paper.refresh_from_db()
    assert paper.ends_on == date(2027, 12, 31)


def test_a_refused_paper_hides_its_trade_at_once(officer: Client, place: Place) -> None:
    artisan = ArtisanFactory(landlord=place.landlord)
    paper = insured(artisan, Trade.PLUMBING)
    day = date(2027, 3, 9)
    assert trades_shown(place.landlord, day).exists()
    step = reverse("partnerdocument:step", args=[paper.pk, "refuser"])
    officer.post(step, {"refused_for": "other_firm"})
    assert not trades_shown(place.landlord, day).exists()


def test_the_papers_to_follow_are_those_of_ones_own_landlord(officer: Client, place: Place) -> None:
    ArtisanFactory(landlord=place.landlord, name="Aziz")
    other = LandlordFactory(slug="autre", name="Autre", hostname="autre.example")
    ArtisanFactory(landlord=other, name="Lointain")
    page = officer.get(reverse("partner-papers")).content.decode()
    assert "Aziz" in page
    assert "Lointain" not in page


@pytest.mark.parametrize("role", [Role.CONCIERGE, Role.EDITOR])
def test_others_read_no_paper(client: Client, place: Place, role: str) -> None:
    paper = insured(ArtisanFactory(landlord=place.landlord), Trade.PLUMBING)
    sign_in_staff(client, staff(place, role))
    assert client.get(reverse("partner-paper", args=[paper.pk])).status_code == 404
    assert client.get(reverse("partner-papers")).status_code in {302, 403}


def test_a_resident_reads_no_paper(client: Client, place: Place) -> None:
    paper = insured(ArtisanFactory(landlord=place.landlord), Trade.PLUMBING)
    client.force_login(MemberFactory(place=place).user)
    assert client.get(reverse("partner-paper", args=[paper.pk])).status_code in {302, 403, 404}


# -- How an offer stands ---------------------------------------------------------------------------


def test_an_offer_that_was_never_on_line_does_not_look_so(officer: Client, place: Place) -> None:
    person = PersonFactory(partner__landlord=place.landlord, partner__status=PartnerStatus.LIVE)
    partner, now = person.partner, timezone.now()
    day = timezone.localdate()
    begun = {"partner": partner, "kind": "percent", "percent": 10, "starts_on": day}
    OfferFactory(title="Vu", live=True, **begun)
    OfferFactory(title="Ôté", live=True, withdrawn_on=day, **begun)
    OfferFactory(title="Passé", live=True, ends_on=day - timedelta(days=1),
                 **{**begun, "starts_on": day - timedelta(days=9)})  # fmt: skip
    asked = offers.propose(
        None, partner, terms(title="Neuf", starts_on=day), by=person.user, now=now
    )
    assert states_listed(officer) == {
        "Vu": "en ligne", "Ôté": "retiré", "Passé": "fini", "Neuf": "à relire, jamais en ligne",
    }  # fmt: skip
    revision = asked_now(asked)
    assert revision is not None
    moderation.turn_down(asked, revision.pk, "Trop long.", by=person.user, now=now)
    seen = Offer.objects.get(title="Vu")
    offers.propose(
        seen, partner, terms(title="Vu", percent=20, starts_on=day), by=person.user, now=now
    )
    listed = states_listed(officer)
    assert listed["Neuf"] == "refusé, jamais en ligne"
    assert listed["Vu"] == "en ligne, changement à relire"


def states_listed(officer: Client) -> dict[str, str]:
    page = officer.get(reverse("offer:list"))
    return {one.title: state_of(one) for one in page.context["object_list"]} | {
        one.title: "absent du tableau"
        for one in page.context["object_list"]
        if state_of(one) not in page.text
    }


def test_two_households_of_one_name_are_told_apart(officer: Client, place: Place) -> None:
    residence = Residence.objects.create(landlord=place.landlord, code="R1", name="Les Aulnes")
    for code in ("R1-101", "R1-204"):
        member = checked(MemberFactory(place=place, user__last_name="Haddad"))
        member.household.dwelling = Dwelling.objects.create(residence=residence, code=code)
        member.household.save()
        CertificateFactory(member=member)
    checked(MemberFactory(place=place, user__first_name="Zineb", user__last_name="Haddad"))
    followed = officer.get(reverse("certificates")).text
    assert "<td>R1-101</td>" in followed and "<td>R1-204</td>" in followed
    assert "<small>Zineb Haddad</small>" in followed
    listed = officer.get(reverse("certificate:index")).text
    assert "Les Aulnes, R1-101" in listed and "Les Aulnes, R1-204" in listed


def test_a_refusal_without_a_reason_is_told_first_and_leads_to_its_field(
    officer: Client, place: Place
) -> None:
    person = PersonFactory(partner__landlord=place.landlord)
    now = timezone.now()
    first, second = (
        offers.propose(
            None,
            person.partner,
            terms(title=title, starts_on=timezone.localdate()),
            by=person.user,
            now=now,
        )
        for title in ("Pain", "Brioche")
    )
    revision = asked_now(second)
    assert revision is not None
    url = reverse("partner-offer", args=[second.pk])
    page = officer.post(url, {"revision": revision.pk, "refuser": "1", "why": "  "})
    assert page.status_code == 422
    assert "<title>Erreur\u00a0: Avantages à relire" in page.text
    assert page.text.count("data-error-summary") == 1
    assert f'<a href="#offer{second.pk}_why">Dites pourquoi' in page.text
    assert f'id="offer{second.pk}_why_error"' in page.text
    assert f'id="offer{first.pk}_why_error"' not in page.text
    long = "Trop long. " * 40
    page = officer.post(url, {"revision": revision.pk, "refuser": "1", "why": long})
    assert (page.status_code, long.strip() in page.text) == (422, True)
    calm = officer.get(reverse("partner-offers")).text
    assert "data-error-summary" not in calm and "<title>Avantages à relire" in calm
