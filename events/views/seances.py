"""One session: how many places, who comes, "C’est réservé"; or a turn for all together."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from club.access import MemberRequest, member_required
from club.context import member_of, place_of
from club.kernel import codes, words
from club.kernel.bookings import Channel
from club.kernel.refusal import Refused
from club.models import Member, Place
from club.queries.paying import pays_online
from events.domain.registrations import at_the_same_time, register_once
from events.domain.rules import MOST_AT_ONCE, Standing, reasons_against, standing_of, unit_price
from events.domain.waiting import position_of
from events.enums import OPEN, RegistrationStatus
from events.forms import RegisterForm
from events.models import EventIndex, Question, Registration, Session
from events.queries.policies import policy_for
from events.queries.programme import mine, sessions_of
from events.views import shown
from events.views.pages import with_photos

OTHER_DATES = 3
SAID_ALREADY = {"cancelled", "begun", "free", "elsewhere"}
"""What the page says of itself, to members as to visitors."""


def here(request: HttpRequest) -> Place:
    place = place_of(request)
    if place is None:
        raise Http404
    return place


def find(request: HttpRequest, public_id: str) -> Session:
    """A session of this landlord that everybody sees, or of the member's own place."""
    place = here(request)
    return get_object_or_404(
        Session.objects.select_related(
            "event__picture", "place__landlord", "place__event_policy"
        ).filter(
            Q(place__is_public=True) | Q(place=place),
            place__landlord=place.landlord_id,
            event__live=True,
        ),
        public_id=public_id,
    )


@require_safe
def programme(request: HttpRequest) -> HttpResponse:
    """The programme of one's place, wherever its page stands."""
    place = here(request)
    pages = EventIndex.objects.live().filter(place__landlord=place.landlord_id)
    page = pages.filter(place=place).first() or pages.order_by("path").first()
    url = page.get_url(request) if page else None
    return redirect(url or "/")


def read_quantity(text: str) -> int | None:
    quantity = int(text) if text.isascii() and text.isdigit() and len(text) < 3 else 0
    return quantity if 1 <= quantity <= MOST_AT_ONCE else None


def most_places(session: Session) -> int:
    limits = [MOST_AT_ONCE, session.household_limit, session.wanted_capacity]
    return min(limit for limit in limits if limit is not None)


def way_in(session: Session, quantity: int | None) -> str:
    """Sign in, then come back to the same choice."""
    url = session.get_absolute_url()
    address = f"{url}?{urlencode({'places': quantity})}" if quantity else url
    return f"{reverse('account_login')}?{urlencode({'next': address})}"


def other_dates(request: HttpRequest, session: Session) -> list[shown.Line]:
    """The next dates of the same event that one may register for."""
    now = timezone.now()
    others = [one for one in sessions_of(session.event, now, 12) if one.pk != session.pk]
    for other in others:
        other.event = session.event
    lines = [
        shown.line_of(other, other.get_absolute_url(), place_of(request), None, now)
        for other in others
    ]
    return [line for line in lines if line.state.code == "open"][:OTHER_DATES]


def waiting_words(session: Session) -> str:
    """How long an offer holds, by the place's own hour."""
    hour = words.hour(policy_for(session.place).offer_until)
    return _("Une proposition vous attend jusqu’au lendemain, %(hour)s.") % {"hour": hour}


def session_page(
    request: HttpRequest, session: Session, form: RegisterForm | None = None
) -> HttpResponse:
    now = timezone.now()
    member = member_of(request)
    own = mine(member, [session]).get(session.pk)
    state = shown.state_of(session, now)
    if form is not None:
        quantity = read_quantity(form.data.get("places", ""))
    else:
        quantity = read_quantity(request.GET.get("places", ""))
    standing = standing_of(member, session.public_id, now) if member else None
    reasons = []
    if standing and own is None and state.code not in SAID_ALREADY:
        reasons = reasons_against(standing, quantity or 1, now, Channel.WEB)
    questions: list[Question] = list(session.event.questions.all()) if member else []
    asks_more = bool(questions) or session.event.asks_names or session.event.asks_ages
    waits = state.code == "waits" or (
        state.code == "open" and session.free is not None and (quantity or 1) > session.free
    )
    is_second_step = bool(asks_more and (quantity or (form and form.is_bound)))
    may_ask = state.is_open and not reasons and own is None
    if member and may_ask and form is None:
        form = new_form(session, questions, quantity, member)
    shown.until(request, shown.moments_of(session))
    with_photos([session.event])
    context = {
        "event": session.event,
        "session": session,
        "event_url": session.event.get_url(request) or "",
        "at": session.place,
        "state": shown.state_of_own(own) if own else state,
        "own": own,
        "day": capfirst(words.day(session.day)),
        "hours": shown.hours_words(session),
        "where": shown.where_words(session, place_of(request)),
        "public": shown.public_words(session.event),
        "access": shown.access_of(session.event),
        "price": shown.event_price(session.event, session),
        "own_price": price_for(session, standing, (quantity or 1) if is_second_step else None),
        "how_to_pay": shown.how_to_pay(session) if session.price_cents else "",
        "reasons": reasons,
        "codes": [reason.code for reason in reasons],
        "may_ask": may_ask,
        "waits": waits,
        "fits": session.free if waits and session.free else 0,
        "left": shown.free_words(session.free),
        "rule": waiting_words(session) if waits else "",
        "quantity": quantity,
        "most": most_places(session),
        "asks_more": asks_more,
        "is_second_step": is_second_step,
        "others": [] if may_ask and not waits else other_dates(request, session),
        "form": form,
        "form_key": codes.token() if form is not None else "",
    }
    refused = form is not None and form.is_bound
    return render(request, "events/session.html", context, status=422 if refused else 200)


