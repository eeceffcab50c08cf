"""What parcels hold of a person: to tell it, to forget it, and for how long."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from club.domain.erasure import homes_of
from club.kernel import codes, jobs, personal
from club.kernel.jobs import DailyJob
from club.kernel.personal import Held, Room, Term, Traces, scans_end
from club.kernel.refusal import Reason
from club.kernel.rows import flush
from club.kernel.spans import local_day
from club.models import Member, User
from concierge.enums import ParcelStatus
from concierge.models import Parcel, Proxy
from concierge.queries.parcels import visible_to, waiting_for


def proxies_of(member: Member) -> QuerySet[Proxy]:
    return Proxy.objects.filter(member=member)


def still_waiting(member: Member, now: datetime) -> Iterable[Reason]:
    """A parcel on the shelf: without its person nobody could collect it."""
    for parcel in waiting_for(member):
        text = gettext("Un colis vous attend à l’accueil : %(code)s. Retirez-le d’abord.")
        yield Reason("parcel_waits", text % {"code": codes.spoken(parcel.reference)})


def forget(member: Member, traces: Traces, *, by: User, now: datetime) -> None:
    """The rows stay for the month's figures, and say nothing of a person."""
    proxies_of(member).delete()
    forget_collector(Parcel.objects.all(), member)
    forget_who(visible_to(member).exclude(status=ParcelStatus.WAITING))


def forget_collector(rows: QuerySet[Any], member: Member) -> None:
    """What they collected for those they have lived with: their name stands there too."""
    flush()  # where they have lived is told by the log
    rows.filter(member__household__in=homes_of(member), collected_by=str(member)).update(
        collected_by=""
    )


def forget_who(parcels: QuerySet[Parcel]) -> None:
    parcels.update(member=None, tracking="", collected_by="")


def collected_since(since: datetime) -> Iterable[QuerySet]:
    """Came for a parcel, or has one on the shelf."""
    busy = Q(collected_at__gte=since) | Q(status=ParcelStatus.WAITING)
    yield Parcel.objects.filter(busy, member__isnull=False).values("member")


PARCELS = Room(
    name="colis",
    title=_("Mes colis"),
    held=(
        Held(Parcel, visible_to, without=("received_by",), sheet="colis"),
        Held(Proxy, proxies_of),
    ),
    obstacles=still_waiting,
    forget=forget,
    recent=collected_since,
)


# -- Terms -----------------------------------------------------------------------------------


def old_proxies(now: datetime) -> QuerySet[Proxy]:
    """Whom nobody may be handed anything as, for so long."""
    ended = scans_end(now)
    return Proxy.objects.filter(Q(removed_at__lt=ended) | Q(until__lt=local_day(ended)))


def forget_old_parcels(now: datetime) -> None:
    """Each night: what was collected or sent back stays a number, without its person."""
    ended = scans_end(now)
    old = Parcel.objects.filter(Q(collected_at__lt=ended) | Q(returned_at__lt=ended))
    named = Q(member__isnull=False) | ~Q(tracking="") | ~Q(collected_by="")
    forget_who(old.filter(named).exclude(status=ParcelStatus.WAITING))


def register() -> None:
    personal.register(PARCELS)
    personal.keep_for(
        Term("proxies", _("Les personnes nommées pour retirer un colis"), old_proxies)
    )
    jobs.register(DailyJob("parcel-names", 4, forget_old_parcels))
