"""Pages of figures: what the club has saved, and how requests to artisans went."""

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _
from wagtail.admin.viewsets.base import ViewSet

from club.viewsets import OfficersItem
from marketplace.views import report, visit_figures


class SavingsViewSet(ViewSet):
    name = "partner-savings"
    url_prefix = "partenaires/economies"
    icon = "table"
    menu_label = _("Économies")
    menu_item_class = OfficersItem

    def get_urlpatterns(self) -> list[Any]:
        return [path("", report.savings, name="index")]


class VisitsViewSet(ViewSet):
    name = "partner-visits"
    url_prefix = "partenaires/visites"
    icon = "table"
    menu_label = _("Visites")
    menu_item_class = OfficersItem

    def get_urlpatterns(self) -> list[Any]:
        return [path("", visit_figures.figures, name="index")]
