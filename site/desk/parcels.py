"""The pages of parcels: receive one after the other, the shelves, one parcel, hand over."""

from collections.abc import Callable
from typing import Any

from dateutil.relativedelta import relativedelta
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from club.access import StaffRequest
from club.domain.household import adults_of
from club.domain.messages import channel_for
from club.forms import add_refusal
from club.kernel import codes
from club.kernel.people import spoken_phone
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import Member
from concierge.domain import parcels as verbs
from concierge.enums import ParcelStatus
from concierge.models import Parcel, Proxy
from concierge.queries.parcels import (
    WITH_NAMES,
    live_proxies,
    months_of,
    takes_parcels,
    waiting_at,
)
from desk import acts, parcel_acts
from desk.access import staff
from desk.parcel_acts import shelf_words, state_of
from desk.parcel_forms import AssignForm, ReceiveForm, ShelfForm
from desk.screen import Result
from desk.views import answer, counter_of, result_said, said

FIELDS = {"tracking": "code", "member": "who"}
"""How the desk's form calls what the verb names."""


def parcel_here(request: StaffRequest, reference: str) -> Parcel:
    return get_object_or_404(
        Parcel.objects.select_related(*WITH_NAMES), reference=reference, place=request.place
    )


# -- Receiving -----------------------------------------------------------------------------------


