"""What the events hold of a person: to tell it, and to forget it."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from club.kernel import jobs, personal, words
from club.kernel.jobs import DailyJob
from club.kernel.personal import Held, Room, Term, Traces, scans_end
from club.kernel.refusal import Reason
from club.models import Member, User
from events.domain.fees import to_give_back
from events.domain.registrations import cancel
from events.enums import OPEN
from events.models import Answer, CheckIn, Participant, Registration, WalkIn


def registrations_of(member: Member) -> QuerySet[Registration]:
    return Registration.objects.filter(member=member)


def participants_of(member: Member) -> QuerySet[Participant]:
    return Participant.objects.filter(registration__member=member)


def answers_of(member: Member) -> QuerySet[Answer]:
    return Answer.objects.filter(registration__member=member)


def scans_of(member: Member) -> QuerySet[CheckIn]:
    return CheckIn.objects.filter(registration__member=member)


def money_waits(member: Member, now: datetime) -> Iterable[Reason]:
    """Money that the desk has to give back first."""
    for registration, cents in to_give_back(member.household):
        if registration.member_id == member.pk:
            text = gettext("L’accueil vous doit encore %(cents)s. Passez le chercher d’abord.")
            yield Reason("money_waits", text % {"cents": words.money(cents)})


def forget(member: Member, traces: Traces, *, by: User, now: datetime) -> None:
    """Places to come are given back; what was attended stays a number."""
    coming = registrations_of(member).filter(status__in=OPEN, starts_at__gt=now)
    for registration in coming.order_by("pk"):
        cancel(registration, by=by, now=now)
    participants_of(member).delete()
    answers_of(member).delete()


def came_since(since: datetime) -> Iterable[QuerySet]:
    """Registered, came, or has a place to come to."""
    busy = Q(created_at__gte=since) | Q(present_at__gte=since) | Q(starts_at__gte=since)
    yield Registration.objects.filter(busy).values("member")


EVENTS = Room(
    name="evenements",
    title=_("Mes inscriptions aux événements"),
    held=(
        Held(Registration, registrations_of, without=("form_key",), sheet="inscriptions"),
        Held(Participant, participants_of),
        Held(Answer, answers_of),
        Held(CheckIn, scans_of, without=("by", "scan")),
    ),
    obstacles=money_waits,
    forget=forget,
    recent=came_since,
)


# -- Terms -----------------------------------------------------------------------------------


def old_scans(now: datetime) -> QuerySet[CheckIn]:
    return CheckIn.objects.filter(at__lt=scans_end(now))


def old_participants(now: datetime) -> QuerySet[Participant]:
    return Participant.objects.filter(registration__ends_at__lt=scans_end(now))


def old_answers(now: datetime) -> QuerySet[Answer]:
    return Answer.objects.filter(registration__ends_at__lt=scans_end(now))


def forget_first_names(now: datetime) -> None:
    """Who walked in stays a number; the row itself is part of the session's count."""
    old = WalkIn.objects.filter(came_at__lt=scans_end(now))
    old.exclude(first_name="").update(first_name="")


def register() -> None:
    personal.register(EVENTS)
    personal.keep_for(
        Term("check-ins", _("Les passages à l’entrée des événements"), old_scans),
        Term("participants", _("Les noms et les âges donnés à l’inscription"), old_participants),
        Term("answers-events", _("Les réponses données à l’inscription"), old_answers),
    )
    jobs.register(DailyJob("walk-in-names", 4, forget_first_names))
