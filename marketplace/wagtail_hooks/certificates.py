"""The admin's screens of the yearly certificates: about the lease, apart from partners."""

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import MenuItem
from wagtail.admin.panels import FieldPanel, FieldRowPanel
from wagtail.admin.ui.tables import Column
from wagtail.admin.viewsets.base import ViewSetGroup
from wagtail.admin.widgets.button import HeaderButton
from wagtail.permissions import policy_registry

from club.permissions import WRITE, permit
from club.viewsets import (
    CreateView,
    EditView,
    ScopedViewSet,
    Step,
)
from marketplace.domain import certificates
from marketplace.enums import CertificateStatus
from marketplace.forms.insurance import PaperForm, RefuseCertificateForm
from marketplace.models import Certificate

permit(
    Certificate,
    path="household__members__place",
    officer=WRITE,
    concierge=frozenset({"view", "add"}),
)


class AddCertificate(CreateView):
    """The card of who stands at the desk may come with the address."""

    def get_initial(self) -> dict[str, Any]:
        return {**super().get_initial(), "card": self.request.GET.get("card", "")[:20]}

    def save_instance(self) -> Certificate:
        data = self.form.cleaned_data
        return certificates.send_certificate(
            data["card"],
            insurer=data["insurer"],
            starts_on=data["starts_on"],
            ends_on=data["ends_on"],
            file=data["file"],
            by=self.request.user,
            now=timezone.now(),
        )


class EditCertificate(EditView):
    @property
    def header_buttons(self) -> list[Any]:
        buttons = list(super().header_buttons)
        if self.object.file:
            url = reverse("certificate-file", args=[self.object.pk])
            buttons.append(HeaderButton(str(_("Lire le fichier")), url=url, icon_name="download"))
        return buttons


def dwelling_of(one: Certificate) -> str:
    """Two households of one name are told apart by where they live."""
    return str(one.household.dwelling or "")


class CertificateViewSet(ScopedViewSet):
    """Read here, accepted or sent back by steps: what came in is not rewritten."""

    model = Certificate
    form_base = PaperForm
    related = ("household__dwelling__residence",)
    prefetched = ("household__members__user",)
    icon = "doc-full"
    add_view_class = AddCertificate
    edit_view_class = EditCertificate
    list_display = [
        "household",
        Column("dwelling", label=_("logement"), accessor=dwelling_of),
        "insurer",
        "starts_on",
        "ends_on",
        "status",
        "received_at",
    ]
    list_filter = ["status"]
    ordering = ["-received_at", "-pk"]
    search_fields = ["household__members__search_name"]
    search_backend_name = None
    inspect_view_fields = [
        "household", "insurer", "starts_on", "ends_on", "status", "refused_for", "received_at",
    ]  # fmt: skip
    panels = [
        FieldPanel("card"),
        FieldPanel("insurer"),
        FieldRowPanel([FieldPanel("starts_on"), FieldPanel("ends_on")]),
        FieldPanel("file"),
    ]
    read_panels = [FieldPanel(name, read_only=True) for name in inspect_view_fields]
    steps = {
        "accepter": Step(
            _("Accepter"),
            certificates.accept,
            question=_("Vous avez lu l’attestation : nom, logement, dates. Le foyer est prévenu."),
            done=_("L’attestation est acceptée."),
            is_possible=lambda one: one.status != CertificateStatus.ACCEPTED,
        ),
        "refuser": Step(
            _("Faire renvoyer"),
            certificates.turn_away,
            question=_(
                "L’attestation ne compte pas. Le foyer lit pourquoi et en envoie une autre."
            ),
            done=_("Le foyer est prévenu."),
            is_possible=lambda one: one.status != CertificateStatus.REFUSED,
            form_class=RefuseCertificateForm,
            icon="cross",
        ),
    }


class CertificatesItem(MenuItem):
    def __init__(self, *args: Any, action: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.action = action

    def is_shown(self, request: Any) -> bool:
        policy = policy_registry.get_by_type(Certificate)
        return bool(policy.user_has_any_permission(request.user, [self.action]))


class CertificatesGroup(ViewSetGroup):
    """Away from the partners: it is about the lease, and any insurer's is good."""

    menu_label = _("Attestations")
    menu_name = "certificates"
    menu_icon = "doc-full"
    menu_order = 236
    items = (CertificateViewSet,)

    def get_submenu_items(self) -> list[Any]:
        items: list[Any] = super().get_submenu_items()
        follow = CertificatesItem(
            str(_("Qui a envoyé la sienne")), reverse("certificates"), icon_name="list-ul",
            order=98, action="view",
        )  # fmt: skip
        ask = CertificatesItem(
            str(_("Demander les attestations")), reverse("certificates-ask"), icon_name="mail",
            order=99, action="change",
        )  # fmt: skip
        return [*items, follow, ask]
