"""The directory: who is listed for what is asked, in an order that nobody can buy.

The rules of the order are printed for everybody (`RULES`); each has its test.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django.db.models import (
    Case,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rapidfuzz import fuzz

from club.kernel.people import folded
from club.models import Landlord, Place
from marketplace.enums import PartnerKind, Shop
from marketplace.models import Partner, PartnerClosure, PartnerHours, PartnerTrade
from marketplace.queries.shown import Need, needs_of, partners_shown, trades_shown
from marketplace.queries.trades import trades_meant

PER_PAGE = 30
CLOSE_ENOUGH = 86
EMPTY_WORDS = frozenset({"aux", "avec", "chez", "des", "dans", "les", "mes", "mon", "pour", "une"})

PRIME, PARTNER_STEP, DAY_STEP = 999_983, 7_919, 104_729
"""A partner's turn of a day is (number × 7919 + day × 104729)³, modulo 999983.

Cubing is one to one for this prime, so no two partners share a turn before their numbers
reach it, and a step in the day mixes the order anew rather than shifting it by one.
"""

RULES = {
    "trade": _("Un artisan est montré pour les métiers que son assurance couvre aujourd’hui."),
    "place": _("D’abord viennent ceux qui servent le point d’accueil choisi, par son nom."),
    "all_places": _("Ensuite viennent ceux qui servent tous les points d’accueil."),
    "turn": _("Entre eux, l’ordre change chaque jour, par un calcul."),
    "everybody": _("Le même jour, l’ordre est le même pour tout le monde."),
    "name": _("À égalité, c’est l’ordre alphabétique du nom."),
    "fee": _("Un partenaire peut verser une participation par an. Elle ne change pas l’ordre."),
    "search": _("Une recherche ou un filtre enlève des partenaires. L’ordre des autres reste."),
}


@dataclass(frozen=True)
class Wanted:
    """What is asked of the directory; an empty one asks for all that is shown."""

    kind: str = ""
    trade: str = ""
    shop: str = ""
    place: Place | None = None
    open_at: datetime | None = None
    step_free: bool = False
    language: str = ""
    text: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Whether more is asked than a kind and what it sells."""
        return bool(self.text) or self.is_filtered

    @property
    def is_filtered(self) -> bool:
        """Whether something of the filters is chosen; words are no choice."""
        bare = Wanted(kind=self.kind, trade=self.trade, shop=self.shop, text=self.text)
        return self != bare


@dataclass(frozen=True)
class Directory:
    """One landlord's directory on one day; what papers it asks for is read once."""

    landlord: Landlord
    on: date
    needs: list[Need]

    def trades(self) -> QuerySet[PartnerTrade]:
        return trades_shown(self.landlord, self.on, self.needs).order_by()

    def partners(self, kind: str = "") -> QuerySet[Partner]:
        kinds = [kind] if kind else PartnerKind.values
        return partners_shown(self.landlord, self.on, kinds, self.needs)

    def one(self, public_id: str) -> QuerySet[Partner]:
        """The partner of that name, if it is shown; the papers of no other are looked at."""
        trades = self.trades().filter(partner__public_id=public_id)
        kinds = [kind for kind in PartnerKind.values if kind != PartnerKind.ARTISAN]
        others = partners_shown(self.landlord, self.on, kinds, self.needs)
        return Partner.objects.filter(
            Q(pk__in=trades.values("partner"))
            | Q(pk__in=others.filter(public_id=public_id).values("pk")),
            public_id=public_id,
        )

    def listed(self, wanted: Wanted, ordered_on: date | None = None) -> QuerySet[Partner]:
        """Everybody who answers what is asked, in the order of the day or of another."""
        if wanted.trade:
            of_trade = self.trades().filter(trade=wanted.trade)
            partners = Partner.objects.filter(pk__in=of_trade.values("partner"))
            if wanted.kind:
                partners = partners.filter(kind=wanted.kind)
        else:
            partners = self.partners(wanted.kind)
        partners = filtered(partners, wanted)
        asked = telling(wanted.text)
        if asked:
            named = self.named(partners, wanted.text, asked)
            partners = Partner.objects.filter(pk__in=named)
        return in_order(partners, ordered_on or self.on, wanted.place)

    def named(self, partners: QuerySet[Partner], text: str, asked: list[str]) -> list[int]:
        """Those whose own words or trades hold each word, or whose name is nearly it."""
        meant = {word: trades_meant(word) for word in asked}
        trades: dict[int, set[str]] = defaultdict(set)
        for partner, trade in self.trades().values_list("partner", "trade"):
            trades[partner].add(trade)
        wanted = folded(text)
        found = []
        sorts = {
            (kind, shop): folded(f"{PartnerKind(kind).label} {Shop(shop).label if shop else ''}")
            for kind in PartnerKind.values
            for shop in ("", *Shop.values)
        }
        rows = partners.values_list("pk", "name", "description", "city", "kind", "shop")
        for pk, name, description, city, kind, shop in rows:
            said = f"{folded_once(name)} {folded_once(description)} {folded_once(city)}"
            said = f"{said} {sorts[kind, shop]}"
            near = len(wanted) > 3 and (
                fuzz.partial_ratio(wanted, folded_once(name)) >= CLOSE_ENOUGH
            )
            if near or all(word in said or meant[word] & trades[pk] for word in asked):
                found.append(pk)
        return found

    def trades_of(self, partners: Iterable[Partner]) -> dict[int, list[str]]:
        """The trades that each of some partners is shown for today, in the list's order."""
        artisans = [one.pk for one in partners if one.kind == PartnerKind.ARTISAN]
        found: dict[int, list[str]] = defaultdict(list)
        if artisans:
            rows = self.trades().filter(partner__in=artisans).order_by("pk")
            for partner, trade in rows.values_list("partner", "trade"):
                found[partner].append(trade)
        return found


