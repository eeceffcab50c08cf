"""Reading the box: a card, a label, a booking, a key of the list, or a few letters."""

import re
from dataclasses import replace

from django.urls import reverse
from django.utils.translation import gettext as _

from club.kernel import codes, words
from club.kernel.spans import local_day
from club.models import Card, Member
from club.queries.members import search_members
from concierge.domain.lending import not_renewable
from concierge.enums import CopyStatus, Fault, LoanStatus
from concierge.models import Appointment, Copy, Loan, Tool
from concierge.queries.loans import WITH_NAMES
from concierge.queries.search import search_tools
from desk import acts, order_acts, parcel_acts, stay_acts
from desk.acts import Counter
from desk.screen import Choice, Result, Screen, members_at, shelf_of, thing_of
from events.models import Registration
from events.tickets import read_ticket

CHOICES = 8
FAULTS = list(Fault)
TOKEN = re.compile(r"[mtop][A-Za-z0-9_-]{1,20}")
BROKEN_CODE = re.compile(r"[MOR][ \u00a0]?\d[\d \u00a0]{3,}", re.IGNORECASE)


def read(counter: Counter, text: str, tokens: str = "", returned: str = "") -> Screen:
    """What to do with what was scanned or typed.

    `tokens` are the choices of the list on the screen, `returned` the label of the
    copy that has just come back: a lone digit speaks about them.
    """
    text = text.replace("\x00", "").strip()[:200]
    if not text:
        return counter.screen()
    digit = text.translate(codes.AZERTY_DIGITS)
    if len(digit) == 1 and digit.isascii() and digit.isdigit() and (tokens or returned):
        return by_key(counter, int(digit), tokens.split(), returned)
    if "://" in text:
        return by_card(counter, token=text.rstrip("/").rpartition("/")[2])
    ticket = read_ticket(text)
    code = ticket.reference if ticket else codes.as_scanned(text)
    if code is None:
        if BROKEN_CODE.fullmatch(text):
            return no(counter, _("Ce numéro est mal lu. Scannez-le encore."))
        return parcel_acts.by_barcode(counter, text) or by_letters(counter, text)
    readers = {"M": by_number, "O": by_label, "R": by_reference}
    return readers[code[0]](counter, code)


def no(counter: Counter, text: str) -> Screen:
    return counter.screen(result=Result("refused", _("Refusé."), text))


def by_key(counter: Counter, digit: int, tokens: list[str], returned: str) -> Screen:
    if tokens:
        if 1 <= digit <= len(tokens):
            return choose(counter, tokens[digit - 1])
    elif 1 <= digit <= len(FAULTS) and returned.isalnum():
        copy = Copy.objects.filter(label=returned, place=counter.place).first()
        if copy is not None:
            return acts.report_fault(counter, copy, FAULTS[digit - 1])
    return no(counter, _("Aucune ligne ne porte ce numéro."))


# -- Codes ---------------------------------------------------------------------------


def by_number(counter: Counter, code: str) -> Screen:
    return by_card(counter, number=code[1:])


def by_card(counter: Counter, **card: str) -> Screen:
    found = Card.objects.filter(**card).select_related("member__place").first()
    if found is None or found.member.place.landlord_id != counter.place.landlord_id:
        return no(counter, _("Cette carte n’est pas connue ici."))
    if found.revoked_at is not None:
        return no(counter, _("Cette carte a été remplacée. Demandez la nouvelle."))
    member = members_at(counter.place).filter(pk=found.member_id).first()
    if member is None:
        return no(
            counter,
            _("Cette carte est celle d’un autre accueil : %(place)s.")
            % {"place": found.member.place.name},
        )
    if counter.member is not None and counter.member.pk == member.pk:
        handed = order_acts.by_card_again(counter)
        if handed is not None:
            return handed
    return opened(counter, member)


def opened(counter: Counter, member: Member) -> Screen:
    screen = replace(counter, member=member).screen()
    screen.result = screen.person.greeting if screen.person else None
    return screen


