"""Offers in Wagtail's own editor: proposed there too, and answered by their officers alone."""

from contextlib import suppress
from typing import Any

from django.db.models import CharField, Exists, OuterRef
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.panels import FieldPanel, FieldRowPanel, ObjectList
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic.mixins import RevisionsRevertMixin
from wagtail.admin.widgets.button import HeaderButton
from wagtail.models import WorkflowState
from wagtail.snippets.action_menu import ActionMenuItem, SnippetActionMenu
from wagtail.snippets.views import snippets as snippet_views
from wagtail.snippets.views.snippets import SnippetViewSet

from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.permissions import VIEW, WRITE, permit
from club.viewsets import (
    IndexView,
    InspectView,
    OwnPlacesMixin,
    RefusingMixin,
    ScopedViewSet,
    Step,
)
from marketplace.domain import moderation, offers
from marketplace.enums import PartnerStatus
from marketplace.forms.offers import OfferAdminForm
from marketplace.models import Offer
from marketplace.queries.offers import terms_of
from marketplace.views import (
    staff_offers,
)

permit(
    Offer,
    path="partner__landlord__places",
    officer=WRITE | {"publish"},
    concierge=VIEW,
)


class ProposeItem(ActionMenuItem):
    name = "action-propose"
    label = _("Proposer, puis relire")
    icon_name = "resubmit"


