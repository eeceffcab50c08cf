"""The screen of each kind whose bookings can be opened.

"Mes réservations" lists every kind through `club.kernel.bookings`; a kind whose
bookings can be opened adds one `Screen` here.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from club.kernel import words
from club.kernel.spans import Span, local_day
from club.models import User
from club.queries.calendar import calendar_of
from concierge.domain.lending import cancel_loan, move_loan, not_renewable, renew_loan
from concierge.enums import BEFORE_HANDOVER, LoanStatus
from concierge.forms import Slot
from concierge.models import Loan
from concierge.queries.availability import due_day, shelves, windows
from concierge.queries.policies import policy_for
from concierge.views import shown
from portal.appointments import AppointmentScreen
from portal.orders import OrderScreen
from portal.places import RegistrationScreen
from portal.screen import Says, Screen
from portal.stays import StayScreen


class LoanScreen(Screen):
    def ticket(self, booking: Loan, now: datetime) -> dict[str, Any]:
        return shown.ticket(booking, local_day(now))

    def acts(self, booking: Loan, now: datetime) -> set[str]:
        if booking.status in BEFORE_HANDOVER:
            return {"move", "cancel"}
        return {"renew"} if not_renewable(booking, now) is None else set()

    def says(self, booking: Loan) -> Says:
        return Says(
            title=_("Ma réservation : %(title)s") % {"title": booking.tool.name},
            noun=_("Réservation"),
            move=_("Changer le jour"),
            when=_("Quand venez-vous le chercher ?"),
            no_other=_("Aucun autre jour n’est libre. Votre réservation reste comme elle est."),
            cancel=_("Annuler ma réservation"),
            sure=_("Annuler cette réservation ?"),
            keep=_("Garder ma réservation"),
        )

    def onward(self, booking: Loan) -> tuple[str, str]:
        return reverse("concierge:catalogue"), _("Emprunter un autre objet")

    def cancelling(self, booking: Loan, now: datetime) -> list[str]:
        return [_("L’objet ira tout de suite à la personne suivante.")]

    def next_steps(self, booking: Loan, now: datetime) -> list[str]:
        late = booking.days_late(local_day(now))
        if late:
            return [_("Rapportez-le dès que possible, ou appelez-nous.")]
        text = {
            LoanStatus.RESERVED: _("L’objet vous attend à l’accueil. Venez avec votre carte."),
            LoanStatus.READY: _("L’objet est mis de côté pour vous. Venez avec votre carte."),
            LoanStatus.OUT: _("Rapportez-le complet et propre. Merci."),
            LoanStatus.CANCELLED: _("Cette réservation est annulée."),
            LoanStatus.LAPSED: _("Le jour est passé, l’objet est retourné sur l’étagère."),
            LoanStatus.RETURNED: _("C’est rendu. Merci."),
            LoanStatus.LOST: _("L’objet est noté perdu. Si vous le retrouvez, appelez-nous."),
        }[LoanStatus(booking.status)]
        return [text]

    def length(self, booking: Loan) -> int | None:
        """The days that were asked for, or None for the usual length."""
        policy = policy_for(booking.place, booking.tool.value_class)
        calendar = calendar_of(booking.place)
        usual = due_day(calendar, booking.pickup_on + timedelta(days=policy.loan_days))
        if booking.due_on == usual:
            return None
        return min((booking.due_on - booking.pickup_on).days, policy.max_days)

    def buttons(self, booking: Loan, now: datetime, more: bool) -> Sequence[shown.SlotButton]:
        """The other days that would be free if this booking did not hold its own."""
        tool, place = booking.tool, booking.place
        policy = policy_for(place, tool.value_class)
        shelf = shelves([tool], place, now)[tool.pk]
        own = Span(booking.starts_at, booking.held_until)
        if own in shelf.claims:
            shelf.claims.remove(own)
        found = windows(
            shelf, now, days=self.length(booking), limit=22 if more else 6, with_taken=more
        )
        other = [window for window in found if window.day != booking.pickup_on]
        return shown.slot_buttons(other[: 21 if more else 5], place, policy, now, due=True)

    def move(self, booking: Loan, slot: Slot, by: User, now: datetime) -> str:
        length = self.length(booking)
        moved = move_loan(
            booking,
            starts_on=slot.starts_on,
            ends_on=slot.starts_on + timedelta(days=length) if length else None,
            starts_at=slot.starts_at,
            by=by,
            now=now,
        )
        return _("C’est changé. Venez %(day)s.") % {"day": words.day(moved.pickup_on)}

    def cancel(self, booking: Loan, by: User, now: datetime) -> str:
        cancel_loan(booking, by=by, now=now)
        return _("C’est annulé. L’objet est de nouveau libre.")

    def renew(self, booking: Loan, by: User, now: datetime) -> str:
        renewed = renew_loan(booking, by=by, now=now)
        return _("C’est prolongé. À rendre %(day)s.") % {"day": words.day(renewed.due_on)}


SCREENS: dict[str, Screen] = {
    "loan": LoanScreen(),
    "registration": RegistrationScreen(),
    "appointment": AppointmentScreen(),
    "stay": StayScreen(),
    "order": OrderScreen(),
}
