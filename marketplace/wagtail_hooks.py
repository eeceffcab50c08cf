"""The admin's screens of partners and their papers, with who may do what there."""

from typing import Any

from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, MultiFieldPanel
from wagtail.admin.viewsets.base import ViewSetGroup
from wagtail.admin.widgets.button import HeaderButton
from wagtail.permissions import policy_registry

from club.permissions import ALL, VIEW, WRITE, permit
from club.viewsets import CreateView, EditView, ScopedViewSet, Step
from marketplace.domain import partners
from marketplace.enums import PARTNER_MOVES, DocumentStatus, PartnerStatus
from marketplace.models import ComplianceRule, Partner, PartnerDocument
from marketplace.staff_forms import DocumentForm, PartnerForm, RefuseForm
from marketplace.views import staff

permit(Partner, path="landlord__places", officer=WRITE, concierge=VIEW)
permit(PartnerDocument, path="partner__landlord__places", officer=WRITE)
permit(ComplianceRule, path="landlord__places", officer=ALL)


def may_become(status: str) -> Any:
    return lambda partner: status in PARTNER_MOVES[partner.status]


class AddPartner(CreateView):
    def save_instance(self) -> Partner:
        partner = self.form.save(commit=False)
        return partners.add_partner(partner, by=self.request.user, now=timezone.now())


class PartnerViewSet(ScopedViewSet):
    model = Partner
    form_base = PartnerForm
    related = ("landlord",)
    icon = "group"
    add_view_class = AddPartner
    list_display = ["name", "kind", "city", "phone", "status", "checked_on"]
    list_filter = ["kind", "shop", "status"]
    ordering = ["name", "pk"]
    search_fields = ["name", "legal_name", "siret", "city"]
    search_backend_name = None
    inspect_view_fields = [
        "name", "kind", "legal_name", "siret", "address", "postcode", "city", "phone", "email",
        "status", "checked_on",
    ]  # fmt: skip
    panels = [
        MultiFieldPanel(
            [
                FieldPanel("landlord"),
                FieldRowPanel([FieldPanel("kind"), FieldPanel("shop")]),
                FieldRowPanel([FieldPanel("name"), FieldPanel("legal_name")]),
                FieldPanel("siret"),
                FieldRowPanel([FieldPanel("orias"), FieldPanel("orias_checked_on")]),
            ],
            heading=_("Qui"),
        ),
        InlinePanel("trades", label=_("Métier"), heading=_("Métiers, pour un artisan")),
        MultiFieldPanel(
            [
                FieldPanel("description"),
                FieldPanel("picture"),
                FieldPanel("languages"),
                FieldPanel("step_free"),
            ],
            heading=_("Ce que lisent les habitants"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("address"),
                FieldRowPanel([FieldPanel("postcode"), FieldPanel("city")]),
                FieldRowPanel([FieldPanel("phone"), FieldPanel("email")]),
                FieldPanel("website"),
                FieldPanel("places"),
            ],
            heading=_("Où le joindre"),
        ),
        InlinePanel(
            "hours",
            label=_("Horaire"),
            heading=_("Horaires"),
            panels=[
                FieldPanel("weekday"),
                FieldRowPanel([FieldPanel("opens"), FieldPanel("closes")]),
            ],
        ),
        FieldPanel("hours_note"),
        InlinePanel(
            "conventions",
            label=_("Convention"),
            heading=_("Conventions signées"),
            panels=[
                FieldRowPanel([FieldPanel("version"), FieldPanel("signed_on")]),
                FieldRowPanel([FieldPanel("starts_on"), FieldPanel("ends_on")]),
                FieldPanel("fee_cents"),
            ],
        ),
    ]
    steps = {
        "publier": Step(
            _("Mettre en ligne"),
            partners.publish,
            question=_("Les habitants le voient, tant que sa convention et ses papiers durent."),
            done=_("Ce partenaire est en ligne."),
            is_possible=may_become(PartnerStatus.LIVE),
            icon="view",
        ),
        "retirer": Step(
            _("Retirer de la liste"),
            partners.take_down,
            question=_("Les habitants ne le voient plus. Rien n’est effacé."),
            done=_("Ce partenaire n’est plus montré."),
            is_possible=may_become(PartnerStatus.PAUSED),
            icon="no-view",
        ),
        "terminer": Step(
            _("Terminer la convention"),
            partners.end,
            question=_("Le partenaire quitte le club. Ses papiers sont gardés cinq ans."),
            done=_("La convention est terminée."),
            is_possible=may_become(PartnerStatus.ENDED),
            icon="cross",
        ),
    }


