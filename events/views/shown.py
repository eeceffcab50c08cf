"""How events look: dates, places left, prices and tickets in words, for any screen."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import dateformat, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.kernel import codes, words
from club.kernel.spans import local_day
from club.models import Place
from club.queries.paying import pays_online
from events.domain import fees
from events.domain.waiting import offers_stop_at
from events.enums import HOLDING, Audience, Entry, RegistrationStatus, SessionStatus
from events.kinds import places_words
from events.models import EventPage, Registration, Session, Terms


@dataclass(frozen=True)
class State:
    """How a session stands towards whoever reads: an icon, a colour, words and one verb."""

    code: str
    kind: str
    icon: str
    text: str
    verb: str = ""

    @property
    def is_open(self) -> bool:
        return self.code in {"open", "waits"}


def state_of(session: Session, now: datetime) -> State:
    """Without regard to who reads; members have their own rules on the session's page."""
    entry = session.event.entry
    if session.status == SessionStatus.CANCELLED:
        return State("cancelled", "gone", "cross", _("Annulé"))
    if now >= session.starts_at:
        return State("begun", "gone", "clock", _("C’est commencé"))
    if entry == Entry.FREE:
        return State("free", "free", "check", _("Entrée libre"))
    if entry == Entry.ELSEWHERE:
        if session.is_full or now >= session.closes_at:
            return State("elsewhere", "back", "clock", session.note or _("Complet"))
        return State(
            "elsewhere", "free", "external", _("Sur inscription"), _("S’inscrire ailleurs")
        )
    if now >= session.closes_at:
        return State("closed", "gone", "clock", _("Inscriptions closes"))
    if session.opens_at is not None and now < session.opens_at:
        text = _("Inscription dès %(day)s") % {"day": words.day(local_day(session.opens_at))}
        return State("not_open", "back", "calendar", text)
    if session.is_full:
        if now < offers_stop_at(session):
            return State("waits", "back", "clock", _("Complet"), _("Me mettre en attente"))
        return State("full", "back", "clock", _("Complet"))
    return State("open", "free", "users", free_words(session.free), _("S’inscrire"))


def free_words(free: int | None) -> str:
    if free is None:
        return _("Places libres")
    return ngettext("%(number)d place libre", "%(number)d places libres", free) % {"number": free}


def state_of_own(registration: Registration) -> State:
    """The same for a member who has asked for places already."""
    status, number = registration.status, registration.quantity
    if status == RegistrationStatus.WAITING:
        return State("own", "back", "clock", _("Vous êtes en attente"), _("Voir ma demande"))
    if status == RegistrationStatus.OFFERED:
        return State("own", "back", "bell", _("Une place vous attend"), _("Répondre"))
    if status == RegistrationStatus.ASKED:
        return State("own", "back", "clock", _("L’accueil va répondre"), _("Voir ma demande"))
    if status == RegistrationStatus.PENDING:
        return State("own", "back", "clock", _("Il reste à payer"), _("Payer ma place"))
    text = ngettext("Vous êtes inscrit", "Vous avez %(number)d places", number)
    verb = ngettext("Voir ma place", "Voir mes places", number)
    return State("own", "free", "check", text % {"number": number}, verb)


def moments_of(session: Session) -> list[datetime]:
    """When what is said of a session changes by itself."""
    moments = [session.closes_at, session.starts_at, session.ends_at, offers_stop_at(session)]
    return moments + [moment for moment in (session.opens_at, session.others_at) if moment]


def until(request: HttpRequest, moments: list[datetime]) -> None:
    """Tell who keeps whole pages when this one is no longer true."""
    known = getattr(request, "_changes_at", [])
    request._changes_at = known + moments  # type: ignore[attr-defined]


# -- When, where, for whom, for how much ---------------------------------------------------


def hours_words(session: Session) -> str:
    """ "de 14 h à 16 h"; over midnight with the day on which it ends."""
    last = local_day(session.ends_at)
    if last == session.day or session.ends_at - session.starts_at < timedelta(hours=12):
        return words.span(session.starts_at, session.ends_at)
    return _("de %(start)s à %(end)s, %(day)s") % {
        "start": words.hour(session.starts_at),
        "end": words.hour(session.ends_at),
        "day": words.day(last),
    }


def where_words(session: Session, here: Place | None) -> str:
    """ "salle Balzac", "à l’accueil", and the place where it is another than one's own."""
    parts = [part for part in (session.room, session.address) if part]
    if here is None or session.place_id != here.pk:
        if not session.address:
            parts.append(session.place.name)
    elif not parts:
        parts.append(_("à l’accueil"))
    return ", ".join(parts)


def ages_words(event: EventPage) -> str:
    low, high = event.age_min, event.age_max
    if low is not None and high is not None:
        return _("de %(low)s à %(high)s ans") % {"low": low, "high": high}
    if low is not None:
        return _("à partir de %(low)s ans") % {"low": low}
    if high is not None:
        return _("jusqu’à %(high)s ans") % {"high": high}
    return ""


def public_words(event: EventPage) -> str:
    """ "en famille, à partir de 6 ans"."""
    audience = "" if event.audience == Audience.ALL else str(event.get_audience_display())
    said = [part for part in (audience, ages_words(event)) if part]
    return capfirst(", ".join(said) or str(Audience.ALL.label))


def access_of(event: EventPage) -> list[tuple[str, str]]:
    """Icons and words of what makes it accessible."""
    found = [
        (event.step_free, "wheelchair", _("De plain-pied")),
        (event.for_hearing, "message", _("Adapté aux personnes sourdes")),
        (event.for_sight, "info", _("Adapté aux personnes aveugles")),
        (event.for_understanding, "info", _("Facile à comprendre")),
    ]
    return [(icon, text) for is_so, icon, text in found if is_so]


