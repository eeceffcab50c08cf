"""The admin of partners: its menus, its viewsets and its pages, gathered from their files."""

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.viewsets.base import ViewSetGroup

from marketplace.views import staff, staff_certificates, staff_fees, staff_offers
from marketplace.wagtail_hooks.certificates import CertificatesGroup
from marketplace.wagtail_hooks.figures import SavingsViewSet, VisitsViewSet
from marketplace.wagtail_hooks.offers import OfferViewSet, ToReadItem
from marketplace.wagtail_hooks.papers import DocumentViewSet, RuleViewSet, ToFollowItem
from marketplace.wagtail_hooks.partners import PartnerViewSet
from marketplace.wagtail_hooks.people import PersonViewSet
from marketplace.wagtail_hooks.wishes import ReportViewSet, SuggestionViewSet


class PartnersGroup(ViewSetGroup):
    menu_label = _("Partenaires")
    menu_name = "partners"
    menu_icon = "group"
    menu_order = 235
    items = (
        PartnerViewSet,
        OfferViewSet,
        DocumentViewSet,
        RuleViewSet,
        SavingsViewSet,
        VisitsViewSet,
        PersonViewSet,
        SuggestionViewSet,
        ReportViewSet,
    )

    def get_submenu_items(self) -> list[Any]:
        items: list[Any] = super().get_submenu_items()
        follow = ToFollowItem(
            str(_("Papiers à suivre")), reverse("partner-papers"), icon_name="warning", order=99
        )
        read = ToReadItem(
            str(_("Avantages à relire")), reverse("partner-offers"), icon_name="tasks", order=98
        )
        return [*items, read, follow]


@hooks.register("register_admin_viewset")
def viewsets() -> Any:
    return PartnersGroup()


@hooks.register("register_admin_urls")
def admin_urls() -> list[Any]:
    return [
        path("avantages-a-relire/", staff_offers.to_read, name="partner-offers"),
        path("avantages-a-relire/<int:pk>/", staff_offers.answer, name="partner-offer"),
        path("partenaires/<int:pk>/participation/", staff_fees.fees, name="partner-fees"),
        path("partenaires/recus/<int:pk>/", staff_fees.receipt, name="partner-receipt"),
        path("papiers-partenaires/", staff.to_follow, name="partner-papers"),
        path("papiers-partenaires/<int:pk>/", staff.paper, name="partner-paper"),
    ]


@hooks.register("register_admin_viewset")
def certificate_viewsets() -> Any:
    return CertificatesGroup()


@hooks.register("register_admin_urls")
def certificate_urls() -> list[Any]:
    return [
        path("attestations/", staff_certificates.follow, name="certificates"),
        path("attestations/demander/", staff_certificates.ask, name="certificates-ask"),
        path("attestations/<int:pk>/", staff_certificates.file, name="certificate-file"),
    ]