class AddDocument(CreateView):
    def save_instance(self) -> PartnerDocument:
        document = self.form.save(commit=False)
        return partners.receive(document, by=self.request.user, now=timezone.now())


class EditDocument(EditView):
    @property
    def header_buttons(self) -> list[Any]:
        buttons = list(super().header_buttons)
        if self.object.file:
            url = reverse("partner-paper", args=[self.object.pk])
            buttons.append(HeaderButton(str(_("Lire le fichier")), url=url, icon_name="download"))
        return buttons


class DocumentViewSet(ScopedViewSet):
    model = PartnerDocument
    form_base = DocumentForm
    related = ("partner",)
    icon = "doc-full"
    add_view_class = AddDocument
    edit_view_class = EditDocument
    list_display = ["partner", "kind", "issuer", "starts_on", "ends_on", "status"]
    list_filter = ["kind", "status"]
    ordering = ["ends_on", "pk"]
    search_fields = ["partner__name", "issuer", "number"]
    search_backend_name = None
    inspect_view_fields = [
        "partner", "kind", "issuer", "number", "starts_on", "ends_on", "area", "status",
        "refused_for",
    ]  # fmt: skip
    panels = [
        FieldRowPanel([FieldPanel("partner"), FieldPanel("kind")]),
        FieldRowPanel([FieldPanel("issuer"), FieldPanel("number")]),
        FieldRowPanel([FieldPanel("starts_on"), FieldPanel("ends_on")]),
        FieldPanel("area"),
        InlinePanel("trades", label=_("Métier"), heading=_("Métiers que l’assurance nomme")),
        FieldPanel("file"),
    ]
    steps = {
        "accepter": Step(
            _("Accepter"),
            partners.accept,
            question=_("Vous avez lu le papier : nom, dates, métiers. Il compte dès maintenant."),
            done=_("Le papier est accepté."),
            is_possible=lambda document: document.status != DocumentStatus.ACCEPTED,
        ),
        "refuser": Step(
            _("Refuser"),
            partners.turn_away,
            question=_("Le papier ne compte pas. Ce qui en dépend n’est plus montré."),
            done=_("Le papier est refusé."),
            is_possible=lambda document: document.status != DocumentStatus.REFUSED,
            form_class=RefuseForm,
            icon="cross",
        ),
    }


class RuleViewSet(ScopedViewSet):
    model = ComplianceRule
    related = ("landlord",)
    icon = "list-ul"
    list_display = ["landlord", "kind", "trade", "document"]
    list_filter = ["kind"]
    panels = [
        FieldPanel("landlord"),
        FieldRowPanel([FieldPanel("kind"), FieldPanel("trade")]),
        FieldPanel("document"),
    ]


class ToFollowItem(MenuItem):
    def is_shown(self, request: Any) -> bool:
        policy = policy_registry.get_by_type(Partner)
        return bool(policy.user_has_any_permission(request.user, ["change"]))


class PartnersGroup(ViewSetGroup):
    menu_label = _("Partenaires")
    menu_name = "partners"
    menu_icon = "group"
    menu_order = 235
    items = (PartnerViewSet, DocumentViewSet, RuleViewSet)

    def get_submenu_items(self) -> list[Any]:
        items: list[Any] = super().get_submenu_items()
        follow = ToFollowItem(
            str(_("Papiers à suivre")), reverse("partner-papers"), icon_name="warning", order=99
        )
        return [*items, follow]


@hooks.register("register_admin_viewset")
def viewsets() -> Any:
    return PartnersGroup()


@hooks.register("register_admin_urls")
def admin_urls() -> list[Any]:
    return [
        path("papiers-partenaires/", staff.to_follow, name="partner-papers"),
        path("papiers-partenaires/<int:pk>/", staff.paper, name="partner-paper"),
    ]
