"""The admin's screens of the catalogue, with who may do what there."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, MultiFieldPanel
from wagtail.admin.viewsets.base import ViewSetGroup

from club.kernel import codes
from club.models import Member, User
from club.permissions import ALL, RULES, VIEW, WRITE, permit, visible
from club.viewsets import CreateView, ScopedForm, ScopedViewSet, Step, money_column
from concierge.domain import subscriptions
from concierge.domain.copies import add_copy, move_copy
from concierge.domain.plans import list_member
from concierge.enums import CopyStatus, Renewal, RetiredReason, SubscriptionStatus
from concierge.models import (
    Copy,
    Department,
    LendingPolicy,
    ParcelPolicy,
    Plan,
    PlanListing,
    Sponsorship,
    Subscription,
    Tool,
)
from concierge.order_viewsets import OrdersGroup
from concierge.service_viewsets import ServicesGroup
from content.pictures import drawings

permit(Department, path="landlord__places", officer=WRITE, concierge=VIEW)
permit(Tool, path="landlord__places", officer=ALL, concierge=WRITE)
permit(Copy, path="place", officer=WRITE, concierge=WRITE)
permit(LendingPolicy, path="place", officer=ALL, concierge=VIEW)
permit(ParcelPolicy, path="place", officer=ALL, concierge=VIEW)
permit(Plan, path="landlord__places", officer=WRITE, concierge=VIEW)
permit(PlanListing, path="member__place", officer=frozenset({"view", "add", "delete"}))
permit(Sponsorship, path="plan__landlord__places", officer=WRITE, concierge=VIEW)
permit(
    Subscription,
    path="place",
    officer=frozenset({"view", "change"}),
    concierge=frozenset({"view", "change"}),
)


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
        MultiFieldPanel(
            [FieldPanel("deposit_cents"), FieldPanel("deposit_first")], heading=_("Caution")
        ),
    ]


class CatalogueGroup(ViewSetGroup):
    menu_label = _("Objets")
    menu_name = "catalogue"
    menu_icon = "tag"
    menu_order = 200
    items = (ToolViewSet, CopyViewSet, DepartmentViewSet, PolicyViewSet)


class ParcelPolicyViewSet(ScopedViewSet):
    """Where a place has one, it takes parcels."""

    model = ParcelPolicy
    related = ("place",)
    icon = "download"
    add_to_admin_menu = True
    menu_label = _("Colis")
    menu_name = "parcels"
    menu_order = 228
    list_display = ["place", "keep_days", "remind_days", "needs_right"]
    panels = [
        FieldPanel("place"),
        FieldRowPanel([FieldPanel("keep_days"), FieldPanel("remind_days")]),
        FieldPanel("needs_right"),
    ]


class PlanForm(ScopedForm):
    """What subscriptions are counted by does not change under them; the price may."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.subscriptions.exists():
            for name in ("landlord", "kind", "for_household"):
                self.fields[name].disabled = True
                self.fields[name].help_text = _("Des foyers ont cette formule.")


class PlanViewSet(ScopedViewSet):
    """A new price counts from the next period on; what is paid stays as it was paid."""

    model = Plan
    related = ("landlord",)
    form_base = PlanForm
    icon = "tag"
    list_display = [
        "name",
        "kind",
        "audience",
        money_column("price_cents", _("prix d’une période")),
        "months",
        "is_offered",
    ]
    list_filter = ["kind", "audience", "is_offered"]
    panels = [
        MultiFieldPanel(
            [
                FieldPanel("landlord"),
                FieldRowPanel([FieldPanel("name"), FieldPanel("slug")]),
                FieldRowPanel([FieldPanel("kind"), FieldPanel("audience")]),
                FieldPanel("activities"),
                FieldPanel("for_household"),
            ],
            heading=_("La formule"),
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("price_cents"), FieldPanel("months")]),
                FieldPanel("told_by_month"),
                FieldPanel("grace_days"),
            ],
            heading=_("Le prix"),
            help_text=_("Un nouveau prix vaut pour les périodes suivantes. Le payé reste."),
        ),
        FieldRowPanel([FieldPanel("is_offered"), FieldPanel("position")]),
    ]


class ListingForm(ScopedForm):
    """Who is put on the list is named by the card in the hand."""

    card = forms.CharField(label=_("Numéro de carte"), max_length=20)

    def clean_card(self) -> Member:
        code = codes.as_scanned(self.cleaned_data["card"]) or ""
        members = visible(Member.objects.all(), self.for_user, RULES[PlanListing], ["add"])
        member: Member | None = members.filter(
            cards__number=code[1:], cards__revoked_at=None
        ).first()
        if member is None:
            raise forms.ValidationError(_("Aucune carte active ne porte ce numéro ici."))
        return member


