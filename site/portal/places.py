"""The screen of a registration: places at a session, asked for, waited for or held."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.domain.refunds import left_to_refund
from club.enums import ONLINE_MEANS
from club.kernel import words
from club.models import User
from club.queries.paying import pays_online
from concierge.views.shown import SlotButton
from events.domain import fees, registrations
from events.domain.waiting import offers_stop_at, position_of
from events.enums import LIVE, OPEN, RegistrationStatus, SessionStatus
from events.kinds import GONE, places_words
from events.models import Registration, Session
from events.tickets import ticket_code
from events.views import shown
from portal.forms import DateForm
from portal.screen import Says, Screen, ToPay

HELD = (RegistrationStatus.PENDING, RegistrationStatus.CONFIRMED)


class RegistrationScreen(Screen):
    slot_form = DateForm

    def ticket(self, booking: Registration, now: datetime) -> dict[str, Any]:
        return shown.ticket(booking, now) | {"noun": _("Inscription")}

    def acts(self, booking: Registration, now: datetime) -> set[str]:
        if booking.status not in OPEN or now >= booking.starts_at:
            return set()
        if booking.status in HELD:
            return {"move", "quantity", "cancel"}
        if booking.status != RegistrationStatus.OFFERED:
            return {"quantity", "cancel"}
        if not booking.offer_holds(now):
            return set()
        return {"accept", "cancel", "quantity"} if booking.quantity > 1 else {"accept", "cancel"}

    def says(self, booking: Registration) -> Says:
        number = booking.quantity
        cancel, sure, keep = {
            RegistrationStatus.WAITING: (
                _("Quitter la liste d’attente"),
                _("Quitter la liste d’attente ?"),
                _("Garder mon tour"),
            ),
            RegistrationStatus.OFFERED: (
                ngettext("Laisser cette place", "Laisser ces places", number),
                ngettext("Laisser cette place ?", "Laisser ces places ?", number),
                _("Revenir à la proposition"),
            ),
        }.get(
            RegistrationStatus(booking.status),
            (
                _("Annuler mon inscription"),
                _("Annuler cette inscription ?"),
                _("Garder mon inscription"),
            ),
        )
        is_offered = booking.status == RegistrationStatus.OFFERED
        change = _("Changer le nombre de places")
        return Says(
            title=_("Mon inscription : %(title)s") % {"title": booking.session.event.title},
            noun=_("Inscription"),
            move=_("Changer de date"),
            when=_("Quelle autre date vous convient ?"),
            no_other=_(
                "Aucune autre date n’a assez de places. Votre inscription reste comme elle est."
            ),
            cancel=cancel,
            sure=sure,
            keep=keep,
            quantity=_("En prendre moins") if is_offered else change,
            quantity_go=_("Prendre ces places") if is_offered else change,
            accept=ngettext("Prendre ma place", "Prendre mes %(number)d places", number)
            % {"number": number},
        )

    def onward(self, booking: Registration) -> tuple[str, str]:
        other = booking.session.replaced_by
        if other is None:
            return reverse("events:programme"), _("Voir les autres événements")
        there = Registration.objects.filter(
            session=other, member=booking.member, status__in=LIVE
        ).first()
        if there is not None:
            return reverse("portal:booking", args=[there.reference]), _("Voir l’autre date")
        return other.get_absolute_url(), _("Voir l’autre date")

    def code(self, booking: Registration) -> str:
        return ticket_code(booking) if booking.status == RegistrationStatus.CONFIRMED else ""

    def to_pay(self, booking: Registration, now: datetime) -> ToPay | None:
        if not booking.cents or booking.status not in fees.PAYABLE:
            return None
        cents = -fees.balance(booking)
        if cents <= 0:
            return None
        return ToPay(fees.KIND, booking.pk, cents, pays_online(booking.place), booking.pay_until)

    # -- In words

    def next_steps(self, booking: Registration, now: datetime) -> list[str]:
        status = RegistrationStatus(booking.status)
        if booking.session.status == SessionStatus.CANCELLED:
            return [*called_off_words(booking), *money_words(booking)]
        if status in GONE:
            return [gone_words(status), *money_words(booking)]
        if status == RegistrationStatus.PRESENT:
            return [_("Vous étiez là. Merci.")]
        if status == RegistrationStatus.ABSENT:
            return [_("Votre absence est notée. La prochaine fois, annulez : la place servira.")]
        if now >= booking.ends_at:
            return [_("Cette séance est passée.")]
        if status == RegistrationStatus.WAITING:
            return waiting_words(booking, now)
        if status == RegistrationStatus.OFFERED:
            return offer_words(booking, now)
        if status == RegistrationStatus.ASKED:
            return [_("L’accueil doit encore confirmer. Nous vous écrivons.")]
        return held_words(booking, now)

    def cancelling(self, booking: Registration, now: datetime) -> list[str]:
        if booking.status == RegistrationStatus.WAITING:
            return [_("Votre tour sera perdu.")]
        number = booking.quantity
        following = ngettext(
            "Votre place ira tout de suite à la personne suivante.",
            "Vos places iront tout de suite aux personnes suivantes.",
            number,
        )
        return [following, *refund_words(booking, now)]

    def quantity_words(self, booking: Registration) -> list[str]:
        places = {"places": places_words(booking.quantity)}
        if booking.status == RegistrationStatus.WAITING:
            return [
                _("Vous attendez %(places)s ensemble.") % places,
                _("Pour moins de places, vous gardez votre tour."),
                _("Pour plus de places, vous passez à la fin de la liste."),
            ]
        if booking.status == RegistrationStatus.OFFERED:
            return [
                _("Nous vous proposons %(places)s.") % places,
                _("Les autres iront à la personne suivante."),
            ]
        said = [_("Pour le moment, vous avez %(places)s.") % places]
        if booking.unit_cents:
            price = {"price": words.money(booking.unit_cents)}
            said.append(_("Une place coûte %(price)s.") % price)
            said.append(_("Ce qui est payé en trop vous est rendu."))
        return said

    # -- The acts

    def buttons(self, booking: Registration, now: datetime, more: bool) -> Sequence[SlotButton]:
        """The event's other dates; with `more` those that are full too."""
        found = other_sessions(booking, now)
        shown_ones = [one for one in found if more or has_room(one, booking.quantity)]
        return [date_button(one, booking) for one in shown_ones[: 21 if more else 5]]

    def move(self, booking: Registration, slot: str, by: User, now: datetime) -> str:
        moved = registrations.move_to(booking, slot, by=by, now=now)
        return _("C’est changé. Venez %(moment)s.") % {"moment": words.moment(moved.starts_at)}

    def cancel(self, booking: Registration, by: User, now: datetime) -> str:
        was_waiting = booking.status == RegistrationStatus.WAITING
        cancelled = registrations.cancel(booking, by=by, now=now)
        if was_waiting:
            return _("C’est fait. Vous n’êtes plus sur la liste d’attente.")
        return " ".join([_("C’est annulé."), *money_words(cancelled)])

    def accept(self, booking: Registration, by: User, now: datetime) -> str:
        return yes_words(registrations.accept(booking, by=by, now=now))

    def change_quantity(self, booking: Registration, quantity: int, by: User, now: datetime) -> str:
        if booking.status == RegistrationStatus.OFFERED:
            return yes_words(registrations.accept(booking, quantity=quantity, by=by, now=now))
        changed = registrations.change_quantity(booking, quantity, by=by, now=now)
        places = {"places": places_words(changed.quantity)}
        if changed.status == RegistrationStatus.WAITING:
            return _("C’est changé. Vous attendez %(places)s.") % places
        return _("C’est changé. Vous avez %(places)s.") % places


