"""What always holds of questions about how it went, whatever happened."""

from collections.abc import Iterator

from django.db.models import DateTimeField, F, Max, Q, RowRange, Window

from club.domain.invariants import SHOWN
from club.domain.opinions import BETWEEN
from club.enums import Face
from club.kernel import invariants
from club.kernel.invariants import Invariant
from club.kernel.spans import local_day
from club.models import Opinion


def one_a_week() -> Iterator[str]:
    """A question is a week of calendar days after the one before."""
    asked = Opinion.objects.exclude(member=None).annotate(
        before=Window(
            Max("asked_at"),
            partition_by="member",
            order_by=["asked_at", "pk"],
            frame=RowRange(None, -1),
            output_field=DateTimeField(),
        )
    )
    close = asked.filter(before__gt=F("asked_at") - BETWEEN)
    for pk, member, at, before in close.values_list("pk", "member", "asked_at", "before"):
        if local_day(at) - local_day(before) < BETWEEN:
            yield f"opinion {pk} was asked of member {member} within a week of another"


def answers_whole() -> Iterator[str]:
    """An answer has its face and its time; a reason and a call have their cause."""
    wrong = Opinion.objects.filter(
        Q(face="", answered_at__isnull=False)
        | ~Q(face="") & Q(answered_at=None)
        | Q(face__in=["", Face.HAPPY]) & ~Q(reason="")
        | Q(called_at__isnull=False) & (Q(outcome="") | Q(face=""))
    )
    for pk in wrong.values_list("pk", flat=True)[:SHOWN]:
        yield f"opinion {pk} is half answered"


def register() -> None:
    invariants.register(
        Invariant("opinions", "Nobody is asked twice in a week.", one_a_week),
        Invariant("answers", "An answer has a face and a time.", answers_whole),
    )
