"""The door of a session: what a scan or a button does there, and the words that tell it."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.kernel import codes, words
from club.kernel.bookings import Channel
from club.kernel.people import folded
from club.kernel.refusal import Refused
from club.kernel.transactions import in_one_transaction
from club.models import Member, User
from desk.forms import one_member
from desk.screen import called
from events.domain import checkin, fees, registrations
from events.domain.waiting import offers_stop_at
from events.enums import RegistrationStatus, ScanOutcome
from events.models import CheckIn, Registration, Session
from events.queries.door import Door, door_of
from events.tickets import as_sent, web_keys

CHOICES = 8
ENOUGH = 3
"""Letters that let in whom they name alone; fewer only show who it may be."""
AGAIN = (ScanOutcome.UNPAID, ScanOutcome.WAITING, ScanOutcome.FULL)
"""Told one of these, a second act lets in all the same."""


@dataclass(frozen=True)
class At:
    """Who stands at the door and when: `at` is the door's clock, `told` what it said off line."""

    by: User
    now: datetime
    at: datetime
    scan: str
    told: str = ""

    def as_words(self) -> dict[str, Any]:
        return {"scan": self.scan, "at": self.at, "by": self.by, "now": self.now}


@dataclass
class Told:
    """The last answer: `kind` gives its colour, its mark and its sound."""

    kind: str
    word: str
    text: str = ""
    check_in: CheckIn | None = None
    again: dict[str, str] = field(default_factory=dict)
    """The fields of the act that lets in all the same."""
    again_url: str = ""
    again_label: str = ""
    absents: str = ""
    """When those were marked absent whom an undo takes back."""
    holder: Member | None = None
    """Whose card it was, to be registered on the spot."""
    elsewhere: Session | None = None
    undo: str = ""

    @property
    def how_many(self) -> list[int]:
        """The numbers to choose from where a family came in."""
        one = self.check_in.registration if self.check_in else None
        if one is None or self.kind != ScanOutcome.IN or not 1 < one.quantity <= CHOICES:
            return []
        return [number for number in range(1, one.quantity + 1) if number != one.came]


@dataclass
class Screen:
    """The door's page: the session, its list, the last answer."""

    door: Door
    told: Told | None = None
    choices: list[Registration] = field(default_factory=list)
    typed: dict[str, str] = field(default_factory=dict)
    url: str = ""

    @property
    def tokens(self) -> str:
        return " ".join(choice.reference for choice in self.choices)


def url_of(session: Session) -> str:
    return reverse("desk:session", args=[session.public_id])


def screen_of(session: Session, told: Told | None = None, **more: Any) -> Screen:
    return Screen(door_of(session), told, url=url_of(session), **more)


def refused(refusal: Refused) -> Told:
    text = " ".join(str(reason.text) for reason in refusal.reasons)
    return Told("refused", _("Refusé."), text)


def people_words(number: int) -> str:
    return ngettext("%(number)d personne", "%(number)d personnes", number) % {"number": number}


def when_words(session: Session) -> str:
    return _("%(title)s, %(moment)s") % {
        "title": session.event.title,
        "moment": words.moment(session.starts_at),
    }


# -- Scans -------------------------------------------------------------------------------------


def is_code(text: str) -> bool:
    looks = as_sent(text).startswith("T1.") or "://" in text
    return looks or codes.as_scanned(text) is not None


def read(session: Session, text: str, at: At, tokens: list[str], **entry: Any) -> Screen:
    """What was scanned or typed: a code, a key of the list, or a few letters."""
    text = text.replace("\x00", "").strip()[:300]
    if not text:
        return screen_of(session)
    digit = text.translate(codes.AZERTY_DIGITS)
    if len(digit) == 1 and digit.isdigit() and 1 <= int(digit) <= len(tokens):
        return scan(session, tokens[int(digit) - 1], at, **entry)
    if is_code(text) or at.told or any(character.isdigit() for character in text):
        return scan(session, text, at, **entry)
    return by_letters(session, text, at, **entry)


