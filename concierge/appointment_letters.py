"""How appointments are told: the words of each event, from the appointment as it is now.

What has begun is told of no more, save that it was cancelled.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from club.emails import letter_of
from club.kernel import codes, letters, links, words
from club.kernel.calendars import ics_of
from club.kernel.letters import Attachment, Letter, Sort, in_status
from club.kernel.spans import local_day
from club.models import Message
from concierge.domain.appointment_fees import price_of
from concierge.domain.appointment_reminders import DAYS, is_of_today
from concierge.domain.slot_wishes import offer_holds
from concierge.enums import AppointmentStatus, ServiceUnit
from concierge.kinds_appointments import entry, where_of
from concierge.models import Appointment, SlotWish

SERIES = "appointment.series"
IN_AGENDA = {
    "appointment.booked",
    SERIES,
    "appointment.moved",
    "appointment.cancelled",
}
WISH_LAPSED = "slot_wish.lapsed"
BY_THE_PIECE = (ServiceUnit.PAGE, ServiceUnit.KILO)


def load(ids: Iterable[int]) -> dict[int, Appointment]:
    return Appointment.objects.select_related("service", "place", "member").in_bulk(list(ids))


def load_wishes(ids: Iterable[int]) -> dict[int, SlotWish]:
    return SlotWish.objects.select_related("service__place", "member").in_bulk(list(ids))


# -- Whether there still is something to tell ---------------------------------------------


def before_it_begins(*statuses: str) -> Callable[[Message, Appointment, datetime], bool]:
    return lambda message, one, now: one.status in statuses and now < one.starts_at


def is_offered(message: Message, one: Appointment, now: datetime) -> bool:
    return offer_holds(one, now)


def is_series(message: Message, one: Appointment, now: datetime) -> bool:
    return any(now < date.starts_at for date in dates_of(one))


WANTED: dict[str, Any] = {
    "appointment.booked": before_it_begins(AppointmentStatus.BOOKED),
    SERIES: is_series,
    "appointment.moved": before_it_begins(AppointmentStatus.BOOKED),
    "appointment.cancelled": in_status(AppointmentStatus.CANCELLED),
    "appointment.offered": is_offered,
    "appointment.lapsed": before_it_begins(AppointmentStatus.LAPSED),
    **dict.fromkeys(DAYS, is_of_today),
}


# -- Words ---------------------------------------------------------------------------------


def dates_of(one: Appointment) -> list[Appointment]:
    """The dates of a series that stand; without one, itself."""
    if not one.series:
        return [one]
    rows = Appointment.objects.filter(
        series=one.series, member=one.member_id, status=AppointmentStatus.BOOKED
    )
    return list(rows.select_related("service", "place").order_by("starts_at"))


def when_of(one: Appointment, now: datetime) -> str:
    day = words.day(local_day(one.starts_at), local_day(now))
    return f"{day}, {words.span(one.starts_at, one.ends_at)}"


def price_words(one: Appointment) -> str:
    """What is to be paid at the desk; of pages and kilos the price of one."""
    if not one.unit_cents:
        return ""
    if one.service.unit in BY_THE_PIECE:
        unit = {"price": words.money(one.unit_cents), "unit": one.service.get_unit_display()}
        return _("%(price)s %(unit)s, à payer à l’accueil") % unit
    return _("%(price)s, à payer à l’accueil") % {"price": words.money(price_of(one, 1))}


def facts_of(message: Message, one: Appointment, now: datetime) -> list[tuple[str, str]]:
    facts = [(_("Service"), one.service.name), (_("Référence"), codes.spoken(one.reference))]
    dates = dates_of(one) if message.event == SERIES else [one]
    facts += [(_("Quand"), when_of(date, now)) for date in dates]
    facts.append((_("Où"), where_of(one)))
    if price := price_words(one):
        facts.append((_("Prix"), price))
    return facts


def agenda_of(message: Message, one: Appointment) -> Attachment:
    """The entries as they are now: an agenda takes the newest, and strikes what is cancelled."""
    dates = dates_of(one) if message.event == SERIES else [one]
    entries = [entry(date) for date in dates]
    found = {entry(date).uid: links.booking_link(date.reference) for date in dates}
    return Attachment("rendez-vous.ics", ics_of(entries, links=found), "text/calendar")


def write(message: Message, one: Appointment, now: datetime) -> Letter:
    today = local_day(now)

    def said(moment: datetime | None) -> str:
        if moment is None:
            return ""
        day = words.day(local_day(moment), today)
        return _("%(day)s à %(hour)s") % {"day": day, "hour": words.hour(moment)}

    context = {
        "name": one.service.name,
        "moment": said(one.starts_at),
        "until": said(one.offered_until),
        "number": len(dates_of(one)) if message.event == SERIES else 1,
        "facts": facts_of(message, one, now),
    }
    is_asked = one.status == AppointmentStatus.OFFERED
    return letter_of(
        "concierge/email/" + message.event.replace(".", "_"),
        context,
        button=_("Prendre ce créneau") if is_asked else _("Voir mon rendez-vous"),
        link=links.booking_link(one.reference),
        short_link=links.short_booking_link(one.reference, today),
        attachments=(agenda_of(message, one),) if message.event in IN_AGENDA else (),
    )


def write_wish(message: Message, wished: SlotWish, now: datetime) -> Letter:
    page = settings.BASE_URL + reverse("services:service", args=[wished.service.public_id])
    context: dict[str, object] = {
        "name": wished.service.name,
        "day": words.day(wished.last_on, local_day(now)),
        "facts": [(_("Service"), wished.service.name)],
    }
    template = "concierge/email/slot_wish_lapsed"
    return letter_of(template, context, button=_("Voir les créneaux"), link=page)


def register() -> None:
    for event, is_wanted in WANTED.items():
        letters.register(Sort(event, Appointment, load, is_wanted, write))
    letters.register(
        Sort(WISH_LAPSED, SlotWish, load_wishes, lambda message, one, now: True, write_wish)
    )
