"""All offers of the day: what the card gives, and where."""

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import capfirst
from django.views.decorators.http import require_safe

from club.kernel.spans import local_day
from marketplace.enums import Shop
from marketplace.forms.offers import WantedForm
from marketplace.models import Offer
from marketplace.queries.directory import PER_PAGE, Wanted, directory_of
from marketplace.queries.offers import offers_shown, with_stock
from marketplace.queries.trades import SHOPS
from marketplace.views.directory import here, page_url, places_of
from marketplace.views.shown_offers import card_of


@require_safe
def offers(request: HttpRequest) -> HttpResponse:
    """In the partners' order of the day; what is sold out comes last."""
    place = here(request)
    today = local_day(timezone.now())
    asked = WantedForm(request.GET)
    places = places_of(place)
    chosen = next((one for one in places if one.slug == asked.said("lieu")), None)
    wanted = Wanted(shop=asked.shop(), place=chosen)
    found = directory_of(place.landlord, today)
    turns = {pk: turn for turn, pk in enumerate(found.listed(wanted).values_list("pk", flat=True))}
    rows = with_stock(offers_shown(place.landlord, today, found.needs), today)
    numbers = [
        pk
        for _sold_out, _turn, pk in sorted(
            (is_sold_out, turns[partner], pk)
            for pk, partner, is_sold_out in rows.values_list("pk", "partner", "is_sold_out")
            if partner in turns
        )
    ]
    number = asked.said("page") or 1
    first = (number - 1) * PER_PAGE
    if first >= len(numbers):
        number, first = 1, 0
    kept = numbers[first : first + PER_PAGE]
    by_number = rows.select_related("partner__picture", "picture").in_bulk(kept)
    shown = [by_number[pk] for pk in kept]
    with_photos(shown)
    context = {
        "cards": [card_of(offer, today) for offer in shown],
        "shops": [
            (slug, capfirst(str(Shop(shop).label)), shop == wanted.shop)
            for shop, slug in SHOPS.items()
        ],
        "places": places if len(places) > 1 else [],
        "wanted": wanted,
        "previous_url": page_url(request, number - 1) if number > 1 else "",
        "next_url": page_url(request, number + 1) if len(numbers) > first + PER_PAGE else "",
    }
    return render(request, "marketplace/offers.html", context)


def with_photos(offers: list[Offer]) -> None:
    """The sizes of all photos in one statement, and none where there is no photo."""
    photos = [photo for one in offers if (photo := one.picture or one.partner.picture)]
    if photos:
        prefetch_related_objects(photos, "renditions")
