"""Erased: a person is in no table and no file, and every sum is what it was."""

import base64
import json
import pickle
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.mail import EmailMessage
from django.db import connection
from django.db.models import Sum
from django.test import Client
from wagtail.admin.models import FormState
from wagtail.log_actions import log as wagtail_log
from wagtail.models import ModelLogEntry
from wagtail.users.models import UserProfile

from club import sms
from club.domain import members
from club.domain.consents import give_consent
from club.domain.erasure import erase_member, obstacles
from club.domain.ledger import enter
from club.domain.receipts import take_payment
from club.domain.tokens import create_token
from club.enums import Account, ConsentKind, EntryKind, Means, RightSource, Role
from club.kernel.invariants import all_invariants
from club.kernel.purchases import Due
from club.kernel.refusal import Refused
from club.models import (
    Card,
    Checkout,
    CodedNote,
    Customer,
    Household,
    IdempotentAnswer,
    LedgerEntry,
    LogEntry,
    Mandate,
    Member,
    Message,
    Place,
    Receipt,
    Refund,
    Right,
    User,
)
from cms.models import DefectReport
from concierge.domain.lending import hand_over, reserve_tool, take_back
from concierge.domain.subscriptions import add_period, subscribe
from concierge.enums import LoanStatus, Renewal, SubscriptionStatus
from concierge.models import Copy, Loan, PlanListing, SubscriptionPeriod
from tests.factories.club import AssignmentFactory, MemberFactory
from tests.factories.concierge import CopyFactory, ToolFactory
from tests.factories.money import (
    PlanFactory,
    SubscriptionFactory,
    TenancyCheckFactory,
    TillDayFactory,
)
from tests.signin import sign_in_staff

NAME, FIRST, EMAIL, PHONE = "Zweifelhuber", "Quintilla", "zweifel@marque.example", "+33639987654"
MARKS = (NAME, FIRST, EMAIL, "639987654")


# -- Looking for somebody, everywhere ----------------------------------------------------------


def unpacked(value: Any) -> str:
    """A cell as text, with what Django packs into it: sessions, cached and queued things."""
    text = bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
    found = [text]
    for piece in text.replace(":", " ").split():
        for decoded in (base64.b64decode, base64.urlsafe_b64decode):
            try:
                raw = decoded(piece.lstrip(".") + "=" * (-len(piece.lstrip(".")) % 4))
            except ValueError:
                continue
            found.append(raw.decode("latin-1"))
            with suppress(zlib.error):
                found.append(zlib.decompress(raw).decode("latin-1"))
    return "\n".join(found).casefold()


