"""The register of keys: received and given back against a signature, found by their hook.

For the concierges of the place alone, as stays are: who left keys is somebody who is away.
"""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from club.access import StaffRequest
from club.domain.household import adults_of
from club.forms import add_refusal
from club.kernel import codes, words
from club.kernel.people import folded
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import Member
from club.views.files import as_download
from concierge.domain import keys as verbs
from concierge.domain.stay_fees import price_of
from concierge.enums import ON_HOOK, WATCHED, KeyStatus, StayStatus
from concierge.models import KeySet, Stay
from concierge.queries.parcels import live_proxies
from concierge.queries.stays import gone_keys, keys_at, lowest_free_hook
from concierge.stay_letters import pieces_words
from desk.access import concierge
from desk.stay_forms import GiveBackForm, HookForm, ReceiveKeysForm
from desk.stays import refused_here
from desk.views import result_said, said, served

LATEST = 30
"""How many sets that are gone stand under the hooks."""
WITH_NAMES = ("member__user", "member__household", "stay__service", "place", "received_by")


def keys_here(request: StaffRequest, reference: str) -> KeySet:
    return get_object_or_404(
        KeySet.objects.select_related(*WITH_NAMES, "returned_by", "out_by"),
        reference=reference,
        place=request.place,
    )


def url_of(keys: KeySet) -> str:
    return reverse("desk:key", args=[keys.reference])


# -- The register ------------------------------------------------------------------------------


