"""The programme for agendas: of an event, of a place, of all. Whoever asks may read it."""

from collections.abc import Iterable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from club.kernel.bookings import CalendarEntry
from club.kernel.calendars import ics_of
from club.models import Place
from events.enums import SessionStatus
from events.models import EventPage, Session
from events.queries.programme import fed, public_sessions
from events.views.seances import here

FRESH_SECONDS = 900


def entry_of(session: Session) -> CalendarEntry:
    place, event = session.place, session.event
    at = session.address or f"{place.name}, {place.address}, {place.postcode} {place.city}"
    said = [event.lead, session.note, event.bring]
    return CalendarEntry(
        uid=f"{session.public_id}@conciergerie",
        sequence=session.sequence,
        title=event.title,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        where=f"{session.room}, {at}" if session.room else at,
        description=" ".join(part for part in said if part),
        cancelled=session.status == SessionStatus.CANCELLED,
        changed_at=session.changed_at,
    )


def answer(sessions: Iterable[Session], name: str, filename: str) -> HttpResponse:
    rows = list(sessions)
    entries = [entry_of(session) for session in rows]
    links = {
        entry.uid: settings.BASE_URL + session.get_absolute_url()
        for session, entry in zip(rows, entries, strict=True)
    }
    response = HttpResponse(ics_of(entries, name=name, links=links), content_type="text/calendar")
    response["Content-Disposition"] = f'inline; filename="{filename}.ics"'
    return response


@require_safe
@cache_control(private=True, max_age=FRESH_SECONDS)
def agenda(request: HttpRequest) -> HttpResponse:
    """All that is on, or what is on at one place."""
    own = here(request)
    sessions, name = public_sessions(own.landlord_id), _("Événements")
    slug = request.GET.get("lieu", "").replace("\x00", "")
    if slug:
        place = get_object_or_404(Place, landlord=own.landlord_id, is_public=True, slug=slug)
        sessions = sessions.filter(place=place)
        name = _("Événements, %(place)s") % {"place": place.name}
    return answer(fed(sessions, timezone.now()), name, slug or "evenements")


@require_safe
@cache_control(private=True, max_age=FRESH_SECONDS)
def event_agenda(request: HttpRequest, public_id: str) -> HttpResponse:
    """All the dates of one event, those that are over too."""
    own = here(request)
    event = get_object_or_404(EventPage.objects.live(), public_id=public_id)
    sessions = public_sessions(own.landlord_id).filter(event=event)
    rows = sessions.select_related("place").order_by("starts_at", "pk")[:600]
    found = list(rows)
    for session in found:
        session.event = event
    if not found:
        raise Http404
    return answer(found, event.title, public_id)
