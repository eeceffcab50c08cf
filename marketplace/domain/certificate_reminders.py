"""Which certificates are recalled on which day: 30 days before the end, that day, 15 after.

Each is told once, and only while no other has come in that holds longer. A worker that was
down tells it some days late, and never two of them at once.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from club.domain.messages import channel_for, tell_many
from club.domain.reminders import GROUP, HOUR
from club.kernel.spans import at, local_day
from club.models import Message
from marketplace.enums import CertificateStatus
from marketplace.models import Certificate
from marketplace.queries.certificates import is_followed, readers_of, tenants

DAYS = {"certificate.ends_in_30": -30, "certificate.ends_today": 0, "certificate.ended_15": 15}
"""By event, how many days after the last day."""
LATE = 6
"""How many days later it still may leave."""


def still_ends(certificates: QuerySet[Certificate]) -> QuerySet[Certificate]:
    return certificates.filter(
        ~Q(is_followed()), status=CertificateStatus.ACCEPTED, household__in=tenants().values("pk")
    )


def ending(event: str, day: date) -> tuple[date, date]:
    """Between which last days certificates are recalled on `day`."""
    last = day - timedelta(days=DAYS[event])
    return last - timedelta(days=LATE), last


def write_certificate_reminders(now: datetime) -> None:
    """Leave the day's reminders in the outbox; again on the same day adds none."""
    for event in DAYS:
        tell_many(reminders(event, now))


def reminders(event: str, now: datetime) -> Iterator[Message]:
    day = local_day(now)
    found = list(still_ends(Certificate.objects.filter(ends_on__range=ending(event, day))))
    readers = readers_of([one.household_id for one in found])
    for one in found:
        reader = readers.get(one.household_id)
        if reader is None:
            continue
        yield Message(
            key=f"{event}:{one.pk}",
            event=event,
            group=GROUP,
            member=reader,
            subject_kind="certificate",
            subject_id=one.pk,
            channel=channel_for(reader) or "",
            due_at=max(now, at(day, HOUR)),
        )


def is_still_to_tell(event: str, certificate: Certificate, day: date) -> bool:
    """On the days of that reminder: what waited too long in the outbox is not told."""
    first, last = ending(event, day)
    return first <= certificate.ends_on <= last
