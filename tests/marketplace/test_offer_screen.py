"""A partner's own screen: typed once, seen as residents will see it, sent, read again."""

from collections.abc import Iterator
from datetime import date, datetime
from io import BytesIO
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from club.enums import Role
from club.models import Place
from content.models import Picture
from marketplace.domain import moderation, offers
from marketplace.enums import OfferKind, PartnerKind
from marketplace.models import Offer, PartnerPerson
from marketplace.queries.offers import asked_now
from tests.factories.club import MemberFactory
from tests.factories.cms import staff
from tests.factories.marketplace import OfferFactory, PersonFactory
from tests.marketplace.test_offers import terms

pytestmark = pytest.mark.django_db
NBSP = "\u00a0"
NEW = "/espace-partenaire/offre/nouvelle/"


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def baker(place: Place) -> PartnerPerson:
    return PersonFactory(partner__landlord=place.landlord, partner__name="Le Fournil")


@pytest.fixture
def shop(client: Client, baker: PartnerPerson) -> Client:
    client.force_login(baker.user)
    return client


left_open = pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")
"""Wagtail leaves the file of a rendition that it has just made to the collector."""


def typed(**more: Any) -> dict[str, Any]:
    return {
        "kind": "price",
        "price_cents": "1,10",
        "usual_price_cents": "1,30 €",
        "title": "Pain de campagne",
        "conditions": "Sauf le dimanche",
        "starts_on": "2027-03-09",
        "ends_on": "",
        "limit_count": "1",
        "limit_per": "day",
        "kept": "",
    } | more


def page_of(offer: Offer) -> str:
    return reverse("pro:offer-edit", args=[offer.public_id])


def photo() -> SimpleUploadedFile:
    out = BytesIO()
    Image.new("RGB", (60, 40), "red").save(out, "JPEG")
    return SimpleUploadedFile("pain.jpg", out.getvalue(), "image/jpeg")


def test_a_preview_saves_nothing_and_keeps_what_was_typed(shop: Client) -> None:
    page = shop.post(NEW, typed(apercu="1"))
    assert page.status_code == 200
    assert f"1,10{NBSP}€ au lieu de 1,30{NBSP}€" in page.text
    assert "1 fois par jour." in page.text
    assert 'value="1,30 €"' in page.text
    assert "Rien n’est encore envoyé." in page.text
    assert not Offer.objects.exists()


def test_sent_it_waits_and_the_page_says_so(shop: Client) -> None:
    sent = shop.post(NEW, typed(envoyer="1"), follow=True)
    offer = Offer.objects.get()
    assert sent.redirect_chain == [(f"{page_of(offer)}?envoye=1", 302)]
    assert "<h1>C’est envoyé</h1>" in sent.text
    assert "En attente d’accord" in sent.text
    assert f"depuis le mardi 9{NBSP}mars" in sent.text
    assert (offer.price_cents, offer.usual_price_cents, offer.percent) == (110, 130, None)
    assert 'value="1,10"' in shop.get(page_of(offer)).text
    shop.post(NEW, typed(envoyer="1"))
    assert Offer.objects.count() == 1


def test_faults_stand_beside_their_fields_and_nothing_is_lost(shop: Client) -> None:
    page = shop.post(NEW, typed(price_cents="beaucoup", title="", ends_on="1/3/27", envoyer="1"))
    assert page.status_code == 422
    assert "<title>Erreur" in page.text
    assert 'value="beaucoup"' in page.text
    assert set(page.context["form"].errors) == {"price_cents", "title", "ends_on"}
    page = shop.post(NEW, typed(title="", ends_on="2027-03-08", envoyer="1"))
    assert set(page.context["form"].errors) == {"title", "ends_on"}
    page = shop.post(NEW, typed(price_cents="1,40", ends_on="2027-03-08", envoyer="1"))
    assert set(page.context["form"].errors) == {"price_cents", "ends_on"}
    assert 'href="#id_price_cents"' in page.text
    page = shop.post(NEW, typed(ends_on="9999-12-31", envoyer="1"))
    assert page.context["form"].errors == {"ends_on": ["Choisissez un jour dans les cinq ans."]}
    assert not Offer.objects.exists()


def test_what_is_typed_for_another_kind_is_no_fault(shop: Client) -> None:
    shop.post(NEW, typed(kind="gift", gift="Un croissant", price_cents="beaucoup", envoyer="1"))
    offer = Offer.objects.get()
    assert (offer.kind, offer.gift, offer.price_cents) == (OfferKind.GIFT, "Un croissant", None)


@left_open
def test_a_photo_is_seen_in_the_preview_and_stays(shop: Client, baker: PartnerPerson) -> None:
    wrong = shop.post(NEW, typed(title="", apercu="1", photo=photo()))
    page = shop.post(NEW, typed(apercu="1", kept=wrong.context["form"]["kept"].value()))
    picture = Picture.objects.get()
    assert page.context["preview"].photo == picture
    kept = page.context["form"]["kept"].value()
    again = shop.post(NEW, typed(title="", kept=kept, envoyer="1"))
    assert again.status_code == 422
    assert again.context["form"]["kept"].value() == kept
    shop.post(NEW, typed(kept=kept, envoyer="1"))
    offer = Offer.objects.get()
    assert offer.picture == picture
    shop.post(page_of(offer), typed(kept=kept, no_photo="on", envoyer="1"))
    waiting = asked_now(offer)
    assert waiting and waiting.content["picture"] is None
    assert Picture.objects.count() == 1


