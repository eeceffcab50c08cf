"""What questions about how it went hold of a person: to tell it, and to forget it."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from club.domain.opinions import make_counts
from club.kernel import personal
from club.kernel.personal import Held, Room, Traces
from club.models import Member, Opinion, User


def opinions_of(member: Member) -> QuerySet[Opinion]:
    return Opinion.objects.filter(member=member)


def forget(member: Member, traces: Traces, *, by: User | None, now: datetime) -> None:
    """The faces stay, as counts of their month."""
    make_counts(opinions_of(member))


def answered_since(since: datetime) -> Iterable[QuerySet]:
    rows = Opinion.objects.filter(answered_at__gte=since, member__isnull=False)
    yield rows.values("member")


OPINIONS = Room(
    name="avis",
    title=_("Mes avis"),
    held=(Held(Opinion, opinions_of, without=("called_by", "subject_id")),),
    forget=forget,
    recent=answered_since,
)


def register() -> None:
    personal.register(OPINIONS)
