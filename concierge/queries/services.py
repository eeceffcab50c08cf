"""The services of a place, their rules, and who may see whose appointments."""

from dataclasses import dataclass, field
from datetime import time
from typing import Any

from django.db.models import Q, QuerySet

from club.enums import Role
from club.kernel.spans import Span
from club.models import Member, Place, User
from concierge.models import (
    Appointment,
    Service,
    ServiceHours,
    ServicePause,
    ServiceQuestion,
)

WITH_NAMES = ("service", "place", "member__user")


def offered_at(place: Place) -> QuerySet[Service]:
    """What the residents of a place are shown, in its order."""
    return Service.objects.filter(place=place, is_offered=True).order_by("position", "name", "pk")


def services_for(member: Member) -> QuerySet[Service]:
    """Those of the member's own place and of their landlord's public ones."""
    return Service.objects.select_related("place__landlord").filter(
        Q(place__is_public=True) | Q(place=member.place_id),
        place__landlord=member.place.landlord_id,
        is_offered=True,
    )


def visible_to(user: Any) -> QuerySet[Appointment]:
    """A member's own appointments; all those of a place for its concierges and officers."""
    if not isinstance(user, User) or not user.is_active:
        return Appointment.objects.none()
    staffed = user.assignments.filter(role__in=[Role.CONCIERGE, Role.OFFICER]).values("place")
    return Appointment.objects.filter(Q(member__user=user) | Q(place__in=staffed)).select_related(
        *WITH_NAMES
    )


# -- Rules, read once per change of the place --------------------------------------------------


@dataclass(frozen=True)
class Line:
    """Some hours of a weekday; without `seats`, as many as the service has."""

    weekday: int
    opens: time
    closes: time
    seats: int | None


@dataclass(frozen=True)
class Rules:
    """When somebody is there for a service, and what is asked."""

    lines: list[Line] = field(default_factory=list)
    pauses: list[Span] = field(default_factory=list)
    questions: list[ServiceQuestion] = field(default_factory=list)


_memo: dict[int, tuple[str, dict[int, Rules]]] = {}


def rules_of(service: Service) -> Rules:
    """Kept by the stamp of its place, as the calendar is (see `calendar_of`)."""
    place = service.place
    held = _memo.get(place.pk)
    if held is None or held[0] != place.rules_stamp:
        held = (place.rules_stamp, read(place))
        _memo[place.pk] = held
    return held[1].get(service.pk) or Rules()


def read(place: Place) -> dict[int, Rules]:
    found: dict[int, Rules] = {}

    def of(service_id: int) -> Rules:
        return found.setdefault(service_id, Rules())

    for one in ServiceHours.objects.filter(service__place=place):
        of(one.service_id).lines.append(Line(one.weekday, one.opens, one.closes, one.seats))
    for service_id, starts_at, ends_at in ServicePause.objects.filter(
        service__place=place
    ).values_list("service_id", "starts_at", "ends_at"):
        of(service_id).pauses.append(Span(starts_at, ends_at))
    for question in ServiceQuestion.objects.filter(service__place=place):
        of(question.service_id).questions.append(question)
    return found