def scan(session: Session, code: str, at: At, **entry: Any) -> Screen:
    """One passage, as the verb tells it."""
    try:
        if at.told and at.told != ScanOutcome.IN:
            done = checkin.note_turned_away(session, code, at.told, **at.as_words())
        else:
            done = checkin.check_in(session, code, **at.as_words(), offline=bool(at.told), **entry)
    except Refused as refusal:
        return screen_of(session, refused(refusal))
    told = tell(done, session)
    if done.outcome in {ScanOutcome.UNKNOWN, ScanOutcome.CANCELLED}:
        told.holder = checkin.holder_of(session, code)
        if told.holder is None and done.registration is not None:
            told.holder = done.registration.member
        if told.holder is not None and done.outcome == ScanOutcome.UNKNOWN:
            told.text = _("%(name)s n’est pas sur la liste.") % {"name": called(told.holder)}
    if done.outcome in AGAIN:
        ask_again(told, url_of(session), {"texte": code}, entry.get("quantity"))
    return screen_of(session, told)


def ask_again(told: Told, url: str, fields: dict[str, str], quantity: int | None) -> None:
    told.again = {**fields, "malgre": told.kind}
    if quantity:
        told.again["nombre"] = str(quantity)
    told.again_url = url
    told.again_label = {
        ScanOutcome.UNPAID: _("Faire entrer, à payer"),
        ScanOutcome.WAITING: _("Faire entrer"),
        ScanOutcome.FULL: _("Faire entrer quand même"),
    }[ScanOutcome(told.kind)]


def by_letters(session: Session, text: str, at: At, **entry: Any) -> Screen:
    """Those on the list of that name; one goes in at once, several are numbered."""
    door = door_of(session)
    found = [one for one in door.live if bears(one, text)][:CHOICES]
    if len(found) == 1 and len(folded(text)) >= ENOUGH:
        return scan(session, found[0].reference, at, **entry)
    if found:
        told = Told("returned", _("Qui entre ?"))
        return Screen(door, told, choices=found, url=url_of(session))
    said = _("Personne sur la liste ne s’appelle « %(text)s ».") % {"text": text[:60]}
    told = Told(ScanOutcome.UNKNOWN, _("Introuvable."), said)
    with suppress(ValidationError):
        told.holder = one_member(session.place, text)
    return Screen(door, told, url=url_of(session))


def bears(registration: Registration, text: str) -> bool:
    """Whether the member, or somebody who comes along, has a name that begins so."""
    wanted = folded(text).split()
    return any(
        all(any(part.startswith(word) for part in name.split()) for word in wanted)
        for name in names_of(registration)
    )


def names_of(registration: Registration) -> list[str]:
    """The member's name and those of who comes along, as they are searched."""
    along = [folded(person.name) for person in registration.participants.all()]
    return [registration.member.search_name, *along]


def tell(done: CheckIn, session: Session) -> Told:
    """A passage in words, the same each time that it is asked for."""
    told = Told(done.outcome, str(done.get_outcome_display()) + ".", check_in=done)
    told.text = TEXTS[ScanOutcome(done.outcome)](done, session)
    if done.outcome == ScanOutcome.WRONG and done.registration is not None:
        other = done.registration.session
        told.elsewhere = other if other.place_id == session.place_id else None
    if done.outcome in checkin.ENTERED:
        query = urlencode({"passage": done.pk})
        told.undo = f"{reverse('desk:session-undo', args=[session.public_id])}?{query}"
    return told


def who(done: CheckIn) -> str:
    return called(done.registration.member) if done.registration else ""


def text_in(done: CheckIn, session: Session) -> str:
    registration = done.registration
    assert registration is not None
    said = [f"{who(done)}, {people_words(done.quantity)}."]
    missing = registration.quantity - registration.came
    if registration.status == RegistrationStatus.PRESENT and missing > 0:
        text = ngettext("Une personne manque.", "%(number)d personnes manquent.", missing)
        said.append(text % {"number": missing})
    if cents := due_now(registration):
        said.append(_("Reste à payer : %(cents)s.") % {"cents": words.money(cents)})
    return " ".join(said)


def due_now(registration: Registration) -> int:
    return max(0, -fees.balance(registration)) if registration.unit_cents else 0


def text_already(done: CheckIn, session: Session) -> str:
    registration = done.registration
    assert registration is not None
    hour = words.hour(registration.present_at) if registration.present_at else ""
    return _("%(name)s est déjà à l’intérieur depuis %(hour)s.") % {
        "name": who(done),
        "hour": hour,
    }


