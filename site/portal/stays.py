"""The screen of a stay: its days, the visits as they are made, its keys."""

from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from club.domain.ledger import balance_of_subject
from club.kernel import words
from club.kernel.spans import local_day
from club.models import User
from club.queries.paying import pays_online
from concierge.domain import stay_fees as fees
from concierge.domain.stays import cancel_stay, changes_until, move_stay
from concierge.enums import ON_HOOK, StayStatus
from concierge.kinds_stays import days_words
from concierge.models import Stay
from concierge.stay_forms import StayDaysForm
from concierge.views import shown_stays as shown
from concierge.views.shown_services import address_of
from portal.screen import Says, Screen, ToPay


class StayScreen(Screen):
    slot_form = StayDaysForm  # type: ignore[assignment]
    move_template = "portal/stay_move.html"

    def blank(self, booking: Stay) -> StayDaysForm:
        return StayDaysForm(initial={"first_on": booking.first_on, "last_on": booking.last_on})

    def ticket(self, booking: Stay, now: datetime) -> dict[str, Any]:
        return shown.ticket(booking, now)

    def acts(self, booking: Stay, now: datetime) -> set[str]:
        is_open = booking.status in Stay.OPEN_STATUSES
        return {"move", "cancel"} if is_open and now < changes_until(booking) else set()

    def says(self, booking: Stay) -> Says:
        return Says(
            title=_("Ma garde : %(title)s") % {"title": booking.service.name},
            noun=_("Garde"),
            move=_("Changer les dates"),
            when=_("Quand êtes-vous absent ?"),
            no_other="",
            cancel=_("Annuler ma garde"),
            sure=_("Annuler cette garde ?"),
            keep=_("Garder ma garde"),
        )

    def onward(self, booking: Stay) -> tuple[str, str]:
        if not booking.service.is_offered:
            return reverse("services:services"), _("Voir les services")
        return address_of(booking.service), _("Réserver d’autres dates")

    def to_pay(self, booking: Stay, now: datetime) -> ToPay | None:
        if not booking.unit_cents or booking.status != StayStatus.ENDED:
            return None
        cents = -balance_of_subject(fees.KIND, booking.pk)
        if cents <= 0:
            return None
        return ToPay(fees.KIND, booking.pk, cents, pays_online(booking.place))

    def below(self, booking: Stay, now: datetime) -> tuple[str, dict[str, Any]]:
        """Each visit as it was ticked, and the keys that the desk keeps."""
        return "portal/stay_visits.html", {
            "visits": shown.visits_of(booking, now),
            "keys": list(booking.key_sets.order_by("received_at")),
            "stay": booking,
        }

    # -- In words

    def next_steps(self, booking: Stay, now: datetime) -> list[str]:
        status = StayStatus(booking.status)
        if status == StayStatus.CANCELLED:
            return [_("Cette garde est annulée.")]
        if status == StayStatus.ENDED:
            return [_("Cette garde est terminée. Merci.")]
        if status == StayStatus.RUNNING:
            said = [_("Vous lisez ici chaque visite, dès qu’elle est faite.")]
            if booking.key_sets.filter(status__in=ON_HOOK).exists():
                said = [_("Vos clés sont à l’accueil. Vous lisez ici chaque visite.")]
                if local_day(now) >= booking.last_on:
                    said = [_("C’est le dernier jour. Venez reprendre vos clés.")]
        else:
            first = {"day": words.day(booking.first_on, local_day(now))}
            said = [_("Apportez vos clés à l’accueil avant %(day)s.") % first]
        until = changes_until(booking)
        if now < until:
            limit = {"moment": words.until(until)}
            said.append(_("Vous pouvez changer ou annuler jusqu’au %(moment)s.") % limit)
        else:
            said.append(_("Vos dates changent ? Appelez l’accueil."))
        return said

    def cancelling(self, booking: Stay, now: datetime) -> list[str]:
        said = [_("Nous ne passerons pas chez vous. Il n’y a rien à payer.")]
        if booking.key_sets.filter(status__in=ON_HOOK).exists():
            said.append(_("Venez reprendre vos clés à l’accueil."))
        return said

    # -- The acts

    def move(self, booking: Stay, slot: tuple[date, date], by: User, now: datetime) -> str:
        moved = move_stay(booking, *slot, by=by, now=now)
        return _("C’est changé : %(days)s.") % {"days": days_words(moved, local_day(now))}

    def cancel(self, booking: Stay, by: User, now: datetime) -> str:
        cancel_stay(booking, by=by, now=now)
        return _("C’est annulé.")
