"""The directory of partners: windows by trade, lists, one partner, how they are ranked."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from club.context import place_of
from club.kernel import words
from club.kernel.spans import local_day
from club.models import Place
from content.models import Picture
from marketplace.enums import PartnerKind, Shop, Spoken, Trade
from marketplace.forms import LANGUAGES, ListForm
from marketplace.models import Partner
from marketplace.queries import hours
from marketplace.queries.directory import (
    DAY_STEP,
    PARTNER_STEP,
    PER_PAGE,
    PRIME,
    RULES,
    Directory,
    Wanted,
    directory_of,
    telling,
)
from marketplace.queries.offers import first_of, offers_of, with_stock
from marketplace.queries.trades import (
    KIND_OF,
    KINDS,
    SHOP_OF,
    SHOPS,
    TRADE_OF,
    TRADES,
    trades_meant,
)
from marketplace.views import insurance, shown, structured, visits
from marketplace.views.shown_offers import card_of


def here(request: HttpRequest) -> Place:
    place = place_of(request)
    if place is None:
        raise Http404
    return place


def places_of(place: Place) -> list[Place]:
    return list(Place.objects.filter(landlord=place.landlord_id, is_public=True).order_by("pk"))


def with_photos(partners: list[Partner]) -> None:
    """The sizes of all photos in one statement, and none where there is no photo."""
    photos: list[Picture] = [one.picture for one in partners if one.picture is not None]
    if photos:
        prefetch_related_objects(photos, "renditions")


# -- Windows -------------------------------------------------------------------------------


def sorts_of(found: Directory, kind: str) -> list[shown.Sort]:
    """What somebody of that kind offers today, in the order of the closed list."""
    if kind == PartnerKind.ARTISAN:
        rows = set(found.trades().values_list("trade", flat=True).distinct())
        return [shown.trade_sort(trade) for trade in Trade if trade in rows]
    shops = set(found.partners(kind).order_by().values_list("shop", flat=True).distinct())
    return [shown.shop_sort(kind, shop) for shop in Shop if shop in shops]


@require_safe
def directory(request: HttpRequest) -> HttpResponse:
    """The windows; with a question in the address, the list that answers it."""
    place = here(request)
    now = timezone.now()
    filters = ListForm(request.GET)
    places = places_of(place) if request.GET else []
    wanted = filters.wanted("", places, now)
    found = directory_of(place.landlord, local_day(now))
    if wanted.is_narrowed:
        return list_page(request, found, filters, wanted, places, now)
    kinds = set(found.partners().order_by().values_list("kind", flat=True).distinct())
    context = {
        "kinds": [
            {
                "url": reverse("marketplace:list", args=[KINDS[kind]]),
                "name": shown.KIND_TITLES[kind],
                "wall": shown.KIND_LOOK[kind][0],
                "picture": shown.KIND_LOOK[kind][1],
            }
            for kind in KINDS
            if kind in kinds
        ],
        "trades": sorts_of(found, PartnerKind.ARTISAN) if PartnerKind.ARTISAN in kinds else [],
    }
    return render(request, "marketplace/directory.html", context)


# -- Lists ---------------------------------------------------------------------------------


@require_safe
def listing(request: HttpRequest, kind: str, sort: str = "") -> HttpResponse:
    """All of one kind, or those of one trade or one sort of shop."""
    place = here(request)
    now = timezone.now()
    is_artisan = kind == KINDS[PartnerKind.ARTISAN]
    is_shop = kind in {KINDS[PartnerKind.MERCHANT], KINDS[PartnerKind.PRODUCER]}
    known = TRADE_OF if is_artisan else SHOP_OF if is_shop else {}
    if kind not in KIND_OF or (sort and sort not in known):
        raise Http404
    data = request.GET.copy()
    if sort:
        data["metier" if is_artisan else "commerce"] = sort
    filters = ListForm(data)
    places = places_of(place)
    wanted = filters.wanted(KIND_OF[kind], places, now)
    found = directory_of(place.landlord, local_day(now))
    return list_page(request, found, filters, wanted, places, now)


def list_page(
    request: HttpRequest,
    found: Directory,
    filters: ListForm,
    wanted: Wanted,
    places: list[Place],
    now: datetime,
) -> HttpResponse:
    rows = found.listed(wanted).select_related("picture").prefetch_related("hours", "closures")
    number, partners = page_of(rows, filters.number())
    kept = partners[:PER_PAGE]
    with_photos(kept)
    trades = found.trades_of(kept)
    gifts = first_of(kept, found.on)
    shown.until(request, shown.changes_of(kept, now))
    is_whole = not (wanted.is_narrowed or wanted.trade or wanted.shop)
    context = {
        "title": title_of(wanted),
        "about": TRADES[wanted.trade].about if wanted.trade else "",
        "visit_url": visits.new_url(wanted.trade) if wanted.trade else "",
        "wanted": wanted,
        "number": number,
        "lines": [shown.line_of(one, trades[one.pk], now, gifts.get(one.pk)) for one in kept],
        "sorts": sorts_of(found, wanted.kind) if is_whole and has_sorts(wanted.kind) else [],
        "choices": choices_of(wanted),
        "chosen": chosen_words(wanted),
        "places": places if len(places) > 1 else [],
        "languages": LANGUAGES,
        "nobody": nobody(wanted),
        "near_sorts": [] if kept else sorts_meant(wanted),
        "list_url": list_url(wanted),
        "all_url": all_url(wanted),
        "previous_url": page_url(request, number - 1) if number > 1 else "",
        "next_url": page_url(request, number + 1) if len(partners) > PER_PAGE else "",
    }
    return render(request, "marketplace/list.html", context)


def page_of(rows: QuerySet[Partner], number: int) -> tuple[int, list[Partner]]:
    """A page and one partner more where another follows; a page too far is the first."""
    first = (number - 1) * PER_PAGE
    partners = list(rows[first : first + PER_PAGE + 1])
    if not partners and number > 1:
        return page_of(rows, 1)
    return number, partners


def has_sorts(kind: str) -> bool:
    return kind in KINDS and kind != PartnerKind.INTERMEDIARY


def title_of(wanted: Wanted) -> str:
    if wanted.trade:
        return capfirst(str(Trade(wanted.trade).label))
    if wanted.shop:
        return capfirst(str(Shop(wanted.shop).label))
    if wanted.kind:
        return str(shown.KIND_TITLES[wanted.kind])
    return _("« %(words)s »") % {"words": wanted.text} if wanted.text else _("Avantages")


def choices_of(wanted: Wanted) -> dict[str, Any] | None:
    """The field that narrows a kind: its trades, or its sorts of shop."""
    if wanted.kind == PartnerKind.ARTISAN:
        options = [
            (said.slug, capfirst(str(Trade(trade).label)), trade == wanted.trade)
            for trade, said in TRADES.items()
        ]
        return {"name": "metier", "label": _("Métier"), "options": options}
    if has_sorts(wanted.kind):
        options = [
            (slug, capfirst(str(Shop(shop).label)), shop == wanted.shop)
            for shop, slug in SHOPS.items()
        ]
        return {"name": "commerce", "label": _("Commerce"), "options": options}
    return None


def chosen_words(wanted: Wanted) -> str:
    """The filters of the list in words: "Ouvert maintenant, de plain-pied, arabe"."""
    language = Spoken(wanted.language).label if wanted.language else ""
    said = [
        _("ouvert maintenant") if wanted.open_at else "",
        _("de plain-pied") if wanted.step_free else "",
        wanted.place.name if wanted.place else "",
        str(language),
        _("« %(words)s »") % {"words": wanted.text} if wanted.text and wanted.kind else "",
    ]
    return capfirst(", ".join(one for one in said if one))


def nobody(wanted: Wanted) -> str:
    """Who is missing, in the words of the question."""
    if wanted.is_filtered:
        return _("Personne ne répond à ces choix aujourd’hui")
    if wanted.text:
        return _("Personne n’a ces mots dans sa page")
    if wanted.trade:
        return _("Aucun %(who)s vérifié aujourd’hui") % {"who": TRADES[wanted.trade].who}
    return str(shown.NOBODY[wanted.kind])


def sorts_meant(wanted: Wanted) -> list[shown.Sort]:
    """The trades that a search speaks of, where nobody answers it."""
    if wanted.trade or wanted.kind not in {"", PartnerKind.ARTISAN}:
        return []
    meant = {trade for word in telling(wanted.text) for trade in trades_meant(word)}
    return [shown.trade_sort(trade) for trade in Trade if trade in meant]


def list_url(wanted: Wanted) -> str:
    """Where the filters lead: the list of the kind, or the whole directory."""
    if wanted.kind:
        return reverse("marketplace:list", args=[KINDS[wanted.kind]])
    return reverse("marketplace:directory")


def all_url(wanted: Wanted) -> str:
    """The same list without its filters."""
    if wanted.trade:
        return shown.trade_sort(wanted.trade).url
    if wanted.shop:
        return shown.shop_sort(wanted.kind, wanted.shop).url
    return list_url(wanted)


def page_url(request: HttpRequest, number: int) -> str:
    query = request.GET.copy()
    query["page"] = str(number)
    return f"?{query.urlencode()}"


# -- One partner ---------------------------------------------------------------------------


@require_safe
def partner(request: HttpRequest, public_id: str) -> HttpResponse:
    """Whoever is not shown today is not found, and no reason is told."""
    place = here(request)
    now = timezone.now()
    found = directory_of(place.landlord, local_day(now))
    rows = found.one(public_id).select_related("picture")
    rows = rows.prefetch_related("hours", "closures", "places")
    one: Partner = get_object_or_404(rows)
    with_photos([one])
    trades = found.trades_of([one])[one.pk]
    line = shown.line_of(one, trades, now)
    shown.until(request, shown.changes_of([one], now))
    image = image_of(one, request)
    offers = with_stock(offers_of(one, found.on), found.on).select_related("picture")
    is_intermediary = one.kind == PartnerKind.INTERMEDIARY
    context = {
        "partner": one,
        "line": line,
        "cards": [card_of(offer, found.on) for offer in offers],
        "trades": [shown.trade_sort(trade) for trade in trades],
        "visits": visits.ways_to_ask(one, trades),
        "hours": hours.said(one),
        "closures": hours.closures_said(one, local_day(now)),
        "languages": shown.languages_of(one),
        "served": [where for where in one.places.all() if where.is_public],
        "website": one.website if one.website.startswith("https://") else "",
        "is_intermediary": is_intermediary,
        "insurance": insurance.told(one, request) if is_intermediary else None,
        "orias_day": words.date_of(one.orias_checked_on) if one.orias_checked_on else "",
        "back": way_back(one, trades),
        "image": image,
        "address": request.build_absolute_uri(one.get_absolute_url()),
        "structured": structured.as_script(structured.of_partner(one, request, line.what, image)),
    }
    return render(request, "marketplace/partner.html", context)


def way_back(one: Partner, trades: list[str]) -> dict[str, str]:
    """The list that the partner stands in."""
    if trades:
        sort = shown.trade_sort(trades[0])
        return {"url": sort.url, "name": sort.name}
    url = reverse("marketplace:list", args=[KINDS[one.kind]])
    return {"url": url, "name": str(shown.KIND_TITLES[one.kind])}


def image_of(one: Partner, request: HttpRequest) -> str:
    """The photo that a shared link shows."""
    if one.picture is None:
        return ""
    rendition = one.picture.get_rendition("fill-640x344|format-webp")
    return request.build_absolute_uri(rendition.url)


# -- The ranking ---------------------------------------------------------------------------


@require_safe
def ranking(request: HttpRequest) -> HttpResponse:
    here(request)
    context = {
        "rules": RULES.values(),
        "prime": PRIME,
        "partner_step": PARTNER_STEP,
        "day_step": DAY_STEP,
        "per_page": PER_PAGE,
    }
    return render(request, "marketplace/ranking.html", context)
