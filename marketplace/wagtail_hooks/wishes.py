"""The admin's screens of what members say: wished-for partners, and offers that were refused."""

from typing import Any

from django import forms
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel
from wagtail.admin.ui.tables import Column

from club.permissions import VIEW, permit
from club.viewsets import IndexView, ScopedViewSet, Step
from marketplace.domain import reports, suggestions
from marketplace.enums import REPORT_MOVES, SUGGESTION_MOVES, DeclinedFor, SuggestionStatus
from marketplace.enums import ReportStatus as Report
from marketplace.models import RefusalReport, Suggestion
from marketplace.queries.suggestions import with_votes

CHANGE = frozenset({"view", "change"})

permit(Suggestion, path="landlord__places", officer=CHANGE, concierge=VIEW)
# It names a member, so it is for the officer of the member's own place.
permit(RefusalReport, path="member__place", officer=CHANGE)


# -- Wishes ----------------------------------------------------------------------------------


class DeclineForm(forms.Form):
    declined_for = forms.ChoiceField(label=_("Pourquoi"), choices=DeclinedFor.choices)


def may_be(status: str) -> Any:
    return lambda suggestion: status in SUGGESTION_MOVES[suggestion.status]


class SuggestionIndex(IndexView):
    def get_base_queryset(self) -> Any:
        return with_votes(super().get_base_queryset())


class SuggestionViewSet(ScopedViewSet):
    """Read before anybody votes: a name is put right here, or the wish is declined."""

    model = Suggestion
    menu_label = _("Partenaires souhaités")
    icon = "pick"
    index_view_class = SuggestionIndex
    list_display = [
        "name",
        "shop",
        "trade",
        "street",
        Column("number", label=_("voix"), sort_key="number"),
        "status",
        "received_at",
    ]
    list_filter = ["status", "shop", "trade"]
    ordering = ["-received_at", "-pk"]
    search_fields = ["name", "street"]
    search_backend_name = None
    inspect_view_fields = [
        "name", "shop", "trade", "street", "status", "declined_for", "partner", "received_at",
    ]  # fmt: skip
    panels = [
        FieldPanel("name"),
        FieldRowPanel([FieldPanel("shop"), FieldPanel("trade")]),
        FieldPanel("street"),
        FieldPanel(
            "partner", help_text=_("S’il est devenu partenaire : choisissez-le, enregistrez.")
        ),
    ]
    steps = {
        "voter": Step(
            _("Mettre au vote"),
            suggestions.open_vote,
            question=_("Tous les membres le voient et votent. Qui l’a proposé en est prévenu."),
            done=_("Les membres peuvent voter."),
            is_possible=may_be(SuggestionStatus.OPEN),
            icon="pick",
        ),
        "discuter": Step(
            _("Dire que nous discutons"),
            suggestions.talk,
            question=_("La page dit que l’accueil discute avec lui. Le vote continue."),
            done=_("La page dit que l’accueil discute avec lui."),
            is_possible=may_be(SuggestionStatus.TALKING),
            icon="comment",
        ),
        "partenaire": Step(
            _("Il est partenaire"),
            lambda suggestion, **who: suggestions.join(
                suggestion, partner=suggestion.partner, **who
            ),
            question=_("Qui l’a proposé et qui a voté en sont prévenus."),
            done=_("Les membres qui l’ont voulu en sont prévenus."),
            is_possible=may_be(SuggestionStatus.JOINED),
            icon="group",
        ),
        "decliner": Step(
            _("Ne pas donner suite"),
            suggestions.decline,
            question=_("Qui l’a proposé lit la raison que vous choisissez."),
            done=_("Qui l’a proposé en est prévenu."),
            is_possible=may_be(SuggestionStatus.DECLINED),
            form_class=DeclineForm,
            icon="cross",
        ),
    }


# -- Offers that were refused ------------------------------------------------------------------


class ReportIndex(IndexView):
    """Each with how many there are of its partner, in the same statement."""

    def get_base_queryset(self) -> Any:
        of_partner = (
            RefusalReport.objects.filter(offer__partner=OuterRef("offer__partner"))
            .exclude(status=Report.UNFOUNDED)
            .order_by()
            .values("offer__partner")
            .annotate(number=Count("pk"))
            .values("number")
        )
        rows = super().get_base_queryset()
        return rows.annotate(number=Subquery(of_partner, output_field=IntegerField()))


def may_end(status: str) -> Any:
    return lambda report: status in REPORT_MOVES[report.status]


class ReportViewSet(ScopedViewSet):
    model = RefusalReport
    menu_label = _("Avantages refusés")
    icon = "warning"
    index_view_class = ReportIndex
    related = ("offer__partner", "member__user")
    list_display = [
        "offer",
        "happened",
        "happened_on",
        Column(
            "number",
            label=_("pour ce partenaire"),
            accessor=lambda report: report.number or 0,
            sort_key="number",
        ),
        "status",
        "member",
    ]
    list_filter = ["status", "happened"]
    ordering = ["-reported_at", "-pk"]
    search_fields = ["offer__partner__name", "offer__title"]
    search_backend_name = None
    panels = [
        FieldPanel(name, read_only=True)
        for name in ("offer", "happened", "happened_on", "member", "status", "reported_at")
    ]
    inspect_view_fields = [
        "offer", "happened", "happened_on", "member", "status", "reported_at",
    ]  # fmt: skip
    steps = {
        "regler": Step(
            _("Réglé avec le partenaire"),
            reports.settle,
            question=_("Vous lui avez parlé. Le membre en est prévenu."),
            done=_("Le membre en est prévenu."),
            is_possible=may_end(Report.SETTLED),
        ),
        "conditions": Step(
            _("Conditions non remplies"),
            reports.find_untrue,
            question=_("Le membre reçoit les conditions. Rien n’est compté au partenaire."),
            done=_("Le membre en est prévenu."),
            is_possible=may_end(Report.UNFOUNDED),
            icon="cross",
        ),
        "retirer": Step(
            _("Retirer cet avantage"),
            reports.withdraw_offer,
            question=_("Plus personne ne le voit. Le membre en est prévenu."),
            done=_("L’avantage est retiré, le membre en est prévenu."),
            is_possible=may_end(Report.WITHDRAWN),
            icon="no-view",
        ),
    }