def directory_of(landlord: Landlord, on: date) -> Directory:
    return Directory(landlord, on, needs_of(landlord))


def filtered(partners: QuerySet[Partner], wanted: Wanted) -> QuerySet[Partner]:
    if wanted.shop:
        partners = partners.filter(shop=wanted.shop)
    if wanted.step_free:
        partners = partners.filter(step_free=True)
    if wanted.language:
        # As text: SQLite cannot ask a JSON list what it contains, and codes are a closed list.
        spoken = Cast("languages", TextField())
        partners = partners.alias(spoken=spoken).filter(spoken__contains=f'"{wanted.language}"')
    if wanted.open_at is not None:
        partners = partners.filter(is_open(wanted.open_at))
    if wanted.place is not None:
        partners = partners.filter(serves_by_name(wanted.place) | serves_all())
    return partners


def is_open(moment: datetime) -> Q:
    """By the hours on the wall of that moment, on a day that is no closure's."""
    local = timezone.localtime(moment, timezone.get_default_timezone())
    hour, day = local.time().replace(microsecond=0), local.date()
    hours = PartnerHours.objects.filter(
        partner=OuterRef("pk"), weekday=local.weekday(), opens__lte=hour, closes__gt=hour
    )
    closures = PartnerClosure.objects.filter(
        partner=OuterRef("pk"), starts_on__lte=day, ends_on__gte=day
    )
    return Q(Exists(hours)) & ~Q(Exists(closures))


def serves_by_name(place: Place) -> Q:
    return Q(Exists(served().filter(place=place)))


def serves_all() -> Q:
    return ~Q(Exists(served()))


def served() -> QuerySet[Any]:
    return Partner.places.through.objects.filter(partner=OuterRef("pk"))


def turn_of(number: int, on: date) -> int:
    """The turn of the partner of that number on that day; the lowest comes first."""
    mixed = (number % PRIME * PARTNER_STEP + on.toordinal() * DAY_STEP) % PRIME
    return mixed**3 % PRIME


def turn_in(column: str, on: date) -> Any:
    """`turn_of` the partner that a column names, for the database to reckon."""
    mixed = (F(column) % PRIME * PARTNER_STEP + on.toordinal() * DAY_STEP % PRIME) % PRIME
    return mixed * mixed * mixed % PRIME


def in_order(
    partners: QuerySet[Partner], on: date, place: Place | None = None
) -> QuerySet[Partner]:
    """By the printed rules. Whole numbers of 64 bits alone, so both databases agree."""
    far: Any = Value(0, IntegerField())
    if place is not None:
        far = Case(When(serves_by_name(place), then=0), default=1, output_field=IntegerField())
    return partners.annotate(far=far, turn=turn_in("pk", on)).order_by(*ORDER)


ORDER = ("far", "turn", "name", "pk")


def after(partners: QuerySet[Partner], position: Iterable[Any]) -> QuerySet[Partner]:
    """Those that come after a position in `ORDER`."""
    later, equal = Q(), Q()
    for name, value in zip(ORDER, position, strict=True):
        later |= equal & Q(**{f"{name}__gt": value})
        equal &= Q(**{name: value})
    return partners.filter(later)


def telling(text: str) -> list[str]:
    """The words that tell something apart; all of them where there is no other."""
    words = folded(text).split()
    return [word for word in words if len(word) > 2 and word not in EMPTY_WORDS] or words


@lru_cache(maxsize=4096)
def folded_once(text: str) -> str:
    """A search folds the same names and descriptions again each time."""
    return folded(text)
