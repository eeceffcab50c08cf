"""What the site's pages hold of a person: a defect that they reported with their e-mail."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from club.domain.personal import traces_of
from club.kernel import personal
from club.kernel.personal import Held, Room, Traces
from club.models import Member
from cms.models import DefectReport


def reports_by(emails: frozenset[str]) -> QuerySet[DefectReport]:
    wanted = Q(pk=None)
    for email in emails:
        wanted |= Q(email__iexact=email)
    return DefectReport.objects.filter(wanted)


def forget(member: Member, traces: Traces, *, by: Any, now: datetime) -> None:
    reports_by(traces.emails).delete()


SITE = Room(
    name="site",
    title=_("Les défauts que j’ai signalés"),
    held=(Held(DefectReport, lambda member: reports_by(traces_of(member).emails)),),
    forget=forget,
)


def register() -> None:
    personal.register(SITE)
