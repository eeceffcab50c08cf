"""How services look: prices, days, hours and tickets in words, for any screen."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.kernel import codes, words
from club.kernel.spans import local_day
from concierge.domain.appointment_fees import price_of
from concierge.enums import AppointmentStatus, ServiceKind, ServiceUnit
from concierge.forms import Slot as SlotValue
from concierge.models import Appointment, Service
from concierge.queries.slots import Diary, Slot
from concierge.views.shown import SlotButton, row


def address_of(service: Service) -> str:
    return reverse("services:service", args=[service.public_id])


def price_words(service: Service) -> str:
    """ "Gratuit", "20 centimes la page": what one costs."""
    if not service.unit_cents:
        return _("Gratuit")
    price = {"price": words.money(service.unit_cents), "unit": service.get_unit_display()}
    if service.unit == ServiceUnit.ONCE:
        return _("%(price)s, à payer à l’accueil") % price
    return _("%(price)s %(unit)s, à payer à l’accueil") % price


def length_words(service: Service) -> str:
    """ "30 minutes", "1 h 30"."""
    hours, minutes = divmod(service.minutes, 60)
    if not hours:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    text = f"{hours}{words.NBSP}h"
    return f"{text}{words.NBSP}{minutes:02d}" if minutes else text


def free_words(slots: Iterable[Slot]) -> str:
    found = list(slots)
    text = ngettext("%(number)d créneau", "%(number)d créneaux", len(found)) % {
        "number": len(found)
    }
    hour = words.hour(found[0].starts_at)
    return _("%(slots)s, dès %(hour)s") % {"slots": text, "hour": hour}


def day_words(day: date, today: date) -> str:
    return _("Aujourd’hui") if day == today else capfirst(words.day(day, today))


def day_buttons(slots: Iterable[Slot], now: datetime, limit: int) -> list[SlotButton]:
    """The next days on which something is free."""
    today = local_day(now)
    buttons = []
    for day, of_day in groupby(slots, key=lambda slot: slot.day):
        buttons.append(SlotButton(day.isoformat(), day_words(day, today), free_words(of_day)))
        if len(buttons) == limit:
            break
    return buttons


def hour_buttons(slots: Iterable[Slot]) -> list[SlotButton]:
    return [
        SlotButton(value_of(slot), capfirst(words.hour(slot.starts_at)), hour_sub(slot))
        for slot in slots
    ]


def value_of(slot: Slot) -> str:
    return str(SlotValue(slot.day, slot.starts_at))


def hour_sub(slot: Slot) -> str:
    text = _("jusqu’à %(hour)s") % {"hour": words.hour(slot.ends_at)}
    if slot.seats == 1:
        return text
    free = ngettext("%(number)d place", "%(number)d places", slot.free) % {"number": slot.free}
    return f"{text}, {free}"


def card(service: Service, diary: Diary | None, now: datetime) -> dict[str, Any]:
    """One service of the list, with the next moment at which one may come."""
    state, text = "free", _("Sans rendez-vous")
    action = _("Voir comment faire")
    if service.kind == ServiceKind.SLOT:
        slot = next(iter(diary.bookable(now)), None) if diary else None
        state, text = "back", _("Complet pour le moment")
        action = _("Attendre un créneau")
        if slot is not None:
            state, action = "free", _("Choisir un créneau")
            text = _("Dès %(moment)s") % {"moment": words.moment(slot.starts_at)}
    return {
        "url": address_of(service),
        "name": service.name,
        "picture": service.picture,
        "photo": None,
        "wall": service.wall,
        "availability": {"state": state, "text": text},
        "action_label": action,
    }


def ticket(appointment: Appointment, now: datetime) -> dict[str, Any]:
    """The cloakroom ticket: what, reference, when, where, for how much."""
    place, service = appointment.place, appointment.service
    hours = words.span(appointment.starts_at, appointment.ends_at)
    rows = [
        row("calendar", _("Quand"), local_day(appointment.starts_at), hours, local_day(now)),
        {"icon": "pin", "label": _("Où"), "strong": place.name, "text": place.address},
    ]
    if appointment.unit_cents:
        rows.append(
            {
                "icon": "tag",
                "label": _("À payer à l’accueil"),
                "strong": paid_words(appointment),
                "text": "",
            }
        )
    return {
        "title": service.name,
        "noun": _("Rendez-vous"),
        "reference": codes.spoken(appointment.reference),
        "picture": service.picture,
        "photo": None,
        "wall": service.wall,
        "rows": rows,
    }


def paid_words(appointment: Appointment) -> str:
    """The price; before the pages are counted, that of one."""
    unit = appointment.service.unit
    is_counted = unit in {ServiceUnit.ONCE, ServiceUnit.HOUR}
    if is_counted or appointment.status == AppointmentStatus.DONE:
        return words.money(price_of(appointment))
    price = words.money(appointment.unit_cents)
    return f"{price} {appointment.service.get_unit_display()}"