def by_label(counter: Counter, code: str) -> Screen:
    copy = Copy.objects.select_related("tool", "place").filter(label=code).first()
    if copy is None or copy.place.landlord_id != counter.place.landlord_id:
        return no(counter, _("Cette étiquette n’est pas connue ici."))
    if copy.place_id != counter.place.pk:
        return no(
            counter,
            _("Cet objet est celui d’un autre accueil : %(place)s.") % {"place": copy.place.name},
        )
    return acts.scan_copy(counter, copy)


def by_reference(counter: Counter, code: str) -> Screen:
    loan = Loan.objects.filter(reference=code, place=counter.place).select_related("tool").first()
    if loan is None:
        return by_registration(counter, code)
    member = members_at(counter.place).filter(pk=loan.member_id).first()
    counter = replace(counter, member=member)
    if loan.status not in Loan.OPEN_STATUSES:
        state = str(loan.get_status_display())
        return no(counter, _("Cette réservation est close : %(state)s.") % {"state": state})
    said = _("%(tool)s, %(state)s.") % {
        "tool": loan.tool.name,
        "state": loan.get_status_display(),
    }
    result = Result("done", _("Réservation lue."), said)
    return counter.screen(marked=loan.reference, result=result)


def by_registration(counter: Counter, code: str) -> Screen:
    """Places at an event: the person opens, and the way to the door where it is today."""
    found = (
        Registration.objects.filter(reference=code, place=counter.place)
        .select_related("session__event")
        .first()
    )
    if found is None:
        meeting = by_appointment(counter, code)
        if meeting is not None:
            return meeting
        order = order_acts.by_reference(counter, code)
        if order is not None:
            return order
        watched = stay_acts.by_reference(counter, code)
        if watched is not None:
            return watched
        parcel = parcel_acts.by_reference(counter, code)
        return parcel or no(counter, _("Cette réservation n’est pas connue ici."))
    counter = replace(counter, member=members_at(counter.place).filter(pk=found.member_id).first())
    said = _("%(title)s %(moment)s, %(state)s.") % {
        "title": found.session.event.title,
        "moment": words.moment(found.starts_at),
        "state": found.get_status_display(),
    }
    result = Result("done", _("Inscription lue."), said)
    if found.session.day == local_day(counter.now):
        result = replace(result, door=reverse("desk:session", args=[found.session.public_id]))
    return counter.screen(result=result)


def by_appointment(counter: Counter, code: str) -> Screen | None:
    """A seat at a slot: the person opens, and the way to note that they came."""
    found = (
        Appointment.objects.filter(reference=code, place=counter.place)
        .select_related("service")
        .first()
    )
    if found is None:
        return None
    counter = replace(counter, member=members_at(counter.place).filter(pk=found.member_id).first())
    said = _("%(service)s %(moment)s, %(state)s.") % {
        "service": found.service.name,
        "moment": words.moment(found.starts_at),
        "state": found.get_status_display(),
    }
    way = reverse("desk:appointment", args=[found.reference])
    result = Result("done", _("Rendez-vous lu."), said, way=way, way_label=_("Noter venu"))
    return counter.screen(marked=found.reference, result=result)


# -- Letters -------------------------------------------------------------------------


def by_letters(counter: Counter, text: str) -> Screen:
    members = list(search_members(counter.place, text))[:CHOICES]
    here = Copy.objects.filter(place=counter.place).exclude(status=CopyStatus.RETIRED)
    stocked = set(here.values_list("tool", flat=True))
    tools = [tool for tool in search_tools(counter.place.landlord, text) if tool.pk in stocked]
    choices = [person_choice(member) for member in members]
    choices += [tool_choice(tool) for tool in tools][: CHOICES - len(choices)]
    if not choices:
        said = _("Rien ne s’appelle « %(text)s ».") % {"text": text[:60]}
        return counter.screen(result=Result("attention", _("Introuvable."), said))
    return offer(counter, choices, _("Qui, ou quoi ?"))


