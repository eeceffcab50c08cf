"""May this member do this on that day? The one home of that question."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Max, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from club.enums import RightSource
from club.kernel import words
from club.kernel.refusal import Reason
from club.models import Member, Right


def rights_of(member: Member, activity: str, *, firm: bool = False) -> QuerySet[Right]:
    """The live rights that serve a member: their own and their household's.

    `firm` leaves out what was given before the money has come.
    """
    rights = Right.objects.filter(
        Q(member=None) | Q(member=member),
        household_id=member.household_id,
        activity=activity,
        revoked_at=None,
    )
    return rights.exclude(source=RightSource.AWAITED) if firm else rights


def live_rights(member: Member, on: date) -> QuerySet[Right]:
    """Every right of a member that holds on a day or will, whatever it opens."""
    return Right.objects.filter(
        Q(member=None) | Q(member=member),
        household_id=member.household_id,
        revoked_at=None,
        ends_on__gte=on,
    ).order_by("activity", "starts_on")


@dataclass(frozen=True)
class Coverage:
    """From when to when, without a gap, a member may do something; None: never had it."""

    starts_on: date | None
    ends_on: date | None

    def covers(self, first: date, last: date) -> bool:
        return (
            self.starts_on is not None
            and self.ends_on is not None
            and self.starts_on <= first
            and last <= self.ends_on
        )


def coverage(member: Member, activity: str, on: date, *, firm: bool = False) -> Coverage:
    """The stretch of rights that holds on `on`, neighbours joined; else the last one."""
    stretches: list[tuple[date, date]] = []
    for starts_on, ends_on in (
        rights_of(member, activity, firm=firm)
        .order_by("starts_on")
        .values_list("starts_on", "ends_on")
    ):
        if stretches and (starts_on - stretches[-1][1]).days <= 1:
            stretches[-1] = (stretches[-1][0], max(stretches[-1][1], ends_on))
        else:
            stretches.append((starts_on, ends_on))
    for first, last in stretches:
        if first <= on <= last:
            return Coverage(first, last)
    return Coverage(*stretches[-1]) if stretches else Coverage(None, None)


def covering_until(member: Member, activity: str, on: date) -> Subquery:
    """For a verb's single read: the last day of a right that holds on `on`, or null.

    Where it ends before the booking does, the verb asks `may`, which also joins
    neighbouring rights.
    """
    return Subquery(
        rights_of(member, activity)
        .filter(starts_on__lte=on, ends_on__gte=on)
        .order_by()
        .values("activity")
        .annotate(last=Max("ends_on"))
        .values("last")
    )


def may(
    member: Member, activity: str, first: date, last: date, *, firm: bool = False
) -> Reason | None:
    """None if a right covers the whole of [first, last], else the reason why not.

    `firm` asks for money that has come: a debit under way opens no valuable object.
    """
    held = coverage(member, activity, first, firm=firm)
    if held.covers(first, last):
        return None
    if firm and coverage(member, activity, first).covers(first, last):
        return Reason(
            "payment_awaited", _("Votre paiement est en cours. Cet objet attend qu’il soit reçu.")
        )
    if held.ends_on is None:
        return Reason(
            "no_right", _("Il faut un abonnement actif. Prenez-le en ligne ou à l’accueil.")
        )
    if held.starts_on is not None and first < held.starts_on:
        return Reason(
            "right_not_begun",
            _("Votre abonnement commence le %(day)s.") % {"day": words.day(held.starts_on)},
        )
    return Reason(
        "right_ends",
        _("Votre abonnement s’arrête le %(day)s. Renouvelez-le en ligne ou à l’accueil.")
        % {"day": words.day(held.ends_on)},
        facts={"ends_on": held.ends_on.isoformat()},
    )
