"""Partners for tests: live, with a convention for the year, and papers on request."""

from datetime import date
from typing import Any

import factory
from factory.django import DjangoModelFactory
from stdnum import luhn

from marketplace import models
from marketplace.enums import (
    DocumentKind,
    DocumentStatus,
    OfferKind,
    PartnerKind,
    PartnerStatus,
    Shop,
    Trade,
)
from tests.factories.club import NOW, LandlordFactory, MemberFactory, UserFactory

FIRST, LAST = date(2027, 1, 1), date(2027, 12, 31)


def siret_of(number: int) -> str:
    """A number of fourteen digits whose two check digits hold."""
    siren = f"{number:08d}"
    siren += luhn.calc_check_digit(siren)
    body = siren + "0001"
    return body + luhn.calc_check_digit(body)


class PartnerFactory(DjangoModelFactory):
    class Meta:
        model = models.Partner
        skip_postgeneration_save = True

    landlord = factory.SubFactory(LandlordFactory)
    kind = PartnerKind.MERCHANT
    shop = Shop.BAKERY
    name = factory.Sequence(lambda n: f"Boulangerie {n}")
    siret = factory.Sequence(lambda n: siret_of(10_000_000 + n))
    phone = "+33322000000"
    status = PartnerStatus.LIVE
    created_at = NOW

    @factory.post_generation
    def convention(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create and extracted is not False:
            models.Convention.objects.create(
                partner=self, version="2027", signed_on=FIRST, starts_on=FIRST, ends_on=LAST
            )


class ArtisanFactory(PartnerFactory):
    class Meta:
        model = models.Partner
        skip_postgeneration_save = True

    kind = PartnerKind.ARTISAN
    shop = ""
    name = factory.Sequence(lambda n: f"Artisan {n}")

    @factory.post_generation
    def trades(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        for trade in extracted or [Trade.PLUMBING]:
            models.PartnerTrade.objects.create(partner=self, trade=trade)


def insured(
    partner: models.Partner,
    *trades: str,
    starts_on: date = FIRST,
    ends_on: date = LAST,
    status: str = DocumentStatus.ACCEPTED,
    kind: str = DocumentKind.DECENNIAL,
) -> models.PartnerDocument:
    document = models.PartnerDocument.objects.create(
        partner=partner,
        kind=kind,
        issuer="Assurances du Nord",
        number="AN-1",
        starts_on=starts_on,
        ends_on=ends_on,
        status=status,
        received_at=NOW,
    )
    for trade in trades:
        models.DocumentTrade.objects.create(document=document, trade=trade)
    return document


class PersonFactory(DjangoModelFactory):
    """Somebody who acts for a partner."""

    class Meta:
        model = models.PartnerPerson

    partner = factory.SubFactory(PartnerFactory)
    user = factory.SubFactory(UserFactory)
    added_at = NOW


class OfferFactory(DjangoModelFactory):
    """Ten per cent on everything, live since the year began."""

    class Meta:
        model = models.Offer

    partner = factory.SubFactory(PartnerFactory)
    title = "Tout le magasin"
    kind = OfferKind.PERCENT
    percent = 10
    starts_on = FIRST
    live = True


class UseFactory(DjangoModelFactory):
    class Meta:
        model = models.OfferUse

    offer = factory.SubFactory(OfferFactory)
    member = factory.SubFactory(MemberFactory)
    period = "2027-03"
    rank = factory.Sequence(lambda n: n + 1)
    used_at = NOW
    amount_cents = 20_00
    saving_cents = 2_00


class VisitFactory(DjangoModelFactory):
    class Meta:
        model = models.VisitRequest

    member = factory.SubFactory(MemberFactory)
    landlord = factory.LazyAttribute(lambda one: one.member.household.landlord)
    trade = Trade.PLUMBING
    what = "Le robinet de la cuisine fuit."
    address = "3 allée des Tilleuls, bâtiment B"
    town = "Amiens"
    phone = "+33612345678"
    asked_at = NOW


class AskFactory(DjangoModelFactory):
    class Meta:
        model = models.VisitAsk

    visit = factory.SubFactory(VisitFactory)
    partner = factory.SubFactory(ArtisanFactory)
    rank = 1
    asked_at = NOW


class CertificateFactory(DjangoModelFactory):
    class Meta:
        model = models.Certificate

    household = factory.LazyAttribute(lambda one: one.member.household)
    member = factory.SubFactory(MemberFactory)
    insurer = "Assurances du Nord"
    starts_on = FIRST
    ends_on = LAST
    received_at = NOW
