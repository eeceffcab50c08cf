"""What stays and keys hold of a person: to tell it, to forget it, and for how long."""

from collections.abc import Iterable
from datetime import datetime

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from club.kernel import codes, personal
from club.kernel.personal import Held, Room, Traces
from club.kernel.refusal import Reason
from club.models import Member, User
from concierge.domain.stay_visits import drop_file
from concierge.domain.stays import cancel_stay
from concierge.enums import ON_HOOK, WATCHED, StayStatus
from concierge.models import KeySet, Stay, StayVisit


def stays_of(member: Member) -> QuerySet[Stay]:
    return Stay.objects.filter(member=member)


def visits_of(member: Member) -> QuerySet[StayVisit]:
    return StayVisit.objects.filter(stay__member=member)


def keys_of(member: Member) -> QuerySet[KeySet]:
    return KeySet.objects.filter(member=member)


def still_here(member: Member, now: datetime) -> Iterable[Reason]:
    """Keys on a hook have an owner; a home that is looked after too."""
    for keys in keys_of(member).filter(status__in=ON_HOOK).order_by("pk"):
        text = gettext("L’accueil garde vos clés : %(code)s. Reprenez-les d’abord.")
        yield Reason("keys_here", text % {"code": codes.spoken(keys.reference)})
    if stays_of(member).filter(status=StayStatus.RUNNING).exists():
        yield Reason("stay_runs", _("Une garde est en cours. Terminez-la d’abord."))


def forget(member: Member, traces: Traces, *, by: User | None, now: datetime) -> None:
    """What is to come is off; pictures, signatures and names go, days and counts stay."""
    for stay in stays_of(member).filter(status__in=WATCHED).order_by("pk"):
        cancel_stay(stay, by=None, now=now)
    forget_photos(visits_of(member))
    forget_signatures(keys_of(member))
    keys_of(member).update(returned_to="")


def forget_photos(visits: QuerySet[StayVisit]) -> None:
    for visit in visits.exclude(photo="").order_by("pk"):
        drop_file(visit.photo.storage, visit.photo.name or "")
        StayVisit.objects.filter(pk=visit.pk).update(photo="")


def forget_signatures(sets: QuerySet[KeySet]) -> None:
    drawn = sets.exclude(received_signature="", returned_signature="")
    for keys in drawn.order_by("pk"):
        for file in (keys.received_signature, keys.returned_signature):
            drop_file(file.storage, file.name or "")
        KeySet.objects.filter(pk=keys.pk).update(received_signature="", returned_signature="")


def watched_since(since: datetime) -> Iterable[QuerySet]:
    """Booked, or has a home looked after; brought keys, took them back, or keeps some here."""
    busy = Q(created_at__gte=since) | Q(ends_at__gte=since)
    yield Stay.objects.filter(busy).values("member")
    moved = Q(received_at__gte=since) | Q(returned_at__gte=since) | Q(status__in=ON_HOOK)
    yield KeySet.objects.filter(moved).values("member")


STAYS = Room(
    name="gardes",
    title=_("Mes gardes et mes clés"),
    held=(
        Held(Stay, stays_of, without=("form_key", "lane"), sheet="gardes"),
        Held(StayVisit, visits_of, without=("done_by", "called_by")),
        Held(KeySet, keys_of, without=("received_by", "out_by", "returned_by"), sheet="cles"),
    ),
    obstacles=still_here,
    forget=forget,
    recent=watched_since,
)


# -- Terms -------------------------------------------------------------------------------------


def forget_old_pictures(now: datetime) -> None:
    """Each night: photos and signatures go after the term; ticks stay, as counts."""
    ended = now - relativedelta(months=settings.RETENTION_SCANS_MONTHS)
    forget_photos(StayVisit.objects.filter(stay__ends_at__lt=ended))
    old = KeySet.objects.filter(Q(returned_at__lt=ended) | Q(lost_at__lt=ended))
    forget_signatures(old)
    old.exclude(returned_to="").update(returned_to="")


def register() -> None:
    personal.register(STAYS)