class AddListing(CreateView):
    def save_instance(self) -> PlanListing:
        data = self.form.cleaned_data
        return list_member(data["plan"], data["card"], by=self.request.user, now=timezone.now())


class ListingViewSet(ScopedViewSet):
    model = PlanListing
    related = ("plan", "member__user")
    form_base = ListingForm
    icon = "list-ul"
    add_view_class = AddListing
    list_display = ["member", "plan", "listed_at"]
    list_filter = ["plan"]
    search_fields = ["member__search_name"]
    search_backend_name = None
    inspect_view_fields = ["member", "plan", "listed_at"]
    panels = [FieldPanel("plan"), FieldPanel("card")]


class SponsorshipForm(ScopedForm):
    def clean_code(self) -> str:
        """As it is looked for: without spaces, in capitals."""
        return "".join(self.cleaned_data["code"].split()).upper()

    def clean_quota(self) -> int:
        quota: int = self.cleaned_data["quota"]
        if quota < self.instance.used:
            raise forms.ValidationError(_("Le nombre ne peut pas être sous ce qui est utilisé."))
        return quota


class SponsorshipViewSet(ScopedViewSet):
    model = Sponsorship
    related = ("plan",)
    form_base = SponsorshipForm
    icon = "pick"
    list_display = ["code", "plan", "used", "quota", "ends_on"]
    panels = [
        FieldPanel("plan"),
        FieldPanel("code"),
        FieldRowPanel([FieldPanel("quota"), FieldPanel("ends_on")]),
    ]


def is_open(*statuses: str) -> Any:
    return lambda subscription: subscription.status in statuses


class SubscriptionViewSet(ScopedViewSet):
    """Read here and moved by verbs: money and rights come from the desk or from the line."""

    model = Subscription
    related = ("plan", "next_plan", "member__user", "place")
    prefetched = ("household__members__user",)
    icon = "check"
    list_display = ["household", "member", "plan", "status", "paid_until", "renewal"]
    list_filter = ["status", "kind", "plan", "renewal"]
    ordering = ["-created_at", "-pk"]
    search_fields = ["household__members__search_name"]
    search_backend_name = None
    panels: list[Any] = []
    read_panels = [
        FieldPanel(name, read_only=True)
        for name in (
            "household",
            "member",
            "place",
            "plan",
            "next_plan",
            "status",
            "renewal",
            "anchor_on",
            "paid_until",
            "stops_at_end",
        )
    ]
    steps = {
        "arreter": Step(
            _("Arrêter à la fin"),
            subscriptions.stop,
            question=_("Ce qui est payé reste. Il n’y a pas de période suivante."),
            done=_("L’abonnement s’arrête à la fin de ce qui est payé."),
            is_possible=lambda one: (
                (
                    one.status in {SubscriptionStatus.ACTIVE, SubscriptionStatus.LATE}
                    and not one.stops_at_end
                )
                or one.status == SubscriptionStatus.PENDING
            ),
            icon="cross",
        ),
        "garder": Step(
            _("Ne plus arrêter"),
            subscriptions.keep,
            question=_("L’abonnement continue après la fin de ce qui est payé."),
            done=_("L’abonnement continue."),
            is_possible=lambda one: one.stops_at_end,
        ),
        "pause": Step(
            _("Mettre en pause"),
            subscriptions.pause,
            question=_("Les jours payés qui restent sont mis de côté. Les droits s’arrêtent."),
            done=_("L’abonnement est en pause."),
            is_possible=lambda one: (
                one.status == SubscriptionStatus.ACTIVE and one.renewal != Renewal.ONLINE
            ),
            icon="time",
        ),
        "reprendre": Step(
            _("Reprendre"),
            subscriptions.resume,
            question=_("Les jours mis de côté commencent aujourd’hui."),
            done=_("L’abonnement a repris."),
            is_possible=is_open(SubscriptionStatus.PAUSED),
        ),
    }


class SubscriptionsGroup(ViewSetGroup):
    menu_label = _("Abonnements")
    menu_name = "subscriptions"
    menu_icon = "check"
    menu_order = 225
    items = (SubscriptionViewSet, PlanViewSet, SponsorshipViewSet, ListingViewSet)


@hooks.register("register_admin_viewset")
def viewsets() -> list[Any]:
    return [
        CatalogueGroup(),
        ServicesGroup(),
        OrdersGroup(),
        ParcelPolicyViewSet(),
        SubscriptionsGroup(),
    ]
