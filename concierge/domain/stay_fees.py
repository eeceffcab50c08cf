"""What a stay costs: told before, charged when it ends, paid at the desk or on line.

By the day, the days until the keys went back count, and never more than was told. The label
of the entry bears no dates: receipts and journals are read by people whom no absence concerns.
"""

from collections.abc import Iterable
from datetime import date, datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.enums import Account
from club.kernel import purchases
from club.kernel.purchases import Due, Purchase, nothing_to_settle, nothing_to_undo
from club.models import Household
from concierge.domain.appointment_fees import owing
from concierge.enums import ServiceUnit
from concierge.models import Service, Stay

KIND = "stay"


def counted(service: Service, days: int) -> int:
    """How many times the price: by the day each, else once."""
    return days if service.unit == ServiceUnit.DAY else 1


def price_of(stay: Stay) -> int:
    return stay.unit_cents * stay.quantity


def days_kept(stay: Stay, day: date) -> int:
    """Until that day, never more than was booked, and one at least."""
    booked = (stay.last_on - stay.first_on).days + 1
    return min(booked, max(1, (day - stay.first_on).days + 1))


def label_of(stay: Stay) -> str:
    if stay.service.unit != ServiceUnit.DAY:
        return stay.service.name
    days = ngettext("%(days)d jour", "%(days)d jours", stay.quantity) % {"days": stay.quantity}
    return _("%(service)s, %(days)s") % {"service": stay.service.name, "days": days}


def dues(household: Household, now: datetime) -> Iterable[Due]:
    """What has ended and is not paid yet."""
    owed = owing(household, KIND)
    rows = Stay.objects.filter(pk__in=owed).select_related("service").order_by("pk")
    for stay in rows if owed else ():
        yield Due(KIND, stay.pk, label_of(stay), owed[stay.pk])


STAYS = Purchase(KIND, Account.FEE, Stay, label_of, nothing_to_settle, nothing_to_undo, dues)


def register() -> None:
    purchases.register(STAYS)
