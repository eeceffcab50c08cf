"""What is told of parcels: together where several come, on the days of the rule, and how much."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from club.domain.messages import SETTLING
from club.domain.outbox import send_due
from club.emails import MailAndSms, sms_of
from club.enums import ConsentKind, MessageChannel
from club.kernel import letters, sms_text
from club.kernel.spans import local_day
from club.models import Consent, Member, Message, User
from concierge.domain.parcel_reminders import recalled_on, write_parcel_reminders
from concierge.domain.parcels import assign_parcel, hand_over_parcel, receive_parcel, send_back
from concierge.models import Parcel, ParcelPolicy
from concierge.parcel_letters import load
from tests.factories.club import PARIS, MemberFactory
from tests.factories.parcels import ParcelFactory, ParcelPolicyFactory, ProxyFactory

pytestmark = pytest.mark.django_db

CODE = "6A12345678901"


@pytest.fixture
def policy(member: Member) -> ParcelPolicy:
    return ParcelPolicyFactory(place=member.place)


def receive(policy: ParcelPolicy, member: Member, now: datetime, **more: Any) -> Parcel:
    return receive_parcel(place=policy.place, member=member, by=None, now=now, **more)


def send(now: datetime) -> list[Any]:
    before = len(mail.outbox)
    with MailAndSms() as transport:
        send_due(now, transport)
    return mail.outbox[before:]


def plain(text: str) -> str:
    return text.replace("\xa0", " ")


# -- Received ------------------------------------------------------------------------------------


def test_told_after_some_minutes_with_its_code(
    policy: ParcelPolicy, member: Member, now: datetime
) -> None:
    parcel = receive(policy, member, now, tracking=CODE)
    assert send(now + timedelta(minutes=1)) == []
    [letter] = send(now + SETTLING)
    reference = parcel.reference
    spaced = " ".join(["R", reference[1:4], reference[4:7], reference[7:10], reference[10:]])
    assert plain(letter.subject) == (f"Un colis vous attend jusqu’au mardi 23 mars, code {spaced}")
    html = letter.alternatives[0][0]
    for told in (letter.body, html):
        assert spaced in plain(told)
        assert CODE not in told
        assert "/mon-espace/colis/" in told


def test_five_at_once_are_one_message(policy: ParcelPolicy, member: Member, now: datetime) -> None:
    parcels = [receive(policy, member, now + timedelta(minutes=n)) for n in range(5)]
    [letter] = send(now + SETTLING)
    assert letter.subject == "5 colis vous attendent à l’accueil"
    for parcel in parcels:
        assert parcel.reference[7:10] in letter.body
    assert send(now + timedelta(hours=1)) == []


def test_what_was_collected_or_put_right_meanwhile_is_not_told(
    policy: ParcelPolicy, member: Member, other_member: Member, now: datetime
) -> None:
    hand_over_parcel(receive(policy, member, now), member, by=member.user, now=now)
    assign_parcel(receive(policy, member, now), other_member, by=member.user, now=now)
    [letter] = send(now + SETTLING)
    assert letter.to == [other_member.user.email]


def test_a_named_person_is_told_nothing(
    policy: ParcelPolicy, member: Member, now: datetime
) -> None:
    marc = MemberFactory(place=policy.place, user__first_name="Marc", user__last_name="Diallo")
    ProxyFactory(member=member, first_name="Marc", last_name="Diallo")
    receive(policy, member, now)
    assert [letter.to for letter in send(now + SETTLING)] == [[member.user.email]]
    assert not Message.objects.filter(member=marc).exists()


def test_without_an_address_nothing_is_written(
    policy: ParcelPolicy, member: Member, now: datetime
) -> None:
    User.objects.filter(pk=member.user_id).update(email="")
    member.user.refresh_from_db()
    receive(policy, member, now)
    assert not Message.objects.exists()


# -- By SMS --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event", ["parcel.received", "parcel.reminder", "parcel.last_reminder", "parcel.returned"]
)
@pytest.mark.parametrize("number", [1, 3])
def test_an_sms_bears_no_address_and_no_number_of_the_carrier(
    policy: ParcelPolicy, member: Member, now: datetime, event: str, number: int
) -> None:
    parcels = [receive(policy, member, now, tracking=f"6A1234567890{n}") for n in range(number)]
    sort = letters.sort_of(event)
    message = Message(
        event=event, member=member, channel=MessageChannel.SMS, facts={"day": "2027-03-09"}
    )
    assert sort is not None
    found = [sort.write(message, one, now) for one in load([p.pk for p in parcels]).values()]
    text = sms_of(message, found, now)
    assert sms_text.length(text) <= sms_text.LENGTH
    assert policy.place.address not in text
    assert "6A12" not in text and "Poste" not in text
    assert "/mon-espace/colis/" in text
    if number == 1:
        assert parcels[0].reference[7:10] in text


# -- Reminders ---------------------------------------------------------------------------------


def events_on(day: date) -> list[str]:
    moment = datetime.combine(day, datetime.min.time(), tzinfo=PARIS).replace(hour=8)
    Message.objects.all().delete()
    write_parcel_reminders(moment)
    return sorted(Message.objects.values_list("event", flat=True))


def test_recalled_after_the_rules_days_and_two_before_the_end(
    policy: ParcelPolicy, member: Member, now: datetime
) -> None:
    parcel = receive(policy, member, now)
    days = {}
    for number in range(16):
        day = local_day(now) + timedelta(days=number)
        if found := events_on(day):
            days[number] = found
    assert days == {3: ["parcel.reminder"], 12: ["parcel.last_reminder"]}
    assert parcel.keep_until == local_day(now) + timedelta(days=14)


def test_once_where_both_days_are_one_and_never_on_the_day_it_came(
    policy: ParcelPolicy, member: Member, now: datetime
) -> None:
    ParcelPolicy.objects.update(keep_days=3, remind_days=1)
    receive(policy, member, now)
    found = [events_on(local_day(now) + timedelta(days=number)) for number in range(4)]
    assert found == [[], ["parcel.last_reminder"], [], []]
    Parcel.objects.all().delete()
    ParcelPolicy.objects.update(keep_days=2)
    receive(policy, member, now)
    assert events_on(local_day(now)) == []


def test_what_waits_for_nobody_or_was_collected_is_not_recalled(
    policy: ParcelPolicy, member: Member, now: datetime
) -> None:
    receive(policy, None, now)  # type: ignore[arg-type]
    hand_over_parcel(receive(policy, member, now), member, by=member.user, now=now)
    assert events_on(local_day(now) + timedelta(days=3)) == []


def test_each_place_has_its_own_days(policy: ParcelPolicy, member: Member, now: datetime) -> None:
    elsewhere = MemberFactory(place__landlord=policy.place.landlord)
    other = ParcelPolicyFactory(place=elsewhere.place, remind_days=5)
    receive(policy, member, now)
    receive(other, elsewhere, now)
    for days, whose in ((3, member), (5, elsewhere)):
        assert events_on(local_day(now) + timedelta(days=days)) == ["parcel.reminder"]
        assert Message.objects.get().member == whose


def test_a_reminder_leaves_on_its_day_or_not_at_all_and_also_by_sms_for_who_asked(
    policy: ParcelPolicy, member: Member, now: datetime
) -> None:
    User.objects.filter(pk=member.user_id).update(phone="+33639980001")
    Consent.objects.create(member=member, kind=ConsentKind.SMS, wording="1", given_at=now)
    parcel = receive(policy, member, now)
    Message.objects.all().delete()
    third = now + timedelta(days=3)
    for _twice in range(2):
        write_parcel_reminders(third)
    assert set(Message.objects.values_list("channel", flat=True)) == {"email", "sms"}
    [letter] = send(third)
    assert plain(letter.subject).startswith("Rappel : un colis vous attend jusqu’au mardi 23 mars")
    Message.objects.all().delete()
    write_parcel_reminders(third)
    assert send(third + timedelta(days=1)) == []
    assert parcel.pk


def test_statements_do_not_grow_with_the_number_of_parcels(
    policy: ParcelPolicy, member: Member, now: datetime, django_assert_num_queries: Any
) -> None:
    for _each in range(3):
        ParcelFactory(member=member)
    day = now + timedelta(days=3)
    with django_assert_num_queries(6):
        write_parcel_reminders(day)
    assert Message.objects.count() == 3
    assert set(recalled_on(local_day(day))) == {"parcel.reminder", "parcel.last_reminder"}


# -- Sent back ---------------------------------------------------------------------------------


def test_told_that_it_went_back(policy: ParcelPolicy, member: Member, now: datetime) -> None:
    parcel = receive(policy, member, now)
    send_back(parcel, by=member.user, now=now)
    [letter] = send(now + SETTLING)
    assert "est reparti chez le transporteur" in letter.subject
    assert "Gardé jusqu’au" not in letter.body
