"""The screen of an appointment: a seat at a slot, booked or offered."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from club.domain.ledger import balance_of_subject
from club.kernel import words
from club.kernel.refusal import refuse
from club.kernel.spans import local_day
from club.models import User
from club.queries.paying import pays_online
from concierge.domain import appointment_fees as fees
from concierge.domain.appointments import cancel_appointment, changes_until, move_slot
from concierge.domain.slot_wishes import accept_offer, offer_holds
from concierge.enums import AppointmentStatus
from concierge.forms import Slot
from concierge.models import Appointment
from concierge.queries.slots import Slot as FreeSlot
from concierge.queries.slots import diary_ahead
from concierge.views import shown_services as shown
from concierge.views.shown import SlotButton
from portal.screen import Says, Screen, ToPay

FEW, MORE = 4, 60


class AppointmentScreen(Screen):
    def ticket(self, booking: Appointment, now: datetime) -> dict[str, Any]:
        return shown.ticket(booking, now)

    def acts(self, booking: Appointment, now: datetime) -> set[str]:
        if offer_holds(booking, now):
            return {"accept", "cancel"}
        if booking.status == AppointmentStatus.BOOKED and now < changes_until(booking):
            return {"move", "cancel"}
        return set()

    def says(self, booking: Appointment) -> Says:
        is_offered = booking.status == AppointmentStatus.OFFERED
        return Says(
            title=_("Mon rendez-vous : %(title)s") % {"title": booking.service.name},
            noun=_("Rendez-vous"),
            move=_("Changer l’heure"),
            when=_("Quand venez-vous ?"),
            no_other=_("Aucun autre créneau n’est libre. Votre rendez-vous reste comme il est."),
            cancel=_("Laisser ce créneau") if is_offered else _("Annuler mon rendez-vous"),
            sure=_("Laisser ce créneau ?") if is_offered else _("Annuler ce rendez-vous ?"),
            keep=_("Revenir à la proposition") if is_offered else _("Garder mon rendez-vous"),
            accept=_("Prendre ce créneau"),
        )

    def onward(self, booking: Appointment) -> tuple[str, str]:
        if not booking.service.is_offered:
            return reverse("services:services"), _("Voir les autres services")
        return shown.address_of(booking.service), _("Choisir un autre créneau")

    def to_pay(self, booking: Appointment, now: datetime) -> ToPay | None:
        if not booking.unit_cents or booking.status != AppointmentStatus.DONE:
            return None
        cents = -balance_of_subject(fees.KIND, booking.pk)
        if cents <= 0:
            return None
        return ToPay(fees.KIND, booking.pk, cents, pays_online(booking.place))

    # -- In words

    def next_steps(self, booking: Appointment, now: datetime) -> list[str]:
        status = AppointmentStatus(booking.status)
        if status == AppointmentStatus.OFFERED:
            return offer_words(booking, now)
        if status == AppointmentStatus.BOOKED:
            return booked_words(booking, now)
        return [
            {
                AppointmentStatus.DONE: _("Vous êtes venu. Merci."),
                AppointmentStatus.ABSENT: _(
                    "Votre absence est notée. La prochaine fois, annulez : le créneau servira."
                ),
                AppointmentStatus.CANCELLED: _("Ce rendez-vous est annulé."),
                AppointmentStatus.LAPSED: _("Le délai est passé. Le créneau est parti."),
            }[status]
        ]

    def cancelling(self, booking: Appointment, now: datetime) -> list[str]:
        if booking.status == AppointmentStatus.OFFERED:
            return [_("Le créneau va à la personne suivante. Votre tour est fini.")]
        said = [_("Le créneau ira tout de suite à quelqu’un d’autre.")]
        if booking.series:
            said.append(_("Les autres dates de la série restent."))
        return said

    # -- The acts

    def buttons(self, booking: Appointment, now: datetime, more: bool) -> Sequence[SlotButton]:
        """Other hours of the same day, and the first of other days; with `more` all."""
        diary = diary_ahead(booking.service, now, without=booking.pk)
        free = [slot for slot in diary.bookable(now) if slot.starts_at != booking.starts_at]
        shown_ones = free[:MORE] if more else near(free, local_day(booking.starts_at))
        return [
            SlotButton(
                shown.value_of(slot),
                shown.day_words(slot.day, local_day(now)),
                capfirst(words.span(slot.starts_at, slot.ends_at)),
            )
            for slot in shown_ones
        ]

    def move(self, booking: Appointment, slot: Slot, by: User, now: datetime) -> str:
        if slot.starts_at is None:
            raise refuse("no_such_slot", _("Choisissez une heure."), "slot")
        moved = move_slot(booking, slot.starts_at, by=by, now=now)
        return _("C’est changé. Venez %(moment)s.") % {"moment": words.moment(moved.starts_at)}

    def cancel(self, booking: Appointment, by: User, now: datetime) -> str:
        cancel_appointment(booking, by=by, now=now)
        return _("C’est annulé. Le créneau est de nouveau libre.")

    def accept(self, booking: Appointment, by: User, now: datetime) -> str:
        taken = accept_offer(booking, by=by, now=now)
        return _("C’est réservé. Venez %(moment)s.") % {"moment": words.moment(taken.starts_at)}


def near(free: list[FreeSlot], day: date) -> list[FreeSlot]:
    """Some slots of that day, and the first of some others, in order."""
    same = [slot for slot in free if slot.day == day][:FEW]
    firsts = {slot.day: slot for slot in reversed(free) if slot.day != day}
    return sorted([*same, *sorted(firsts.values(), key=when)[:FEW]], key=when)


def when(slot: FreeSlot) -> datetime:
    return slot.starts_at


def offer_words(booking: Appointment, now: datetime) -> list[str]:
    if not offer_holds(booking, now) or booking.offered_until is None:
        return [_("Cette proposition n’est plus valable.")]
    until = {"moment": words.moment(booking.offered_until)}
    return [
        _("Ce créneau est gardé pour vous, jusqu’au %(moment)s.") % until,
        _("Sans réponse, il va à la personne suivante."),
    ]


def booked_words(booking: Appointment, now: datetime) -> list[str]:
    if now >= booking.ends_at:
        return [_("Ce rendez-vous est passé.")]
    said = [_("Nous vous attendons à l’accueil. Venez avec votre carte.")]
    until = changes_until(booking)
    if now < until:
        limit = {"moment": words.moment(until)}
        said.append(_("Vous pouvez changer ou annuler jusqu’au %(moment)s.") % limit)
    else:
        said.append(_("Un empêchement ? Appelez l’accueil."))
    return said