class ProposeMenu(SnippetActionMenu):
    """One way on: what is written here is moderated like what a partner writes."""

    def __init__(self, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(request, **kwargs)
        self.menu_items: list[Any] = []
        self.default_item = ProposeItem()


class ProposingMixin(RefusingMixin):
    """No drafts, no publishing at once: saving is the verb, and Wagtail's autosave is off."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)  # type: ignore[misc]
        self.saving_as_draft = self.autosave_enabled = False

    def get_available_actions(self) -> list[str]:
        return [self.view_name]  # type: ignore[attr-defined]

    def _get_action_menu(self) -> ProposeMenu:
        shown = {"view": self.view_name, "model": Offer, "instance": self.object}  # type: ignore[attr-defined]
        return ProposeMenu(self.request, **shown)  # type: ignore[attr-defined]

    def save_instance(self) -> Offer:
        written: Offer = self.form.save(commit=False)  # type: ignore[attr-defined]
        self.new_revision = None
        return offers.propose(
            written if written.pk else None,
            written.partner,
            terms_of(written),
            by=self.request.user,  # type: ignore[attr-defined]
            now=timezone.now(),
        )

    def get_success_url(self) -> str:
        return reverse("partner-offers")


OFFER_STEPS = {
    "retirer": Step(
        _("Retirer cet avantage"),
        offers.withdraw,
        question=_("Les habitants ne le voient plus. Son partenaire ne peut pas le remettre."),
        done=_("Cet avantage n’est plus montré."),
        is_possible=lambda offer: offer.live and offer.withdrawn_on is None,
        icon="no-view",
    ),
    "remettre": Step(
        _("Remettre en ligne"),
        offers.bring_back,
        question=_("Les habitants le voient de nouveau, comme il avait été accepté."),
        done=_("Cet avantage est de nouveau en ligne."),
        is_possible=lambda offer: offer.live and offer.withdrawn_on is not None,
        icon="view",
    ),
}


class AddOffer(ProposingMixin, snippet_views.CreateView):
    pass


class EditOffer(OwnPlacesMixin, ProposingMixin, snippet_views.EditView):
    scoped_actions = ("change",)

    @property
    def header_buttons(self) -> list[Any]:
        url = f"{reverse('partner-offers')}#avantage-{self.object.pk}"
        read = HeaderButton(str(_("Avantages à relire")), url=url, icon_name="tasks")
        possible = {name: one for name, one in OFFER_STEPS.items() if one.is_possible(self.object)}
        buttons = [
            HeaderButton(
                str(step.label),
                url=reverse("offer:step", args=[self.object.pk, name]),
                icon_name=step.icon,
            )
            for name, step in possible.items()
        ]
        return [*super().header_buttons, read, *buttons]


class RevertOffer(RevisionsRevertMixin, EditOffer):
    view_name = "revisions_revert"

    def get_available_actions(self) -> list[str]:
        return ["edit"]

    def save_instance(self) -> Offer:
        return EditOffer.save_instance(self)


class AnswerView(OwnPlacesMixin, snippet_views.WorkflowActionView):
    """Wagtail's own buttons: they bear the number of the task, so of the revision."""

    scoped_actions = ("change",)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        revision = self.task_state.revision_id
        done: dict[str, Any] = {"by": request.user, "now": timezone.now()}
        try:
            if self.action_name == "approve":
                moderation.approve(self.object, revision, **done)
            else:
                why = request.POST.get("comment", "")
                moderation.turn_down(self.object, revision, why, **done)
        except Refused as refused:
            for reason in refused.reasons:
                messages.error(request, str(reason.text))
        if request.headers.get("x-requested-with") == "XMLHttpRequest":
            step = {"step": "success", "redirect": self.redirect_url}
            return self.render_modal_json(request, step)
        return redirect(self.redirect_url)


class WithdrawView(OwnPlacesMixin, snippet_views.UnpublishView):
    """What Wagtail calls unpublishing is a withdrawal, which may be taken back."""

    scoped_actions = ("change",)

    def unpublish(self) -> None:
        with suppress(Refused):
            offers.withdraw(self.object, by=self.request.user, now=timezone.now())


def own_places(view: type) -> type:
    """Wagtail's view of one offer, for offers of one's own landlord."""
    return type(f"Own{view.__name__}", (OwnPlacesMixin, view), {})


class OfferIndex(IndexView, snippet_views.IndexView):
    """What is asked of the officer comes with each row, in the same statement."""

    related = ("partner",)

    def get_base_queryset(self) -> Any:
        states = WorkflowState.objects.active().filter(
            base_content_type=Offer.get_base_content_type(),
            object_id=Cast(OuterRef("pk"), CharField()),
        )
        return (
            super()
            .get_base_queryset()
            .annotate(
                waits=Exists(states.filter(status=WorkflowState.STATUS_IN_PROGRESS)),
                is_refused=Exists(states.exclude(status=WorkflowState.STATUS_IN_PROGRESS)),
            )
        )


def state_of(offer: Any) -> str:
    """Whether residents can read it, and what is asked: a proposal is no offer yet."""
    if not offer.live:
        if offer.waits:
            return gettext("à relire, jamais en ligne")
        return gettext("refusé, jamais en ligne") if offer.is_refused else gettext("pas proposé")
    said, today = gettext("en ligne"), local_day(timezone.now())
    if offer.withdrawn_on is not None:
        said = gettext("retiré")
    elif offer.ends_on is not None and offer.ends_on < today:
        said = gettext("fini")
    elif offer.partner.status != PartnerStatus.LIVE:
        said = gettext("accepté, partenaire pas en ligne")
    elif offer.starts_on > today:
        said = gettext("accepté, pas encore commencé")
    return gettext("%(state)s, changement à relire") % {"state": said} if offer.waits else said


class OfferViewSet(SnippetViewSet):
    """Its terms, their history, and Wagtail's moderation; a chooser would show all places'."""

    model = Offer
    url_namespace = url_prefix = "offer"
    icon = "tag"
    menu_label = _("Avantages")
    copy_view_enabled = False
    inspect_view_enabled = True
    list_per_page = 50
    list_display = [
        "title",
        "partner",
        "kind",
        Column("state", label=_("état"), accessor=state_of),
        "starts_on",
        "ends_on",
        "withdrawn_on",
    ]
    list_filter = ["kind"]
    ordering = ["partner__name", "pk"]
    search_fields = ["title", "partner__name"]
    search_backend_name = None
    inspect_view_fields = [
        "partner", "title", "kind", "percent", "amount_cents", "price_cents", "usual_price_cents",
        "gift", "conditions", "starts_on", "ends_on", "limit_count", "limit_per", "withdrawn_on",
    ]  # fmt: skip
    index_view_class = OfferIndex
    add_view_class = AddOffer
    edit_view_class = EditOffer
    revisions_revert_view_class = RevertOffer
    workflow_action_view_class = AnswerView
    unpublish_view_class = WithdrawView
    inspect_view_class = type("InspectOffer", (InspectView, snippet_views.InspectView), {})
    delete_view_class = own_places(snippet_views.DeleteView)
    history_view_class = own_places(snippet_views.HistoryView)
    usage_view_class = own_places(snippet_views.UsageView)
    revisions_compare_view_class = own_places(snippet_views.RevisionsCompareView)
    revisions_unschedule_view_class = own_places(snippet_views.RevisionsUnscheduleView)
    lock_view_class = own_places(snippet_views.LockView)
    unlock_view_class = own_places(snippet_views.UnlockView)
    collect_workflow_action_data_view_class = own_places(
        snippet_views.CollectWorkflowActionDataView
    )
    confirm_workflow_cancellation_view_class = own_places(
        snippet_views.ConfirmWorkflowCancellationView
    )
    workflow_history_view_class = own_places(snippet_views.WorkflowHistoryView)
    workflow_history_detail_view_class = own_places(snippet_views.WorkflowHistoryDetailView)
    panels = [
        FieldPanel("partner"),
        FieldRowPanel([FieldPanel("title"), FieldPanel("kind")]),
        FieldRowPanel([FieldPanel("percent"), FieldPanel("amount_cents")]),
        FieldRowPanel([FieldPanel("price_cents"), FieldPanel("usual_price_cents")]),
        FieldPanel("gift"),
        FieldPanel("conditions"),
        FieldRowPanel([FieldPanel("starts_on"), FieldPanel("ends_on")]),
        FieldRowPanel([FieldPanel("limit_count"), FieldPanel("limit_per")]),
        FieldPanel("picture"),
    ]

    def get_edit_handler(self) -> Any:
        return ObjectList(self.panels, base_form_class=OfferAdminForm).bind_to_model(self.model)

    def get_index_view_kwargs(self, **kwargs: Any) -> Any:
        return super().get_index_view_kwargs(related=("partner",), **kwargs)

    steps = OFFER_STEPS
    step_view = ScopedViewSet.step_view

    def get_urlpatterns(self) -> list[Any]:
        step = path("step/<int:pk>/<slug:name>/", self.step_view, name="step")
        return [*super().get_urlpatterns(), step]

    def register_chooser_viewset(self) -> None:
        pass


class ToReadItem(MenuItem):
    """How many wait stands beside the words."""

    def is_shown(self, request: Any) -> bool:
        return staff_offers.may_answer(request)

    def render_component(self, request: Any) -> Any:
        found, number = super().render_component(request), staff_offers.count(request)
        if number:
            found.label = f"{self.label} ({number})"
        return found
