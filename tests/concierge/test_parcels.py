"""Parcels: received once, kept for the rule's days, handed to whoever may collect."""

import io
import zipfile
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.db import IntegrityError, transaction

from club.domain.erasure import erase_member, obstacles
from club.domain.household import leave_household
from club.domain.housekeeping import tidy
from club.enums import Activity
from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.models import LogEntry, Member, Message, Place, User
from concierge.domain.barcodes import as_barcode, carrier_of
from concierge.domain.parcel_traces import forget_old_parcels
from concierge.domain.parcels import (
    assign_parcel,
    hand_over_parcel,
    move_shelf,
    name_proxy,
    receive_parcel,
    remove_proxy,
    send_back,
    undo_hand_over,
    undo_receive,
    undo_send_back,
)
from concierge.enums import Carrier, ParcelStatus
from concierge.models import Parcel, ParcelPolicy, Proxy
from concierge.queries.parcels import months_of, numbers_at, takes_parcels
from portal.archive import archive_of
from tests.factories.club import (
    ClosureFactory,
    LandlordFactory,
    MemberFactory,
    PlaceFactory,
    RightFactory,
)
from tests.factories.parcels import ParcelFactory, ParcelPolicyFactory, ProxyFactory

pytestmark = pytest.mark.django_db

CODE = "6A12345678901"


@pytest.fixture
def policy(place: Place) -> ParcelPolicy:
    return ParcelPolicyFactory(place=place)


@pytest.fixture
def parcel(policy: ParcelPolicy, member: Member, concierge_user: User, now: datetime) -> Parcel:
    return receive_parcel(
        place=policy.place,
        member=member,
        tracking=CODE,
        shelf="c2",
        by=concierge_user,
        now=now,
    )


