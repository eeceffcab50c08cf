"""A directory of any size for the bench: artisans with papers, shops with hours."""

from datetime import date, time, timedelta

from django.utils import timezone

from club.kernel.spans import local_day
from club.models import Landlord
from config.bench.town import tidy
from marketplace.enums import DocumentKind, DocumentStatus, PartnerKind, PartnerStatus, Shop, Trade
from marketplace.models import (
    Convention,
    DocumentTrade,
    Partner,
    PartnerDocument,
    PartnerHours,
    PartnerTrade,
)

FAR = date(2099, 12, 31)
ABOUT = "Au service du quartier depuis longtemps, du lundi au samedi et sur rendez-vous."


def add_partners(landlord: Landlord, number: int) -> None:
    """Every second one an artisan of two trades, whose insurance names them."""
    now = timezone.now()
    began = local_day(now) - timedelta(days=30)
    trades, shops = list(Trade), list(Shop)
    partners = Partner.objects.bulk_create(
        Partner(
            landlord=landlord, public_id=f"p{n}", name=f"Maison {n:04d}", city=f"Commune {n % 40}",
            kind=PartnerKind.MERCHANT if n % 2 else PartnerKind.ARTISAN,
            shop=shops[n // 2 % len(shops)] if n % 2 else "", phone=f"+3332200{n:04d}",
            description=f"{ABOUT} Numéro {n}.", step_free=n % 3 == 0, checked_on=began,
            status=PartnerStatus.LIVE, created_at=now,
        )
        for n in range(number)
    )  # fmt: skip
    Convention.objects.bulk_create(
        Convention(partner=one, version="1", signed_on=began, starts_on=began, ends_on=FAR)
        for one in partners
    )
    PartnerHours.objects.bulk_create(
        PartnerHours(partner=one, weekday=weekday, opens=time(8), closes=time(18))
        for one in partners
        for weekday in range(6)
    )
    artisans = partners[::2]
    of = {
        one.pk: [trades[n % len(trades)], trades[(n + 1) % len(trades)]]
        for n, one in enumerate(artisans)
    }
    PartnerTrade.objects.bulk_create(
        PartnerTrade(partner=one, trade=trade) for one in artisans for trade in of[one.pk]
    )
    papers = PartnerDocument.objects.bulk_create(
        PartnerDocument(
            partner=one, kind=DocumentKind.DECENNIAL, issuer="Assureur du banc", number="1",
            starts_on=began, ends_on=FAR, status=DocumentStatus.ACCEPTED, received_at=now,
        )
        for one in artisans
    )  # fmt: skip
    DocumentTrade.objects.bulk_create(
        DocumentTrade(document=paper, trade=trade)
        for paper in papers
        for trade in of[paper.partner_id]
    )
    tidy()