def other_sessions(booking: Registration, now: datetime) -> list[Session]:
    """Those one can register for now, where the member is not there already."""
    mine = Registration.objects.filter(member=booking.member_id, status__in=LIVE)
    coming = Session.objects.filter(
        Q(opens_at=None) | Q(opens_at__lte=now),
        event=booking.session.event_id,
        status=SessionStatus.SCHEDULED,
        starts_at__gt=now,
        closes_at__gt=now,
    )
    there = coming.exclude(pk__in=mine.values("session")).select_related("place")
    return list(there.order_by("starts_at", "pk")[:200])


def has_room(session: Session, quantity: int) -> bool:
    return session.free is None or session.free >= quantity


def date_button(session: Session, booking: Registration) -> SlotButton:
    day = capfirst(words.day(session.day))
    if not has_room(session, booking.quantity):
        return SlotButton("", day, "", taken=True)
    where = shown.where_words(session, booking.session.place)
    said = [f"{shown.hours_words(session)}, {where}", shown.free_words(session.free)]
    if session.price_cents != booking.session.price_cents:
        said.append(shown.price_words(session))
    return SlotButton(session.public_id, day, f"{'. '.join(said)}.")


# -- In words ----------------------------------------------------------------------------


def yes_words(taken: Registration) -> str:
    if taken.status == RegistrationStatus.PENDING and taken.pay_until is not None:
        until = {"moment": words.moment(taken.pay_until)}
        return _("Vos places sont gardées. Payez avant %(moment)s.") % until
    return _("C’est fait. %(places)s à votre nom.") % {
        "places": capfirst(places_words(taken.quantity))
    }


