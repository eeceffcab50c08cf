"""What the admin's screens of partners say of the yearly fee."""

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import InlinePanel
from wagtail.admin.widgets.button import HeaderButton

from club.viewsets import EditView, IndexView, InspectView
from marketplace.forms.fees import ConventionForm
from marketplace.queries.fees import running_fees, said_of


class ConventionsPanel(InlinePanel):
    def get_form_options(self) -> dict[str, Any]:
        options: dict[str, Any] = super().get_form_options()
        options["formsets"][self.relation_name] |= {"form": ConventionForm}
        return options


class FeesButtonMixin:
    """The way to what the partner pays a year."""

    @property
    def header_buttons(self) -> list[Any]:
        url = reverse("partner-fees", args=[self.object.pk])  # type: ignore[attr-defined]
        button = HeaderButton(str(_("Participation")), url=url, icon_name="list-ol")
        return [*super().header_buttons, button]  # type: ignore[misc]


class EditPartner(FeesButtonMixin, EditView):
    pass


class InspectPartner(FeesButtonMixin, InspectView):
    pass


class PartnerIndex(IndexView):
    """Whether the running year is paid is asked of the ledger once for the whole page."""

    def get_table(self, object_list: Any) -> Any:
        rows = list(object_list)
        fees = running_fees(rows, timezone.localdate())
        for partner in rows:
            partner.fee_said = said_of(fees.get(partner.pk))
        return super().get_table(rows)
