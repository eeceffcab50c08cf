"""The admin's screens of partners' papers and of which papers are asked."""

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import MenuItem
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel
from wagtail.admin.widgets.button import HeaderButton
from wagtail.permissions import policy_registry

from club.permissions import ALL, WRITE, permit
from club.viewsets import (
    CreateView,
    EditView,
    ScopedViewSet,
    Step,
)
from marketplace.domain import partners
from marketplace.enums import DocumentStatus
from marketplace.forms.staff import DocumentForm, RefuseForm
from marketplace.models import ComplianceRule, Partner, PartnerDocument

permit(PartnerDocument, path="partner__landlord__places", officer=WRITE)
permit(ComplianceRule, path="landlord__places", officer=ALL)


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