@left_open
def test_no_other_photo_is_taken_by_its_number(shop: Client) -> None:
    shop.post(NEW, typed(apercu="1", photo=photo()))
    picture = Picture.objects.get()
    shop.post(NEW, typed(kept=str(picture.pk), envoyer="1"))
    assert Offer.objects.get().picture is None


def test_what_is_no_photo_is_told_beside_it(shop: Client) -> None:
    page = shop.post(NEW, typed(envoyer="1", photo=SimpleUploadedFile("a.jpg", b"rien")))
    assert set(page.context["form"].errors) == {"photo"}
    assert not Offer.objects.exists()


def test_a_refusal_is_read_and_corrected(
    place: Place, shop: Client, baker: PartnerPerson, now: datetime
) -> None:
    officer = staff(place, Role.OFFICER)
    offer = OfferFactory(partner=baker.partner, **terms())
    offers.propose(offer, baker.partner, terms(percent=50), by=baker.user, now=now)
    revision = asked_now(offer)
    assert revision
    moderation.turn_down(offer, revision.pk, "C’est trop.", by=officer, now=now)
    page = shop.get(page_of(offer)).text
    assert "C’est trop." in page
    assert "Corrigez et renvoyez." in page
    assert 'value="50"' in page
    kept = shop.post(reverse("pro:offer-act", args=[offer.public_id, "reprendre"]), follow=True)
    assert "C’est trop." not in kept.text
    assert 'value="10"' in kept.text


def test_the_same_terms_are_told_to_be_no_change(shop: Client, baker: PartnerPerson) -> None:
    offer = OfferFactory(partner=baker.partner, **terms(conditions=""))
    page = shop.post(
        page_of(offer), typed(kind="percent", percent="10", conditions="", limit_count="",
                              limit_per="", envoyer="1"),
    )  # fmt: skip
    assert page.status_code == 422
    assert "Il n’y a rien à changer." in page.text


def test_withdrawing_and_bringing_back_are_one_tap(shop: Client, baker: PartnerPerson) -> None:
    offer = OfferFactory(partner=baker.partner)
    gone = shop.post(reverse("pro:offer-act", args=[offer.public_id, "retirer"]), follow=True)
    assert f"Retiré le mardi 9{NBSP}mars." in gone.text
    back = shop.post(reverse("pro:offer-act", args=[offer.public_id, "remettre"]), follow=True)
    assert "En ligne" in back.text
    again = shop.post(reverse("pro:offer-act", args=[offer.public_id, "remettre"]), follow=True)
    assert "Cet avantage n’est pas retiré." in again.text
    assert shop.post(reverse("pro:offer-act", args=[offer.public_id, "voler"])).status_code == 404


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ends_on": date(2027, 3, 1)}, f"Terminé le lundi 1er{NBSP}mars."),
        ({"starts_on": date(2027, 4, 1)}, f"en ligne à partir du jeudi 1er{NBSP}avril."),
        ({"live": False}, "Pas encore envoyé."),
    ],
)
def test_the_state_is_that_of_the_day(
    shop: Client, baker: PartnerPerson, changes: dict[str, Any], said: str
) -> None:
    assert said in shop.get(page_of(OfferFactory(partner=baker.partner, **changes))).text


def test_others_find_no_offer_of_this_shop(
    client: Client, place: Place, baker: PartnerPerson
) -> None:
    offer = OfferFactory(partner=baker.partner)
    act = reverse("pro:offer-act", args=[offer.public_id, "retirer"])
    for stranger, status in [
        (PersonFactory(partner__landlord=place.landlord).user, 404),
        (MemberFactory(place=place).user, 403),
        (staff(place, Role.OFFICER), 403),
    ]:
        client.force_login(stranger)
        assert client.get(page_of(offer)).status_code == status
        assert client.post(page_of(offer), typed(envoyer="1")).status_code == status
        assert client.post(act).status_code == status
    client.logout()
    assert client.get(page_of(offer)).status_code == 302


def test_who_left_the_shop_proposes_nothing_more(
    shop: Client, baker: PartnerPerson, now: datetime
) -> None:
    PartnerPerson.objects.filter(pk=baker.pk).update(left_at=now)
    assert shop.post(NEW, typed(envoyer="1")).status_code == 403
    assert not Offer.objects.exists()


def test_an_intermediary_has_no_such_page(client: Client, place: Place) -> None:
    broker = PersonFactory(
        partner__landlord=place.landlord, partner__kind=PartnerKind.INTERMEDIARY, partner__shop=""
    )
    client.force_login(broker.user)
    assert client.get(NEW).status_code == 404


@pytest.mark.parametrize("kept", ["a\x00b", "1:forged", "x" * 5000])
def test_a_photos_number_that_is_not_ours_is_none(shop: Client, kept: str) -> None:
    answer = shop.post(NEW, typed(kept=kept, title=""))
    assert answer.status_code == 422 and "title" in answer.context["form"].errors
    assert not Offer.objects.exists()
