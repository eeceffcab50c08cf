"""The morning after an artisan's visit asks its own question; it is the week's question."""

from collections.abc import Collection, Iterable
from datetime import datetime

from club.kernel import opinions
from club.models import Message


def asked_after_a_visit(members: Collection[int], since: datetime) -> Iterable[int]:
    rows = Message.objects.filter(member__in=members, event="visit.happened", due_at__gte=since)
    return rows.values_list("member_id", flat=True)


def register() -> None:
    opinions.register_elsewhere("visits", asked_after_a_visit)