@concierge
@never_cache
@require_GET
def register(request: StaffRequest) -> HttpResponse:
    """The hooks in their order; a number finds a hook, letters a person, a code its set."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:80]
    held, gone = keys_at(request.place), gone_keys(request.place)
    code = codes.as_scanned(text) if text else None
    if code is not None:
        held, gone = held.filter(reference=code), gone.filter(reference=code)
    elif text.isascii() and text.isdigit() and len(text) <= 3:
        held, gone = held.filter(hook=int(text)), gone.filter(hook=int(text))
    else:
        for word in folded(text).split():
            held = held.filter(member__search_name__contains=word)
            gone = gone.filter(member__search_name__contains=word)
    context = {
        "text": text,
        "held": list(held),
        "gone": list(gone[:LATEST]),
        "free": lowest_free_hook(request.place),
        "result": result_said(request),
    }
    return render(request, "desk/keys.html", context)


# -- Receiving ---------------------------------------------------------------------------------


def stays_of(member: Member | None, request: StaffRequest) -> list[Stay]:
    rows = Stay.objects.filter(place=request.place, status__in=WATCHED)
    rows = rows.filter(member=member).select_related("service")
    return list(rows.order_by("starts_at")) if member is not None else []


@concierge
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def receive(request: StaffRequest) -> HttpResponse:
    """Whose, why, how many, on which hook; signed on the screen or on paper."""
    now = timezone.now()
    wanted = request.POST.get("membre") or request.GET.get("membre", "")
    member = served(request, wanted) if wanted else None
    stays = stays_of(member, request)
    asked = request.GET.get("garde", "")[:12]
    chosen = next((stay for stay in stays if stay.reference == asked), None)
    initial: dict[str, Any] = {"hook": lowest_free_hook(request.place)}
    if chosen is not None:
        initial["reason"] = f"stay:{chosen.pk}"
    form = ReceiveKeysForm(
        request.POST or None, place=request.place, member=member, stays=stays, now=now,
        initial=initial,
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            keys = verbs.receive_keys(
                place=request.place,
                member=data["member"],
                hook=data["hook"],
                pieces=data["pieces"],
                reason=data["reason"],
                stay=data["stay"],
                signature=data["signature"],
                on_paper=data["on_paper"],
                by=request.user,
                now=now,
            )
        except Refused as refusal:
            add_refusal(form, refusal, fields={"signature": "on_paper", "stay": "reason"})
        else:
            text = _("%(pieces)s, crochet %(hook)s.") % {
                "pieces": pieces_words(keys.pieces),
                "hook": keys.hook,
            }
            return said(url_of(keys), "done", _("Reçu."), text)
    context = {"form": form, "person": member, "booked": chosen, "signed": form}
    return render(request, "desk/key_receive.html", context, status=422 if form.errors else 200)


# -- One set -----------------------------------------------------------------------------------


@concierge
@never_cache
@require_GET
def key(request: StaffRequest, reference: str) -> HttpResponse:
    return key_page(request, keys_here(request, reference))


def key_page(
    request: StaffRequest,
    keys: KeySet,
    form: HookForm | None = None,
    refusal: Refused | None = None,
) -> HttpResponse:
    context = {
        "keys": keys,
        "pieces": pieces_words(keys.pieces),
        "is_here": keys.status in ON_HOOK,
        "is_out": keys.status == KeyStatus.OUT,
        "may_hang_again": verbs.may_hang_again(keys, timezone.now()),
        "form": form or HookForm(),
        "result": refused_here(refusal) if refusal else result_said(request),
    }
    status = 422 if refusal or (form is not None and form.errors) else 200
    return render(request, "desk/key.html", context, status=status)


KEY_ACTS: dict[str, tuple[Callable[..., KeySet], Any]] = {
    "sortir": (verbs.take_out, gettext_lazy("Sorties.")),
    "raccrocher": (verbs.put_back, gettext_lazy("De nouveau au crochet.")),
    "perdues": (verbs.mark_lost, gettext_lazy("Notées perdues.")),
    "retrouvees": (verbs.hang_again, gettext_lazy("De nouveau au crochet.")),
}
"""What one press does with keys, by the word in the address."""


@concierge
@never_cache
@require_POST
def act(request: StaffRequest, reference: str, name: str) -> HttpResponse:
    keys = keys_here(request, reference)
    if name not in KEY_ACTS:
        raise Http404
    verb, word = KEY_ACTS[name]
    try:
        changed = verb(keys, by=request.user, now=timezone.now())
    except Refused as refusal:
        return key_page(request, keys_here(request, reference), refusal=refusal)
    text = _("Crochet %(hook)s.") % {"hook": changed.hook}
    return said(url_of(keys), "done", str(word), text)


@concierge
@never_cache
@require_POST
def hook(request: StaffRequest, reference: str) -> HttpResponse:
    keys = keys_here(request, reference)
    form = HookForm(request.POST)
    if form.is_valid():
        try:
            verbs.change_hook(keys, form.cleaned_data["hook"], by=request.user, now=timezone.now())
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            text = _("Crochet %(hook)s.") % {"hook": form.cleaned_data["hook"]}
            return said(url_of(keys), "done", _("Changées de place."), text)
    return key_page(request, keys, form)


@concierge
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def give_back(request: StaffRequest, reference: str) -> HttpResponse:
    """To whom, and their signature. The page of what is no longer here says who has it."""
    keys, now = keys_here(request, reference), timezone.now()
    owner = keys.member
    adults = sorted(adults_of(owner.household), key=lambda adult: adult.pk != owner.pk)
    proxies = list(live_proxies([owner], local_day(now)))
    form = GiveBackForm(request.POST or None, adults=adults, proxies=proxies)
    if keys.status not in ON_HOOK:
        return redirect(url_of(keys))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            given = verbs.give_back(
                keys, data["to"], signature=data["signature"], on_paper=data["on_paper"],
                by=request.user, now=now,
            )  # fmt: skip
        except Refused as refusal:
            add_refusal(form, refusal, fields={"signature": "on_paper"})
        else:
            return said(url_of(keys), "done", _("Rendues."), given_words(given))
    context = {
        "keys": keys,
        "pieces": pieces_words(keys.pieces),
        "form": form,
        "signed": form,
    }
    status = 422 if form.errors else 200
    return render(request, "desk/key_give_back.html", context, status=status)


def given_words(keys: KeySet) -> str:
    """What the page does not say by itself: to whom stands there, and in no address bar."""
    stay = keys.stay
    if stay is None or stay.status != StayStatus.ENDED:
        return ""
    text = _("La garde est terminée.")
    if not stay.unit_cents:
        return text
    due = _("%(price)s à encaisser.") % {"price": words.money(price_of(stay))}
    return f"{text} {due}"


# -- On paper ----------------------------------------------------------------------------------


@concierge
@never_cache
@require_GET
def receipt(request: StaffRequest, reference: str) -> HttpResponse:
    """Two copies in one: what was received, what was given back, and where to sign."""
    keys = keys_here(request, reference)
    context = {"keys": keys, "pieces": pieces_words(keys.pieces), "person": keys.member}
    return render(request, "desk/key_receipt.html", context)


@concierge
@never_cache
@require_GET
def tag(request: StaffRequest, reference: str) -> HttpResponse:
    """The hook and the code. No name, no address: keys that are lost open no door."""
    keys = keys_here(request, reference)
    return render(request, "desk/key_tag.html", {"hook": keys.hook, "code": keys.reference})


SIGNATURES = {"recues": "received_signature", "rendues": "returned_signature"}


@concierge
@never_cache
@require_GET
def signature(request: StaffRequest, reference: str, which: str) -> Any:
    keys = keys_here(request, reference)
    if which not in SIGNATURES:
        raise Http404
    return as_download(getattr(keys, SIGNATURES[which]))