def marked(*marks: str) -> set[str]:
    """The tables of the whole database in which one of the words is."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            text = "\n".join(unpacked(value) for row in cursor.fetchall() for value in row)
            if any(mark.casefold() in text for mark in marks):
                found.add(table)
    return found


def marked_files(*folders: Path) -> list[str]:
    return [
        str(path)
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and any(mark.encode() in path.read_bytes() for mark in MARKS)
    ]


# -- Somebody with everything -------------------------------------------------------------------


@pytest.fixture
def clerk(place: Place) -> User:
    return AssignmentFactory(place=place).user


@pytest.fixture
def person(place: Place, clerk: User, now: datetime) -> Member:
    return members.register_member(
        first_name=FIRST, last_name=NAME, place=place, email=EMAIL, phone=PHONE, by=clerk, now=now
    )


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> list[Path]:
    settings.EMAIL_BACKEND = "club.mail.FileBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    settings.VAR_DIR = tmp_path
    settings.SMS_SENDER = "club.sms.ConsoleSender"
    return [tmp_path / "mail", tmp_path / "sms", tmp_path / "media"]


def lent_and_paid(person: Member, copy: Copy, clerk: User, now: datetime) -> None:
    """A loan that was returned, one that is reserved, a year that was paid at the desk."""
    TillDayFactory(place=person.place, opened_by=clerk)
    plan = PlanFactory(landlord=person.place.landlord)
    subscription = subscribe(person, plan, place=person.place, by=clerk, now=now)
    take_payment(
        member=person, place=person.place, means=Means.CASH, by=clerk, now=now,
        lines=[Due("subscription", subscription.pk, "Abonnement", 1200)],
    )  # fmt: skip
    hand_over(copy=copy, member=person, by=clerk, now=now)
    take_back(copy=copy, by=clerk, now=now + timedelta(hours=1))
    reserve_tool(
        member=person, tool=copy.tool, place=person.place, by=person.user, now=now,
        starts_on=now.date() + timedelta(days=7),
    )  # fmt: skip


def signed_in_and_typed(person: Member, clerk: User, now: datetime) -> None:
    """Sessions, devices, second factors, tokens, tries: all that signing in leaves."""
    user = person.user
    client = Client(REMOTE_ADDR="192.0.2.1", headers={"user-agent": "x"})
    client.force_login(user)
    assert client.get("/mon-espace/").status_code == 200
    typing = Client().session
    typing["account_login"] = {"email": EMAIL, "phone": PHONE}
    typing.save()
    Authenticator.objects.create(user=user, type="totp", data={"secret": NAME})
    UserProfile.objects.create(user=user, avatar=ContentFile(NAME.encode(), "moi.png"))
    for model in (AccessLog, AccessFailureLog):
        model.objects.create(username=EMAIL, ip_address="192.0.2.1", user_agent="x")
    AccessAttempt.objects.create(username=EMAIL, failures_since_start=1)
    AccessAttempt.objects.create(username="x", post_data=f"email={EMAIL}", failures_since_start=1)
    token, _plain = create_token(user, f"Agenda de {NAME}", "write", now)
    IdempotentAnswer.objects.create(
        token=token, key="k", request_digest="d", status=201, answered_at=now,
        body=json.dumps({"member": f"{FIRST} {NAME}"}),
    )  # fmt: skip
    user.groups.add(Group.objects.create(name="essai"))


def written_about(person: Member, clerk: User, place: Place, now: datetime) -> None:
    """What the desk, the admin and the site write about somebody."""
    give_consent(person, ConsentKind.CLUB_NEWS, by=person.user, now=now)
    give_consent(person, ConsentKind.SMS, by=person.user, now=now)
    CodedNote.objects.create(member=person, code="call_first")
    TenancyCheckFactory(member=person)
    members.issue_claim(person, by=clerk, now=now)
    members.rename_member(person, first_name=FIRST, last_name=NAME, by=clerk, now=now)
    plan = PlanFactory(landlord=place.landlord, audience="listed")
    PlanListing.objects.create(plan=plan, member=person, listed_at=now)
    Message.objects.create(
        key="essai", event="loan.moved", member=person, subject_kind="member", channel="email",
        subject_id=person.pk, facts={"name": NAME}, due_at=now, error=f"<{EMAIL}> unknown",
    )  # fmt: skip
    LogEntry.objects.create(
        subject_kind="member", subject_id=person.pk, verb="x", at=now, facts={"was": NAME}
    )
    for row in (person, person.user, person.household):
        wagtail_log(row, "wagtail.edit", user=clerk, data={"title": f"{FIRST} {NAME}"})
    FormState.objects.create(
        user=clerk, content_type=ContentType.objects.get_for_model(Member),
        object_id="", data=json.dumps({"last_name": NAME, "email": EMAIL}), last_updated_at=now,
    )  # fmt: skip
    DefectReport.objects.create(
        place=place, page="/", what=f"Illisible. {NAME}", email=EMAIL, reported_at=now
    )


def paid_online(person: Member, now: datetime) -> None:
    customer = Customer.objects.create(
        household=person.household, provider_id="cus_1", payer=person, created_at=now
    )
    Mandate.objects.create(
        customer=customer, provider_id="mandate_1", last4="7654", accepted_on=now.date()
    )
    Checkout.objects.create(
        household=person.household, member=person, place=person.place, subject_kind="x",
        subject_id=1, cents=1200, reference="ref", expires_at=now, created_at=now,
        status="paid", paid_at=now, url=f"https://pay.example/?email={EMAIL}",
    )  # fmt: skip


@pytest.fixture
def everywhere(
    person: Member, copy: Copy, clerk: User, place: Place, now: datetime, files: list[Path],
    time_machine: Any,
) -> Member:  # fmt: skip
    time_machine.move_to(now, tick=False)
    lent_and_paid(person, copy, clerk, now)
    signed_in_and_typed(person, clerk, now)
    written_about(person, clerk, place, now)
    paid_online(person, now)
    connection_of_mail = mail.get_connection("club.mail.FileBackend")
    connection_of_mail.send_messages(
        [
            EmailMessage("x", f"Bonjour {NAME}", to=[EMAIL]),
            EmailMessage("y", "Bonjour Aline", to=["aline@example.org"]),
        ]
    )
    sms.send_sms(PHONE, "Votre code est 123456")
    sms.send_sms("+33639980000", "Votre code est 654321")
    return person


def sums() -> dict[str, Any]:
    return {
        "ledger": list(LedgerEntry.objects.order_by("pk").values_list("cents", "source", "member")),
        "by means": list(
            LedgerEntry.objects.values("means").annotate(s=Sum("cents")).order_by("means")
        ),
        "receipts": list(Receipt.objects.order_by("pk").values_list("number", "cents", "member")),
        "returned": Loan.objects.filter(status=LoanStatus.RETURNED).count(),
        "loans": Loan.objects.count(),
        "periods": list(
            SubscriptionPeriod.objects.order_by("pk").values_list("starts_on", "ends_on", "cents")
        ),
    }  # fmt: skip


# -- Teeth ---------------------------------------------------------------------------------------


WHERE = {
    "account_emailaddress", "axes_accessattempt", "axes_accessfailurelog", "axes_accesslog",
    "club_apitoken", "club_checkout", "club_idempotentanswer", "club_logentry", "club_member",
    "club_message", "club_user", "cms_defectreport", "django_session", "mfa_authenticator",
    "wagtailadmin_formstate", "wagtailcore_modellogentry",
}  # fmt: skip


def test_an_erased_person_is_nowhere_and_sums_stay(
    everywhere: Member, clerk: User, now: datetime, files: list[Path],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:  # fmt: skip
    assert marked(*MARKS) >= WHERE
    assert len(marked_files(*files)) == 3
    before = sums()
    with django_capture_on_commit_callbacks(execute=True):
        erase_member(everywhere, by=clerk, now=now)
    assert marked(*MARKS) == set()
    assert marked_files(*files) == []
    assert sums() == before
    entry = LogEntry.objects.get(verb="erase")
    assert (entry.subject_id, entry.actor, entry.facts) == (everywhere.pk, clerk, {})


def broken() -> list[str]:
    return [line for invariant in all_invariants() for line in invariant.violations()]


def test_what_must_always_hold_holds_after(
    person: Member, copy: Copy, clerk: User, place: Place, now: datetime
) -> None:
    lent_and_paid(person, copy, clerk, now)
    karim = MemberFactory(household=person.household, place=place)
    before = broken()
    assert before == [f"copy {copy.pk} is active, but its log says None"]
    for one in (person, karim):
        erase_member(one, by=clerk, now=now)
        assert broken() == before


def test_what_is_others_stays(
    everywhere: Member, other_member: Member, clerk: User, now: datetime, files: list[Path],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:  # fmt: skip
    give_consent(other_member, ConsentKind.CLUB_NEWS, by=other_member.user, now=now)
    create_token(other_member.user, "Agenda", "read", now)
    wagtail_log(other_member, "wagtail.edit", user=clerk)
    theirs = Client()
    theirs.force_login(other_member.user)
    with django_capture_on_commit_callbacks(execute=True):
        erase_member(everywhere, by=clerk, now=now)
    assert theirs.get("/mon-espace/").status_code == 200
    assert other_member.consents.count() == 1 and other_member.user.access_tokens.count() == 1
    assert ModelLogEntry.objects.filter(label="Aline Roussel").exists()
    letters = b"".join(path.read_bytes() for path in files[0].glob("*"))
    assert b"aline@example.org" in letters and b"Bonjour Aline" in letters
    assert [path.read_text()[:12] for path in files[1].glob("*")] == ["+33639980000"]


def test_what_a_person_can_open_is_shut(everywhere: Member, now: datetime) -> None:
    client = Client()
    client.force_login(everywhere.user)
    card, feed = everywhere.cards.get(), everywhere.feed_token
    _token, plain = create_token(everywhere.user, "x", "read", now)
    erase_member(everywhere, by=everywhere.user, now=now)
    assert client.get("/mon-espace/").status_code == 302
    assert client.get(f"/c/{card.token}").status_code == 404
    assert client.get(f"/mon-espace/agenda/{feed}.ics").status_code == 404
    bearer = {"Authorization": f"Bearer {plain}"}
    assert client.get("/api/v1/bookings", headers=bearer).status_code == 401
    assert not Session.objects.exists() and not UserSession.objects.exists()
    user = User.objects.get(pk=everywhere.user_id)
    assert (user.is_active, user.has_usable_password(), user.last_login) == (False, False, None)
    assert not Card.objects.filter(member=everywhere).exists()
    assert not EmailAddress.objects.filter(user=user).exists()


def test_reservations_are_given_back_and_nobody_is_told(
    everywhere: Member, copy: Copy, now: datetime
) -> None:
    erase_member(everywhere, by=everywhere.user, now=now)
    statuses = Loan.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == [LoanStatus.RETURNED, LoanStatus.CANCELLED]
    assert not Message.objects.filter(member=everywhere).exists()
    assert not Right.objects.filter(household=everywhere.household, revoked_at=None).exists()
    subscription = everywhere.household.subscriptions.get()
    assert subscription.status == SubscriptionStatus.CANCELLED


def test_the_address_is_free_again(everywhere: Member, place: Place, now: datetime) -> None:
    erase_member(everywhere, by=everywhere.user, now=now)
    again = members.register_member(
        first_name=FIRST, last_name=NAME, place=place, email=EMAIL, phone=PHONE, by=None, now=now
    )
    assert again.pk != everywhere.pk and again.household != everywhere.household


def test_twice_is_refused(everywhere: Member, now: datetime) -> None:
    erase_member(everywhere, by=everywhere.user, now=now)
    with pytest.raises(Refused) as refused:
        erase_member(everywhere, by=everywhere.user, now=now)
    assert refused.value.codes == ["already_erased"]


def test_the_others_of_the_household_go_on(everywhere: Member, place: Place, now: datetime) -> None:
    home = everywhere.household
    karim = MemberFactory(household=home, place=place, user__first_name="Karim")
    wagtail_log(home, "wagtail.edit", user=karim.user)
    paid = home.subscriptions.get()
    erase_member(everywhere, by=everywhere.user, now=now)
    paid.refresh_from_db()
    assert (paid.household, paid.status) == (home, SubscriptionStatus.ACTIVE)
    assert Right.objects.filter(household=home, revoked_at=None).exists()
    assert list(home.members.all()) == [karim]
    assert marked(*MARKS) == set()


# -- Refused -------------------------------------------------------------------------------------


def owing(member: Member, now: datetime) -> None:
    entered(member, EntryKind.CHARGE, Account.FEE, -300, now)


def holding(member: Member, now: datetime) -> None:
    entered(member, EntryKind.PAYMENT, Account.DEPOSIT, 5000, now)


def entered(member: Member, kind: str, account: str, cents: int, now: datetime) -> LedgerEntry:
    return enter(
        kind=kind, account=account, cents=cents, place=member.place, household=member.household,
        member=member, subject_kind="loan", subject_id=1, label="x", source=f"{account}:1",
        means=Means.CASH if kind == EntryKind.PAYMENT else "", at=now, by=None,
    )  # fmt: skip


def borrowing(member: Member, now: datetime) -> None:
    copy = CopyFactory(place=member.place, tool=ToolFactory(landlord=member.place.landlord))
    hand_over(copy=copy, member=member, by=member.user, now=now)


def debited(member: Member, now: datetime) -> None:
    subscription = SubscriptionFactory(
        of=member, plan=PlanFactory(landlord=member.place.landlord), renewal=Renewal.ONLINE
    )
    add_period(subscription, "stripe:in_1", 1200, RightSource.PAYMENT, by=None, now=now)


def working(member: Member, now: datetime) -> None:
    AssignmentFactory(user=member.user, place=member.place, role=Role.CONCIERGE)


def paying(member: Member, now: datetime) -> None:
    Checkout.objects.create(
        household=member.household, member=member, place=member.place, subject_kind="x",
        subject_id=1, cents=1, reference="r", created_at=now, expires_at=now + timedelta(hours=1),
    )  # fmt: skip


def refunded(member: Member, now: datetime) -> None:
    entry = entered(member, EntryKind.PAYMENT, Account.FEE, 300, now)
    Refund.objects.create(entry=entry, cents=300, reason="mistake", asked_at=now)


@pytest.mark.parametrize(
    ("arrange", "code"),
    [
        (owing, "owes"),
        (holding, "deposit_held"),
        (borrowing, "loan_out"),
        (debited, "debited"),
        (working, "works_here"),
        (paying, "payment_under_way"),
        (refunded, "payment_under_way"),
    ],
)
def test_what_is_open_comes_first(
    member: Member, now: datetime, arrange: Callable[[Member, datetime], None], code: str
) -> None:
    assert obstacles(member, now) == []
    arrange(member, now)
    with pytest.raises(Refused) as refused:
        erase_member(member, by=member.user, now=now)
    assert refused.value.codes == [code]
    member.user.refresh_from_db()
    assert member.user.is_active and member.user.last_name == "Benali"


@pytest.mark.parametrize("arrange", [owing, holding])
def test_what_another_adult_owes_is_no_obstacle(
    member: Member, now: datetime, arrange: Callable[[Member, datetime], None]
) -> None:
    karim = MemberFactory(household=member.household, place=member.place)
    arrange(karim, now)
    assert obstacles(member, now) == []
    erase_member(member, by=member.user, now=now)
    assert Household.objects.filter(pk=karim.household_id).exists()


def test_a_debit_that_is_stopped_is_no_obstacle(member: Member, now: datetime) -> None:
    debited(member, now)
    member.household.subscriptions.update(stops_at_end=True)
    erase_member(member, by=member.user, now=now)
    assert member.household.subscriptions.get().status == SubscriptionStatus.CANCELLED


# -- At the desk ---------------------------------------------------------------------------------


def test_the_desk_erases_who_asks_for_it(
    client: Client, member: Member, clerk: User, now: datetime, time_machine: Any
) -> None:
    time_machine.move_to(now, tick=False)
    sign_in_staff(client, clerk)
    address = f"/accueil/effacer/{member.pk}/"
    assert "Benali" in client.get(address).text
    assert client.post(address, {"word": "non"}).status_code == 422
    borrowing(member, now)
    refused = client.post(address, {"word": "EFFACER"})
    assert refused.status_code == 422 and "Rapportez-le d’abord." in refused.text
    take_back(copy=Copy.objects.get(), by=clerk, now=now)
    done = client.post(address, {"word": "effacer"})
    assert done["Location"] == "/desk/"
    member.user.refresh_from_db()
    assert not member.user.is_active
    assert client.get(address).status_code == 404


def test_unpacking_sees_into_what_is_packed(db: None) -> None:
    """The search itself has teeth: a session, a cached thing, a word in a cell."""
    cache.set("essai", {"name": NAME})
    assert cache.get("essai") == {"name": NAME}
    assert NAME.casefold() in unpacked(base64.b64encode(pickle.dumps({"x": NAME})).decode())
    assert NAME.casefold() in unpacked(
        base64.urlsafe_b64encode(zlib.compress(NAME.encode())).decode()
    )
    assert NAME.casefold() in unpacked(f"a {NAME} b")
