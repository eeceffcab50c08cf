"""The page of one question: a face, a reason, thanks. The link in the message is the key.

Programs of mailboxes open each link of a message before the person does. So a link with a
face shows the page with that face chosen; a script of the page then sends it, which is one
tap for the person; without scripts one button sends it. A GET keeps nothing.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import capfirst
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from club.domain.opinions import answer, ask_no_more, give_reason, may_answer
from club.enums import Face, OpinionReason
from club.kernel import links, opinions
from club.kernel.refusal import Refused
from club.models import Opinion

View = Callable[..., HttpResponse]
ICONS = {Face.HAPPY: "face-happy", Face.SO_SO: "face-so-so", Face.UNHAPPY: "face-unhappy"}


def behind_its_link(view: View) -> View:
    """For whom the question was asked; another's signature opens nothing."""

    @wraps(view)
    def wrapped(request: HttpRequest, signed: str) -> HttpResponse:
        try:
            reference = links.opinion_of(signed)
        except signing.BadSignature:
            raise Http404 from None
        rows = Opinion.objects.select_related("member__user", "place__landlord")
        found = get_object_or_404(rows, reference=reference, member__isnull=False)
        request._place = found.place  # type: ignore[attr-defined]
        response = view(request, found, signed)
        response["Referrer-Policy"] = "no-referrer"
        return response

    return wrapped


@require_safe
@never_cache
def follow(request: HttpRequest, code: str) -> HttpResponse:
    """From the short link of an SMS to its page."""
    reference = links.reference_of(code, timezone.localdate(), links.SHORT_OPINION_SALT)
    if reference is None:
        raise Http404
    response = HttpResponseRedirect(links.opinion_path(reference))
    response["Referrer-Policy"] = "no-referrer"
    return response


@csrf_exempt  # Nobody's session counts here: the link is the key, and mailboxes keep no cookie.
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@behind_its_link
def opinion(request: HttpRequest, found: Opinion, signed: str) -> HttpResponse:
    now = timezone.now()
    if request.method == "POST":
        try:
            if "reason" in request.POST:
                give_reason(found, request.POST["reason"], now)
            else:
                answer(found, request.POST.get("face", ""), now)
        except Refused as refused:
            found.refresh_from_db()
            return shown(request, found, signed, str(refused.reasons[0].text))
        return redirect("opinion", signed)
    return shown(request, found, signed)


def shown(request: HttpRequest, found: Opinion, signed: str, fault: str = "") -> HttpResponse:
    now = timezone.now()
    is_open = may_answer(found, now)
    chosen = request.GET.get("visage", "")
    if chosen not in Face.values or chosen == found.face or not is_open:
        chosen = ""
    wants_change = is_open and "changer" in request.GET
    context: dict[str, Any] = {
        "opinion": found,
        "signed": signed,
        "fault": fault,
        "about": opinions.about(found.kind, found.label),
        "faces": [(face.value, capfirst(face.label), ICONS[face]) for face in Face],
        "is_open": is_open,
        "is_asking": is_open and (not found.face or wants_change) and not chosen,
        "chosen": face_of(chosen),
        "said": face_of(found.face),
        "will_call": found.face == Face.UNHAPPY and found.called_at is None,
        "reasons": reasons_for(found) if is_open else [],
    }
    status = 422 if fault else 200 if is_open or found.face else 410
    return render(request, "club/opinion.html", context, status=status)


def face_of(value: str) -> tuple[str, str, str] | None:
    if not value:
        return None
    face = Face(value)
    return face.value, str(capfirst(face.label)), ICONS[face]


def reasons_for(found: Opinion) -> list[tuple[str, str]]:
    """Asked once, of who is not happy."""
    if found.face in ("", Face.HAPPY) or found.reason:
        return []
    return [(reason.value, str(capfirst(reason.label))) for reason in OpinionReason]


@csrf_exempt  # As above.
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@behind_its_link
def stop(request: HttpRequest, found: Opinion, signed: str) -> HttpResponse:
    """No more questions, without signing in; asked before, since programs open links."""
    is_done = request.method == "POST"
    if is_done:
        try:
            ask_no_more(found, timezone.now())
        except Refused as refused:
            raise Http404 from refused
    return render(request, "club/opinion_stop.html", {"is_done": is_done, "signed": signed})
