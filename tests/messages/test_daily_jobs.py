from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from club.domain.housekeeping import tidy
from club.enums import Scope
from club.kernel import jobs
from club.kernel.jobs import DailyJob
from club.kernel.spans import at
from club.models import ApiToken, Heartbeat, IdempotentAnswer, Member, Message
from club.tasks import run_daily_jobs, send_messages
from concierge.enums import LoanStatus
from concierge.models import Copy, Loan
from concierge.tasks import lapse_loans
from tests.factories.club import ClosureFactory
from tests.factories.concierge import CopyFactory, LoanFactory

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def ran(monkeypatch: Any) -> list[datetime]:
    """A job of its own, alone in the register."""
    times: list[datetime] = []
    job = DailyJob("probe", 3, times.append)
    monkeypatch.setattr(jobs, "_daily", {"probe": job})
    return times


def test_the_house_has_its_jobs() -> None:
    assert [(job.name, job.hour) for job in jobs.daily()] == [
        ("payments", 2),
        ("deliveries", 3),
        ("mandates", 3),
        ("schedules", 3),
        ("subscriptions", 3),
        ("attendance", 4),
        ("closure-calls", 4),
        ("lapse", 4),
        ("offer-counts", 4),
        ("old-opinions", 4),
        ("order-names", 4),
        ("parcel-names", 4),
        ("stay-pictures", 4),
        ("tidy", 4),
        ("walk-in-names", 4),
        ("retention", 5),
        ("stays", 5),
        ("offers", 6),
        ("slot-wishes", 6),
        ("appointment-reminders", 7),
        ("event-reminders", 7),
        ("order-reminders", 7),
        ("parcels", 7),
        ("partner-papers", 7),
        ("reminders", 7),
        ("renewal-reminders", 7),
        ("stay-reminders", 7),
        ("certificates", 8),
        ("partner-month", 8),
        ("partner-pages", 8),
        ("visits", 8),
        ("opinions", 10),
    ]


@pytest.mark.parametrize(
    "night", [date(2027, 3, 28), date(2027, 10, 31), date(2027, 3, 9), date(2028, 2, 29)]
)
def test_once_a_day_whatever_the_clock_does(db: None, ran: list[datetime], night: date) -> None:
    first = datetime.combine(night - timedelta(days=1), time(12), tzinfo=PARIS).timestamp()
    for minute in range(0, 48 * 60, 10):
        run_daily_jobs(datetime.fromtimestamp(first + minute * 60, tz=PARIS))
    days = [timezone.localtime(moment).date() for moment in ran]
    assert days == [night + timedelta(days=n) for n in (-1, 0, 1)]


def test_a_worker_that_was_down_runs_it_later_on_the_day_and_not_twice_after(
    db: None, ran: list[datetime], now: datetime
) -> None:
    run_daily_jobs(now)
    run_daily_jobs(now + timedelta(days=3))
    run_daily_jobs(now + timedelta(days=3, hours=1))
    assert ran == [now, now + timedelta(days=3)]


def test_not_before_its_hour(db: None, ran: list[datetime], now: datetime) -> None:
    run_daily_jobs(now.replace(hour=2, minute=59))
    assert ran == []


def test_a_job_that_fails_is_tried_again_and_leaves_the_others_alone(
    db: None, ran: list[datetime], now: datetime, monkeypatch: Any
) -> None:
    def fail(now: datetime) -> None:
        raise RuntimeError

    jobs._daily["another"] = DailyJob("another", 1, fail)
    run_daily_jobs(now)
    run_daily_jobs(now + timedelta(minutes=1))
    assert ran == [now]
    assert not Heartbeat.objects.filter(name="job:another").exists()
    jobs._daily["another"] = DailyJob("another", 1, ran.append)
    run_daily_jobs(now + timedelta(minutes=2))
    assert ran == [now, now + timedelta(minutes=2)]


def test_all_jobs_of_the_house_run_on_an_empty_house(db: None, now: datetime) -> None:
    run_daily_jobs(now)
    send_messages()
    assert Heartbeat.objects.filter(name__startswith="job:").count() == len(list(jobs.daily()))


def test_claims_whose_day_is_over_lapse_at_night_and_no_others(
    member: Member, copy: Copy, now: datetime
) -> None:
    day = now.date()
    over = LoanFactory(
        member=member, copy=copy, starts_at=at(day, time(9)), pickup_ends_at=at(day, time(18))
    )
    later = LoanFactory(
        member=member,
        copy=CopyFactory(place=copy.place),
        starts_at=at(day + timedelta(days=1), time(9)),
        pickup_ends_at=at(day + timedelta(days=1), time(18)),
    )
    lapse_loans(at(day, time(23, 59)))
    assert set(Loan.objects.values_list("status", flat=True)) == {LoanStatus.RESERVED}
    lapse_loans(at(day + timedelta(days=1), time(4)))
    over.refresh_from_db()
    later.refresh_from_db()
    assert (over.status, later.status) == (LoanStatus.LAPSED, LoanStatus.RESERVED)
    assert list(Message.objects.values_list("event", flat=True)) == ["loan.lapsed"]


def test_a_day_that_turned_out_to_be_closed_does_not_count(
    member: Member, copy: Copy, now: datetime
) -> None:
    loan = LoanFactory(
        member=member,
        copy=copy,
        starts_at=at(date(2027, 3, 16), time(9)),
        pickup_ends_at=at(date(2027, 3, 16), time(18)),
    )
    ClosureFactory(place=copy.place)
    lapse_loans(at(date(2027, 3, 20), time(4)))
    loan.refresh_from_db()
    assert loan.status == LoanStatus.RESERVED


def test_the_night_forgets_what_is_old_and_keeps_what_is_not(member: Member, now: datetime) -> None:
    token = ApiToken.objects.create(
        user=member.user, name="a", digest="d", scope=Scope.WRITE, created_at=now
    )
    for days in (2, 4):
        IdempotentAnswer.objects.create(
            token=token,
            key=f"{days}",
            request_digest="x",
            status=201,
            body="{}",
            answered_at=now - timedelta(days=days),
        )
        Session.objects.create(
            session_key=f"s{days}", session_data="", expire_date=now + timedelta(days=days - 3)
        )
    for key, status, months in [
        ("old", "sent", 14),
        ("young", "sent", 12),
        ("dropped", "dropped", 14),
        ("failed", "failed", 14),
        ("waiting", "pending", 14),
    ]:
        Message.objects.create(
            key=key,
            event="loan.reserved",
            member=member,
            subject_kind="loan",
            subject_id=1,
            channel="email",
            status=status,
            due_at=now - timedelta(days=31 * months),
        )
    Heartbeat.objects.create(name="cluster:gone", beat_at=now - timedelta(days=31))
    Heartbeat.objects.create(name="job:reminders", beat_at=now - timedelta(days=31))
    tidy(now)
    assert list(IdempotentAnswer.objects.values_list("key", flat=True)) == ["2"]
    assert list(Session.objects.values_list("session_key", flat=True)) == ["s4"]
    assert set(Message.objects.values_list("key", flat=True)) == {"young", "waiting"}
    assert list(Heartbeat.objects.values_list("name", flat=True)) == ["job:reminders"]
