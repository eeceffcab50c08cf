"""Who may register, for how much and why not: read once, every reason told at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, Max, OuterRef, Subquery, Sum
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from club.enums import Activity
from club.kernel import words
from club.kernel.bookings import Channel
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import end_of, local_day
from club.models import Member
from club.queries.entitlement import may
from events.enums import HOLDING, LIVE, Entry, RegistrationStatus, SessionStatus
from events.models import EventPolicy, Question, Registration, Session
from events.queries.policies import policy_for

MOST_AT_ONCE = 20
"""Places of one registration: more is a group, and a group comes to the desk."""


@dataclass(frozen=True)
class Standing:
    """A session, and how a member stands towards it."""

    session: Session
    policy: EventPolicy
    has_questions: bool
    is_registered: bool
    household_places: int
    no_shows: int
    last_no_show: datetime | None
    not_subscribed: Reason | None
    """Why the member is no subscriber on that day; None for one who is."""

    @property
    def is_subscriber(self) -> bool:
        return self.not_subscribed is None

    def may_fit(self, quantity: int) -> bool:
        free = self.session.free
        return free is None or quantity <= free


def depends_on_rights(session: Session) -> bool:
    return (
        session.members_only
        or session.others_at is not None
        or session.price_cents != session.member_price_cents
    )


def standing_of(member: Member, public_id: str, now: datetime) -> Standing:
    """One statement, and one more where it matters whether the member subscribes."""
    mine = Registration.objects.filter(member=member).order_by()
    of_household = Registration.objects.filter(
        session=OuterRef("pk"), member__household=member.household_id, status__in=HOLDING
    ).order_by()
    absent = mine.filter(status=RegistrationStatus.ABSENT, starts_at__gt=now - timedelta(days=730))
    found = (
        Session.objects.select_related("event", "place__landlord", "place__event_policy")
        .filter(
            public_id=public_id,
            place__landlord=member.place.landlord_id,
            event__live=True,
        )
        .annotate(
            has_questions=Exists(Question.objects.filter(event=OuterRef("event"))),
            mine=Subquery(
                mine.filter(session=OuterRef("pk"), status__in=LIVE)
                .values("session")
                .annotate(n=Count("pk"))
                .values("n")
            ),
            of_household=Subquery(
                of_household.values("session").annotate(n=Sum("quantity")).values("n")
            ),
            last_absent=Subquery(
                absent.values("member").annotate(at=Max("starts_at")).values("at")
            ),
        )
        .first()
    )
    if found is None:
        raise refuse("unknown_session", _("Cette séance est inconnue."), "session")
    policy = policy_for(found.place)
    no_shows = 0
    if found.last_absent is not None and policy.no_show_limit:
        since = now - timedelta(days=policy.no_show_days)
        no_shows = absent.filter(starts_at__gt=since, place=found.place).count()
    day = found.day
    return Standing(
        session=found,
        policy=policy,
        has_questions=found.has_questions,
        is_registered=bool(found.mine),
        household_places=found.of_household or 0,
        no_shows=no_shows,
        last_no_show=found.last_absent,
        not_subscribed=may(member, Activity.EVENTS, day, day) if depends_on_rights(found) else None,
    )


def unit_price(standing: Standing) -> int:
    return standing.session.price_for(standing.is_subscriber)


def paused_until(standing: Standing) -> datetime | None:
    """After too many no-shows: the end of the pause, whoever was told or not."""
    policy = standing.policy
    if not policy.no_show_limit or standing.no_shows < policy.no_show_limit:
        return None
    if standing.last_no_show is None:
        return None
    return end_of(local_day(standing.last_no_show) + timedelta(days=policy.pause_days - 1))


def when_reasons(standing: Standing, now: datetime) -> list[Reason]:
    """The session's hours, by which the desk is not bound before the end."""
    session = standing.session
    if now >= session.closes_at:
        return [Reason("closed", _("Les inscriptions sont closes. Appelez l’accueil."))]
    opens_at = session.opens_at
    if opens_at is not None and now < opens_at:
        text = _("Les inscriptions ouvrent %(moment)s.")
        return [Reason("not_open", text % {"moment": words.moment(opens_at)})]
    others_at = session.others_at
    if others_at is not None and now < others_at and not standing.is_subscriber:
        text = _("Les abonnés s’inscrivent d’abord. Pour vous, c’est dès %(moment)s.")
        return [Reason("subscribers_first", text % {"moment": words.moment(others_at)})]
    return []


def reasons_against(standing: Standing, quantity: int, now: datetime, channel: str) -> list[Reason]:
    """Everything but the places themselves."""
    session = standing.session
    if session.status == SessionStatus.CANCELLED:
        return [Reason("session_cancelled", _("Cette séance est annulée."))]
    if session.event.entry != Entry.LISTED:
        return [Reason("no_registration", _("On vient sans s’inscrire ici."))]
    at_desk = channel == Channel.DESK
    if now >= (session.ends_at if at_desk else session.starts_at):
        return [Reason("begun", _("C’est trop tard : la séance a commencé."))]
    reasons = [] if at_desk else when_reasons(standing, now)
    if standing.is_registered:
        reasons.append(Reason("already_registered", _("Vous êtes déjà inscrit à cette séance.")))
    if session.members_only and standing.not_subscribed is not None:
        reasons.append(standing.not_subscribed)
    pause = None if at_desk else paused_until(standing)
    if pause is not None and now < pause:
        text = _("Plusieurs absences sans prévenir : inscrivez-vous à l’accueil jusqu’au %(day)s.")
        day = local_day(pause - timedelta(days=1))
        reasons.append(Reason("paused", text % {"day": words.day(day)}))
    if not 1 <= quantity <= MOST_AT_ONCE:
        reasons.append(quantity_wrong())
    else:
        reasons += over_household_limit(standing, quantity)
    return reasons


def quantity_wrong() -> Reason:
    text = _("On prend de 1 à %(most)s places.") % {"most": MOST_AT_ONCE}
    return Reason("quantity_wrong", text, "quantity")


def over_household_limit(standing: Standing, quantity: int) -> list[Reason]:
    limit = standing.session.household_limit
    if limit is None or standing.household_places + quantity <= limit:
        return []
    text = ngettext_lazy(
        "Un foyer prend une place au plus à cette séance.",
        "Un foyer prend %(limit)s places au plus à cette séance.",
        limit,
    ) % {"limit": limit}
    return [Reason("household_limit", text, "quantity", {"limit": limit})]


def check(standing: Standing, quantity: int, now: datetime, channel: str) -> None:
    reasons = reasons_against(standing, quantity, now, channel)
    if reasons:
        raise Refused(reasons)
