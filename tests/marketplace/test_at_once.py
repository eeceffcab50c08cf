"""What a partner changes goes live at once, is written down, and is undone in order."""

from datetime import datetime, time, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from club.kernel.refusal import Refused
from club.models import LogEntry, Place, User
from cms.permissions import collection_of
from content.models import Picture
from marketplace.domain.atonce import (
    Open,
    sell_again,
    set_hours,
    set_phone,
    set_picture,
    set_stock,
    step_stock,
    undo,
)
from marketplace.models import Offer, OfferStock, Partner, PartnerChange, PartnerHours
from marketplace.queries import hours
from tests.factories.club import UserFactory
from tests.factories.marketplace import OfferFactory, PartnerFactory


@pytest.fixture
def bakery(place: Place) -> Partner:
    return PartnerFactory(landlord=place.landlord, phone="+33322010203")


@pytest.fixture
def bread(bakery: Partner) -> Offer:
    return OfferFactory(partner=bakery, title="Pain de campagne")


@pytest.fixture
def baker(db: None) -> User:
    return UserFactory(first_name="Paul")


def stock(offer: Offer) -> tuple[int | None, bool]:
    row = OfferStock.objects.get(offer=offer)
    return row.left, row.sold_out


def photo(color: str = "red") -> SimpleUploadedFile:
    out = BytesIO()
    Image.new("RGB", (60, 40), color).save(out, "JPEG")
    return SimpleUploadedFile("vitrine.jpg", out.getvalue(), "image/jpeg")


def refusal(verb: Any, *args: Any, **more: Any) -> list[tuple[str, str | None]]:
    with pytest.raises(Refused) as refused:
        verb(*args, **more)
    return [(reason.code, reason.field) for reason in refused.value.reasons]


# -- Today's stock ---------------------------------------------------------------------------


def test_the_number_of_the_day(bread: Offer, baker: User, now: datetime) -> None:
    set_stock(bread, left=14, by=baker, now=now)
    assert stock(bread) == (14, False)
    step_stock(bread, -1, by=baker, now=now)
    assert stock(bread) == (13, False)
    set_stock(bread, sold_out=True, by=baker, now=now)
    assert stock(bread) == (13, True)
    set_stock(bread, sold_out=False, by=baker, now=now)
    assert stock(bread) == (13, False)


def test_a_step_counts_from_what_is_there_not_from_what_was_seen(
    bread: Offer, baker: User, now: datetime
) -> None:
    seen_twice = [Offer.objects.get(pk=bread.pk) for _ in range(2)]
    for offer in seen_twice:
        step_stock(offer, 1, by=baker, now=now)
    assert stock(bread) == (2, False)


def test_there_are_never_fewer_than_none_and_none_is_not_sold_out(
    bread: Offer, baker: User, now: datetime
) -> None:
    assert refusal(step_stock, bread, -1, by=baker, now=now) == [("none_left", "left")]
    step_stock(bread, 1, by=baker, now=now)
    step_stock(bread, -1, by=baker, now=now)
    assert stock(bread) == (0, False)
    assert refusal(step_stock, bread, -1, by=baker, now=now) == [("none_left", "left")]
    for left in (-1, 1000):
        wrong = refusal(set_stock, bread, left=left, by=baker, now=now)
        assert wrong == [("left_out_of_range", "left")]


def test_sold_again_a_number_of_none_is_forgotten(bread: Offer, baker: User, now: datetime) -> None:
    set_stock(bread, left=0, by=baker, now=now)
    row = sell_again(bread, by=baker, now=now)
    assert stock(bread) == (None, False)
    undo(bread.partner, row, by=baker, now=now)
    assert stock(bread) == (0, False)
    set_stock(bread, left=5, sold_out=True, by=baker, now=now)
    sell_again(bread, by=baker, now=now)
    assert stock(bread) == (5, False)


def test_each_day_begins_anew(bread: Offer, baker: User, now: datetime) -> None:
    evening = set_stock(bread, left=0, sold_out=True, by=baker, now=now)
    tomorrow = now + timedelta(days=1)
    set_stock(bread, left=20, by=baker, now=tomorrow)
    row = OfferStock.objects.get(offer=bread, day=tomorrow.date())
    assert (row.left, row.sold_out) == (20, False)
    late = refusal(undo, bread.partner, evening, by=baker, now=tomorrow)
    assert late == [("day_over", None)]


