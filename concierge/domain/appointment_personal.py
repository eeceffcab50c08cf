"""What services hold of a person: to tell it, and to forget it."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from club.kernel import personal
from club.kernel.personal import Held, Room, Term, Traces, scans_end
from club.models import Member, User
from concierge.domain.appointments import release
from concierge.domain.slot_wishes import take_wish_back
from concierge.enums import SEATED, WishStatus
from concierge.models import Appointment, AppointmentAnswer, CounterUse, SlotWish


def appointments_of(member: Member) -> QuerySet[Appointment]:
    return Appointment.objects.filter(member=member)


def answers_of(member: Member) -> QuerySet[AppointmentAnswer]:
    return AppointmentAnswer.objects.filter(appointment__member=member)


def wishes_of(member: Member) -> QuerySet[SlotWish]:
    return SlotWish.objects.filter(member=member)


def uses_of(member: Member) -> QuerySet[CounterUse]:
    return CounterUse.objects.filter(member=member)


def forget(member: Member, traces: Traces, *, by: User | None, now: datetime) -> None:
    """Turns end first, or a seat that is given back would be offered to who leaves."""
    for wished in wishes_of(member).filter(status=WishStatus.WAITING).order_by("pk"):
        take_wish_back(wished, by=by, now=now)
    coming = appointments_of(member).filter(status__in=SEATED, ends_at__gt=now)
    for appointment in coming.order_by("pk"):
        release(appointment, by=by, now=now)
    answers_of(member).delete()


def served_since(since: datetime) -> Iterable[QuerySet]:
    """Booked, came, waits, or was served over the counter."""
    busy = Q(created_at__gte=since) | Q(done_at__gte=since) | Q(starts_at__gte=since)
    yield Appointment.objects.filter(busy).values("member")
    yield SlotWish.objects.filter(asked_at__gte=since).values("member")
    yield CounterUse.objects.filter(at__gte=since, member__isnull=False).values("member")


SERVICES = Room(
    name="services",
    title=_("Mes rendez-vous et mes services"),
    held=(
        Held(Appointment, appointments_of, without=("form_key", "lane"), sheet="rendez-vous"),
        Held(AppointmentAnswer, answers_of),
        Held(SlotWish, wishes_of),
        Held(CounterUse, uses_of, without=("by", "form_key")),
    ),
    forget=forget,
    recent=served_since,
)


# -- Terms -----------------------------------------------------------------------------------


def old_answers(now: datetime) -> QuerySet[AppointmentAnswer]:
    return AppointmentAnswer.objects.filter(appointment__ends_at__lt=scans_end(now))


def old_wishes(now: datetime) -> QuerySet[SlotWish]:
    over = SlotWish.objects.exclude(status__in=[WishStatus.WAITING, WishStatus.OFFERED])
    return over.filter(asked_at__lt=scans_end(now))


def register() -> None:
    personal.register(SERVICES)
    personal.keep_for(
        Term("answers-services", _("Les réponses données aux rendez-vous"), old_answers),
        Term("slot-wishes", _("Les demandes de créneaux en attente"), old_wishes),
    )
