"""A member did not get what the card gives: the officer looks into it, and says what came of it.

The partner reads that somebody was refused in a week, and what the terms are: never who,
nor on which day. The message leaves once that week is over, so that no day is given away
by the hour at which it comes.
"""

from datetime import date, datetime, time, timedelta

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from club.domain.messages import tell_change
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import at, local_day, monday_of
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Member, Message, User
from marketplace.domain.offers import withdraw
from marketplace.domain.told import tell_partner
from marketplace.enums import HappenedAtTill, ReportStatus
from marketplace.models import Offer, RefusalReport

MOST_DAYS_AGO = 60


@in_one_transaction
def report_refusal(
    member: Member, offer: Offer, *, happened: str, on: date, by: User, now: datetime
) -> RefusalReport:
    today = local_day(now)
    reasons = []
    if happened not in HappenedAtTill.values:
        reasons.append(
            Reason("happened_missing", _("Dites ce qui s’est passé."), "happened")
        )  # fmt: skip
    if on > today:
        reasons.append(Reason("in_future", _("Ce jour n’est pas encore venu."), "on"))
    elif on < today - timedelta(days=MOST_DAYS_AGO):
        text = _("C’est trop ancien : soixante jours au plus. Appelez l’accueil.")
        reasons.append(Reason("too_old", text, "on"))
    if reasons:
        raise Refused(reasons)
    hold(offer)
    if RefusalReport.objects.filter(offer=offer, member=member, happened_on=on).exists():
        raise refuse("already_reported", _("Vous l’avez déjà signalé pour ce jour."), "on")
    report = RefusalReport.objects.create(
        offer=offer, member=member, happened=happened, happened_on=on, reported_at=now
    )
    log(report, "report", by=by, now=now, facts={"from": None, "to": report.status})
    remind_of_terms(offer, monday_of(on), now=now)
    return report


def remind_of_terms(offer: Offer, monday: date, *, now: datetime) -> None:
    """Once for all that happened in one week; under the lock on the offer."""
    key = f"report.terms:{offer.pk}:{monday}"
    if Message.objects.filter(key__startswith=f"{key}:").exists():
        return
    tell_partner(
        offer.partner,
        "report.terms",
        offer,
        key=key,
        now=now,
        due_at=at(monday_of(local_day(now)) + timedelta(days=7), time(8)),
        following=reverse("pro:home"),
        facts={"week": monday.isoformat()},
    )


def is_still_a_fault(offer: Offer, monday: date) -> bool:
    """Whether something that is told of that week was not found untrue."""
    sunday = monday + timedelta(days=6)
    found = RefusalReport.objects.filter(offer=offer, happened_on__range=(monday, sunday))
    return found.exclude(status=ReportStatus.UNFOUNDED).exists()


# -- What came of it ---------------------------------------------------------------------------


def answer(report: RefusalReport, status: str, *, by: User, now: datetime) -> RefusalReport:
    move(report, status, by=by, now=now)
    event = f"report.{status}"
    tell_change(report.member, event, report, key=f"{event}:{report.pk}", now=now)
    return report


@in_one_transaction
def settle(report: RefusalReport, *, by: User, now: datetime) -> RefusalReport:
    """The partner was spoken to."""
    return answer(report, ReportStatus.SETTLED, by=by, now=now)


@in_one_transaction
def find_untrue(report: RefusalReport, *, by: User, now: datetime) -> RefusalReport:
    """The terms were not met."""
    return answer(report, ReportStatus.UNFOUNDED, by=by, now=now)


@in_one_transaction
def withdraw_offer(report: RefusalReport, *, by: User, now: datetime) -> RefusalReport:
    """The offer goes with it; one that is gone already is gone."""
    if report.offer.live and report.offer.withdrawn_on is None:
        withdraw(report.offer, by=by, now=now)
    return answer(report, ReportStatus.WITHDRAWN, by=by, now=now)
