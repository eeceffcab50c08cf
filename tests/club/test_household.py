"""Who lives together: invited, joined, left; what goes along and what stays."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db.models import Sum
from django.test import Client

from club.domain.erasure import erase_member
from club.domain.household import (
    INVITATION_DAYS,
    adults_of,
    invite,
    inviter_of,
    join_household,
    leave_household,
)
from club.domain.invariants import rights_of_the_household
from club.domain.ledger import balance_of_subject, deposits_of, enter, sum_of
from club.enums import Account, Activity, EntryKind, Means, RightSource
from club.kernel.refusal import Refused
from club.models import (
    Customer,
    Household,
    LedgerEntry,
    LogEntry,
    Member,
    Message,
    Right,
    User,
)
from club.queries.entitlement import coverage
from club.tasks import send_messages
from concierge.domain.subscriptions import add_period
from concierge.enums import Renewal, SubscriptionStatus
from concierge.models import Subscription
from tests.factories.club import (
    CardFactory,
    HouseholdFactory,
    LandlordFactory,
    MemberFactory,
    PlaceFactory,
    RightFactory,
)
from tests.factories.money import PlanFactory, SubscriptionFactory
from tests.signin import sign_in_staff


@pytest.fixture
def home(member: Member, now: datetime) -> Household:
    """Samira's: with a card, so that she can invite."""
    CardFactory(member=member)
    member.household.size = 4
    member.household.save()
    return member.household


@pytest.fixture
def karim(member: Member, home: Household) -> Member:
    """The other adult of Samira's household."""
    return MemberFactory(place=member.place, household=home, user__first_name="Karim")


@pytest.fixture
def aline(member: Member) -> Member:
    """Somebody with a household of her own, without a right."""
    return MemberFactory(place=member.place, user__first_name="Aline", household__size=1)


def subscribed(member: Member, now: datetime, **more: Any) -> Subscription:
    subscription = SubscriptionFactory(
        of=member, plan=PlanFactory(landlord=member.place.landlord), **more
    )
    add_period(subscription, f"test:{subscription.pk}", 1200, RightSource.PAYMENT, by=None, now=now)
    return subscription


def until(member: Member, on: date, activity: str = Activity.LENDING) -> date | None:
    member = Member.objects.get(pk=member.pk)
    return coverage(member, activity, on).ends_on


# -- Inviting --------------------------------------------------------------------------------


def test_an_invitation_leads_to_the_household(
    member: Member, home: Household, aline: Member, now: datetime
) -> None:
    code = invite(member, by=member.user, now=now)
    assert invite(member, by=member.user, now=now) == code
    assert inviter_of(code.lower().replace("-", " "), now) == member
    old = aline.household
    assert until(aline, now.date()) is None
    assert join_household(aline, code, by=aline.user, now=now) == home
    assert list(adults_of(home)) == [member, aline]
    assert until(aline, now.date()) == date(2027, 12, 31)
    assert not Household.objects.filter(pk=old.pk).exists()
    entry = LogEntry.objects.get(verb="change_household")
    assert entry.facts == {"from": old.pk, "to": home.pk}


def test_a_used_code_opens_nothing_any_more(
    member: Member, home: Household, aline: Member, other_member: Member, now: datetime
) -> None:
    code = invite(member, by=member.user, now=now)
    join_household(aline, code, by=aline.user, now=now)
    with pytest.raises(Refused) as refused:
        join_household(other_member, code, by=other_member.user, now=now)
    assert refused.value.codes == ["invitation_unknown"]
    assert other_member.household_id != home.pk


def test_a_code_ends_after_two_weeks(member: Member, home: Household, now: datetime) -> None:
    code = invite(member, by=member.user, now=now)
    last = now + timedelta(days=INVITATION_DAYS)
    assert inviter_of(code, last) == member
    assert inviter_of(code, last + timedelta(days=1)) is None


def test_a_code_ends_with_the_card(member: Member, home: Household, now: datetime) -> None:
    code = invite(member, by=member.user, now=now)
    member.cards.update(revoked_at=now)
    assert inviter_of(code, now) is None
    with pytest.raises(Refused) as refused:
        invite(member, by=member.user, now=now)
    assert refused.value.codes == ["no_card"]


@pytest.mark.parametrize("change", [lambda c: c[:-1] + "Q", lambda c: c[:6], lambda c: "", str])
def test_a_code_cannot_be_made_up(
    member: Member, home: Household, now: datetime, change: Any
) -> None:
    code = invite(member, by=member.user, now=now)
    assert (inviter_of(change(code), now) == member) == (change is str)