def offer(counter: Counter, choices: list[Choice], question: str) -> Screen:
    """One result opens at once; several are a list numbered for the keys."""
    if len(choices) == 1:
        return choose(counter, choices[0].token)
    return counter.screen(choices=choices, question=question)


def person_choice(member: Member) -> Choice:
    return Choice(
        f"m{member.pk}", str(member), _("foyer de %(size)d") % {"size": member.household.size}
    )


def tool_choice(tool: Tool) -> Choice:
    return tool_line(f"t{tool.public_id}", tool.name, str(tool.department), tool)


def tool_line(token: str, name: str, detail: str, tool: Tool) -> Choice:
    return Choice(token, name, detail, tool.picture, tool.photo, tool.department.wall)


def choose(counter: Counter, token: str) -> Screen:
    """Open one line of a list. Each is checked again: the list came from the page."""
    if TOKEN.fullmatch(token) is None:
        return no(counter, _("Cette ligne n’existe plus."))
    kind, key = token[0], token[1:]
    if kind == "m" and key.isdigit() and len(key) <= 12:
        member = members_at(counter.place).filter(pk=key).first()
        if member is not None:
            return opened(counter, member)
    elif kind == "t":
        return copies_of(counter, key)
    elif kind == "o":
        copy = (
            Copy.objects.filter(label=key, place=counter.place)
            .select_related("tool__department", "tool__photo", "place")
            .first()
        )
        if copy is not None:
            return counter.screen(thing=thing_of(copy, counter.now))
    elif kind == "p":
        loan = (
            Loan.objects.select_related("copy").filter(reference=key, place=counter.place).first()
        )
        if loan is not None:
            return acts.act_on_loan(counter, loan, "prolonger")
    return no(counter, _("Cette ligne n’existe plus."))


def copies_of(counter: Counter, public_id: str) -> Screen:
    """The copies of a tool that stand at this place, and where each is."""
    copies = (
        Copy.objects.filter(tool__public_id=public_id, place=counter.place)
        .exclude(status=CopyStatus.RETIRED)
        .select_related("tool__department", "tool__photo")
        .order_by("label")[:CHOICES]
    )
    holders = {
        loan.copy_id: loan
        for loan in Loan.objects.filter(
            tool__public_id=public_id, place=counter.place, status=LoanStatus.OUT
        ).select_related("member__user")
    }
    choices = []
    for copy in copies:
        loan = holders.get(copy.pk)
        where = shelf_of(copy)
        if loan is not None:
            where = _("chez %(name)s, à rendre %(day)s") % {
                "name": loan.member.short_name,
                "day": words.day(loan.due_on),
            }
        tool = copy.tool
        name = f"{tool.name} {codes.spoken(copy.label)}"
        choices.append(tool_line(f"o{copy.label}", name, where, tool))
    if not choices:
        return no(counter, _("Aucun exemplaire de cet objet ici."))
    return offer(counter, choices, _("Quel exemplaire ?"))


def renewals_of(counter: Counter) -> Screen:
    """The key that renews: at once for one loan, else the list of what is at home."""
    if counter.member is None:
        return no(counter, _("Scannez d’abord la carte de la personne."))
    loans = (
        Loan.objects.filter(member=counter.member, place=counter.place, status=LoanStatus.OUT)
        .select_related(*WITH_NAMES)
        .order_by("due_on", "pk")[:CHOICES]
    )
    choices = [
        tool_line(
            f"p{loan.reference}",
            loan.tool.name,
            _("à rendre %(day)s") % {"day": words.day(loan.due_on)},
            loan.tool,
        )
        for loan in loans
        if not_renewable(loan, counter.now) is None
    ]
    if not choices:
        return no(counter, _("Cette personne n’a rien à prolonger."))
    return offer(counter, choices, _("Prolonger quel prêt ?"))
