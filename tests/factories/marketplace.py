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
    PartnerKind,
    PartnerStatus,
    Shop,
    Trade,
)
from tests.factories.club import NOW, LandlordFactory

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