def text_wrong(done: CheckIn, session: Session) -> str:
    registration = done.registration
    if registration is None:
        return _("Ce billet est pour une autre séance.")
    return _("On attend %(name)s ailleurs : %(when)s.") % {
        "name": who(done),
        "when": when_words(registration.session),
    }


def text_state(done: CheckIn, session: Session) -> str:
    registration = done.registration
    if registration is None:
        return ""
    said = f"{who(done)}, {registration.get_status_display()}."
    waits = registration.status == RegistrationStatus.WAITING
    if waits and done.recorded_at < offers_stop_at(session):
        said += " " + _("La liste suit encore son ordre.")
    return said


def text_unpaid(done: CheckIn, session: Session) -> str:
    registration = done.registration
    assert registration is not None
    cents = due_now(registration) or registration.cents
    return _("%(name)s doit encore %(cents)s.") % {
        "name": who(done),
        "cents": words.money(cents),
    }


def text_unknown(done: CheckIn, session: Session) -> str:
    if done.registration is not None:
        return _("%(name)s est pourtant sur la liste.") % {"name": who(done)}
    return _("Ce code n’est pas connu ici.")


def text_full(done: CheckIn, session: Session) -> str:
    return _("Toutes les places sont prises.")


def text_walk_in(done: CheckIn, session: Session) -> str:
    walk_in = done.walk_in
    assert walk_in is not None
    return f"{walk_in.first_name}, {people_words(walk_in.quantity)}."


def text_out(done: CheckIn, session: Session) -> str:
    if done.walk_in is not None:
        return _("%(name)s n’est pas entré.") % {"name": done.walk_in.first_name}
    return _("On attend de nouveau %(name)s.") % {"name": who(done)}


def text_forced(done: CheckIn, session: Session) -> str:
    return _("%(name)s : deux entrées ont lu ce code, comptez une seule fois.") % {
        "name": who(done)
    }


TEXTS: dict[ScanOutcome, Callable[[CheckIn, Session], str]] = {
    ScanOutcome.IN: text_in,
    ScanOutcome.ALREADY: text_already,
    ScanOutcome.FORCED: text_forced,
    ScanOutcome.WRONG: text_wrong,
    ScanOutcome.CANCELLED: text_state,
    ScanOutcome.WAITING: text_state,
    ScanOutcome.UNPAID: text_unpaid,
    ScanOutcome.UNKNOWN: text_unknown,
    ScanOutcome.FULL: text_full,
    ScanOutcome.WALK_IN: text_walk_in,
    ScanOutcome.OUT: text_out,
}


# -- Other acts --------------------------------------------------------------------------------


def walk_in(session: Session, first_name: str, quantity: int, despite: str, at: At) -> Screen:
    try:
        done = checkin.walk_in(
            session,
            first_name,
            quantity,
            **at.as_words(),
            despite=despite,
            offline=bool(at.told),
        )
    except Refused as refusal:
        typed = {"prenom": first_name[:40], "nombre": str(quantity)}
        return screen_of(session, refused(refusal), typed=typed)
    told = tell(done, session)
    if done.outcome == ScanOutcome.FULL:
        url = reverse("desk:session-walk-in", args=[session.public_id])
        ask_again(told, url, {"prenom": first_name[:40]}, quantity)
    return screen_of(session, told)


def undo(session: Session, done: CheckIn, at: At) -> Screen:
    try:
        out = checkin.undo_check_in(done, by=at.by, now=at.now)
    except Refused as refusal:
        return screen_of(session, refused(refusal))
    return screen_of(session, tell(out, session))


@in_one_transaction
def registered(
    session: Session, member: Member, quantity: int, *, waits: bool, enters: bool, at: At
) -> tuple[Registration, CheckIn | None]:
    """By the desk for a member; with `enters`, in at once. Pressed twice, made once."""
    before = CheckIn.objects.filter(scan=at.scan, session=session).first()
    if before is not None and before.registration is not None:
        return before.registration, before
    made = registrations.register_once(
        form_key=at.scan,
        member=member,
        session=session,
        quantity=quantity,
        by=at.by,
        now=at.now,
        channel=Channel.DESK,
        waits=waits,
    )
    if not enters or made.status == RegistrationStatus.WAITING:
        return made, None
    return made, checkin.check_in(session, made, **at.as_words())