def price_words(terms: Terms) -> str:
    """ "3 € la place, gratuit pour les abonnés"."""
    full, less = terms.price_cents, terms.member_price_cents
    if not full and not less:
        return _("Gratuit")
    said = _("%(price)s la place") % {"price": words.money(full)} if full else _("Gratuit")
    if less == full:
        return said
    if not less:
        return _("%(said)s, gratuit pour les abonnés") % {"said": said}
    return _("%(said)s, %(price)s pour les abonnés") % {"said": said, "price": words.money(less)}


def event_price(event: EventPage, session: Session | None) -> str:
    """Its own words, else those of its next date; nothing of a price that others ask."""
    if event.price_text:
        return event.price_text
    if event.entry == Entry.ELSEWHERE and not event.price_cents:
        return ""
    return price_words(session or event)


def how_to_pay(session: Session) -> str:
    if not session.pay_first:
        return _("à payer à l’entrée")
    if pays_online(session.place):
        return _("à payer en ligne ou à l’accueil")
    return _("à payer à l’accueil")


def own_price(session: Session, unit_cents: int, quantity: int | None) -> str:
    """What it costs this member, said before anything is pressed."""
    if not unit_cents:
        if session.price_cents:
            return _("Gratuit pour vous, avec votre abonnement.")
        return _("Gratuit.")
    how = how_to_pay(session)
    if quantity is None or quantity == 1:
        return _("%(price)s la place, %(how)s.") % {"price": words.money(unit_cents), "how": how}
    price = words.money(unit_cents * quantity)
    return _("%(price)s en tout, %(how)s.") % {"price": price, "how": how}


# -- Lines and months ----------------------------------------------------------------------


@dataclass
class Line:
    """One session in the list: date, picture, words, action."""

    session: Session
    event: EventPage
    url: str
    state: State
    action_url: str
    hours: str
    where: str
    has_more: bool = False
    """It is the last of its event here, which has other dates."""

    @property
    def day(self) -> date:
        return self.session.day

    @property
    def is_primary(self) -> bool:
        return self.state.code == "open"

    @property
    def more(self) -> str:
        """The one sentence below the hours."""
        return self.session.note or self.event.lead or self.event.bring


def line_of(
    session: Session,
    url: str,
    here: Place | None,
    own: Registration | None,
    now: datetime,
) -> Line:
    state = state_of_own(own) if own is not None else state_of(session, now)
    if own is not None:
        action_url = reverse("portal:booking", args=[own.reference])
    elif state.code == "elsewhere" and state.verb:
        action_url = session.event.entry_url
    elif state.verb:
        action_url = session.get_absolute_url()
    else:
        action_url = ""
    return Line(
        session=session,
        event=session.event,
        url=url,
        state=state,
        action_url=action_url,
        hours=hours_words(session),
        where=where_words(session, here),
    )


def month_words(month: date) -> str:
    """ "mars", with the year when it is not this one's."""
    name = dateformat.format(month, "F")
    return name if month.year == timezone.localdate().year else f"{name}{words.NBSP}{month.year}"


def groups_of(lines: list[Line], today: date) -> Iterator[tuple[str, list[Line]]]:
    """ "Cette semaine", "La semaine suivante", then month by month."""
    monday = today - timedelta(days=today.weekday())
    second, third = monday + timedelta(days=7), monday + timedelta(days=14)
    title = ""
    held: list[Line] = []
    for line in lines:
        day = max(line.day, today)
        if day < second:
            name = _("Cette semaine")
        elif day < third:
            name = _("La semaine suivante")
        elif (day.year, day.month) == (today.year, today.month):
            name = _("Plus tard en %(month)s") % {"month": month_words(day)}
        else:
            name = capfirst(month_words(day))
        if name != title and held:
            yield title, held
            held = []
        title = name
        held.append(line)
    if held:
        yield title, held


# -- The ticket ----------------------------------------------------------------------------


def ticket(registration: Registration, now: datetime) -> dict[str, Any]:
    """The cloakroom ticket: what, reference, when, where, how many, what it costs."""
    session, event, place = registration.session, registration.session.event, registration.place
    day = capfirst(words.day(session.day, local_day(now)))
    where = session.room or place.name
    rows = [
        row("calendar", _("Quand"), day, hours_words(session)),
        row("pin", _("Où"), where, session.address or place.address),
        row("users", _("Combien"), places_words(registration.quantity), names_words(registration)),
    ]
    if registration.cents:
        rows.append(
            row("card", _("Prix"), words.money(registration.cents), paid_words(registration))
        )
    if event.bring:
        rows.append(row("info", _("À apporter"), event.bring, ""))
    return {
        "title": event.title,
        "reference": codes.spoken(registration.reference),
        "picture": event.drawn,
        "photo": event.picture,
        "wall": event.wall,
        "rows": rows,
    }


def names_words(registration: Registration) -> str:
    return ", ".join(person.name for person in registration.participants.all() if person.name)


def paid_words(registration: Registration) -> str:
    if registration.status not in HOLDING:
        return ""
    if registration.status in {RegistrationStatus.ASKED, RegistrationStatus.OFFERED}:
        return _("une fois la place sûre")
    if fees.is_paid(registration):
        return _("payé")
    if registration.pay_until is not None:
        return _("à payer avant %(moment)s") % {"moment": words.moment(registration.pay_until)}
    return _("à payer à l’entrée")


def row(icon: str, label: str, strong: str, text: str) -> dict[str, str]:
    return {"icon": icon, "label": label, "strong": strong, "text": text}