def refused(verb: Any, *args: Any, **kwargs: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as refusal:
        verb(*args, **kwargs)
    reason = refusal.value.reasons[0]
    return reason.code, str(reason.text).replace("\xa0", " ")


def broken() -> list[str]:
    return [line for one in all_invariants() for line in one.violations()]


# -- Receiving -----------------------------------------------------------------------------------


def test_received_it_lies_on_its_shelf_with_a_reference(parcel: Parcel, member: Member) -> None:
    assert (parcel.status, parcel.shelf, parcel.carrier) == ("waiting", "C2", Carrier.COLISSIMO)
    assert parcel.reference.startswith("R") and len(parcel.reference) == 11
    assert LogEntry.objects.get(subject_kind="parcel").verb == "receive"
    assert broken() == []


def test_a_place_without_a_rule_takes_none(place: Place, member: Member, now: datetime) -> None:
    assert not takes_parcels(place)
    code, text = refused(receive_parcel, place=place, member=member, by=None, now=now)
    assert (code, text) == ("no_parcels", "Ce point d’accueil ne prend pas de colis.")


def test_kept_for_the_days_of_the_rule_then_until_the_next_open_day(
    policy: ParcelPolicy, member: Member, now: datetime
) -> None:
    """Two weeks after Tuesday the 9th lie in no closure; twelve days after is a Sunday."""

    def received() -> date:
        parcel = receive_parcel(place=policy.place, member=member, by=None, now=now)
        return parcel.keep_until

    assert received() == date(2027, 3, 23)
    ParcelPolicy.objects.update(keep_days=12)
    assert received() == date(2027, 3, 23)
    ClosureFactory(place=policy.place, starts_on=date(2027, 3, 21), ends_on=date(2027, 3, 25))
    policy.place.refresh_from_db()
    assert received() == date(2027, 3, 26)


def test_the_days_are_local_days(policy: ParcelPolicy, member: Member, now: datetime) -> None:
    late = now.replace(hour=23, minute=50)
    assert receive_parcel(place=policy.place, member=member, by=None, now=late).keep_until == date(
        2027, 3, 23
    )


def test_a_barcode_that_waits_is_refused_with_where_it_lies(
    parcel: Parcel, other_member: Member, now: datetime
) -> None:
    code, text = refused(
        receive_parcel,
        place=parcel.place,
        member=other_member,
        tracking=" 6a 12345 678901 ",
        by=None,
        now=now,
    )
    assert code == "is_here"
    assert text == "Ce colis est déjà là depuis mardi 9 mars : étagère C2, pour S. Benali."
    assert Parcel.objects.count() == 1


def test_the_database_holds_to_it_too(parcel: Parcel) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ParcelFactory(member=parcel.member, tracking=parcel.tracking)


def test_what_went_may_come_again_and_parcels_without_a_label_never_meet(
    parcel: Parcel, member: Member, concierge_user: User, now: datetime
) -> None:
    hand_over_parcel(parcel, member, by=concierge_user, now=now)
    again = receive_parcel(place=parcel.place, member=member, tracking=CODE, by=None, now=now)
    send_back(again, by=concierge_user, now=now)
    receive_parcel(place=parcel.place, member=member, tracking=CODE, by=None, now=now)
    for _each in range(2):
        receive_parcel(place=parcel.place, member=member, by=None, now=now)
    assert Parcel.objects.filter(status=ParcelStatus.WAITING).count() == 3
    assert broken() == []


@pytest.mark.parametrize("tracking", ["ABC", "x" * 61, "colis été", "\x00" * 9])
def test_what_no_label_carries_is_refused(
    policy: ParcelPolicy, member: Member, now: datetime, tracking: str
) -> None:
    code, _text = refused(
        receive_parcel, place=policy.place, member=member, tracking=tracking, by=None, now=now
    )
    assert code == "bad_barcode"


@pytest.mark.parametrize(
    ("typed", "stored", "carrier"),
    [
        ("6a12345678901", "6A12345678901", Carrier.COLISSIMO),
        ("§", None, None),
        ("LP 123 456 789 FR", "LP123456789FR", Carrier.COLISSIMO),
        ("XY123456789FR", "XY123456789FR", Carrier.CHRONOPOST),
        ("1Z999AA10123456784", "1Z999AA10123456784", Carrier.UPS),
        ("JJD000390007123456789", "JJD000390007123456789", Carrier.DHL),
        ("TBA123456789000", "TBA123456789000", Carrier.AMAZON),
        ("09980512345678", "09980512345678", Carrier.DPD),
        ("12345678", "12345678", None),
        ("&é\"'(-è_", "12345678", None),
        ("-Q&é\"'(-è_çà&", "6A12345678901", Carrier.COLISSIMO),
    ],
)
def test_a_barcode_however_the_scanner_types_it(
    typed: str, stored: str | None, carrier: Carrier | None
) -> None:
    found = as_barcode(typed)
    assert found == stored
    assert (carrier_of(found) if found else None) == carrier


def test_the_desk_may_say_the_carrier(policy: ParcelPolicy, member: Member, now: datetime) -> None:
    said = receive_parcel(
        place=policy.place, member=member, tracking=CODE, carrier=Carrier.GLS, by=None, now=now
    )
    unknown = receive_parcel(place=policy.place, member=member, by=None, now=now)
    assert (said.carrier, unknown.carrier) == (Carrier.GLS, Carrier.OTHER)


def test_for_subscribers_alone_where_the_rule_says_so(
    policy: ParcelPolicy, member: Member, now: datetime
) -> None:
    ParcelPolicy.objects.update(needs_right=True)
    code, text = refused(receive_parcel, place=policy.place, member=member, by=None, now=now)
    assert code == "no_right"
    assert text == (
        "Ici, les colis sont réservés aux abonnés. Samira Benali n’a pas d’abonnement actif."
    )
    nobodys = receive_parcel(place=policy.place, member=None, by=None, now=now)
    assert refused(assign_parcel, nobodys, member, by=member.user, now=now)[0] == "no_right"
    RightFactory(household=member.household, activity=Activity.SERVICES)
    assert receive_parcel(place=policy.place, member=member, by=None, now=now).pk


def test_a_right_that_ends_takes_no_parcel_away(parcel: Parcel, member: Member, now: datetime):
    ParcelPolicy.objects.update(needs_right=True)
    assert hand_over_parcel(parcel, member, by=member.user, now=now).collected_by


def test_another_landlords_member_and_one_who_left_are_unknown(
    policy: ParcelPolicy, member: Member, now: datetime
) -> None:
    elsewhere = PlaceFactory(landlord=LandlordFactory(slug="autre", name="Autre"))
    stranger = MemberFactory(place=elsewhere)
    User.objects.filter(pk=member.user_id).update(is_active=False)
    member.user.refresh_from_db()
    for somebody in (stranger, member):
        found = refused(receive_parcel, place=policy.place, member=somebody, by=None, now=now)
        assert found == ("unknown_member", "Cette personne n’est pas membre ici.")


def test_a_member_of_the_landlords_other_place_may_receive_here(
    policy: ParcelPolicy, now: datetime
) -> None:
    neighbour = MemberFactory(place=PlaceFactory(landlord=policy.place.landlord))
    assert receive_parcel(place=policy.place, member=neighbour, by=None, now=now).pk


def test_received_by_mistake_is_undone_until_somebody_was_told(
    parcel: Parcel, concierge_user: User, now: datetime
) -> None:
    second = receive_parcel(place=parcel.place, member=parcel.member, by=None, now=now)
    undo_receive(parcel, by=concierge_user, now=now)
    assert not Parcel.objects.filter(pk=parcel.pk).exists()
    Message.objects.filter(subject_id=second.pk).update(status="sent", sent_at=now)
    assert refused(undo_receive, second, by=concierge_user, now=now)[0] == "wrong_state"
    assert broken() == []


# -- For nobody, another shelf ---------------------------------------------------------------


def test_for_nobody_is_told_to_nobody_and_handed_to_nobody(
    policy: ParcelPolicy, member: Member, now: datetime
) -> None:
    parcel = receive_parcel(place=policy.place, member=None, tracking=CODE, by=None, now=now)
    assert not Message.objects.exists()
    assert refused(hand_over_parcel, parcel, member, by=member.user, now=now)[0] == "nobody"
    assign_parcel(parcel, member, by=member.user, now=now)
    assert Message.objects.get().member == member
    assert hand_over_parcel(parcel, member, by=member.user, now=now).collected_by


def test_the_wrong_name_put_right_is_told_to_the_right_person_alone(
    parcel: Parcel, other_member: Member, member: Member, now: datetime
) -> None:
    for somebody in (other_member, member, other_member):
        assign_parcel(parcel, somebody, by=member.user, now=now)
    assert Message.objects.get().member == other_member


def test_another_shelf(parcel: Parcel, member: Member, now: datetime) -> None:
    move_shelf(parcel, " d4 ", by=member.user, now=now)
    parcel.refresh_from_db()
    assert parcel.shelf == "D4"
    hand_over_parcel(parcel, member, by=member.user, now=now)
    for verb, what in ((move_shelf, "A1"), (assign_parcel, member)):
        assert refused(verb, parcel, what, by=member.user, now=now) == (
            "wrong_state",
            "Ce n’est plus possible : c’est déjà « remis ».",
        )


# -- Handing over, sending back --------------------------------------------------------------


def test_handed_to_the_member_and_undone(parcel: Parcel, member: Member, now: datetime) -> None:
    collected = hand_over_parcel(parcel, member, by=member.user, now=now)
    assert (collected.status, collected.collected_by) == ("collected", "Samira Benali")
    assert refused(hand_over_parcel, parcel, member, by=member.user, now=now)[0] == "wrong_state"
    undone = undo_hand_over(parcel, by=member.user, now=now)
    assert (undone.status, undone.collected_at, undone.collected_by) == ("waiting", None, "")
    assert refused(undo_hand_over, parcel, by=member.user, now=now)[0] == "wrong_state"
    assert broken() == []


def test_another_adult_of_the_household_may_and_one_who_left_may_not(
    parcel: Parcel, member: Member, now: datetime
) -> None:
    partner = MemberFactory(place=parcel.place, household=member.household, user__first_name="Ali")
    leaver = MemberFactory(place=parcel.place, household=member.household)
    leave_household(leaver, by=leaver.user, now=now)
    assert refused(hand_over_parcel, parcel, leaver, by=member.user, now=now)[0] == "not_named"
    assert hand_over_parcel(parcel, partner, by=member.user, now=now).collected_by == "Ali Benali"


def test_a_neighbour_may_not(
    parcel: Parcel, member: Member, other_member: Member, now: datetime
) -> None:
    code, text = refused(hand_over_parcel, parcel, other_member, by=member.user, now=now)
    assert code == "not_named"
    assert text.startswith("Aline Roussel ne peut pas retirer ce colis")


def test_a_named_person_need_not_be_a_member(parcel: Parcel, member: Member, now: datetime):
    proxy = name_proxy(member, " Marc ", "Diallo", by=member.user, now=now)
    assert hand_over_parcel(parcel, proxy, by=member.user, now=now).collected_by == "Marc Diallo"


def test_a_proxy_who_was_removed_ended_or_is_anothers_may_not(
    parcel: Parcel, member: Member, other_member: Member, now: datetime
) -> None:
    removed, ended = (
        ProxyFactory(member=member),
        ProxyFactory(member=member, until=date(2027, 3, 8)),
    )
    theirs = ProxyFactory(member=other_member)
    until_today = ProxyFactory(member=member, until=date(2027, 3, 9))
    remove_proxy(removed, by=member.user, now=now)
    for proxy in (removed, ended, theirs):
        assert refused(hand_over_parcel, parcel, proxy, by=member.user, now=now)[0] == "not_named"
    assert hand_over_parcel(parcel, until_today, by=member.user, now=now).collected_by


def test_back_to_the_carrier_and_undone(parcel: Parcel, member: Member, now: datetime) -> None:
    assert send_back(parcel, by=member.user, now=now).status == ParcelStatus.RETURNED
    assert [message.event for message in Message.objects.all()] == ["parcel.returned"]
    undone = undo_send_back(parcel, by=member.user, now=now)
    assert (undone.status, undone.returned_at) == ("waiting", None)
    assert not Message.objects.exists()
    assert broken() == []


def test_undone_after_the_same_barcode_came_again_is_refused(
    parcel: Parcel, member: Member, now: datetime
) -> None:
    send_back(parcel, by=member.user, now=now)
    receive_parcel(place=parcel.place, member=member, tracking=CODE, by=None, now=now)
    assert refused(undo_send_back, parcel, by=member.user, now=now)[0] == "is_here"


# -- Who collects for me ------------------------------------------------------------------------


def test_five_people_at_most_and_each_once(member: Member, now: datetime) -> None:
    def name(first: str, **more: Any) -> Proxy:
        return name_proxy(member, first, "Diallo", by=member.user, now=now, **more)

    ProxyFactory(member=member, until=date(2027, 3, 1))
    five = [name(f"P{number}") for number in range(5)]
    assert refused(name, "p0")[0] == "named_already"
    assert refused(name, "P6") == (
        "too_many",
        "Vous avez nommé cinq personnes. Retirez-en une d’abord.",
    )
    assert refused(name, "P6", until=date(2027, 3, 8))[0] == "past"
    for _twice in range(2):
        remove_proxy(five[0], by=member.user, now=now)
    assert LogEntry.objects.filter(verb="remove").count() == 1
    assert name("P0").pk


# -- Numbers ------------------------------------------------------------------------------------


def test_the_numbers_of_the_shelves_and_of_the_months(
    policy: ParcelPolicy, member: Member, now: datetime
) -> None:
    place = policy.place
    ParcelFactory(member=member)
    ParcelFactory(member=None, place=place)
    ParcelFactory(member=member, keep_until=date(2027, 3, 8))
    ParcelFactory(place=PlaceFactory(landlord=place.landlord), member=member)
    assert numbers_at(place, now.date()) == numbers_at(place, date(2027, 3, 9))
    found = numbers_at(place, now.date())
    assert (found.for_somebody, found.for_nobody, found.to_send_back) == (1, 1, 1)
    for days in (1, 2, 6):
        parcel = ParcelFactory(member=member, received_at=now - timedelta(days=40))
        hand_over_parcel(
            parcel, member, by=member.user, now=parcel.received_at + timedelta(days=days)
        )
    send_back(Parcel.objects.filter(place=place).first(), by=member.user, now=now)
    march, january = months_of(Parcel.objects.filter(place=place), now - timedelta(days=60))
    assert (march.received, march.collected, march.returned, march.median_days) == (3, 0, 1, None)
    assert (january.first_day, january.collected, january.median_days) == (date(2027, 1, 1), 3, 2)


# -- Personal data ---------------------------------------------------------------------------


def test_my_data_tells_my_parcels_and_whom_i_named(parcel: Parcel, member: Member, now: datetime):
    ProxyFactory(member=member)
    with zipfile.ZipFile(io.BytesIO(archive_of(member, now))) as archive:
        told = "".join(archive.read(name).decode() for name in archive.namelist())
    assert parcel.reference in told
    assert "Diallo" in told


def test_a_parcel_on_the_shelf_stands_in_the_way_of_erasing(
    parcel: Parcel, member: Member, now: datetime
) -> None:
    ProxyFactory(member=member)
    assert "parcel_waits" in [reason.code for reason in obstacles(member, now)]
    hand_over_parcel(parcel, member, by=member.user, now=now)
    assert obstacles(member, now) == []
    erase_member(member, by=None, now=now)
    parcel.refresh_from_db()
    assert (parcel.member, parcel.tracking, parcel.collected_by) == (None, "", "")
    assert not Proxy.objects.exists()


def test_who_collected_for_another_adult_is_forgotten_with_their_account(
    parcel: Parcel, member: Member, now: datetime
) -> None:
    partner = MemberFactory(
        place=member.place, household=member.household, user__last_name="Lefebvre"
    )
    stranger = ParcelFactory(place=parcel.place, member=MemberFactory(place=member.place))
    Parcel.objects.filter(pk=stranger.pk).update(collected_by=str(partner))
    hand_over_parcel(parcel, partner, by=member.user, now=now)
    erase_member(partner, by=None, now=now)
    parcel.refresh_from_db()
    stranger.refresh_from_db()
    assert (parcel.member, parcel.collected_by) == (member, "")
    assert stranger.collected_by != ""


def test_after_the_term_a_parcel_is_a_number(parcel: Parcel, member: Member, now: datetime) -> None:
    waiting = receive_parcel(place=parcel.place, member=member, by=None, now=now)
    ProxyFactory(member=member, removed_at=now)
    ProxyFactory(member=member, until=date(2027, 3, 9))
    kept = ProxyFactory(member=member)
    hand_over_parcel(parcel, member, by=member.user, now=now)
    term = now + relativedelta(months=13)
    for moment, is_named in ((term - timedelta(days=2), True), (term + timedelta(days=2), False)):
        forget_old_parcels(moment)
        parcel.refresh_from_db()
        assert bool(parcel.member_id and parcel.tracking and parcel.collected_by) == is_named
    tidy(term + timedelta(days=2))
    assert list(Proxy.objects.all()) == [kept]
    waiting.refresh_from_db()
    assert waiting.member == member
    assert refused(undo_hand_over, parcel, by=member.user, now=now)[0] == "wrong_state"
    assert broken() == []
