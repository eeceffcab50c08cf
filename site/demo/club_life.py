"""What the partners' room has lived: offers and their uses, visits, insurance, wishes.

All of it goes through the verbs, at the moment of the past at which it was done, so that
figures, logs and messages are those of real use.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from club.enums import TenancyResult
from club.kernel.refusal import Refused
from club.kernel.spans import at, local_day
from club.models import Landlord, Member, User
from demo.accounts import DOMAIN
from marketplace.domain import asks, certificates, moderation, offers, visits
from marketplace.domain.atonce import set_stock
from marketplace.domain.callbacks import ask_callback
from marketplace.domain.people import add_person
from marketplace.domain.reports import report_refusal
from marketplace.domain.suggestions import open_vote, suggest, talk, vote
from marketplace.domain.uses import use_offer
from marketplace.enums import (
    DayPart,
    HappenedAtTill,
    LimitPer,
    OfferKind,
    Satisfaction,
    Shop,
    Trade,
)
from marketplace.models import InsurancePrice, Offer, Partner, PartnerPerson
from marketplace.queries.offers import TERMS
from marketplace.queries.visits import Window, windows_offered

TWO_DAYS = timedelta(days=2)


@dataclass(frozen=True)
class Keeper:
    """Who acts for a firm; the first two sign in to the demonstration under these names."""

    firm: str
    first_name: str
    last_name: str
    address: str


KEEPERS = (
    Keeper("Le Fournil de Denis", "Denis", "Fournil", "baker"),
    Keeper("Plomberie Aziz", "Karim", "Aziz", "plumber"),
    Keeper("Dubois et fille", "Manon", "Dubois", "dubois"),
    Keeper("Somme Dépannage", "Éric", "Lenoir", "somme.depannage"),
    Keeper("Lumière et Volts", "Selma", "Kaya", "lumiere"),
    Keeper("Les Mains vertes", "Paul", "Sauvage", "mains.vertes"),
    Keeper("Primeur Saint-Ladre", "Nadir", "Saïdi", "primeur"),
    Keeper("Optique du Centre", "Claire", "Roussel", "optique"),
    Keeper("Librairie Les Pages", "Agnès", "Lambert", "librairie"),
    Keeper("Ferme des Hortillons", "Luc", "Parmentier", "ferme"),
    Keeper("Cabinet Marchand", "Inès", "Marchand", "marchand"),
)


@dataclass(frozen=True)
class Given:
    """An offer as its shop proposed it; `spent` are the cents of a usual purchase."""

    firm: str
    title: str
    kind: str
    terms: dict[str, Any]
    spent: tuple[int, int] = (0, 0)
    share: float = 0.0
    """Which part of the members uses it in a week."""


GIVEN = (
    Given(
        "Le Fournil de Denis", "Pain de campagne", OfferKind.PRICE,
        {"price_cents": 1_10, "usual_price_cents": 1_30, "conditions": "Un pain par passage."},
        (1_10, 1_10), 0.30,
    ),
    Given(
        "Le Fournil de Denis", "Tout le magasin, le mardi", OfferKind.PERCENT,
        {"percent": 10, "limit_count": 1, "limit_per": LimitPer.WEEK}, (4_00, 14_00), 0.12,
    ),
    Given(
        "Primeur Saint-Ladre", "Fruits et légumes de saison", OfferKind.PERCENT,
        {"percent": 10}, (6_00, 22_00), 0.16,
    ),
    Given(
        "Optique du Centre", "Une monture", OfferKind.AMOUNT,
        {"amount_cents": 30_00, "conditions": "Sur une monture de 90 € ou plus.",
         "limit_count": 1, "limit_per": LimitPer.YEAR},
        (90_00, 180_00), 0.01,
    ),
    Given(
        "Librairie Les Pages", "Fournitures scolaires", OfferKind.GIFT,
        {"gift": "Un cahier", "conditions": "Dès 15 € d’achat.",
         "limit_count": 2, "limit_per": LimitPer.YEAR},
        (15_00, 40_00), 0.03,
    ),
)  # fmt: skip

PRICES = {1: 89_00, 2: 112_00, 3: 138_00, 4: 163_00, 5: 190_00}
"""The broker's table by rooms, in cents a year."""

WISHES: tuple[tuple[str, str, dict[str, str], int], ...] = (
    ("Pharmacie de la Vallée", "rue Saint-Fuscien", {"shop": Shop.PHARMACY}, 9),
    ("Coiffure Nour", "allée des Tilleuls", {"shop": Shop.HAIR}, 14),
    ("Cordonnerie du Marché", "place du marché", {"shop": Shop.OTHER}, 4),
    ("Serrurerie Picarde", "route de Rouen", {"trade": Trade.LOCKS}, 6),
)


