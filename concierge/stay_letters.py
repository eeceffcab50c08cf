"""How stays, their visits and keys are told: the words of each event, as things are now.

They go to the member alone. No subject says that a home is empty to who looks at a locked
phone: what is looked after and when stand inside, and an SMS is its subject and a link.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.emails import letter_of
from club.kernel import codes, letters, links, words
from club.kernel.calendars import ics_of
from club.kernel.letters import Attachment, Letter, Sort, in_status
from club.kernel.spans import local_day
from club.models import Message
from concierge.domain.stay_fees import price_of
from concierge.domain.stay_reminders import DAYS, ENDS, is_of_today
from concierge.enums import ON_HOOK, KeyStatus, StayStatus, StayTask
from concierge.kinds_stays import days_words, entry, where_of
from concierge.models import KeySet, Stay, StayVisit

IN_AGENDA = {"stay.booked", "stay.moved", "stay.cancelled"}


def load_stays(ids: Iterable[int]) -> dict[int, Stay]:
    rows = Stay.objects.select_related("service", "place", "member").prefetch_related("key_sets")
    return rows.in_bulk(list(ids))


def load_visits(ids: Iterable[int]) -> dict[int, StayVisit]:
    rows = StayVisit.objects.select_related("stay__service", "stay__place", "stay__member")
    return rows.in_bulk(list(ids))


def load_keys(ids: Iterable[int]) -> dict[int, KeySet]:
    return KeySet.objects.select_related("place", "member").in_bulk(list(ids))


# -- Whether there still is something to tell ---------------------------------------------


def watched(message: Message, stay: Stay, now: datetime) -> bool:
    return stay.status in Stay.OPEN_STATUSES and now < stay.ends_at


def is_done(message: Message, visit: StayVisit, now: datetime) -> bool:
    return visit.done_at is not None


def is_to_call(message: Message, visit: StayVisit, now: datetime) -> bool:
    return bool(visit.incident) and visit.called_at is None


WANTED: dict[str, Any] = {
    "stay.booked": watched,
    "stay.moved": watched,
    "stay.cancelled": in_status(StayStatus.CANCELLED),
    ENDS: is_of_today,
    **dict.fromkeys(DAYS, is_of_today),
}
OF_VISITS: dict[str, Any] = {"visit.done": is_done, "visit.incident": is_to_call}
OF_KEYS: dict[str, Any] = {
    "keys.received": in_status(KeyStatus.HELD, KeyStatus.OUT),
    "keys.returned": in_status(KeyStatus.RETURNED),
    "keys.lost": in_status(KeyStatus.LOST),
}


# -- Words ---------------------------------------------------------------------------------


def tasks_words(codes_of: Iterable[str]) -> str:
    return ", ".join(str(StayTask(task).label) for task in codes_of)


def rhythm_words(every: int) -> str:
    if every == 1:
        return _("tous les jours")
    return _("tous les %(days)d jours au moins") % {"days": every}


def facts_of(stay: Stay, now: datetime) -> list[tuple[str, str]]:
    facts = [
        (_("Service"), stay.service.name),
        (_("Référence"), codes.spoken(stay.reference)),
        (_("Quand"), days_words(stay, local_day(now))),
        (_("À faire"), tasks_words(stay.tasks)),
        (_("Visites"), rhythm_words(stay.visit_every)),
        (_("Où porter les clés"), where_of(stay)),
    ]
    if stay.unit_cents:
        price = {"price": words.money(price_of(stay))}
        facts.append((_("Prix"), _("%(price)s, à payer à la fin") % price))
    return facts


def agenda_of(stay: Stay) -> Attachment:
    found = {entry(stay).uid: links.booking_link(stay.reference)}
    return Attachment("garde.ics", ics_of([entry(stay)], links=found), "text/calendar")


def write(message: Message, stay: Stay, now: datetime) -> Letter:
    today = local_day(now)
    context: dict[str, object] = {
        "name": stay.service.name,
        "first": words.day(stay.first_on, today),
        "last": words.day(stay.last_on, today),
        "place": stay.place,
        "has_keys": any(keys.status in ON_HOOK for keys in stay.key_sets.all()),
        "facts": facts_of(stay, now),
    }
    return letter_of(
        template_of(message),
        context,
        button=_("Voir ma garde"),
        link=links.booking_link(stay.reference),
        short_link=links.short_booking_link(stay.reference, today),
        attachments=(agenda_of(stay),) if message.event in IN_AGENDA else (),
    )


def write_visit(message: Message, visit: StayVisit, now: datetime) -> Letter:
    stay, today = visit.stay, local_day(now)
    context: dict[str, object] = {
        "name": stay.service.name,
        "day": words.day(visit.day, today),
        "hour": words.hour(visit.done_at) if visit.done_at else "",
        "tasks": tasks_words(visit.ticked),
        "has_photo": bool(visit.photo),
        "incident": visit.get_incident_display(),
        "phone": stay.place.phone,
        "facts": [
            (_("Service"), stay.service.name),
            (_("Référence"), codes.spoken(stay.reference)),
        ],
    }
    return letter_of(
        template_of(message),
        context,
        button=_("Voir les visites"),
        link=links.booking_link(stay.reference),
        short_link=links.short_booking_link(stay.reference, today),
        together=_("%(number)d nouvelles de l’accueil") if message.event == "visit.done" else "",
    )


def write_keys(message: Message, keys: KeySet, now: datetime) -> Letter:
    today = local_day(now)
    moment = keys.returned_at or keys.lost_at or keys.received_at
    context: dict[str, object] = {
        "code": codes.spoken(keys.reference),
        "pieces": pieces_words(keys.pieces),
        "day": words.day(local_day(moment), today),
        "hour": words.hour(moment),
        "to": keys.returned_to,
        "phone": keys.place.phone,
        "facts": [
            (_("Clés"), pieces_words(keys.pieces)),
            (_("Reçu n°"), codes.spoken(keys.reference)),
            (_("Crochet"), str(keys.hook)),
            (_("Pourquoi"), str(keys.get_reason_display())),
            (_("Où"), f"{keys.place.name}, {keys.place.address}"),
        ],
    }
    return letter_of(
        template_of(message),
        context,
        button=_("Voir mes clés"),
        link=settings.BASE_URL + reverse("portal:keys"),
    )


def pieces_words(number: int) -> str:
    return ngettext("%(number)d clé", "%(number)d clés", number) % {"number": number}


def template_of(message: Message) -> str:
    return "concierge/email/" + message.event.replace(".", "_")


def register() -> None:
    for event, is_wanted in WANTED.items():
        letters.register(Sort(event, Stay, load_stays, is_wanted, write))
    for event, is_wanted in OF_VISITS.items():
        letters.register(Sort(event, StayVisit, load_visits, is_wanted, write_visit))
    for event, is_wanted in OF_KEYS.items():
        letters.register(Sort(event, KeySet, load_keys, is_wanted, write_keys))