def test_ones_own_household_and_another_landlords_are_refused(
    member: Member, home: Household, karim: Member, now: datetime
) -> None:
    code = invite(member, by=member.user, now=now)
    elsewhere = PlaceFactory(landlord=LandlordFactory(slug="autre", name="Autre"))
    stranger = MemberFactory(
        place=elsewhere, household=HouseholdFactory(landlord=elsewhere.landlord)
    )
    for who, why in ((karim, "already_there"), (stranger, "other_landlord")):
        with pytest.raises(Refused) as refused:
            join_household(who, code, by=who.user, now=now)
        assert refused.value.codes == [why]
    assert list(adults_of(home)) == [member, karim]


# -- The size --------------------------------------------------------------------------------


def test_the_size_counts_who_is_there(
    member: Member, home: Household, aline: Member, karim: Member, now: datetime
) -> None:
    own = leave_household(karim, by=karim.user, now=now)
    home.refresh_from_db()
    assert (home.size, own.size) == (3, 1)
    for number, who in enumerate([aline, *MemberFactory.create_batch(3, place=member.place)], 2):
        join_household(who, invite(member, by=member.user, now=now), by=who.user, now=now)
        home.refresh_from_db()
        assert home.size == max(3, number)


# -- Leaving ---------------------------------------------------------------------------------


def test_the_rights_of_the_household_stay_with_it(
    member: Member, home: Household, karim: Member, now: datetime
) -> None:
    own = RightFactory(household=home, member=karim, activity=Activity.CLUB)
    after = leave_household(karim, by=karim.user, now=now)
    assert after.landlord == home.landlord and after.dwelling is None
    assert until(member, now.date()) == date(2027, 12, 31)
    assert until(karim, now.date()) is None
    assert until(karim, now.date(), Activity.CLUB) == own.ends_on
    assert list(rights_of_the_household()) == []


def test_a_page_that_is_old_moves_nothing_twice(
    member: Member, home: Household, karim: Member, now: datetime
) -> None:
    stale = Member.objects.select_related("household").get(pk=karim.pk)
    after = leave_household(karim, by=karim.user, now=now)
    with pytest.raises(Refused) as refused:
        leave_household(stale, by=karim.user, now=now)
    assert refused.value.codes == ["alone"]
    assert Household.objects.get(members=karim) == after
    home.refresh_from_db()
    assert home.size == 3


def test_who_is_alone_leaves_nobody(member: Member, home: Household, now: datetime) -> None:
    with pytest.raises(Refused) as refused:
        leave_household(member, by=member.user, now=now)
    assert refused.value.codes == ["alone"]


def test_a_deposit_and_a_debt_go_along(
    member: Member, home: Household, karim: Member, now: datetime
) -> None:
    def entered(who: Member, kind: str, account: str, cents: int, subject: int) -> None:
        enter(
            kind=kind, account=account, cents=cents, place=who.place, household=home, member=who,
            subject_kind="loan", subject_id=subject, label="x", source=f"{account}{subject}",
            means=Means.CASH if kind == EntryKind.PAYMENT else "", at=now, by=None,
        )  # fmt: skip

    entered(karim, EntryKind.PAYMENT, Account.DEPOSIT, 5000, 1)
    entered(member, EntryKind.PAYMENT, Account.DEPOSIT, 3000, 2)
    entered(karim, EntryKind.CHARGE, Account.FEE, -300, 1)
    before = {m: LedgerEntry.objects.filter(means=m).aggregate(s=Sum("cents")) for m in Means}
    everything = sum_of(LedgerEntry.objects.all())
    after = leave_household(karim, by=karim.user, now=now)
    assert (deposits_of(after), deposits_of(home)) == (5000, 3000)
    assert sum_of(LedgerEntry.objects.filter(household=after, account=Account.FEE)) == -300
    assert sum_of(LedgerEntry.objects.filter(household=home, account=Account.FEE)) == 0
    assert sum_of(LedgerEntry.objects.all()) == everything
    assert balance_of_subject("loan", 1) == 4700
    assert before == {
        m: LedgerEntry.objects.filter(means=m).aggregate(s=Sum("cents")) for m in Means
    }


# -- Who is told -----------------------------------------------------------------------------


