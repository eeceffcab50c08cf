"""The admin's screens of paying on line: refunds to sign, differences, messages unheard."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.panels import FieldPanel, FieldRowPanel
from wagtail.admin.ui.components import Component

from club.domain.refunds import (
    approve_refund,
    ask_refund,
    is_online_payment,
    left_to_refund,
    refuse_refund,
)
from club.enums import EntryKind, RefundStatus, Role
from club.models import (
    LedgerEntry,
    ProviderDifference,
    ProviderEvent,
    Receipt,
    Refund,
    User,
)
from club.permissions import RULES, VIEW, permit, roles_of, visible
from club.viewsets import CreateView, ScopedForm, ScopedViewSet, Step, money_column

ASK = frozenset({"view", "add", "change"})
LONG = timedelta(minutes=15)

permit(Refund, path="entry__place", officer=ASK, concierge=ASK)
permit(ProviderDifference, path="", officer=VIEW)
permit(ProviderEvent, path="", officer=VIEW)


class RefundForm(ScopedForm):
    """Which payment it is, by the number of its receipt: it is on every paper and e-mail."""

    receipt = forms.RegexField(
        r"^\s*\d{4}-\d{1,9}\s*$", label=_("Numéro du reçu"), help_text=_("Par exemple 2027-000012.")
    )
    euros = forms.DecimalField(
        label=_("Montant, en euros"),
        max_digits=7,
        decimal_places=2,
        min_value=Decimal("0.01"),
        localize=True,
    )

    def clean_receipt(self) -> LedgerEntry:
        year, _dash, number = self.cleaned_data["receipt"].strip().partition("-")
        mine = visible(Receipt.objects.all(), self.for_user, RULES[Refund], ["add"])
        found = LedgerEntry.objects.filter(
            receipt__in=mine.filter(year=int(year), number=int(number)), kind=EntryKind.PAYMENT
        )
        entry = next((one for one in found if is_online_payment(one)), None)
        if entry is None:
            raise forms.ValidationError(gettext("Aucun paiement en ligne n’a ce numéro ici."))
        if left_to_refund(entry) <= 0:
            raise forms.ValidationError(gettext("Tout a déjà été rendu."))
        return entry


class AddRefund(CreateView):
    def save_instance(self) -> Refund:
        data = self.form.cleaned_data
        return ask_refund(
            data["receipt"],
            int(data["euros"] * 100),
            data["reason"],
            by=self.request.user,
            now=timezone.now(),
        )


def sign(refund: Refund, *, by: User, now: Any) -> None:
    approve_refund(refund, by=by, now=now)


def decline(refund: Refund, *, by: User, now: Any) -> None:
    refuse_refund(refund, by=by, now=now)


def is_asked(refund: Refund) -> bool:
    return refund.status == RefundStatus.ASKED


class RefundViewSet(ScopedViewSet):
    """Asked by one, signed by another above the limit; the provider does the rest."""

    model = Refund
    fresh_proof = True
    related = ("entry__place", "entry__household", "asked_by", "approved_by")
    prefetched = ("entry__household__members__user",)
    icon = "undo"
    add_view_class = AddRefund
    form_base = RefundForm
    list_display = [
        "entry",
        money_column("cents", _("montant")),
        "reason",
        "status",
        "asked_by",
        "asked_at",
    ]
    list_filter = ["status", "reason"]
    ordering = ["-asked_at", "-pk"]
    panels = [
        FieldRowPanel([FieldPanel("receipt"), FieldPanel("euros")]),
        FieldPanel("reason"),
    ]
    read_panels = [
        FieldPanel(name, read_only=True)
        for name in (
            "entry",
            "cents",
            "reason",
            "status",
            "asked_by",
            "asked_at",
            "approved_by",
            "done_at",
            "error",
        )
    ]
    steps = {
        "signer": Step(
            _("Signer ce remboursement"),
            sign,
            question=_("L’argent repart tout de suite vers la carte ou le compte."),
            done=_("Le remboursement est signé. Il part."),
            is_possible=is_asked,
        ),
        "refuser": Step(
            _("Refuser ce remboursement"),
            decline,
            question=_("Rien n’est rendu. On peut le demander à nouveau."),
            done=_("Le remboursement est refusé."),
            is_possible=is_asked,
            icon="cross",
        ),
    }


class DifferenceViewSet(ScopedViewSet):
    """Found at night; each goes by itself when the two agree again."""

    model = ProviderDifference
    icon = "warning"
    list_display = [
        "kind",
        "provider_id",
        money_column("provider_cents", _("montant chez lui")),
        money_column("ledger_cents", _("montant chez nous")),
        "found_at",
        "settled_at",
    ]
    list_filter = ["kind"]
    ordering = ["-found_at", "-pk"]
    inspect_view_fields = [
        "kind",
        "provider_id",
        "provider_cents",
        "ledger_cents",
        "found_at",
        "settled_at",
    ]
    panels: list[Any] = []


class EventViewSet(ScopedViewSet):
    """What the provider told, and what came of it."""

    model = ProviderEvent
    icon = "mail"
    list_display = ["kind", "customer", "received_at", "done_at", "attempts", "error"]
    list_filter = {"done_at": ["isnull"]}
    ordering = ["-received_at", "-pk"]
    inspect_view_fields = ["event_id", *list_display, "happened_at"]
    panels: list[Any] = []


class OnlinePanel(Component):
    """On the admin's first page: what waits for somebody, or that nothing is paid on line."""

    name = "online"
    order = 150
    template_name = "club/admin/online.html"

    def __init__(self, user: Any) -> None:
        self.user = user

    def get_context_data(self, parent_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        if not settings.STRIPE_SECRET_KEY:
            return {"lines": [], "has_keys": False}
        now = timezone.now()
        mine = visible(Refund.objects.all(), self.user, RULES[Refund], ["view"])
        disputes = visible(LedgerEntry.objects.all(), self.user, RULES[Refund], ["view"]).filter(
            kind=EntryKind.DISPUTE, reverses=None, reversed_by=None
        )
        failed = mine.filter(status=RefundStatus.FAILED, asked_at__gte=now - timedelta(days=30))
        counts = [
            (_("Remboursements à signer"), mine.filter(status=RefundStatus.ASKED).count()),
            (_("Remboursements refusés par le prestataire"), failed.count()),
            (_("Paiements contestés"), disputes.count()),
            (
                _("Différences avec le prestataire"),
                ProviderDifference.objects.filter(settled_at=None).count(),
            ),
            (
                _("Messages du prestataire non traités"),
                ProviderEvent.objects.filter(done_at=None, received_at__lt=now - LONG).count(),
            ),
        ]
        return {"has_keys": True, "lines": [line for line in counts if line[1]]}


@hooks.register("construct_homepage_panels")
def online_panel(request: Any, panels: list[Any]) -> None:
    roles = {role for role, _place in roles_of(request.user)}
    if request.user.is_superuser or roles & {Role.OFFICER, Role.CONCIERGE}:
        panels.append(OnlinePanel(request.user))