def live_with_partners(landlord: Landlord, officer: User, now: datetime, rng: Random) -> None:
    firms = {one.name: one for one in Partner.objects.filter(landlord=landlord)}
    keepers = welcome(firms, officer, now)
    members = list(
        Member.objects.filter(household__landlord=landlord, user__is_active=True)
        .select_related("user", "place", "household__landlord")
        .order_by("pk")
    )
    given = make_offers(firms, keepers, officer, now)
    use_them(given, keepers, members, now, rng)
    ask_artisans(members, keepers, now)
    insure(firms["Cabinet Marchand"], members, landlord, officer, now, rng)
    wish(members, officer, now, rng)
    leila = next(one for one in members if one.user.email == f"leila@{DOMAIN}")
    report_refusal(
        leila, given[3], happened=HappenedAtTill.UNKNOWN, on=local_day(now) - timedelta(days=2),
        by=leila.user, now=now - timedelta(days=1),
    )  # fmt: skip


def welcome(firms: dict[str, Partner], officer: User, now: datetime) -> dict[str, PartnerPerson]:
    since = now - timedelta(days=88)
    return {
        one.firm: add_person(
            firms[one.firm],
            first_name=one.first_name,
            last_name=one.last_name,
            email=f"{one.address}@{DOMAIN}",
            by=officer,
            now=since,
        )
        for one in KEEPERS
    }


# -- Offers ------------------------------------------------------------------------------------


def terms_for(given: Given, starts_on: date) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(TERMS)
    empty |= {"gift": "", "conditions": "", "limit_per": ""}
    return empty | {"title": given.title, "kind": given.kind, "starts_on": starts_on, **given.terms}


def make_offers(
    firms: dict[str, Partner], keepers: dict[str, PartnerPerson], officer: User, now: datetime
) -> list[Offer]:
    """Approved long ago; one shop asks for a change today, another for its first offer."""
    since = now - timedelta(days=80)
    made = []
    for given in GIVEN:
        terms = terms_for(given, local_day(since))
        keeper = keepers[given.firm].user
        offer = offers.propose(None, firms[given.firm], terms, by=keeper, now=since)
        revision = offer.latest_revision_id
        assert revision is not None
        moderation.approve(offer, revision, by=officer, now=since)
        made.append(Offer.objects.select_related("partner__landlord").get(pk=offer.pk))
    baker = keepers["Le Fournil de Denis"].user
    set_stock(made[0], left=14, by=baker, now=now - timedelta(minutes=20))
    this_morning = now - timedelta(hours=3)
    change = {name: getattr(made[2], name) for name in TERMS} | {"percent": 15}
    offers.propose(
        Offer.objects.select_related("partner__landlord").get(pk=made[2].pk),
        made[2].partner, change, by=keepers["Primeur Saint-Ladre"].user, now=this_morning,
    )  # fmt: skip
    basket = Given("", "Premier panier", OfferKind.PERCENT, {"percent": 50})
    offers.propose(
        None, firms["Ferme des Hortillons"], terms_for(basket, local_day(now)),
        by=keepers["Ferme des Hortillons"].user, now=this_morning,
    )  # fmt: skip
    return made


def use_them(
    given: list[Offer],
    keepers: dict[str, PartnerPerson],
    members: list[Member],
    now: datetime,
    rng: Random,
) -> None:
    """Ten weeks of cards at the tills; a card that was not good then is not counted."""
    for weeks_ago in range(10, -1, -1):
        for story, offer in zip(GIVEN, given, strict=True):
            till = keepers[story.firm].user
            for member in members:
                if rng.random() >= story.share:
                    continue
                day = local_day(now) - timedelta(days=7 * weeks_ago + rng.randrange(7))
                moment = at(day, time(rng.randrange(8, 19), rng.randrange(60)))
                if moment >= now or day < offer.starts_on:
                    continue
                low, high = story.spent
                spent = rng.randrange(low, high + 1, 10) if rng.random() < 0.8 else None
                try:
                    use_offer(offer, member=member, amount_cents=spent, by=till, now=moment)
                except Refused:
                    continue


# -- Visits ------------------------------------------------------------------------------------


