"""What of the events people are asked about: the sessions to which they came."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from club.kernel import opinions
from club.kernel.opinions import Ended, Source
from events.enums import RegistrationStatus
from events.models import Registration


def sessions_ended(since: datetime, until: datetime) -> Iterable[Ended]:
    rows = Registration.objects.filter(
        status=RegistrationStatus.PRESENT, ends_at__gt=since, ends_at__lte=until
    )
    for pk, member, place, name, at in rows.values_list(
        "pk", "member_id", "place_id", "session__event__title", "ends_at"
    ):
        yield Ended(member, place, "registration", pk, name, at)


def register() -> None:
    source = Source("registration", _("Événements"), _("Séance"), _("Votre séance"), sessions_ended)
    opinions.register(source)
