"""Requests to artisans: who may be asked, whose they are, and who sees which photo."""

from datetime import date, datetime, time, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from club.kernel.spans import at, end_of, local_day, start_of
from club.models import Landlord, Member, Place
from marketplace.enums import DAY_PARTS, AskStatus, PartnerKind, VisitStatus
from marketplace.models import Partner, PartnerPerson, VisitAsk, VisitRequest
from marketplace.queries.directory import Wanted, directory_of
from marketplace.queries.shown import trades_shown

Window = tuple[date, str]

DAYS_OFFERED = 10
SUNDAY = 6
LIVE = (AskStatus.ASKED, AskStatus.PROPOSED)
"""Of an artisan who may still be the one: asked, or waiting for the resident's word."""
MAY_ANSWER = (*LIVE, AskStatus.SILENT)


# -- Artisans --------------------------------------------------------------------------------


def artisans_for(landlord: Landlord, place: Place, trade: str, on: date) -> QuerySet[Partner]:
    """Who is shown for the trade on that day, serves the place and can answer by link."""
    wanted = Wanted(kind=PartnerKind.ARTISAN, trade=trade, place=place)
    people = PartnerPerson.objects.filter(
        partner=OuterRef("pk"), left_at=None, user__is_active=True
    )
    return directory_of(landlord, on).listed(wanted).filter(Exists(people))


def may_come(partner: Partner, trade: str, on: date) -> bool:
    """Whether its papers cover the trade today: asked anew before each promise."""
    return trades_shown(partner.landlord, on).filter(partner=partner, trade=trade).exists()


# -- Times -----------------------------------------------------------------------------------


def windows_offered(now: datetime) -> list[Window]:
    """Parts of the next days that one may wish; not of Sundays, nor what is nearly over."""
    today = local_day(now)
    days = [today + timedelta(days=number) for number in range(DAYS_OFFERED)]
    return [
        (day, part)
        for day in days
        if day.weekday() != SUNDAY
        for part in DAY_PARTS
        if hours_of(day, part)[-1] > now
    ]


def windows_of(visit: VisitRequest) -> list[Window]:
    return [(date.fromisoformat(day), part) for day, part in visit.windows]


def hours_of(day: date, part: str) -> list[datetime]:
    """The full hours of a part of the day at which a visit may begin."""
    first, last = DAY_PARTS[part]
    return [at(day, time(hour)) for hour in range(first, last)]


# -- Whose -----------------------------------------------------------------------------------


def requests_of(member: Member) -> QuerySet[VisitRequest]:
    return VisitRequest.objects.filter(member=member).order_by("-asked_at", "-pk")


def asks_of(partner: Partner) -> QuerySet[VisitAsk]:
    """All that one artisan was asked, with the request it is about."""
    asks = VisitAsk.objects.filter(partner=partner)
    return asks.select_related("visit__member__user", "visit__landlord", "partner")


def to_answer(partner: Partner) -> QuerySet[VisitAsk]:
    """What waits for a word of theirs, oldest first; then what waits for the resident's."""
    open_asks = asks_of(partner).filter(status__in=MAY_ANSWER, visit__status=VisitStatus.ASKING)
    return open_asks.order_by("asked_at", "pk")


def agreed(partner: Partner) -> QuerySet[VisitAsk]:
    """The visits to come and those not yet said to be done, by their hour."""
    taken = Q(status=AskStatus.ACCEPTED, visit__status=VisitStatus.AGREED)
    return asks_of(partner).filter(taken).order_by("visit__visit_at", "pk")


def agreed_between(partner: Partner, first: date, last: date, now: datetime) -> QuerySet[VisitAsk]:
    """Who waits for this artisan on these days."""
    since = max(start_of(first), now)
    return agreed(partner).filter(visit__visit_at__gt=since, visit__visit_at__lt=end_of(last))


def open_count(member: Member, now: datetime) -> int:
    """Requests that wait, and visits to come: one whose hour has passed counts no more."""
    waits = Q(status=VisitStatus.ASKING)
    to_come = Q(status=VisitStatus.AGREED, visit_at__gt=now)
    return VisitRequest.objects.filter(waits | to_come, member=member).count()


def asked_since(member: Member, since: datetime) -> int:
    return VisitRequest.objects.filter(member=member, asked_at__gte=since).count()


def may_see_photos(ask: VisitAsk) -> bool:
    """An artisan sees them as long as the work may be theirs, or is."""
    if ask.visit.status == VisitStatus.ASKING:
        return ask.status in MAY_ANSWER
    return ask.visit.status == VisitStatus.AGREED and ask.status == AskStatus.ACCEPTED


# -- What is due -----------------------------------------------------------------------------


def unchased(asked_until: datetime) -> QuerySet[VisitAsk]:
    return VisitAsk.objects.filter(
        status=AskStatus.ASKED, chased_at=None, asked_at__lte=asked_until
    ).order_by("asked_at", "pk")


def chased_in_vain(chased_until: datetime) -> QuerySet[VisitAsk]:
    return VisitAsk.objects.filter(status=AskStatus.ASKED, chased_at__lte=chased_until).order_by(
        "chased_at", "pk"
    )


def proposals_over(now: datetime) -> QuerySet[VisitAsk]:
    return VisitAsk.objects.filter(status=AskStatus.PROPOSED, proposes_at__lte=now).order_by("pk")


def visited_between(first: datetime, last: datetime) -> QuerySet[VisitRequest]:
    """Agreed visits whose hour lies there, and of which nobody has said that they were."""
    return VisitRequest.objects.filter(
        status=VisitStatus.AGREED, visit_at__gte=first, visit_at__lt=last
    ).order_by("pk")


def never_said(visited_until: datetime) -> QuerySet[VisitRequest]:
    return VisitRequest.objects.filter(
        status=VisitStatus.AGREED, visit_at__lte=visited_until
    ).order_by("pk")


def is_theirs(ask: VisitAsk) -> bool:
    """From yes until the visit is done: only then is told who asks, and where."""
    return ask.status == AskStatus.ACCEPTED and ask.visit.status == VisitStatus.AGREED
