"""The admin's page of figures about how it went: for officers alone."""

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy as _
from wagtail.admin.viewsets.base import ViewSet

from club.views import opinion_figures
from club.viewsets import OfficersItem


class OpinionsViewSet(ViewSet):
    name = "opinions"
    url_prefix = "avis"
    icon = "table"
    menu_label = _("Avis")
    menu_item_class = OfficersItem

    def get_urlpatterns(self) -> list[Any]:
        return [path("", opinion_figures.figures, name="index")]
