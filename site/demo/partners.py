"""The town's partners: checked artisans, shops, a farm and an insurance broker.

One electrician's paper has lapsed and one plumber's is for roofing alone: residents do not
see them, and the officer reads why.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from stdnum import luhn

from club.kernel.spans import local_day
from club.models import Landlord, User
from marketplace.domain.partners import accept, add_partner, publish, receive
from marketplace.enums import DocumentKind, PartnerKind, Shop, Trade
from marketplace.models import (
    Convention,
    DocumentTrade,
    Partner,
    PartnerDocument,
    PartnerHours,
    PartnerTrade,
)
from marketplace.queries.shown import LAW

Hours = tuple[tuple[int, ...], str, str]
WEEK = (1, 2, 3, 4, 5)
SHOP_HOURS: tuple[Hours, ...] = ((WEEK, "07:00", "13:00"), (WEEK, "15:30", "19:30"))
FIRM_HOURS: tuple[Hours, ...] = (((0, 1, 2, 3, 4), "08:00", "18:00"),)


@dataclass(frozen=True)
class Firm:
    """`covered` are the trades that its insurance names; `days` how long it still lasts."""

    kind: str
    name: str
    what: str
    street: str
    phone: str
    shop: str = ""
    trades: tuple[str, ...] = ()
    covered: tuple[str, ...] | None = None
    days: int = 220
    hours: tuple[Hours, ...] = FIRM_HOURS
    languages: tuple[str, ...] = ("fr",)
    step_free: bool = False


FIRMS = (
    Firm(
        PartnerKind.ARTISAN, "Plomberie Aziz", "Fuites, chasses d’eau, éviers bouchés. Devis"
        " gratuit, déplacement compris.", "4 rue des Lilas", "+33322010011",
        trades=(Trade.PLUMBING, Trade.HEATING), languages=("fr", "ar", "ber"),
    ),
    Firm(
        PartnerKind.ARTISAN, "Dubois et fille", "Plomberie et carrelage, petits travaux compris.",
        "18 rue Voltaire", "+33322010012", trades=(Trade.PLUMBING, Trade.TILING), days=41,
        languages=("fr", "pt"),
    ),
    Firm(
        PartnerKind.ARTISAN, "Somme Dépannage", "Robinets, chauffe-eau, mécanismes de volets.",
        "2 rue du Port", "+33322010013", trades=(Trade.PLUMBING, Trade.LOCKS, Trade.GLAZING),
    ),
    Firm(
        PartnerKind.ARTISAN, "Toits du Nord", "Couverture et petite plomberie.",
        "9 route de Doullens", "+33322010014", trades=(Trade.ROOFING, Trade.PLUMBING),
        covered=(Trade.ROOFING,),
    ),
    Firm(
        PartnerKind.ARTISAN, "Électricité Leroy", "Prises, tableaux, luminaires.",
        "31 rue Balzac", "+33322010015", trades=(Trade.ELECTRICITY,), days=-6,
    ),
    Firm(
        PartnerKind.ARTISAN, "Lumière et Volts", "Dépannage électrique le jour même.",
        "7 rue Jules-Verne", "+33322010016", trades=(Trade.ELECTRICITY,),
        languages=("fr", "tr"),
    ),
    Firm(
        PartnerKind.ARTISAN, "Les Mains vertes", "Taille, tonte, balcons fleuris.",
        "3 chemin des Hortillons", "+33322010017", trades=(Trade.GARDENING,), step_free=True,
    ),
    Firm(
        PartnerKind.MERCHANT, "Le Fournil de Denis", "Pain au levain, cuit sur place.",
        "11 allée des Tilleuls", "+33322010021", shop=Shop.BAKERY, hours=SHOP_HOURS,
        step_free=True,
    ),
    Firm(
        PartnerKind.MERCHANT, "Primeur Saint-Ladre", "Fruits et légumes de la région d’abord.",
        "13 allée des Tilleuls", "+33322010022", shop=Shop.GREENGROCER, hours=SHOP_HOURS,
        languages=("fr", "ar"), step_free=True,
    ),
    Firm(
        PartnerKind.MERCHANT, "Optique du Centre", "Lunettes, réparation, essai sans rendez-vous.",
        "5 rue des Jacobins", "+33322010023", shop=Shop.OPTICIAN, hours=SHOP_HOURS,
    ),
    Firm(
        PartnerKind.MERCHANT, "Librairie Les Pages", "Livres neufs et d’occasion, papeterie.",
        "22 rue de Metz", "+33322010024", shop=Shop.BOOKS, hours=SHOP_HOURS, step_free=True,
    ),
    Firm(
        PartnerKind.PRODUCER, "Ferme des Hortillons", "Paniers de légumes, livrés le vendredi.",
        "Chemin de halage", "+33322010031", shop=Shop.FARM,
    ),
    Firm(
        PartnerKind.INTERMEDIARY, "Cabinet Marchand", "Assurance habitation, expliquée en face.",
        "40 rue de la République", "+33322010041",
    ),
)  # fmt: skip


def make_partners(landlord: Landlord, officer: User, now: datetime) -> None:
    for number, firm in enumerate(FIRMS, 1):
        make_partner(firm, number, landlord, officer, now)


def make_partner(
    firm: Firm, number: int, landlord: Landlord, officer: User, now: datetime
) -> Partner:
    """Signed, checked and put on line a while ago, as its papers then allowed."""
    today = local_day(now)
    signed = now - timedelta(days=90)
    is_broker = firm.kind == PartnerKind.INTERMEDIARY
    partner = Partner(
        landlord=landlord,
        kind=firm.kind,
        name=firm.name,
        siret=siret_of(number),
        shop=firm.shop,
        orias=f"1000{number:04d}" if is_broker else "",
        orias_checked_on=today - timedelta(days=30) if is_broker else None,
        description=firm.what,
        address=firm.street,
        postcode="80000",
        city="Amiens",
        phone=firm.phone,
        languages=list(firm.languages),
        step_free=firm.step_free,
    )
    add_partner(partner, by=officer, now=signed)
    PartnerTrade.objects.bulk_create(PartnerTrade(partner=partner, trade=t) for t in firm.trades)
    PartnerHours.objects.bulk_create(
        PartnerHours(
            partner=partner,
            weekday=day,
            opens=time.fromisoformat(opens),
            closes=time.fromisoformat(closes),
        )
        for days, opens, closes in firm.hours
        for day in days
    )
    Convention.objects.create(
        partner=partner,
        version=str(signed.year),
        signed_on=local_day(signed),
        starts_on=local_day(signed),
        ends_on=local_day(signed) + timedelta(days=730),
        fee_cents=100_00 if firm.kind == PartnerKind.MERCHANT else 0,
    )
    for need in LAW:
        trades = [trade for trade in firm.trades if need.is_for(trade)]
        if need.kind == firm.kind and (trades or need.trades is None):
            named = tuple(trades) if firm.covered is None else firm.covered
            give_paper(partner, need.document, named, firm.days, officer, signed)
    publish(partner, by=officer, now=signed)
    return partner


def give_paper(
    partner: Partner,
    kind: str,
    trades: tuple[str, ...],
    days: int,
    officer: User,
    signed: datetime,
) -> None:
    last = local_day(signed) + timedelta(days=90 + days)
    paper = PartnerDocument(
        partner=partner,
        kind=kind,
        issuer="Mutuelle des Bâtisseurs" if kind == DocumentKind.DECENNIAL else "ORIAS",
        number=f"MB-{partner.pk:05d}",
        starts_on=last - timedelta(days=365),
        ends_on=last,
    )
    receive(paper, by=officer, now=signed)
    DocumentTrade.objects.bulk_create(DocumentTrade(document=paper, trade=t) for t in trades)
    accept(paper, by=officer, now=signed)


def siret_of(number: int) -> str:
    """Made up, with check digits that hold: such numbers begin with 000."""
    siren = f"000{number:05d}"
    siren += luhn.calc_check_digit(siren)
    body = f"{siren}0001"
    return body + luhn.calc_check_digit(body)