def price_for(session: Session, standing: Standing | None, quantity: int | None) -> str:
    if standing is None:
        return ""
    return shown.own_price(session, unit_price(standing), quantity)


def new_form(
    session: Session,
    questions: list[Question],
    quantity: int | None,
    member: Member,
) -> RegisterForm:
    return RegisterForm(
        event=session.event,
        questions=questions,
        quantity=quantity or 1,
        first_name=member.user.get_full_name(),
        initial={"places": quantity or 1},
    )


@require_safe
def session(request: HttpRequest, public_id: str) -> HttpResponse:
    return session_page(request, find(request, public_id))


def register(request: HttpRequest, public_id: str) -> HttpResponse:
    """The press of the button. A visitor signs in first and comes back to the number."""
    found = find(request, public_id)
    if request.method == "POST" and request.user.is_authenticated:
        return register_member(request, found)
    quantity = read_quantity((request.POST or request.GET).get("places", ""))
    if not request.user.is_authenticated:
        return redirect(way_in(found, quantity))
    query = f"?{urlencode({'places': quantity})}" if quantity else ""
    return redirect(found.get_absolute_url() + query)


@member_required
def register_member(request: MemberRequest, found: Session) -> HttpResponse:
    form = RegisterForm(
        request.POST,
        event=found.event,
        questions=found.event.questions.all(),
        quantity=read_quantity(request.POST.get("places", "")) or 1,
    )
    if not form.is_valid():
        return session_page(request, found, form)
    said = form.cleaned_data
    try:
        made = register_once(
            form_key=said["key"],
            member=request.member,
            session=found,
            quantity=said["places"],
            by=request.user,
            now=timezone.now(),
            waits=said["attente"],
            fewer_ok=said["moins"],
            company=form.company(),
        )
    except Refused as refused:
        form.refuse(refused)
        return session_page(request, find(request, found.public_id), form)
    return redirect("events:registered", made.reference)


def title_of(registration: Registration) -> str:
    status = registration.status
    if status == RegistrationStatus.CONFIRMED:
        return _("C’est réservé")
    if status == RegistrationStatus.PENDING:
        return _("Il reste à payer")
    if status == RegistrationStatus.ASKED:
        return _("C’est demandé")
    return _("Vous êtes en attente")


def position_words(position: int) -> str:
    if position == 1:
        return _("Vous êtes en tête de la liste d’attente.")
    return _("Vous êtes au rang %(position)s de la liste d’attente.") % {"position": position}


@require_safe
@never_cache
@member_required
def registered(request: MemberRequest, reference: str) -> HttpResponse:
    """What was just asked for, for its own member alone, and as long as it is open."""
    registration = get_object_or_404(
        Registration.objects.select_related(
            "session__event__picture", "session__place__event_policy", "place"
        ).prefetch_related("participants"),
        reference=reference,
        member=request.member,
    )
    if registration.status not in OPEN or registration.status == RegistrationStatus.OFFERED:
        return redirect("portal:booking", registration.reference)
    waits = registration.status == RegistrationStatus.WAITING
    context: dict[str, Any] = {
        "registration": registration,
        "session": registration.session,
        "title": title_of(registration),
        "ticket": shown.ticket(registration, timezone.now()),
        "position": position_words(position_of(registration)) if waits else "",
        "rule": waiting_words(registration.session) if waits else "",
        "pays_online": pays_online(registration.place),
        "pay_until": registration.pay_until,
        "overlaps": [
            {"title": other.session.event.title, "moment": words.moment(other.starts_at)}
            for other in at_the_same_time(registration)
        ],
        "waits": waits,
        "is_reminded": registration.session.day > timezone.localdate() + timedelta(days=1),
        "to_pay": registration.status == RegistrationStatus.PENDING,
        "is_asked": registration.status == RegistrationStatus.ASKED,
    }
    return render(request, "events/registered.html", context)
