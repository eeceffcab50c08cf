"""The pages of the sessions: today's list, a door, its sheets."""

from datetime import date, datetime, timedelta
from secrets import randbelow
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from club.access import StaffRequest
from club.kernel import words
from club.kernel.spans import local_day
from club.models import Member
from desk import door
from desk.access import staff
from desk.door import At, Screen, Told
from desk.forms import one_member
from desk.views import BIGGEST_SCAN, scan_number
from events.domain.checkin import takes_walk_ins
from events.enums import RegistrationStatus, ScanOutcome, SessionStatus
from events.models import CheckIn, Registration, Session
from events.queries.door import Door, door_of, sessions_around, sessions_of_day

OLDEST = timedelta(days=31)
EMPTY_LINES = 8
MOST_TYPED = 99


def session_here(request: StaffRequest, public_id: str) -> Session:
    return get_object_or_404(
        Session.objects.select_related("event", "place__landlord", "place__event_policy"),
        public_id=public_id,
        place=request.place,
    )


def at_of(request: StaffRequest) -> At:
    """A page off line says how long ago it was, by its own clock, and what it told."""
    now = timezone.now()
    age = request.POST.get("age", "")
    milliseconds = int(age) if age.isascii() and age.isdigit() and len(age) <= 12 else 0
    ago = min(timedelta(milliseconds=milliseconds), OLDEST)
    number = scan_number(request.POST.get("scan", ""))
    if number is None:
        number = randbelow(BIGGEST_SCAN)
    told = request.POST.get("dit", "")
    return At(
        by=request.user,
        now=now,
        at=now - ago,
        scan=f"{request.user.pk}.{number}",
        told=told if told in ScanOutcome.values else "",
    )


def number_of(text: str) -> int | None:
    """A small whole number as it is typed; None where there is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else None


def answer(request: StaffRequest, screen: Screen) -> HttpResponse:
    """The door alone for the page's own requests, else the whole page."""
    session = screen.door.session
    now = timezone.now()
    context: dict[str, Any] = {
        "screen": screen,
        "door": screen.door,
        "session": session,
        "lines": [(one, screen.door.due.get(one.pk, 0)) for one in screen.door.people],
        "walk_ins": takes_walk_ins(session),
        "has_begun": session.starts_at <= now,
        "is_over": session.ends_at <= now,
        "is_cancelled": session.status == SessionStatus.CANCELLED,
        "scan": randbelow(BIGGEST_SCAN),
        "kept": door.kept(screen.door, others_of(request, session, now)),
        "hours": words.span(session.starts_at, session.ends_at),
    }
    name = "desk/session_door.html" if request.headers.get("X-Desk") else "desk/session.html"
    response = render(request, name, context)
    if request.headers.get("X-Desk"):
        response["X-Desk"] = "1"
    return response


def others_of(request: StaffRequest, session: Session, now: datetime) -> dict[str, str]:
    """The other sessions of the day, to name them where a ticket is for one of them."""
    return {
        one.public_id: f"{one.event.title}, {words.hour(one.starts_at)}"
        for one in sessions_of_day(request.place, now)
        if one.pk != session.pk
    }


# -- Lists and doors -----------------------------------------------------------------------------