@staff
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def receive(request: StaffRequest) -> HttpResponse:
    """One after the other: what was received is told above the empty form."""
    here = reverse("desk:parcel-receive")
    initial = {
        "code": request.GET.get("code", "").replace("\x00", "")[:80],
        "shelf": request.GET.get("etagere", "").replace("\x00", "")[:12],
        "key": codes.token(),
    }
    form = ReceiveForm(request.POST or None, place=request.place, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            parcel = verbs.receive_parcel(
                place=request.place,
                member=data["member"],
                tracking=data["code"],
                carrier=data["carrier"],
                size=data["size"],
                shelf=data["shelf"],
                by=request.user,
                now=timezone.now(),
                form_key=data["key"],
            )
        except Refused as refusal:
            add_refusal(form, refusal, fields=FIELDS)
        else:
            query = {"recu": parcel.reference, "etagere": parcel.shelf}
            return redirect(f"{here}?{urlencode(query)}")
    context = {
        "form": form,
        "takes_parcels": takes_parcels(request.place),
        "received": received(request),
        "result": result_said(request),
    }
    return render(request, "desk/parcel_receive.html", context, status=422 if form.errors else 200)


def received(request: StaffRequest) -> dict[str, Any] | None:
    """What has just been put on the shelf, in the words of the counter."""
    reference = request.GET.get("recu", "").replace("\x00", "")[:12]
    parcel = (
        Parcel.objects.select_related(*WITH_NAMES)
        .filter(reference=reference, place=request.place, status=ParcelStatus.WAITING)
        .first()
    )
    if parcel is None:
        return None
    told = [_("Pour personne encore.") if parcel.member is None else f"{parcel.member}."]
    told.append(f"{parcel.get_carrier_display()}. {shelf_words(parcel)}")
    if parcel.member is not None and channel_for(parcel.member) is None:
        told.append(_("Ni e-mail ni téléphone mobile : dites-le-lui."))
    word = _("Reçu : %(code)s.") % {"code": codes.spoken(parcel.reference)}
    return {"parcel": parcel, "result": Result("done", word, " ".join(told))}


# -- The shelves ---------------------------------------------------------------------------------


@staff
@never_cache
@require_GET
def shelves(request: StaffRequest) -> HttpResponse:
    return render(request, "desk/parcels.html", shelves_of(request))


@staff
@never_cache
@require_GET
def sheet(request: StaffRequest) -> HttpResponse:
    """The shelves on paper: what the counter falls back on when the screen is dark."""
    return render(request, "desk/parcels_sheet.html", shelves_of(request))


def shelves_of(request: StaffRequest) -> dict[str, Any]:
    now = timezone.now()
    today = local_day(now)
    waiting = list(waiting_at(request.place))
    past = [parcel for parcel in waiting if parcel.keep_until < today]
    kept = [parcel for parcel in waiting if parcel.keep_until >= today]
    owned = [parcel for parcel in kept if parcel.member is not None]
    owned.sort(key=lambda parcel: (parcel.member.search_name, parcel.pk))  # type: ignore[union-attr]
    owners = {parcel.member.pk: parcel.member for parcel in owned if parcel.member is not None}
    names: dict[int, list[Proxy]] = {}
    for proxy in live_proxies(owners.values(), today):
        names.setdefault(proxy.member_id, []).append(proxy)
    return {
        "past": past,
        "nobodys": [parcel for parcel in kept if parcel.member is None],
        "owned": [(parcel, reach_of(parcel), names.get(parcel.member_id or 0)) for parcel in owned],
        "now": now,
        "result": result_said(request),
    }


def reach_of(parcel: Parcel) -> str:
    assert parcel.member is not None
    user = parcel.member.user
    return spoken_phone(user.phone) if user.phone else user.email


@staff
@never_cache
@require_GET
def figures(request: StaffRequest) -> HttpResponse:
    """A year by month, for the landlord's report."""
    since = timezone.now() - relativedelta(months=12)
    context = {"months": months_of(Parcel.objects.filter(place=request.place), since)}
    return render(request, "desk/parcels_figures.html", context)


# -- One parcel ------------------------------------------------------------------------------------


@staff
@never_cache
@require_GET
def parcel(request: StaffRequest, reference: str) -> HttpResponse:
    return page_of(request, parcel_here(request, reference))


def page_of(
    request: StaffRequest,
    parcel: Parcel,
    assign: AssignForm | None = None,
    shelf: ShelfForm | None = None,
) -> HttpResponse:
    context = {
        "parcel": parcel,
        "state": state_of(parcel),
        "is_waiting": parcel.status == ParcelStatus.WAITING,
        "is_past": parcel.keep_until < local_day(timezone.now()),
        "assign": assign or AssignForm(place=request.place),
        "shelf": shelf or ShelfForm(initial={"shelf": parcel.shelf}),
        "result": result_said(request),
    }
    is_wrong = bool((assign and assign.errors) or (shelf and shelf.errors))
    return render(request, "desk/parcel.html", context, status=422 if is_wrong else 200)


def told(parcel: Parcel, word: str, text: str = "") -> HttpResponse:
    return said(reverse("desk:parcel", args=[parcel.reference]), "done", word, text)


def refused_on(parcel: Parcel, refusal: Refused) -> HttpResponse:
    text = " ".join(str(reason.text) for reason in refusal.reasons)
    url = reverse("desk:parcel", args=[parcel.reference])
    return said(url, "refused", _("Refusé."), text)


@staff
@never_cache
@require_POST
def assign(request: StaffRequest, reference: str) -> HttpResponse:
    parcel = parcel_here(request, reference)
    form = AssignForm(request.POST, place=request.place)
    if form.is_valid():
        member: Member = form.cleaned_data["member"]
        try:
            verbs.assign_parcel(parcel, member, by=request.user, now=timezone.now())
        except Refused as refusal:
            add_refusal(form, refusal, fields=FIELDS)
        else:
            return told(parcel, _("Noté."), _("Pour %(name)s.") % {"name": member})
    return page_of(request, parcel, assign=form)


@staff
@never_cache
@require_POST
def shelf(request: StaffRequest, reference: str) -> HttpResponse:
    parcel = parcel_here(request, reference)
    form = ShelfForm(request.POST)
    if form.is_valid():
        try:
            moved = verbs.move_shelf(
                parcel, form.cleaned_data["shelf"], by=request.user, now=timezone.now()
            )
        except Refused as refusal:
            return refused_on(parcel, refusal)
        return told(parcel, _("Rangé."), shelf_words(moved))
    return page_of(request, parcel, shelf=form)


BACK = gettext_lazy("De nouveau sur l’étagère.")
ACTS: dict[str, tuple[Callable[..., Any], Promise]] = {
    "rendre": (verbs.send_back, gettext_lazy("Rendu au transporteur.")),
    "pas-rendu": (verbs.undo_send_back, BACK),
    "pas-remis": (verbs.undo_hand_over, BACK),
}
"""What one press does with a parcel, by the word in the address."""


@staff
@never_cache
@require_POST
def act(request: StaffRequest, reference: str, name: str) -> HttpResponse:
    parcel = parcel_here(request, reference)
    if name not in ACTS:
        raise Http404
    verb, word = ACTS[name]
    try:
        verb(parcel, by=request.user, now=timezone.now())
    except Refused as refusal:
        return refused_on(parcel, refusal)
    return told(parcel, str(word))


@staff
@never_cache
@require_POST
def not_received(request: StaffRequest, reference: str) -> HttpResponse:
    """Undo what was received by mistake; the form comes back empty."""
    parcel = parcel_here(request, reference)
    try:
        verbs.undo_receive(parcel, by=request.user, now=timezone.now())
    except Refused as refusal:
        return refused_on(parcel, refusal)
    code = codes.spoken(parcel.reference)
    return said(reverse("desk:parcel-receive"), "returned", _("Défait."), code)


# -- Handing over ----------------------------------------------------------------------------------


@staff
@never_cache
@require_POST
def hand_over(request: StaffRequest) -> HttpResponse:
    """The ticked parcels of one owner, to the person whose button was pressed."""
    counter = counter_of(request)
    try:
        ticked = parcel_acts.chosen(
            counter, [key for key in request.POST if codes.as_scanned(key) == key]
        )
    except Refused as refusal:
        return answer(request, counter.screen(result=acts.refused(refusal)))
    owner = ticked[0].member
    if owner is None:
        raise Http404
    to = collector(owner, request.POST.get("a", ""), counter.now)
    return answer(request, parcel_acts.hand_over(counter, ticked, to))


def collector(owner: Member, text: str, now: Any) -> Member | Proxy:
    """An adult of the home ("m12") or a person the owner has named ("p3"); else nobody."""
    kind, number = text[:1], text[1:]
    if number.isascii() and number.isdigit() and len(number) <= 12:
        if kind == "m":
            return get_object_or_404(adults_of(owner.household), pk=int(number))
        if kind == "p":
            return get_object_or_404(live_proxies([owner], local_day(now)), pk=int(number))
    raise Http404