def test_the_others_are_told_who_came_and_who_left(
    member: Member, home: Household, karim: Member, aline: Member, now: datetime,
    time_machine: Any,
) -> None:  # fmt: skip
    time_machine.move_to(now, tick=False)
    join_household(aline, invite(member, by=member.user, now=now), by=aline.user, now=now)
    send_messages()
    told = sorted((letter.to[0], letter.subject) for letter in mail.outbox)
    subject = "Aline a rejoint votre foyer, mardi 9\u00a0mars"
    assert told == sorted([(one.user.email, subject) for one in (member, karim)])
    assert aline.last_name not in mail.outbox[0].body
    mail.outbox.clear()
    leave_household(aline, by=aline.user, now=now)
    send_messages()
    assert {letter.subject for letter in mail.outbox} == {
        "Aline a quitté votre foyer, mardi 9\u00a0mars"
    }
    assert {letter.to[0] for letter in mail.outbox} == {member.user.email, karim.user.email}


def test_who_is_erased_is_not_told_of(
    member: Member, home: Household, karim: Member, now: datetime, time_machine: Any
) -> None:
    time_machine.move_to(now, tick=False)
    erase_member(karim, by=karim.user, now=now)
    send_messages()
    assert mail.outbox == []


# -- Subscriptions ---------------------------------------------------------------------------


def test_the_households_subscription_stays(
    member: Member, home: Household, karim: Member, now: datetime
) -> None:
    subscription = subscribed(member, now)
    leave_household(member, by=member.user, now=now)
    subscription.refresh_from_db()
    assert (subscription.household, subscription.status) == (home, SubscriptionStatus.ACTIVE)
    assert not subscription.stops_at_end
    assert until(karim, now.date(), Activity.EVENTS) == subscription.paid_until
    assert until(member, now.date(), Activity.EVENTS) is None


def test_a_debit_whose_payer_leaves_ends_with_its_period(
    member: Member, home: Household, karim: Member, now: datetime
) -> None:
    subscription = subscribed(member, now, renewal=Renewal.ONLINE)
    Customer.objects.create(household=home, provider_id="cus_1", payer=member, created_at=now)
    leave_household(member, by=member.user, now=now)
    subscription.refresh_from_db()
    assert subscription.stops_at_end
    assert (subscription.household, subscription.status) == (home, SubscriptionStatus.ACTIVE)
    message = Message.objects.get(event="subscription.stopping")
    assert message.member == karim


def test_a_debit_goes_on_when_somebody_else_leaves(
    member: Member, home: Household, karim: Member, now: datetime
) -> None:
    subscription = subscribed(member, now, renewal=Renewal.ONLINE)
    Customer.objects.create(household=home, provider_id="cus_1", payer=member, created_at=now)
    leave_household(karim, by=karim.user, now=now)
    subscription.refresh_from_db()
    assert not subscription.stops_at_end


def test_who_leaves_nobody_behind_keeps_what_was_paid(
    member: Member, home: Household, aline: Member, now: datetime
) -> None:
    subscription = subscribed(aline, now)
    asked = SubscriptionFactory(
        of=aline, plan=PlanFactory(landlord=aline.place.landlord, kind="membership")
    )
    code = invite(member, by=member.user, now=now)
    join_household(aline, code, by=aline.user, now=now)
    subscription.refresh_from_db()
    asked.refresh_from_db()
    assert (subscription.household, subscription.member) == (home, aline)
    assert asked.status == SubscriptionStatus.CANCELLED
    assert until(aline, now.date(), Activity.EVENTS) == subscription.paid_until
    assert until(member, now.date(), Activity.EVENTS) is None
    assert set(Right.objects.filter(member=aline).values_list("household", flat=True)) == {home.pk}
    assert list(rights_of_the_household()) == []


# -- At the desk -----------------------------------------------------------------------------


def test_the_desk_joins_with_the_code_alone(
    client: Client, member: Member, home: Household, aline: Member, concierge_user: User,
    now: datetime, time_machine: Any,
) -> None:  # fmt: skip
    time_machine.move_to(now, tick=False)
    sign_in_staff(client, concierge_user)
    address = f"/accueil/foyer/{aline.pk}/"
    assert client.get(address).status_code == 200
    assert client.post(address, {"code": "482174-BCDF-2345"}).status_code == 422
    assert aline.household_id != home.pk
    code = invite(member, by=member.user, now=now)
    answer = client.post(address, {"code": f"https://x.example/mon-espace/foyer/rejoindre/{code}/"})
    assert answer.status_code == 302
    aline.refresh_from_db()
    assert aline.household == home