@staff
@never_cache
@require_GET
def sessions(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    today = local_day(now)
    past: list[Session] = []
    days: dict[date, list[Session]] = {}
    for session in sessions_around(request.place, now):
        if session.day < today:
            past.append(session)
        else:
            days.setdefault(session.day, []).append(session)
    context = {"days": days, "today": today, "past": list(reversed(past))}
    return render(request, "desk/sessions.html", context)


@staff
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def session(request: StaffRequest, public_id: str) -> HttpResponse:
    here = session_here(request, public_id)
    if request.method != "POST":
        return answer(request, door.screen_of(here))
    despite = request.POST.get("malgre", "")
    screen = door.read(
        here,
        request.POST.get("texte", ""),
        at_of(request),
        request.POST.get("choix", "").split()[: door.CHOICES],
        quantity=number_of(request.POST.get("nombre", "")),
        despite=despite if despite in ScanOutcome.values else "",
    )
    return answer(request, screen)


@staff
@never_cache
@require_POST
def walk_in(request: StaffRequest, public_id: str) -> HttpResponse:
    here = session_here(request, public_id)
    quantity = number_of(request.POST.get("nombre", "1"))
    name = request.POST.get("prenom", "").replace("\x00", "")
    despite = request.POST.get("malgre", "")
    at = at_of(request)
    return answer(request, door.walk_in(here, name, quantity or 0, despite, at))


@staff
@never_cache
@require_POST
def undo(request: StaffRequest, public_id: str) -> HttpResponse:
    here = session_here(request, public_id)
    passage = request.GET.get("passage", "")
    if not (passage.isascii() and passage.isdigit() and len(passage) <= 12):
        raise Http404
    done = get_object_or_404(
        CheckIn.objects.select_related("registration__member__user", "walk_in"),
        pk=int(passage),
        session=here,
    )
    return answer(request, door.undo(here, done, at_of(request)))


@staff
@never_cache
@require_POST
def register(request: StaffRequest, public_id: str) -> HttpResponse:
    """For a member, by name or card, at the desk or at the door."""
    here = session_here(request, public_id)
    text = request.POST.get("qui", "").replace("\x00", "").strip()[:150]
    places = request.POST.get("places", "1")
    typed = {"qui": text, "places": places[:3]}
    try:
        member = member_of(request, text)
    except ValidationError as error:
        told = Told("refused", _("Refusé."), " ".join(error.messages))
        return answer(request, door.screen_of(here, told, typed=typed))
    screen = door.register(
        here,
        member,
        number_of(places) or 0,
        waits="attente" in request.POST,
        enters="entrer" in request.POST,
        at=at_of(request),
    )
    return answer(request, screen)


def member_of(request: StaffRequest, text: str) -> Member:
    """By the member's own number, from a card at this door, or by what was typed."""
    number = request.POST.get("personne", "")
    if number.isascii() and number.isdigit() and len(number) <= 12:
        landlord = request.place.landlord_id
        found = Member.objects.filter(pk=int(number), place__landlord=landlord)
        member = found.select_related("user", "household", "place").first()
        if member is not None:
            return member
    return one_member(request.place, text)


@staff
@never_cache
@require_POST
def act(request: StaffRequest, public_id: str, reference: str, name: str) -> HttpResponse:
    here = session_here(request, public_id)
    registration = get_object_or_404(
        Registration.objects.select_related("member__user", "session"),
        reference=reference,
        session=here,
    )
    if name == "venus":
        came = number_of(request.POST.get("nombre", "")) or 0
        return answer(request, door.set_came(here, registration, came, at_of(request)))
    if name not in door.ACTS:
        raise Http404
    return answer(request, door.act(here, registration, name, at_of(request)))


@staff
@never_cache
@require_POST
def absent(request: StaffRequest, public_id: str) -> HttpResponse:
    here = session_here(request, public_id)
    return answer(request, door.mark_absent(here, at_of(request)))


@staff
@never_cache
@require_POST
def present(request: StaffRequest, public_id: str) -> HttpResponse:
    """Those who were marked absent a moment ago are expected again."""
    here = session_here(request, public_id)
    try:
        marked_at = parse_datetime(request.GET.get("quand", "").replace(" ", "+"))
    except ValueError:
        marked_at = None
    if marked_at is None or timezone.is_naive(marked_at):
        raise Http404
    return answer(request, door.undo_absent(here, marked_at, at_of(request)))


# -- On paper ------------------------------------------------------------------------------------


@staff
@never_cache
@require_GET
def sheet(request: StaffRequest, public_id: str) -> HttpResponse:
    """To sign at the door: a line a place, and empty ones for whoever comes."""
    here = session_here(request, public_id)
    held = door_of(here)
    context = {
        "session": here,
        "door": held,
        "rows": rows_of(held),
        "empty": range(EMPTY_LINES),
        "hours": words.span(here.starts_at, here.ends_at),
    }
    return render(request, "desk/session_sheet.html", context)


def rows_of(held: Door) -> list[tuple[Registration, str]]:
    """A name a place: those who were named, then the member's with its number."""
    rows = []
    for registration in held.people:
        names = [one.name for one in registration.participants.all() if one.name]
        for number in range(registration.quantity):
            if number < len(names):
                name = names[number]
            elif number == 0:
                name = str(registration.member)
            else:
                name = _("%(name)s, place %(number)s") % {
                    "name": registration.member,
                    "number": number + 1,
                }
            rows.append((registration, name))
    return rows


@staff
@never_cache
@require_GET
def certificates(request: StaffRequest, public_id: str) -> HttpResponse:
    """Attendance at a training: one page for each who was there and whose name is known."""
    here = session_here(request, public_id)
    if not here.event.is_training:
        raise Http404
    names: list[str] = []
    for registration in door_of(here).people:
        if registration.status != RegistrationStatus.PRESENT:
            continue
        named = [one.name for one in registration.participants.all() if one.name]
        names += (named or [str(registration.member)])[: registration.came]
    context = {
        "session": here,
        "names": names,
        "hours": words.span(here.starts_at, here.ends_at),
        "length": length_words(here.ends_at - here.starts_at),
        "day": words.date_of(here.day),
        "today": words.date_of(local_day(timezone.now())),
    }
    return render(request, "desk/session_certificates.html", context)


def length_words(length: timedelta) -> str:
    """ "2 h", "1 h 30"."""
    hours, minutes = divmod(int(length.total_seconds()) // 60, 60)
    text = f"{hours}{words.NBSP}h"
    return text if not minutes else f"{text}{words.NBSP}{minutes:02d}"
