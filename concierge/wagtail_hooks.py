"""The admin's screens of the catalogue, with who may do what there."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, MultiFieldPanel
from wagtail.admin.viewsets.base import ViewSetGroup

from club.models import User
from club.permissions import ALL, VIEW, WRITE, permit
from club.viewsets import CreateView, ScopedForm, ScopedViewSet, Step
from concierge.domain.copies import add_copy, move_copy
from concierge.enums import CopyStatus, RetiredReason
from concierge.models import Copy, Department, LendingPolicy, Tool
from content.pictures import drawings

permit(Department, path="landlord__places", officer=WRITE, concierge=VIEW)
permit(Tool, path="landlord__places", officer=ALL, concierge=WRITE)
permit(Copy, path="place", officer=WRITE, concierge=WRITE)
permit(LendingPolicy, path="place", officer=ALL, concierge=VIEW)


class ToolForm(ScopedForm):
    picture = forms.ChoiceField(label=_("Dessin"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["picture"].choices = [("", _("Aucun")), *drawings()]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean()
        landlord, department = data.get("landlord"), data.get("department")
        if landlord and department and department.landlord_id != landlord.pk:
            self.add_error("department", _("Ce rayon est d’un autre bailleur."))
        return data


class ToolViewSet(ScopedViewSet):
    model = Tool
    related = ("department",)
    form_base = ToolForm
    icon = "tag"
    list_display = ["name", "department", "value_class", "price_class", "is_listed"]
    list_filter = ["value_class", "price_class", "is_listed"]
    search_fields = ["name", "other_names", "brand"]
    search_backend_name = None
    panels = [
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("landlord"), FieldPanel("department")]),
                FieldPanel("name"),
                FieldPanel("other_names"),
                FieldPanel("brand"),
                FieldPanel("is_listed"),
            ],
            heading=_("L’objet"),
        ),
        MultiFieldPanel([FieldPanel("picture"), FieldPanel("photo")], heading=_("Image")),
        MultiFieldPanel(
            [FieldPanel("description"), FieldPanel("advice"), FieldPanel("safety")],
            heading=_("Ce que la personne lit"),
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("value_class"), FieldPanel("price_class")]),
                FieldPanel("deposit"),
            ],
            heading=_("Valeur et prix"),
        ),
        InlinePanel("parts", heading=_("Accessoires"), label=_("Accessoire")),
    ]


class AddCopy(CreateView):
    """The verb gives the label and writes the log."""

    def save_instance(self) -> Copy:
        data = self.form.cleaned_data
        return add_copy(by=self.request.user, now=timezone.now(), **data)


class CopyForm(ScopedForm):
    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean()
        tool, place = data.get("tool"), data.get("place")
        if tool and place and tool.landlord_id != place.landlord_id:
            self.add_error("tool", _("Cet objet est d’un autre bailleur."))
        return data


class RetireForm(forms.Form):
    reason = forms.ChoiceField(label=_("Raison du retrait"), choices=RetiredReason.choices)


def step_to(status: str) -> Any:
    def act(copy: Copy, *, by: User, now: datetime, reason: str = "") -> None:
        move_copy(copy, status, by=by, now=now, reason=reason)

    return act


def can_go_to(status: str) -> Any:
    return lambda copy: status in Copy.MOVES[copy.status]


class CopyViewSet(ScopedViewSet):
    """What is written on a copy is edited; its state changes by verbs alone."""

    model = Copy
    related = ("tool", "place")
    form_base = CopyForm
    icon = "clipboard-list"
    add_view_class = AddCopy
    list_display = ["label", "tool", "place", "status", "condition", "shelf"]
    list_filter = ["status", "condition"]
    search_fields = ["label", "tool__name", "serial"]
    search_backend_name = None
    panels = [
        FieldRowPanel([FieldPanel("tool"), FieldPanel("place")]),
        FieldRowPanel([FieldPanel("condition"), FieldPanel("shelf")]),
        FieldPanel("serial"),
        FieldRowPanel([FieldPanel("bought_on"), FieldPanel("price_cents")]),
    ]
    steps = {
        "en-service": Step(
            _("Remettre en service"),
            step_to(CopyStatus.ACTIVE),
            question=_("L’exemplaire peut de nouveau être réservé."),
            done=_("L’exemplaire est en service."),
            is_possible=can_go_to(CopyStatus.ACTIVE),
        ),
        "introuvable": Step(
            _("Introuvable"),
            step_to(CopyStatus.MISSING),
            question=_("L’exemplaire n’est plus proposé tant qu’il est introuvable."),
            done=_("L’exemplaire est noté introuvable."),
            is_possible=can_go_to(CopyStatus.MISSING),
            icon="help",
        ),
        "retirer": Step(
            _("Retirer"),
            step_to(CopyStatus.RETIRED),
            question=_("L’exemplaire quitte le catalogue pour de bon. Son histoire reste."),
            done=_("L’exemplaire est retiré."),
            is_possible=can_go_to(CopyStatus.RETIRED),
            form_class=RetireForm,
            icon="bin",
        ),
    }


class DepartmentViewSet(ScopedViewSet):
    model = Department
    icon = "folder-open-inverse"
    list_display = ["name", "wall", "position"]
    panels = [
        FieldPanel("landlord"),
        FieldRowPanel([FieldPanel("name"), FieldPanel("slug")]),
        FieldRowPanel([FieldPanel("wall"), FieldPanel("pictures")]),
        FieldPanel("position"),
    ]


class PolicyViewSet(ScopedViewSet):
    model = LendingPolicy
    related = ("place",)
    icon = "list-ul"
    list_display = ["__str__", "place", "loan_days", "renewals", "limit"]
    panels = [
        FieldRowPanel([FieldPanel("place"), FieldPanel("value_class")]),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("loan_days"), FieldPanel("max_days")]),
                FieldRowPanel([FieldPanel("renewals"), FieldPanel("limit")]),
            ],
            heading=_("Durée et nombre"),
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("lead_minutes"), FieldPanel("horizon_days")]),
                FieldPanel("buffer_minutes"),
            ],
            heading=_("Réservation"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("block_while_late"),
                FieldPanel("renew_while_late"),
                FieldPanel("late_margin_days"),
            ],
            heading=_("Retard"),
        ),
    ]


class CatalogueGroup(ViewSetGroup):
    menu_label = _("Objets")
    menu_name = "catalogue"
    menu_icon = "tag"
    menu_order = 200
    items = (ToolViewSet, CopyViewSet, DepartmentViewSet, PolicyViewSet)


@hooks.register("register_admin_viewset")
def viewsets() -> Any:
    return CatalogueGroup()
