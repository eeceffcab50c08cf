"""Whom members would like as a partner: proposing, voting, and what became of it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from club.access import MemberRequest, member_required
from club.context import member_of
from club.forms import add_refusal
from club.kernel import words
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import Landlord
from marketplace.domain import suggestions as verbs
from marketplace.enums import SuggestionStatus
from marketplace.forms import SuggestForm
from marketplace.models import Partner, Suggestion
from marketplace.queries import suggestions
from marketplace.queries.directory import directory_of
from marketplace.views.directory import here


def what_of(suggestion: Suggestion) -> str:
    """ "Boulangerie, rue Voltaire"."""
    sort = suggestion.get_shop_display() or suggestion.get_trade_display()
    return capfirst(", ".join(part for part in (sort, suggestion.street) if part))


def line_of(suggestion: Suggestion) -> dict[str, Any]:
    return {
        "suggestion": suggestion,
        "what": what_of(suggestion),
        "talking": suggestion.status == SuggestionStatus.TALKING,
    }


def ended_line(suggestion: Suggestion) -> dict[str, Any]:
    joined = suggestion.status == SuggestionStatus.JOINED
    moment = suggestion.joined_at if joined else suggestion.declined_at
    return line_of(suggestion) | {"joined": joined, "day": words.day(moment) if moment else ""}


@require_safe
@never_cache
def wishes(request: HttpRequest) -> HttpResponse:
    """The most wanted first, for everybody to see; a member has one voice for each."""
    place, member, now = here(request), member_of(request), timezone.now()
    ended = [ended_line(one) for one in suggestions.lately_closed(place.landlord, now)]
    shown = set()
    if any(line["joined"] for line in ended):
        found = directory_of(place.landlord, local_day(now)).partners().order_by()
        wanted = [line["suggestion"].partner_id for line in ended]
        shown = set(found.filter(pk__in=wanted).values_list("pk", flat=True))
    context = {
        "lines": [line_of(one) for one in suggestions.voted_on(place.landlord, member)],
        "own": [line_of(one) for one in suggestions.own(member, now)] if member else [],
        "ended": [
            line | {"has_page": line["suggestion"].partner_id in shown} for line in ended
        ],
    }  # fmt: skip
    return render(request, "marketplace/wishes.html", context)


@require_POST
@member_required
def vote(request: MemberRequest, pk: int) -> HttpResponse:
    known = Suggestion.objects.exclude(status=SuggestionStatus.RECEIVED)
    mine = known.filter(landlord=request.member.household.landlord_id)
    suggestion = get_object_or_404(mine, pk=pk)
    gives = request.POST.get("voix") != "0"
    verb = verbs.vote if gives else verbs.take_vote_back
    try:
        verb(suggestion, request.member, by=request.user, now=timezone.now())
    except Refused as refused:
        messages.warning(request, str(refused.reasons[0].text))
    else:
        said = _("Votre voix est comptée.") if gives else _("Votre voix est reprise.")
        messages.success(request, said)
    return redirect(f"{reverse('marketplace:wishes')}#souhait-{pk}")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def suggest(request: MemberRequest) -> HttpResponse:
    """A form; where something of that name is there already, whether it is meant."""
    form = SuggestForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        alike = None if form.cleaned_data["other"] else already_there(request, form)
        if alike:
            return render(request, "marketplace/suggest_alike.html", alike | {"form": form})
        try:
            verbs.suggest(request.member, **form.said, by=request.user, now=timezone.now())
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("C’est proposé. L’accueil lit, puis les membres votent."))
            return redirect("marketplace:wishes")
    status = 422 if form.is_bound else 200
    return render(request, "marketplace/suggest.html", {"form": form}, status=status)


def already_there(request: MemberRequest, form: SuggestForm) -> dict[str, Any] | None:
    landlord: Landlord = request.member.household.landlord
    name = form.cleaned_data["name"]
    lines = [line_of(one) for one in suggestions.alike(landlord, name, request.member)]
    partners: list[Partner] = suggestions.partners_alike(landlord, local_day(timezone.now()), name)
    return {"lines": lines, "partners": partners} if lines or partners else None
