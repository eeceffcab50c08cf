"""How a closure is told to those whom it touches: one letter a thing, all of one person
together. Each says what counts now, from the thing as it is when the message leaves.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from club.domain.closures import GROUP
from club.emails import letter_of
from club.kernel import letters, links, words
from club.kernel.letters import Attachment, Letter, Sort, in_status
from club.kernel.spans import local_day
from club.models import Message
from concierge import appointment_letters, emails, parcel_letters
from concierge.enums import (
    BEFORE_HANDOVER,
    HOLDING,
    WATCHED,
    AppointmentStatus,
    LoanStatus,
    OrderStatus,
    ParcelStatus,
)
from concierge.models import Appointment, Loan, Order, Parcel, Stay

Said = tuple[str, str, list[tuple[str, str]]]
"""The subject, the sentence, the facts."""


# -- Loans -----------------------------------------------------------------------------------


def loan_said(message: Message, loan: Loan, now: datetime) -> Said:
    today = local_day(now)
    with_words = {
        "name": loan.tool.name,
        "due": words.day(loan.due_on, today),
        "pickup": words.day(loan.pickup_on, today),
    }
    subject, text = {
        "loan.closure_due": (
            _("Nouveau jour de retour : %(name)s, %(due)s"),
            _("L’accueil sera fermé le jour prévu. Rendez l’objet %(due)s."),
        ),
        "loan.closure_pickup": (
            _("Nouveau jour de retrait : %(name)s, %(pickup)s"),
            _("L’accueil sera fermé le jour prévu. Venez chercher l’objet %(pickup)s."),
        ),
        "loan.closure_cancelled": (
            _("Réservation annulée : %(name)s"),
            _("Pardon, l’accueil sera fermé, et l’objet n’est pas libre ensuite."),
        ),
        "loan.closure_stays": (
            _("Rien ne change pour votre retour : %(name)s, %(due)s"),
            _("L’accueil ouvre finalement. Vous avez toujours jusqu’au %(due)s."),
        ),
    }[message.event]
    return subject % with_words, text % with_words, emails.facts_of(loan, now)


def write_loan(message: Message, loan: Loan, now: datetime) -> Letter:
    link = links.booking_link(loan.reference)
    agenda = (emails.agenda_of(loan, link),)
    return letter(
        loan_said(message, loan, now),
        button=_("Voir ma réservation"),
        link=link,
        short_link=links.short_booking_link(loan.reference, local_day(now)),
        attachments=agenda if message.event != "loan.closure_stays" else (),
    )


# -- Appointments ------------------------------------------------------------------------------


def write_appointment(message: Message, one: Appointment, now: datetime) -> Letter:
    said = {"name": one.service.name, "moment": words.moment(one.starts_at)}
    facts = appointment_letters.facts_of(message, one, now)
    moments = [parse_datetime(text) for text in message.facts.get("next_slots", [])]
    free = ", ".join(words.moment(moment) for moment in moments if moment is not None)
    if free:
        facts.append((_("Prochains créneaux libres"), free))
    text = _(
        "Pardon, l’accueil sera fermé ce jour-là. Vous êtes en tête de la liste d’attente :"
        " le premier créneau libre vous est proposé."
    )
    return letter(
        (_("Rendez-vous annulé : %(name)s, %(moment)s") % said, text, facts),
        button=_("Voir les créneaux"),
        link=settings.BASE_URL + reverse("services:service", args=[one.service.public_id]),
        attachments=(appointment_letters.agenda_of(message, one),),
    )


# -- Parcels and stays -------------------------------------------------------------------------


def write_parcel(message: Message, parcel: Parcel, now: datetime) -> Letter:
    until = {"until": words.day(parcel.keep_until, local_day(now))}
    text = _("L’accueil sera fermé le dernier jour. Votre colis est gardé jusqu’au %(until)s.")
    if message.event == "parcel.closure_stays":
        text = _("L’accueil ouvre finalement. Votre colis reste gardé jusqu’au %(until)s.")
    return letter(
        (
            _("Votre colis est gardé jusqu’au %(until)s") % until,
            text % until,
            parcel_letters.facts_of(parcel, now),
        ),
        button=_("Voir mes colis"),
        link=settings.BASE_URL + reverse("portal:parcels"),
    )


def write_stay(message: Message, stay: Stay, now: datetime) -> Letter:
    today = local_day(now)
    ahead = stay.visits.filter(done_at=None, day__gte=today).order_by("day")
    facts = [(_("Service"), stay.service.name)]
    facts += [(_("Visite"), words.day(visit.day, today)) for visit in ahead]
    return letter(
        (
            _("Des nouvelles de l’accueil"),
            _("L’accueil sera fermé certains jours. Nous passons un autre jour."),
            facts,
        ),
        button=_("Voir ma réservation"),
        link=links.booking_link(stay.reference),
    )


def write_order(message: Message, order: Order, now: datetime) -> Letter:
    said = {"name": order.delivery.round, "day": words.day(order.delivery.day, local_day(now))}
    hours = words.span(order.starts_at, order.ends_at)
    return letter(
        (
            _("Votre commande est reprise : %(name)s, %(day)s") % said,
            _("L’accueil ouvre finalement. Votre commande régulière vous attend ce jour-là."),
            [(_("Retrait"), f"{said['day']}, {hours}"), (_("Où"), order.place.name)],
        ),
        button=_("Voir ma réservation"),
        link=links.booking_link(order.reference),
    )


# -- All ---------------------------------------------------------------------------------------


def letter(
    said: Said,
    *,
    button: str,
    link: str,
    short_link: str = "",
    attachments: tuple[Attachment, ...] = (),
) -> Letter:
    subject, text, facts = said
    return letter_of(
        "concierge/email/closure",
        {"said": subject, "sentence": text, "facts": facts},
        button=button,
        link=link,
        short_link=short_link,
        attachments=attachments,
    )


def load_stays(ids: Iterable[int]) -> dict[int, Stay]:
    return Stay.objects.select_related("service", "place").in_bulk(list(ids))


def load_orders(ids: Iterable[int]) -> dict[int, Order]:
    return Order.objects.select_related("delivery__round", "place").in_bulk(list(ids))


def register() -> None:
    letters.register_group(GROUP, gettext_lazy("L’accueil ferme : %(number)d changements"))
    sorts: list[tuple[str, type[models.Model], Any, tuple[str, ...], Any]] = [
        ("loan.closure_due", Loan, emails.load, HOLDING, write_loan),
        ("loan.closure_pickup", Loan, emails.load, BEFORE_HANDOVER, write_loan),
        ("loan.closure_cancelled", Loan, emails.load, (LoanStatus.CANCELLED,), write_loan),
        ("loan.closure_stays", Loan, emails.load, HOLDING, write_loan),
        (
            "appointment.closure",
            Appointment,
            appointment_letters.load,
            (AppointmentStatus.CANCELLED,),
            write_appointment,
        ),
        ("parcel.closure", Parcel, parcel_letters.load, (ParcelStatus.WAITING,), write_parcel),
        ("parcel.closure_stays", Parcel, parcel_letters.load, (ParcelStatus.WAITING,),
         write_parcel),
        ("order.closure_back", Order, load_orders, (OrderStatus.ORDERED,), write_order),
        ("stay.closure", Stay, load_stays, WATCHED, write_stay),
    ]  # fmt: skip
    for event, model, load, statuses, write in sorts:
        letters.register(Sort(event, model, load, in_status(*statuses), write))