def test_what_changes_nothing_is_told_and_not_kept(
    bread: Offer, baker: User, now: datetime
) -> None:
    set_stock(bread, sold_out=True, by=baker, now=now)
    again = refusal(set_stock, bread, sold_out=True, by=baker, now=now)
    assert again == [("no_change", None)]
    assert PartnerChange.objects.count() == 1


# -- The page --------------------------------------------------------------------------------

MORNING = Open(1, time(7), time(12))


def test_hours_take_the_place_of_a_sentence_and_undoing_brings_it_back(
    bakery: Partner, baker: User, now: datetime
) -> None:
    bakery.hours_note = "Sur rendez-vous"
    bakery.save()
    PartnerHours.objects.create(partner=bakery, weekday=6, opens=time(8), closes=time(12))
    row = set_hours(bakery, [MORNING, Open(1, time(14), time(19))], by=baker, now=now)
    shown = Partner.objects.get(pk=bakery.pk)
    said = hours.said(shown).replace("\u00a0", " ")
    assert said == "Le mardi, de 7 h à 12 h et de 14 h à 19 h"
    undo(bakery, row, by=baker, now=now)
    assert hours.said(Partner.objects.get(pk=bakery.pk)) == "Sur rendez-vous"
    assert PartnerHours.objects.get().weekday == 6


@pytest.mark.parametrize(
    ("rows", "codes"),
    [
        ([Open(1, time(12), time(7))], [("hours_backwards", "day_1")]),
        ([Open(2, time(7), time(7))], [("hours_backwards", "day_2")]),
        ([MORNING, Open(1, time(11), time(15))], [("hours_overlap", "day_1")]),
        (
            [Open(6, time(9), time(8)), Open(0, time(8), time(18)), Open(0, time(9), time(10))],
            [("hours_overlap", "day_0"), ("hours_backwards", "day_6")],
        ),
    ],
)
def test_hours_that_cannot_be_are_told_at_their_day(
    bakery: Partner, baker: User, now: datetime, rows: Any, codes: Any
) -> None:
    assert refusal(set_hours, bakery, rows, by=baker, now=now) == codes
    assert not PartnerHours.objects.exists()


def test_a_phone_is_kept_in_one_form(bakery: Partner, baker: User, now: datetime) -> None:
    row = set_phone(bakery, "03 22 99 88 77", by=baker, now=now)
    assert Partner.objects.get().phone == "+33322998877"
    assert (row.before, row.after) == ({"phone": "+33322010203"}, {"phone": "+33322998877"})
    assert refusal(set_phone, bakery, "12", by=baker, now=now) == [("phone_wrong", "phone")]
    assert refusal(set_phone, bakery, "", by=baker, now=now) == [("phone_wrong", "phone")]


def test_a_photo_lies_with_those_of_the_place_and_the_one_before_comes_back(
    bakery: Partner, place: Place, baker: User, now: datetime
) -> None:
    collection = collection_of(place)
    set_picture(bakery, photo(), by=baker, now=now)
    first = Partner.objects.get().picture
    assert first is not None
    assert (first.collection, first.uploaded_by_user) == (collection, baker)
    second = set_picture(bakery, photo("blue"), by=baker, now=now)
    assert Partner.objects.get().picture != first
    undo(bakery, second, by=baker, now=now)
    assert Partner.objects.get().picture == first
    set_picture(bakery, None, by=baker, now=now)
    assert Partner.objects.get().picture is None


def test_a_photo_that_is_none_is_refused_and_one_that_was_deleted_does_not_come_back(
    bakery: Partner, baker: User, now: datetime
) -> None:
    text = SimpleUploadedFile("photo.jpg", b"bonjour", "image/jpeg")
    codes = refusal(set_picture, bakery, text, by=baker, now=now)
    assert set(codes) == {("photo_unfit", "picture")}
    assert not Picture.objects.exists()
    set_picture(bakery, photo(), by=baker, now=now)
    row = set_picture(bakery, None, by=baker, now=now)
    Picture.objects.all().delete()
    assert refusal(undo, bakery, row, by=baker, now=now) == [("photo_gone", None)]
    row.refresh_from_db()
    assert row.undone_at is None


