"""What partners propose, read by the landlord's officers: before and after, yes or why not."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from wagtail.models import WorkflowState
from wagtail.permissions import policy_registry

from club.forms import add_refusal
from club.kernel.refusal import Refused
from club.permissions import RULES, visible
from content.models import Picture
from marketplace.domain import moderation
from marketplace.forms.offers import AnswerForm
from marketplace.models import Offer
from marketplace.queries.offers import as_offer, terms_in, waiting
from marketplace.views.shown_offers import Fact, facts_of


@dataclass(frozen=True)
class Line:
    """One thing that residents read, as it is and as it would be."""

    name: str
    before: Fact | None
    after: Fact

    @property
    def differs(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True)
class Asked:
    """One proposal; the form bears the number of the revision that is shown."""

    offer: Offer
    state: WorkflowState
    is_new: bool
    lines: list[Line]
    form: AnswerForm


def may_answer(request: HttpRequest) -> bool:
    policy = policy_registry.get_by_type(Offer)
    return bool(policy.user_has_any_permission(request.user, ["change"]))


def own(request: HttpRequest) -> QuerySet[Offer]:
    """Those of one's own landlord."""
    return visible(Offer.objects.all(), request.user, RULES[Offer], ["change"])


def count(request: HttpRequest) -> int:
    return waiting(own(request)).count()


@require_safe
@never_cache
def to_read(request: HttpRequest) -> HttpResponse:
    if not may_answer(request):
        raise PermissionDenied
    return page(request)


@require_POST
@never_cache
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Yes, or no with the reason; to the words that were on the page and to no others."""
    if not may_answer(request):
        raise PermissionDenied
    offer = get_object_or_404(own(request), pk=pk)
    form = AnswerForm(request.POST, auto_id=f"offer{pk}_%s")
    if form.is_valid():
        data, now = form.cleaned_data, timezone.now()
        try:
            if "accepter" in request.POST:
                moderation.approve(offer, data["revision"], by=request.user, now=now)  # type: ignore[arg-type]
                done = _("L’avantage est en ligne. Le partenaire est prévenu.")
            else:
                moderation.turn_down(
                    offer, data["revision"], data["why"], by=request.user, now=now  # type: ignore[arg-type]
                )  # fmt: skip
                done = _("Le partenaire est prévenu, avec votre raison.")
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, done)
            return redirect("partner-offers")
    return page(request, {pk: form}, status=422)


def page(
    request: HttpRequest, forms: dict[int, AnswerForm] | None = None, status: int = 200
) -> HttpResponse:
    today = timezone.localdate()
    states = list(waiting(own(request)))
    rows = Offer.objects.select_related("partner").in_bulk([int(one.object_id) for one in states])
    terms = {state.pk: terms_in(state.current_task_state.revision.content) for state in states}
    photos = photos_of([*rows.values()], [one["picture_id"] for one in terms.values()])
    asked = []
    for state in states:
        offer = rows[int(state.object_id)]
        after = as_offer(offer, terms[state.pk])
        form = (forms or {}).get(offer.pk)
        asked.append(
            Asked(
                offer=offer,
                state=state,
                is_new=not offer.live,
                lines=lines_of(offer if offer.live else None, after, today, photos),
                form=form_for(state, form),
            )
        )
    missed = [
        form for pk, form in (forms or {}).items() if pk not in {one.offer.pk for one in asked}
    ]
    context = {
        "page_title": _("Avantages à relire"),
        "asked": asked,
        "missed": missed,
        "refused": next((one.form for one in asked if one.form.errors), None),
    }
    return render(request, "marketplace/admin/offers_to_read.html", context, status=status)


def form_for(state: WorkflowState, form: AnswerForm | None) -> AnswerForm:
    """A refused answer keeps its words, and bears the revision that is shown now."""
    revision = state.current_task_state.revision_id
    if form is None:
        return AnswerForm(initial={"revision": revision}, auto_id=f"offer{state.object_id}_%s")
    data: Any = form.data
    data = data.copy()
    data["revision"] = str(revision)
    form.data = data
    return form


def photos_of(offers: list[Offer], more: list[int | None]) -> dict[int, Picture]:
    numbers = {one.picture_id for one in offers} | set(more)
    return Picture.objects.prefetch_related("renditions").in_bulk([pk for pk in numbers if pk])


def lines_of(
    before: Offer | None, after: Offer, today: date, photos: dict[int, Picture]
) -> list[Line]:
    was = facts_of(before, today, photos) if before is not None else {}
    return [
        Line(name, was.get(name), fact) for name, fact in facts_of(after, today, photos).items()
    ]
