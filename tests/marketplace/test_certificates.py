"""The yearly certificate: what is taken in, where a household stands, when it is recalled."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from club.domain.erasure import erase_member
from club.domain.housekeeping import tidy
from club.domain.outbox import send_due
from club.emails import MailAndSms
from club.enums import TenancyMethod, TenancyResult
from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.kernel.spans import at
from club.models import Household, LogEntry, Member, Message, TenancyCheck, User
from marketplace.domain.certificate_reminders import write_certificate_reminders
from marketplace.domain.certificates import accept, send_certificate, turn_away
from marketplace.enums import CertificateStatus
from marketplace.models import Certificate
from marketplace.queries.certificates import (
    Standing,
    is_tenant,
    line_of,
    readers_of,
    tenants,
    with_standing,
)
from tests.factories.club import MemberFactory
from tests.factories.marketplace import CertificateFactory

pytestmark = pytest.mark.django_db

TODAY = date(2027, 3, 9)
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF"
ACCEPTED = {"status": CertificateStatus.ACCEPTED}
REFUSED = {"status": CertificateStatus.REFUSED, "refused_for": "unreadable"}


@pytest.fixture(autouse=True)
def private_files(settings: Any, tmp_path: Any) -> None:
    private = settings.STORAGES["private"] | {"OPTIONS": {"location": tmp_path, "base_url": None}}
    settings.STORAGES = settings.STORAGES | {"private": private}


def checked(member: Member, result: str = TenancyResult.YES, on: date = TODAY) -> Member:
    TenancyCheck.objects.create(
        member=member, result=result, method=TenancyMethod.PAPER, checked_on=on
    )
    return member


@pytest.fixture
def tenant(member: Member) -> Member:
    return checked(member)


@pytest.fixture
def officer(db: None) -> User:
    return User.objects.create(username="officer")


def sent(member: Member, now: datetime, **more: Any) -> Certificate:
    data = {
        "insurer": "Assurances du Nord",
        "starts_on": date(2027, 3, 1),
        "ends_on": date(2028, 2, 29),
        "file": SimpleUploadedFile("a.pdf", PDF),
        "by": member.user,
    }
    return send_certificate(member, **(data | more), now=now)


def standing(member: Member, on: date = TODAY) -> str:
    return line_of(member.household, on).standing


def codes_of(member: Member, now: datetime, **more: Any) -> list[str]:
    with pytest.raises(Refused) as refused:
        sent(member, now, **more)
    assert not Certificate.objects.exists()
    return refused.value.codes


# -- What is taken in --------------------------------------------------------------------------


def test_a_household_sends_five_before_any_is_read(tenant: Member, now: datetime) -> None:
    for number in range(5):
        sent(tenant, now, insurer=f"Assurances {number}")
    with pytest.raises(Refused) as refused:
        sent(tenant, now, insurer="Assurances 6")
    assert refused.value.codes == ["too_many"]
    accept(Certificate.objects.earliest("pk"), by=tenant.user, now=now)
    sent(tenant, now, insurer="Assurances 6")


def test_it_comes_in_is_read_and_counts(tenant: Member, officer: User, now: datetime) -> None:
    assert standing(tenant) == Standing.MISSING
    one = sent(tenant, now)
    assert (one.household, one.member, standing(tenant)) == (
        tenant.household,
        tenant,
        Standing.TO_CHECK,
    )
    accept(one, by=officer, now=now)
    line = line_of(tenant.household, TODAY)
    assert (line.standing, line.certificate) == (Standing.VALID, one)
    assert "29\u00a0février\u00a02028" in line.said
    assert standing(tenant, date(2028, 2, 29)) == Standing.VALID
    assert standing(tenant, date(2028, 3, 1)) == Standing.EXPIRED
    verbs = LogEntry.objects.filter(subject_kind="certificate").order_by("pk")
    assert list(verbs.values_list("verb", "channel")) == [("receive", "web"), ("accept", "")]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"ends_on": date(2027, 2, 28)}, "dates_in_disorder"),
        ({"starts_on": date(2026, 3, 1), "ends_on": date(2027, 3, 8)}, "over"),
        ({"ends_on": date(2028, 4, 2)}, "too_long"),
        ({"starts_on": date(2027, 5, 9)}, "too_early"),
        ({"insurer": "  "}, "insurer_missing"),
        ({"file": None}, "file_missing"),
    ],
)
def test_what_is_no_certificate_of_today_is_refused(
    tenant: Member, now: datetime, more: Any, code: str
) -> None:
    assert codes_of(tenant, now, **more) == [code]


@pytest.mark.parametrize(
    ("starts_on", "ends_on"),
    [
        (date(2026, 3, 10), date(2027, 3, 9)),
        (date(2027, 3, 1), date(2028, 4, 1)),
        (date(2027, 5, 8), date(2028, 5, 7)),
        (date(2027, 3, 9), date(2027, 3, 9)),
    ],
)
def test_the_limits_are_inside(
    tenant: Member, now: datetime, starts_on: date, ends_on: date
) -> None:
    assert sent(tenant, now, starts_on=starts_on, ends_on=ends_on).pk


def test_who_is_no_tenant_is_not_asked_and_sends_none(member: Member, now: datetime) -> None:
    assert not is_tenant(member.household)
    assert codes_of(member, now) == ["no_tenant"]


def test_the_last_answer_of_the_household_counts(member: Member) -> None:
    checked(member, on=TODAY - timedelta(days=9))
    assert is_tenant(member.household)
    checked(MemberFactory(place=member.place, household=member.household), TenancyResult.NO)
    assert not is_tenant(member.household)


def test_a_press_that_comes_twice_sends_it_once(tenant: Member, now: datetime) -> None:
    assert sent(tenant, now) == sent(tenant, now + timedelta(seconds=2))
    assert sent(tenant, now + timedelta(hours=1)) != Certificate.objects.earliest("pk")


def test_another_photo_of_the_same_paper_is_not_thrown_away(tenant: Member, now: datetime) -> None:
    first = sent(tenant, now)
    sharper = sent(tenant, now, file=SimpleUploadedFile("b.jpg", b"\xff\xd8\xff sharper"))
    assert first != sharper
    with sharper.file.open() as kept:
        assert b"sharper" in kept.read()


def test_a_paper_that_staff_have_read_counts_at_once(
    tenant: Member, officer: User, now: datetime
) -> None:
    one = sent(tenant, now, by=officer, file=None)
    assert (one.status, bool(one.file)) == (CertificateStatus.ACCEPTED, False)
    last = LogEntry.objects.filter(subject_kind="certificate").latest("pk")
    assert (last.verb, last.channel, last.actor) == ("read", "desk", officer)
    assert not Message.objects.exists()
    assert sent(tenant, now, by=officer, file=None) == one


def test_a_refusal_says_why_and_what_to_do(tenant: Member, officer: User, now: datetime) -> None:
    one = sent(tenant, now)
    with pytest.raises(Refused):
        turn_away(one, refused_for="", by=officer, now=now)
    turn_away(one, refused_for="other_home", by=officer, now=now)
    assert standing(tenant) == Standing.REFUSED
    assert "pour un autre logement" in line_of(tenant.household, TODAY).said
    with MailAndSms() as transport:
        send_due(now + timedelta(minutes=10), transport)
    (letter,) = mail.outbox
    assert "pour un autre logement" in letter.body
    assert "celle de votre logement" in letter.body
    sent(tenant, now + timedelta(days=1))
    assert standing(tenant) == Standing.TO_CHECK


def test_a_slip_that_is_corrected_is_one_message(
    tenant: Member, officer: User, now: datetime
) -> None:
    one = sent(tenant, now)
    turn_away(one, refused_for="dates", by=officer, now=now)
    accept(one, by=officer, now=now + timedelta(minutes=2))
    with MailAndSms() as transport:
        send_due(now + timedelta(minutes=20), transport)
    (letter,) = mail.outbox
    assert letter.subject.startswith("Votre attestation d’assurance est vérifiée")


def test_what_is_over_is_not_accepted(tenant: Member, officer: User) -> None:
    old = CertificateFactory(member=tenant, ends_on=date(2027, 3, 8))
    with pytest.raises(Refused) as refused:
        accept(old, by=officer, now=at(TODAY, time(9)))
    assert refused.value.codes == ["over"]


# -- Where a household stands ------------------------------------------------------------------

papers = st.lists(
    st.tuples(st.integers(-400, 60), st.integers(0, 390), st.sampled_from(list(CertificateStatus))),
    max_size=4,
)


def plainly(rows: list[Any], on: date) -> str:
    """The same told row by row: what runs goes before what is over."""
    if any(status == "accepted" and last >= on for last, status in rows):
        return "valid"
    if any(status == "received" and last >= on for last, status in rows):
        return "to_check"
    if not rows:
        return "missing"
    return "refused" if rows[-1][1] == "refused" else "expired"


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=papers)
def test_the_standing_against_a_plain_model(member: Member, rows: list[Any]) -> None:
    Certificate.objects.all().delete()
    plain = []
    for n, (start, length, status) in enumerate(rows):
        first = TODAY + timedelta(days=start)
        last = first + timedelta(days=length)
        CertificateFactory(
            member=member, starts_on=first, ends_on=last, status=status,
            refused_for="dates" if status == "refused" else "",
            received_at=at(TODAY, time(8)) + timedelta(minutes=n),
        )  # fmt: skip
        plain.append((last, str(status)))
    line = line_of(member.household, TODAY)
    assert line.standing == plainly(plain, TODAY)
    assert (line.certificate is None) == (line.standing == "missing")
    assert "assuré" not in line.said
    if line.certificate is not None and line.standing in {"valid", "to_check"}:
        assert line.certificate.ends_on >= TODAY


@pytest.mark.parametrize("number", [1, 3])
def test_a_list_costs_the_same(
    place: Any, now: datetime, number: int, django_assert_num_queries: Any
) -> None:
    from marketplace.queries.certificates import lines_of

    for _time in range(number):
        CertificateFactory(member=checked(MemberFactory(place=place)))
    with django_assert_num_queries(4):
        lines = lines_of(with_standing(tenants(), TODAY), TODAY)
    assert len(lines) == number


def test_who_sent_the_last_is_told_else_the_first_who_can_be(place: Any, now: datetime) -> None:
    first = MemberFactory(place=place, user__email="")
    second, third = (MemberFactory(place=place, household=first.household) for _n in range(2))
    home = first.household_id
    assert readers_of([home]) == {home: second}
    CertificateFactory(member=third)
    assert readers_of([home]) == {home: third}
    CertificateFactory(member=first, received_at=now + timedelta(days=1))
    assert readers_of([home]) == {home: second}
    User.objects.update(email="")
    assert readers_of([home]) == {}


# -- Reminders ---------------------------------------------------------------------------------


def day_by_day(first: date, last: date) -> dict[date, list[str]]:
    """What leaves on which day, with the worker up at eight."""
    told: dict[date, list[str]] = {}
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        mail.outbox.clear()
        write_certificate_reminders(at(day, time(8)))
        write_certificate_reminders(at(day, time(8, 1)))
        with MailAndSms() as transport:
            send_due(at(day, time(8, 2)), transport)
        if mail.outbox:
            told[day] = [letter.subject for letter in mail.outbox]
    return told


def test_a_year_is_recalled_on_three_days_across_its_turn(tenant: Member) -> None:
    CertificateFactory(
        member=tenant, starts_on=date(2027, 1, 1), ends_on=date(2027, 12, 31), **ACCEPTED
    )
    told = day_by_day(date(2027, 11, 25), date(2028, 1, 25))
    assert list(told) == [date(2027, 12, 1), date(2027, 12, 31), date(2028, 1, 15)]
    assert [len(letters) for letters in told.values()] == [1, 1, 1]
    assert all("non assuré" not in letter.body.lower() for letter in mail.outbox)


def test_the_words_are_of_what_came_in_and_never_of_the_household(tenant: Member) -> None:
    CertificateFactory(member=tenant, ends_on=date(2027, 3, 31), **ACCEPTED)
    told = day_by_day(date(2027, 4, 15), date(2027, 4, 15))
    assert told[date(2027, 4, 15)][0].startswith("Votre attestation d’assurance a pris fin le")
    (letter,) = mail.outbox
    for form in (letter.body, letter.alternatives[0].content):
        assert "Nous n’avons pas reçu la suivante." in form
        assert "Tout assureur convient." in form
        assert "non assuré" not in form
        assert "/attestation-assurance/" in form
        assert "/avantages/" not in form


@pytest.mark.parametrize("status", ["received", "accepted"])
def test_nothing_is_told_once_a_newer_one_has_come_in(tenant: Member, status: str) -> None:
    CertificateFactory(member=tenant, ends_on=date(2027, 12, 31), **ACCEPTED)
    CertificateFactory(
        member=tenant, starts_on=date(2028, 1, 1), ends_on=date(2028, 12, 31), status=status
    )
    assert day_by_day(date(2027, 11, 25), date(2028, 1, 25)) == {}


def test_one_sent_between_the_job_and_the_sending_stops_it(tenant: Member) -> None:
    CertificateFactory(member=tenant, ends_on=date(2027, 12, 31), **ACCEPTED)
    write_certificate_reminders(at(date(2027, 12, 1), time(8)))
    CertificateFactory(member=tenant, starts_on=date(2028, 1, 1), ends_on=date(2028, 12, 31))
    with MailAndSms() as transport:
        assert send_due(at(date(2027, 12, 1), time(8, 1)), transport).dropped == 1


def test_a_newer_one_that_was_refused_stops_nothing(tenant: Member) -> None:
    CertificateFactory(member=tenant, ends_on=date(2027, 12, 31), **ACCEPTED)
    CertificateFactory(
        member=tenant, starts_on=date(2028, 1, 1), ends_on=date(2028, 12, 31), **REFUSED
    )
    assert len(day_by_day(date(2027, 11, 25), date(2028, 1, 25))) == 3


def test_who_is_no_tenant_any_more_is_told_nothing(tenant: Member) -> None:
    CertificateFactory(member=tenant, ends_on=date(2027, 12, 31), **ACCEPTED)
    checked(tenant, TenancyResult.NO, TODAY + timedelta(days=1))
    assert day_by_day(date(2027, 12, 1), date(2027, 12, 2)) == {}


def test_a_worker_that_was_down_tells_it_late_and_one_of_them_alone(tenant: Member) -> None:
    CertificateFactory(member=tenant, ends_on=date(2027, 12, 31), **ACCEPTED)
    assert list(day_by_day(date(2027, 12, 5), date(2027, 12, 20))) == [date(2027, 12, 5)]
    assert list(day_by_day(date(2028, 1, 18), date(2028, 2, 20))) == [date(2028, 1, 18)]


def test_two_of_one_end_are_recalled_once(tenant: Member) -> None:
    for _time in range(2):
        CertificateFactory(member=tenant, ends_on=date(2027, 12, 31), **ACCEPTED)
    assert [len(one) for one in day_by_day(date(2027, 12, 1), date(2027, 12, 1)).values()] == [1]


def test_a_batch_reads_as_much_for_three_as_for_one(place: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for number, day in ((1, date(2027, 12, 31)), (3, date(2028, 12, 31))):
        for _time in range(number):
            CertificateFactory(
                member=checked(MemberFactory(place=place)), starts_on=day - timedelta(days=300),
                ends_on=day, **ACCEPTED,
            )  # fmt: skip
        morning = at(day - timedelta(days=30), time(8))
        write_certificate_reminders(morning)
        with CaptureQueriesContext(connection) as queries, MailAndSms() as transport:
            assert send_due(morning, transport).sent == number
        counts.append(len([q for q in queries if q["sql"].startswith("SELECT")]))
    assert counts[0] == counts[1]


# -- How long it is kept -----------------------------------------------------------------------


def test_this_year_and_the_last_are_kept_and_messages_go_along(tenant: Member) -> None:
    CertificateFactory(member=tenant, ends_on=date(2026, 12, 31), starts_on=date(2026, 1, 1))
    old = CertificateFactory(
        member=tenant, ends_on=date(2025, 12, 31), starts_on=date(2025, 1, 1), **ACCEPTED
    )
    Message.objects.create(
        key="old", event="certificate.ended_15", member=tenant, subject_kind="certificate",
        subject_id=old.pk, channel="email", due_at=at(date(2026, 1, 15), time(8)),
    )  # fmt: skip
    tidy(at(date(2026, 12, 31), time(5)))
    assert Certificate.objects.count() == 2
    tidy(at(date(2027, 1, 1), time(5)))
    assert Certificate.objects.get().ends_on == date(2026, 12, 31)
    (subjects,) = [one for one in all_invariants() if one.name == "subjects"]
    assert list(subjects.violations()) == []


def test_an_erasure_takes_the_file_with_it(
    tenant: Member, now: datetime, django_capture_on_commit_callbacks: Any
) -> None:
    one = sent(tenant, now)
    storage, name = one.file.storage, one.file.name
    assert storage.exists(name)
    assert "a.pdf" not in name
    with django_capture_on_commit_callbacks(execute=True):
        erase_member(tenant, by=None, now=now)
    assert not Certificate.objects.exists()
    assert not storage.exists(name)


def test_the_other_adults_keep_what_the_household_sent(tenant: Member, now: datetime) -> None:
    other = MemberFactory(place=tenant.place, household=tenant.household)
    sent(tenant, now)
    erase_member(tenant, by=None, now=now)
    assert Certificate.objects.get().household == Household.objects.get(members=other)
