"""How stays look: prices, visits and tickets in words, for any screen."""

from datetime import date, datetime
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.kernel import codes, words
from club.kernel.spans import local_day
from concierge.domain.stay_fees import price_of
from concierge.domain.stays import Wanted
from concierge.enums import ServiceUnit, StayStatus, StayTask
from concierge.kinds_stays import days_words
from concierge.models import Service, Stay, StayVisit
from concierge.stay_letters import tasks_words
from concierge.views.shown_services import address_of


def price_words(service: Service) -> str:
    """ "Gratuit", "3 € le jour"."""
    if not service.unit_cents:
        return _("Gratuit")
    price = words.money(service.unit_cents)
    if service.unit == ServiceUnit.DAY:
        return _("%(price)s par jour, à payer à la fin") % {"price": price}
    return _("%(price)s en tout, à payer à la fin") % {"price": price}


def total_words(wanted: Wanted) -> str:
    """ "14 jours à 3 €, soit 42 €": the price in words, before anything is booked."""
    cents, service = wanted.cents, wanted.service
    if not cents:
        return _("Gratuit")
    if service.unit != ServiceUnit.DAY:
        return words.money(cents)
    days = ngettext("%(days)d jour", "%(days)d jours", wanted.days) % {"days": wanted.days}
    return _("%(days)s à %(price)s, soit %(total)s") % {
        "days": days,
        "price": words.money(service.unit_cents),
        "total": words.money(cents),
    }


def card(service: Service) -> dict[str, Any]:
    """One service of the list."""
    return {
        "url": address_of(service),
        "name": service.name,
        "picture": service.picture,
        "photo": None,
        "wall": service.wall,
        "availability": {"state": "free", "text": price_words(service)},
        "action_label": _("Choisir mes dates"),
    }


def span_words(first: date, last: date, today: date) -> str:
    if first == last:
        return capfirst(words.day(first, today))
    return _("Du %(first)s au %(last)s") % {
        "first": words.day(first, today),
        "last": words.day(last, today),
    }


PETS = {StayTask.CAT, StayTask.FISH, StayTask.SMALL_PET}


def is_hungry(wanted: Wanted) -> bool:
    """An animal that is not fed on each day on which somebody could come."""
    return wanted.visit_every > 1 and not PETS.isdisjoint(wanted.tasks)


def rhythm_words(every: int) -> str:
    """ "une tous les 3 jours": of visits, in words that need no second reading."""
    if every == 1:
        return _("une chaque jour d’ouverture")
    return _("une tous les %(days)d jours") % {"days": every}


def check_rows(wanted: Wanted, visits: list[date], today: date) -> list[tuple[str, str]]:
    """What the check page asks to look at once more."""
    number = ngettext("%(number)d visite", "%(number)d visites", len(visits)) % {
        "number": len(visits)
    }
    said = number
    if len(visits) > 1:
        rhythm = {"visits": number, "rhythm": rhythm_words(wanted.visit_every)}
        said = _("%(visits)s : %(rhythm)s") % rhythm
    return [
        (_("Service"), wanted.service.name),
        (_("Quand"), span_words(wanted.first_on, wanted.last_on, today)),
        (_("À faire"), capfirst(tasks_words(wanted.tasks))),
        (_("Visites"), said),
        (_("Première visite"), capfirst(words.day(visits[0], today))),
        (_("Prix"), total_words(wanted)),
    ]


def ticket(stay: Stay, now: datetime) -> dict[str, Any]:
    """The cloakroom ticket: what, reference, when, where the keys go, for how much."""
    place, service = stay.place, stay.service
    rows = [
        {
            "icon": "calendar",
            "label": _("Quand"),
            "strong": capfirst(days_words(stay, local_day(now))),
            "text": "",
        },
        {
            "icon": "check",
            "label": _("À faire"),
            "strong": capfirst(tasks_words(stay.tasks)),
            "text": _("Visites : %(rhythm)s") % {"rhythm": rhythm_words(stay.visit_every)},
        },
    ]
    if stay.status != StayStatus.CANCELLED:
        keys = {"icon": "pin", "label": _("Clés"), "strong": place.name, "text": place.address}
        rows.append(keys)
    if stay.unit_cents and stay.status != StayStatus.CANCELLED:
        price = words.money(price_of(stay))
        rows.append({"icon": "tag", "label": _("À payer à la fin"), "strong": price, "text": ""})
    return {
        "title": service.name,
        "noun": _("Garde"),
        "reference": codes.spoken(stay.reference),
        "picture": service.picture,
        "photo": None,
        "wall": service.wall,
        "rows": rows,
    }


def visit_words(visit: StayVisit, now: datetime) -> str:
    """ "Lundi 15 mars, fait à 10 h 24"; "prévue"; "pas faite"."""
    today = local_day(now)
    day = capfirst(words.day(visit.day, today))
    if visit.done_at is not None:
        done = local_day(visit.done_at)
        if done != visit.day:
            when = {"day": day, "done": words.moment(visit.done_at)}
            return _("%(day)s, faite %(done)s") % when
        return _("%(day)s, faite à %(hour)s") % {"day": day, "hour": words.hour(visit.done_at)}
    if visit.day < today:
        return _("%(day)s, pas encore faite") % {"day": day}
    return _("%(day)s, prévue") % {"day": day}


def visit_line(visit: StayVisit, now: datetime) -> dict[str, Any]:
    return {
        "visit": visit,
        "text": visit_words(visit, now),
        "tasks": capfirst(tasks_words(visit.ticked)) if visit.ticked else "",
        "is_done": visit.done_at is not None,
        "incident": capfirst(str(visit.get_incident_display())) if visit.incident else "",
        "is_called": visit.called_at is not None,
    }


def visits_of(stay: Stay, now: datetime) -> list[dict[str, Any]]:
    """What was made, the latest first; then what is to come."""
    rows = list(stay.visits.order_by("day"))
    made = [visit for visit in rows if visit.done_at is not None or visit.incident]
    ahead = [visit for visit in rows if visit.done_at is None and not visit.incident]
    return [visit_line(visit, now) for visit in [*reversed(made), *ahead]]