def ask_artisans(members: list[Member], keepers: dict[str, PartnerPerson], now: datetime) -> None:
    """Leïla waits for a plumber and has a proposal; a neighbour's visit went well."""
    leila = next(one for one in members if one.user.email == f"leila@{DOMAIN}")
    neighbour = next(one for one in members if one.user.email == f"samira.benali@{DOMAIN}")
    plumbers = [
        keepers[name].partner for name in ("Plomberie Aziz", "Dubois et fille", "Somme Dépannage")
    ]
    asked = now - timedelta(days=24)
    over = visits.ask_for_visit(
        member=neighbour, work=work_of(neighbour, "La chasse d’eau coule sans arrêt.", asked),
        artisans=plumbers[:2], by=neighbour.user, now=asked,
    )  # fmt: skip
    came = at(two_windows(asked)[0][0], time(9))
    first = over.asks.get(partner=plumbers[0])
    karim = keepers["Plomberie Aziz"].user
    asks.accept(first, came, by=karim, now=asked + timedelta(hours=5))
    said = came + timedelta(days=1)
    visits.take_place(over, by=neighbour.user, now=said)
    over.refresh_from_db()
    visits.say_how_it_went(over, Satisfaction.HAPPY, by=neighbour.user, now=said)
    asked = now - timedelta(hours=20)
    open_one = visits.ask_for_visit(
        member=leila, work=work_of(leila, "Le robinet de la cuisine fuit.", asked),
        artisans=plumbers, by=leila.user, now=asked,
    )  # fmt: skip
    later = at(local_day(now) + timedelta(days=3), time(18, 0))
    manon = open_one.asks.get(partner=plumbers[1])
    asks.propose(manon, later, by=keepers["Dubois et fille"].user, now=now - timedelta(hours=2))


def two_windows(asked: datetime) -> list[Window]:
    """A morning in two days or so, and the next afternoon."""
    offered = [one for one in windows_offered(asked) if one[0] >= local_day(asked) + TWO_DAYS]
    morning = next(one for one in offered if one[1] == DayPart.MORNING)
    return [morning, next(one for one in offered if one > morning and one[1] == DayPart.AFTERNOON)]


def work_of(member: Member, what: str, asked: datetime) -> visits.Work:
    return visits.Work(
        trade=Trade.PLUMBING,
        what=what,
        address="5 allée des Tilleuls, bâtiment B, 2e étage",
        town="Amiens",
        phone=member.user.phone or "+33612345678",
        windows=two_windows(asked),
    )


# -- Insurance ---------------------------------------------------------------------------------


def insure(
    broker: Partner,
    members: list[Member],
    landlord: Landlord,
    officer: User,
    now: datetime,
    rng: Random,
) -> None:
    """The broker's table, one call back, and certificates of most tenants, of any insurer."""
    today = local_day(now)
    InsurancePrice.objects.bulk_create(
        InsurancePrice(partner=broker, rooms=rooms, yearly_cents=cents)
        for rooms, cents in PRICES.items()
    )
    broker.prices_on = today - timedelta(days=70)
    broker.save(update_fields=["prices_on"])
    marc = next(one for one in members if one.user.email == f"marc@{DOMAIN}")
    ask_callback(
        broker, marc, phone="06 12 34 56 70", agreed=True, by=marc.user, now=now - timedelta(days=1)
    )
    tenants = {one.household_id: one for one in members if is_tenant(one)}
    for number, member in enumerate(tenants.values()):
        if number % 4 == 3:
            continue
        months = rng.randrange(1, 11)
        received = now - timedelta(days=30 * months)
        starts_on = local_day(received) - timedelta(days=5)
        if member.user.email == f"leila@{DOMAIN}":
            starts_on = today - timedelta(days=345)
            received = at(starts_on, time(10, 0))
        certificates.send_certificate(
            member,
            insurer=rng.choice(("Mutuelle du Nord", "Assurances Picardes", "La Prévoyante")),
            starts_on=starts_on,
            ends_on=starts_on + timedelta(days=364),
            file=None,
            by=officer,
            now=received,
        )
    certificates.call(
        landlord,
        purpose="Attestation annuelle d’assurance (loi du 6 juillet 1989, article 7 g)",
        by=officer,
        now=now - timedelta(days=12),
    )


def is_tenant(member: Member) -> bool:
    last = member.tenancy_checks.order_by("-checked_on", "-pk").first()
    return last is not None and last.result == TenancyResult.YES


# -- Wishes ------------------------------------------------------------------------------------


def wish(members: list[Member], officer: User, now: datetime, rng: Random) -> None:
    """Four shops that members would like; one is being talked to, one waits to be read."""
    for number, (name, street, sort, voices) in enumerate(WISHES):
        asked = now - timedelta(days=40 - 9 * number)
        author = members[3 + number]
        made = suggest(author, name=name, street=street, by=author.user, now=asked, **sort)
        if number == len(WISHES) - 1:
            return
        read = asked + timedelta(days=1)
        open_vote(made, by=officer, now=read)
        for member in rng.sample(members, voices):
            vote(made, member, by=member.user, now=read + timedelta(hours=rng.randrange(1, 90)))
        if number == 0:
            talk(made, by=officer, now=now - timedelta(days=5))