def register(
    session: Session, member: Member, quantity: int, *, waits: bool, enters: bool, at: At
) -> Screen:
    try:
        made, done = registered(session, member, quantity, waits=waits, enters=enters, at=at)
    except Refused as refusal:
        typed = {"qui": str(member), "places": str(quantity)}
        return screen_of(session, refused(refusal), typed=typed)
    if done is not None:
        told = tell(done, session)
        if done.outcome in AGAIN:
            ask_again(told, url_of(session), {"texte": made.reference}, None)
        return screen_of(session, told)
    text = f"{called(member)}, {people_words(quantity)}, {made.get_status_display()}."
    kind = "waiting" if made.status == RegistrationStatus.WAITING else "done"
    return screen_of(session, Told(kind, _("Noté."), text))


ACTS: dict[str, Callable[[Registration, At], Registration]] = {
    "annuler": lambda one, at: registrations.cancel(
        one, by=at.by, now=at.now, channel=Channel.DESK
    ),
    "accepter": lambda one, at: registrations.approve(one, by=at.by, now=at.now),
    "refuser": lambda one, at: registrations.decline(one, by=at.by, now=at.now),
}
"""What the desk does with a registration, by the word in the address."""


def act(session: Session, registration: Registration, name: str, at: At) -> Screen:
    try:
        done = ACTS[name](registration, at)
    except Refused as refusal:
        return screen_of(session, refused(refusal))
    text = f"{called(registration.member)}, {done.get_status_display()}."
    kind = "done" if name == "accepter" else "out"
    return screen_of(session, Told(kind, _("Noté."), text))


def set_came(session: Session, registration: Registration, came: int, at: At) -> Screen:
    try:
        done = checkin.set_came(registration, came, by=at.by, now=at.now)
    except Refused as refusal:
        return screen_of(session, refused(refusal))
    text = f"{called(registration.member)}, {people_words(done.came)}."
    return screen_of(session, Told("done", _("Compté."), text))


def mark_absent(session: Session, at: At) -> Screen:
    try:
        marked = checkin.mark_absent(session, by=at.by, now=at.now)
    except Refused as refusal:
        return screen_of(session, refused(refusal))
    number = sum(one.quantity for one in marked)
    text = ngettext(
        "%(number)d place est libre pour qui vient.",
        "%(number)d places sont libres pour qui vient.",
        number,
    ) % {"number": number}
    told = Told("out", _("Absents notés."), text)
    if marked:
        query = urlencode({"quand": at.now.isoformat()})
        told.undo = f"{reverse('desk:session-present', args=[session.public_id])}?{query}"
    return screen_of(session, told)


def undo_absent(session: Session, marked_at: datetime, at: At) -> Screen:
    try:
        number = checkin.undo_absent(session, marked_at=marked_at, by=at.by, now=at.now)
    except Refused as refusal:
        return screen_of(session, refused(refusal))
    text = ngettext(
        "%(number)d inscription est de nouveau attendue.",
        "%(number)d inscriptions sont de nouveau attendues.",
        number,
    ) % {"number": number}
    return screen_of(session, Told("out", _("Défait."), text))


# -- What the page keeps for when the network is down -------------------------------------------


def kept(door: Door, others: dict[str, str]) -> dict[str, Any]:
    """The list as the page answers from it alone; cards by number, and by their secret's digest."""
    return {
        "session": door.session.public_id,
        "keys": web_keys(),
        "others": others,
        "lines": [line_of(one, door) for one in [*door.live, *door.gone]],
    }


def line_of(registration: Registration, door: Door) -> dict[str, Any]:
    cards = registration.member.live_cards  # type: ignore[attr-defined]
    return {
        "reference": registration.reference,
        "name": called(registration.member),
        "search": " ".join(names_of(registration)),
        "quantity": registration.quantity,
        "came": registration.came,
        "state": state_of(registration, door),
        "cards": [card.number for card in cards],
        "tokens": [hashlib.sha256(card.token.encode()).hexdigest()[:16] for card in cards],
    }


def state_of(registration: Registration, door: Door) -> str:
    """What the door says of it before it goes in."""
    if registration in door.gone:
        return ScanOutcome.CANCELLED
    if registration not in door.people:
        return ScanOutcome.WAITING
    return ScanOutcome.UNPAID if registration.pk in door.due else ScanOutcome.IN
