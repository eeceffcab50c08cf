"""People who are gone for good: warned, then erased, unless they come back.

An account ends so many months after its last activity, and never sooner than some
months after its last right ended. A month before, its owner is told; the line in the
log is the proof, also for who has neither e-mail nor phone. What stands in the way of
an erasure (a debt, a deposit) stands in the way of this one: the account stays, and
`manage.py retention --dry-run` names it.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.domain.erasure import erase_member, obstacles
from club.domain.messages import tell
from club.kernel import personal
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log
from club.models import LogEntry, Member, Right

WARNED = "warn_of_erasure"

logger = logging.getLogger(__name__)


@dataclass
class Round:
    """What one round did, or would do."""

    warned: list[int] = field(default_factory=list)
    erased: list[int] = field(default_factory=list)
    in_the_way: dict[int, list[str]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)


def warning() -> timedelta:
    return timedelta(days=settings.RETENTION_WARNING_DAYS)


def idle_at(moment: datetime) -> QuerySet[Member]:
    """Members whose time is over at a moment, if they do nothing until then."""
    since = moment - relativedelta(months=settings.RETENTION_ACCOUNT_MONTHS)
    lapse = local_day(moment - relativedelta(months=settings.RETENTION_LAPSE_MONTHS))
    found = Member.objects.filter(
        user__is_active=True,
        user__is_staff=False,
        user__is_superuser=False,
        user__assignments=None,
    )
    for room in personal.rooms():
        for busy in room.recent(since):
            found = found.exclude(pk__in=busy)
    lasting = Right.objects.filter(revoked_at=None, ends_on__gte=lapse)
    return found.exclude(household__in=lasting.values("household"))


def warned_between(first: datetime, last: datetime) -> QuerySet:
    lines = LogEntry.objects.filter(subject_kind="member", verb=WARNED, at__gt=first, at__lte=last)
    return lines.values("subject_id")


def to_warn(now: datetime) -> QuerySet[Member]:
    end = now + warning()
    since = end - relativedelta(months=settings.RETENTION_ACCOUNT_MONTHS)
    return idle_at(end).exclude(pk__in=warned_between(since, now)).order_by("pk")


def to_erase(now: datetime) -> QuerySet[Member]:
    """A warning of an earlier sleep does not count: its owner came back since."""
    since = now - relativedelta(months=settings.RETENTION_ACCOUNT_MONTHS)
    return idle_at(now).filter(pk__in=warned_between(since, now - warning())).order_by("pk")


@in_one_transaction
def warn(member: Member, *, now: datetime) -> None:
    day = local_day(now + warning())
    log(member, WARNED, by=None, now=now, facts={"on": day.isoformat()})
    key = f"account.ends:{member.pk}:{day}"
    tell(member, "account.ends", member, key=key, now=now, facts={"on": day.isoformat()})


def retain(now: datetime, *, dry_run: bool = False) -> Round:
    """Warn, then erase; each person in a transaction of their own. A dry run only looks."""
    done = Round()
    people = Member.objects.select_related("user", "household")
    for member in people.filter(pk__in=to_erase(now).values("pk")).order_by("pk"):
        reasons = [reason.code for reason in obstacles(member, now)]
        if not reasons and not dry_run:
            try:
                erase_member(member, by=None, now=now)
            except Refused as refused:
                reasons = refused.codes
        if reasons:
            done.in_the_way[member.pk] = reasons
        else:
            done.erased.append(member.pk)
    for member in people.filter(pk__in=to_warn(now).values("pk")).order_by("pk"):
        if not dry_run:
            warn(member, now=now)
        done.warned.append(member.pk)
    done.rows = {term.name: term.rows(now).count() for term in personal.terms()}
    if not dry_run:
        logger.info(
            "Retention: %d warned, %d erased, %d with something in the way.",
            len(done.warned), len(done.erased), len(done.in_the_way),
        )  # fmt: skip
    return done


def kept_for() -> list[tuple[str, str]]:
    """What is kept and how long, in words: for the page about personal data."""

    def months(number: int) -> str:
        return ngettext("%(number)d mois", "%(number)d mois", number) % {"number": number}

    return [
        (
            _("Votre compte"),
            _("%(months)s après votre dernière visite, et %(lapse)s au moins après vos droits")
            % {
                "months": months(settings.RETENTION_ACCOUNT_MONTHS),
                "lapse": months(settings.RETENTION_LAPSE_MONTHS),
            },
        ),
        (_("Les messages envoyés"), months(settings.RETENTION_MESSAGES_MONTHS)),
        (
            _("Les passages de carte"),
            _("%(months)s, puis seulement des totaux")
            % {"months": months(settings.RETENTION_SCANS_MONTHS)},
        ),
        (
            _("Vos avis"),
            _("%(months)s, puis seulement des totaux")
            % {"months": months(settings.RETENTION_SCANS_MONTHS)},
        ),
        (_("Les reçus et les comptes"), _("10 ans, comme la loi le demande")),
    ]