# -- Undoing ---------------------------------------------------------------------------------


def test_each_change_says_who_when_and_both_states(
    bread: Offer, baker: User, now: datetime
) -> None:
    row = set_stock(bread, left=3, by=baker, now=now)
    day = "2027-03-09"
    assert row.before == {"day": day, "left": None, "sold_out": False}
    assert row.after == {"day": day, "left": 3, "sold_out": False}
    assert (row.partner, row.offer, row.by, row.at) == (bread.partner, bread, baker, now)
    undo(bread.partner, row, by=baker, now=now)
    verbs = LogEntry.objects.filter(subject_kind="partner").order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == ["set_stock", "undo"]
    assert PartnerChange.objects.count() == 1


def test_only_the_newest_is_undone_and_once(bread: Offer, baker: User, now: datetime) -> None:
    other = OfferFactory(partner=bread.partner)
    first = set_stock(bread, left=3, by=baker, now=now)
    second = set_stock(bread, left=4, by=baker, now=now)
    set_stock(other, left=9, by=baker, now=now)
    set_phone(bread.partner, "03 22 99 88 77", by=baker, now=now)
    partner = bread.partner
    assert refusal(undo, partner, first, by=baker, now=now) == [("changed_since", None)]
    undo(partner, second, by=baker, now=now)
    assert stock(bread) == (3, False)
    assert refusal(undo, partner, second, by=baker, now=now) == [("undone_already", None)]
    undo(partner, first, by=baker, now=now)
    assert stock(bread) == (None, False)
    assert stock(other) == (9, False)


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(
    bakery: Partner, baker: User, now: datetime
) -> None:
    row = set_phone(bakery, "03 22 99 88 77", by=baker, now=now)
    Partner.objects.filter(pk=bakery.pk).update(phone="+33322000001")
    assert refusal(undo, bakery, row, by=baker, now=now) == [("changed_since", None)]
    assert Partner.objects.get(pk=bakery.pk).phone == "+33322000001"


def test_nobody_undoes_another_firm_s_change(
    bread: Offer, place: Place, baker: User, now: datetime
) -> None:
    row = set_stock(bread, left=3, by=baker, now=now)
    with pytest.raises(PartnerChange.DoesNotExist):
        undo(PartnerFactory(landlord=place.landlord), row, by=baker, now=now)


STEP = st.one_of(
    st.tuples(st.just("left"), st.integers(0, 5)),
    st.tuples(st.just("step"), st.sampled_from([1, -1])),
    st.tuples(st.just("sold"), st.booleans()),
    st.tuples(st.just("undo"), st.just(0)),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(STEP, max_size=12))
def test_undoing_walks_the_way_back(
    bread: Offer, baker: User, now: datetime, steps: list[tuple[str, Any]]
) -> None:
    """Against a plain list of the states that there were."""
    PartnerChange.objects.all().delete()
    OfferStock.objects.all().delete()
    states: list[tuple[int | None, bool]] = [(None, False)]
    for what, value in steps:
        left, sold_out = states[-1]
        if what == "undo":
            if len(states) > 1:
                newest = PartnerChange.objects.filter(undone_at=None).latest("pk")
                undo(bread.partner, newest, by=baker, now=now)
                states.pop()
                assert stock(bread) == states[-1]
            continue
        wanted = {
            "left": (value, sold_out),
            "step": ((left or 0) + value if what == "step" else 0, sold_out),
            "sold": (left, value),
        }[what]
        try:
            if what == "step":
                step_stock(bread, value, by=baker, now=now)
            else:
                name = "left" if what == "left" else "sold_out"
                set_stock(bread, **{name: value}, by=baker, now=now)
        except Refused:
            assert wanted == states[-1] or (wanted[0] or 0) < 0
        else:
            states.append(wanted)
            assert stock(bread) == wanted
