"""How parcels are told: the words of each event, from the parcel as it is now.

Whoever reads over somebody's shoulder learns that a parcel lies at the desk, and nothing
else: no message bears the carrier's number, and an SMS no address.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from club.emails import letter_of
from club.kernel import codes, letters, words
from club.kernel.letters import Letter, Sort
from club.kernel.spans import local_day
from club.models import Message
from concierge.domain.parcel_reminders import EVENTS, is_of_today
from concierge.enums import ParcelStatus
from concierge.models import Parcel


def load(ids: Iterable[int]) -> dict[int, Parcel]:
    return Parcel.objects.select_related("place").in_bulk(list(ids))


def still(status: str) -> Callable[[Message, Parcel, datetime], bool]:
    """In that state, and still that person's: the desk may have put a name right."""
    return lambda message, parcel, now: (
        parcel.status == status and parcel.member_id == message.member_id
    )


WANTED: dict[str, Any] = {
    "parcel.received": still(ParcelStatus.WAITING),
    **dict.fromkeys(EVENTS, is_of_today),
    "parcel.returned": still(ParcelStatus.RETURNED),
}


def facts_of(parcel: Parcel, now: datetime) -> list[tuple[str, str]]:
    today = local_day(now)
    facts = [
        (_("Code du colis"), codes.spoken(parcel.reference)),
        (_("Colis"), f"{parcel.get_size_display()}, {parcel.get_carrier_display()}"),
    ]
    if parcel.status == ParcelStatus.WAITING:
        facts.append((_("Gardé jusqu’au"), words.day(parcel.keep_until, today)))
    facts.append((_("Où"), f"{parcel.place.name}, {parcel.place.address}"))
    return facts


def write(message: Message, parcel: Parcel, now: datetime) -> Letter:
    today = local_day(now)
    context: dict[str, object] = {
        "code": codes.spoken(parcel.reference),
        "until": words.day(parcel.keep_until, today),
        "received": words.day(local_day(parcel.received_at), today),
        "facts": facts_of(parcel, now),
    }
    is_received = message.event == "parcel.received"
    return letter_of(
        "concierge/email/" + message.event.replace(".", "_"),
        context,
        button=_("Voir mes colis"),
        link=settings.BASE_URL + reverse("portal:parcels"),
        together=_("%(number)d colis vous attendent à l’accueil") if is_received else "",
    )


def register() -> None:
    for event, is_wanted in WANTED.items():
        letters.register(Sort(event, Parcel, load, is_wanted, write))