def waiting_words(booking: Registration, now: datetime) -> list[str]:
    """The turn, and the rule of the list as it matters to them."""
    number, position = booking.quantity, position_of(booking)
    places = {"places": places_words(number), "position": position}
    if position == 1:
        said = [_("Vous êtes en tête de la liste d’attente, pour %(places)s.") % places]
    else:
        said = [_("Vous êtes au rang %(position)d de la liste, pour %(places)s.") % places]
    stops_at = offers_stop_at(booking.session)
    if now >= stops_at:
        return [*said, _("Une place libre va maintenant à qui vient : appelez-nous.")]
    said.append(
        ngettext(
            "Dès qu’une place est libre, nous vous la proposons.",
            "Dès que %(number)d places sont libres ensemble, nous vous les proposons.",
            number,
        )
        % {"number": number}
    )
    if number > 1 and booking.fewer_ok:
        said.append(_("S’il y en a moins, nous vous proposons ce qui reste."))
    elif number > 1:
        said.append(_("Qui attend moins de places peut passer. Vous gardez votre tour."))
    until = {"moment": words.moment(stops_at)}
    said.append(_("Après %(moment)s, une place libre va à qui vient.") % until)
    return said


def offer_words(booking: Registration, now: datetime) -> list[str]:
    if not booking.offer_holds(now) or booking.offer_ends_at is None:
        return [_("Cette proposition n’est plus valable.")]
    text = ngettext(
        "Une place est gardée pour vous, jusqu’au %(moment)s.",
        "%(number)d places sont gardées pour vous, jusqu’au %(moment)s.",
        booking.quantity,
    )
    facts = {"number": booking.quantity, "moment": words.moment(booking.offer_ends_at)}
    silence = ngettext(
        "Sans réponse, elle va à la personne suivante.",
        "Sans réponse, elles vont à la personne suivante.",
        booking.quantity,
    )
    return [text % facts, silence]


def held_words(booking: Registration, now: datetime) -> list[str]:
    said = []
    if now >= booking.starts_at:
        said.append(_("La séance a commencé."))
    if booking.status == RegistrationStatus.PENDING:
        said.append(
            ngettext(
                "Votre place est gardée. Elle est sûre une fois payée.",
                "Vos places sont gardées. Elles sont sûres une fois payées.",
                booking.quantity,
            )
        )
    else:
        said.append(
            ngettext(
                "Votre place est sûre. Montrez ce code à l’entrée.",
                "Vos places sont sûres. Montrez ce code à l’entrée.",
                booking.quantity,
            )
        )
    if booking.cents and booking.status == RegistrationStatus.CONFIRMED:
        until = booking.session.refunds_until()
        if now <= until:
            text = _("Si vous annulez avant %(moment)s, vous êtes remboursé.")
            said.append(text % {"moment": words.moment(until)})
    return said


def gone_words(status: str) -> str:
    return {
        RegistrationStatus.CANCELLED: _("Cette inscription est annulée."),
        RegistrationStatus.LAPSED: _("Le délai est passé. Cette inscription est close."),
        RegistrationStatus.REFUSED: _("L’accueil n’a pas pu retenir cette inscription."),
    }[RegistrationStatus(status)]


def called_off_words(booking: Registration) -> list[str]:
    session = booking.session
    said = [_("Cette séance est annulée.")]
    if session.cancel_reason:
        why = {"why": session.get_cancel_reason_display()}
        said = [_("Cette séance est annulée : %(why)s.") % why]
    if session.replaced_by is not None:
        when = {"moment": words.moment(session.replaced_by.starts_at)}
        said.append(_("Une autre date est proposée : %(moment)s.") % when)
    return said


def money_words(booking: Registration) -> list[str]:
    """Of what is over: what the house still gives back, and how."""
    said = []
    if coming := fees.on_its_way(booking):
        money = {"money": words.money(coming)}
        said.append(_("%(money)s reviennent sur votre moyen de paiement.") % money)
    if waiting := fees.owed(booking):
        money = {"money": words.money(waiting)}
        said.append(_("Nous vous devons %(money)s : passez à l’accueil.") % money)
    return said


def refund_words(booking: Registration, now: datetime) -> list[str]:
    """Told before it is cancelled: what was paid comes back, and how, or stays."""
    if not booking.unit_cents:
        return []
    paid = fees.paid_for([booking.pk]).get(booking.pk, 0)
    if paid <= 0:
        return [_("Vous n’aurez rien à payer.")] if booking.status in fees.PAYABLE else []
    until = booking.session.refunds_until()
    if now > until and fees.balance(booking) >= 0:
        limit = {"moment": words.moment(until)}
        return [
            _("C’est trop tard pour un remboursement."),
            _("Il fallait annuler avant %(moment)s.") % limit,
        ]
    online = sum(
        left_to_refund(entry) for entry in fees.payments_of(booking).filter(means__in=ONLINE_MEANS)
    )
    said = []
    if online:
        money = {"money": words.money(min(online, paid))}
        said.append(_("%(money)s reviendront sur votre moyen de paiement.") % money)
    if paid > online:
        money = {"money": words.money(paid - online)}
        said.append(_("%(money)s vous seront rendus à l’accueil.") % money)
    return said
