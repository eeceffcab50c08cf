"""What of the concierge's work people are asked about: loans, services, stays and orders.

Not parcels nor what is counted at the counter: a moment each, and several a day.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from club.kernel import opinions
from club.kernel.opinions import Ended, Source
from concierge.enums import AppointmentStatus, LoanStatus, OrderStatus, StayStatus
from concierge.models import Appointment, Loan, Order, Stay


def told(rows: QuerySet[Any], kind: str, name: str, moment: str) -> Iterable[Ended]:
    found = rows.values_list("pk", "member_id", "place_id", name, moment)
    for pk, member, place, label, at in found:
        yield Ended(member, place, kind, pk, label, at)


def loans_ended(since: datetime, until: datetime) -> Iterable[Ended]:
    rows = Loan.objects.filter(
        status=LoanStatus.RETURNED, returned_at__gt=since, returned_at__lte=until
    )
    return told(rows, "loan", "tool__name", "returned_at")


def appointments_ended(since: datetime, until: datetime) -> Iterable[Ended]:
    rows = Appointment.objects.filter(
        status=AppointmentStatus.DONE, done_at__gt=since, done_at__lte=until
    )
    return told(rows, "appointment", "service__name", "done_at")


def stays_ended(since: datetime, until: datetime) -> Iterable[Ended]:
    rows = Stay.objects.filter(status=StayStatus.ENDED, ended_at__gt=since, ended_at__lte=until)
    return told(rows, "stay", "service__name", "ended_at")


def orders_ended(since: datetime, until: datetime) -> Iterable[Ended]:
    rows = Order.objects.filter(
        status=OrderStatus.COLLECTED, collected_at__gt=since, collected_at__lte=until
    )
    return told(rows, "order", "delivery__round__name", "collected_at")


def register() -> None:
    opinions.register(
        Source("loan", _("Prêts"), _("Prêt"), _("Votre prêt"), loans_ended),
        Source(
            "appointment",
            _("Rendez-vous"),
            _("Rendez-vous"),
            _("Votre rendez-vous"),
            appointments_ended,
        ),
        Source("stay", _("Gardes"), _("Garde"), _("Votre garde"), stays_ended),
        Source("order", _("Commandes"), _("Commande"), _("Votre commande"), orders_ended),
    )
