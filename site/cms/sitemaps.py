from datetime import datetime

from django.contrib.sitemaps import Sitemap
from django.db.models import QuerySet
from django.http import HttpRequest
from wagtail.models import Page, Site

from club.context import place_of
from cms.search import pages_of
from concierge.models import Tool


class PageSitemap(Sitemap):
    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.site = Site.find_for_request(request)

    def items(self) -> list[Page]:
        if self.site is None:
            return []
        home = self.site.root_page
        return [home, *pages_of(self.site).order_by("path")]

    def location(self, item: Page) -> str:
        return item.get_url(self.request) or "/"

    def lastmod(self, item: Page) -> datetime | None:
        return item.last_published_at


class ToolSitemap(Sitemap):
    def __init__(self, request: HttpRequest) -> None:
        place = place_of(request)
        self.landlord_id = place.landlord_id if place else None

    def items(self) -> QuerySet[Tool]:
        return Tool.objects.filter(landlord=self.landlord_id, is_listed=True).order_by("pk")
