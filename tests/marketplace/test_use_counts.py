"""Old uses become numbers of a month; whatever is asked, the sums stay the same."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Sum

from club.kernel import jobs
from club.models import Residence
from marketplace.domain import use_counts
from marketplace.domain.use_counts import fold_old_uses
from marketplace.models import OfferUse, OfferUseCount
from marketplace.queries.uses import months_of, saved_by_residence
from tests.factories.club import NOW, PARIS
from tests.factories.marketplace import OfferFactory, PartnerFactory, UseFactory

pytestmark = pytest.mark.django_db
EARLY = date(2025, 1, 1)


def sums() -> tuple[int, int]:
    counted = OfferUseCount.objects.aggregate(uses=Sum("uses"), cents=Sum("saving_cents"))
    kept = OfferUse.objects.aggregate(cents=Sum("saving_cents"))["cents"] or 0
    uses = OfferUse.objects.count() + (counted["uses"] or 0)
    return uses, kept + (counted["cents"] or 0)


@pytest.fixture
def town(place: Any, member: Any, other_member: Any) -> Any:
    """Two residences, two offers, a year and a half of uses at all hours."""
    landlord = place.landlord
    here = Residence.objects.create(landlord=landlord, code="A", name="Aulnes")
    there = Residence.objects.create(landlord=landlord, code="B", name="Bouleaux")
    partner = PartnerFactory(landlord=landlord)
    offers = [OfferFactory(partner=partner, title=title) for title in ("Pain", "Tout")]
    for number in range(120):
        UseFactory(
            offer=offers[number % 2],
            member=(member, other_member)[number % 3 == 0],
            residence=(here, there, None)[number % 3],
            used_at=NOW - timedelta(days=4 * number, hours=number),
            saving_cents=number,
        )
    return partner


def reports(partner: Any) -> list[Any]:
    saved = saved_by_residence([partner.landlord], EARLY, date(2027, 3, 31))
    return [
        [(one.month, one.uses, one.saving_cents, one.offers) for one in months_of(partner, EARLY)],
        [(one.month, one.residence, one.uses, one.saving_cents) for one in saved],
    ]


def test_sums_stay_and_nobody_is_left_in_what_is_old(town: Any) -> None:
    before, told = sums(), reports(town)
    fold_old_uses(NOW)
    end = datetime(2026, 2, 9, 10, 24, tzinfo=PARIS)
    assert not OfferUse.objects.filter(used_at__lt=end).exists()
    assert OfferUse.objects.filter(used_at__gte=end).count() == 98
    assert OfferUseCount.objects.aggregate(uses=Sum("uses"))["uses"] == 22
    assert (sums(), reports(town)) == (before, told)


def test_night_after_night_a_month_is_folded_into_one_row(town: Any) -> None:
    before = sums()
    for days in range(0, 120, 7):
        fold_old_uses(NOW + timedelta(days=days))
        assert sums() == before
    rows = list(OfferUseCount.objects.values_list("offer", "residence", "month"))
    assert len(rows) == len(set(rows))
    assert all(month.day == 1 for _offer, _residence, month in rows)
    told = list(OfferUseCount.objects.order_by("pk").values())
    fold_old_uses(NOW + timedelta(days=119))
    assert list(OfferUseCount.objects.order_by("pk").values()) == told


def test_killed_halfway_the_next_night_goes_on(town: Any, monkeypatch: Any) -> None:
    before, told = sums(), reports(town)
    done: list[Any] = []
    real = use_counts.fold

    def killed(*arguments: Any) -> None:
        if len(done) == 3:
            raise SystemExit
        done.append(arguments)
        real(*arguments)

    monkeypatch.setattr(use_counts, "fold", killed)
    with pytest.raises(SystemExit):
        fold_old_uses(NOW)
    assert sums() == before
    monkeypatch.undo()
    fold_old_uses(NOW)
    assert (sums(), reports(town)) == (before, told)


def test_the_month_is_the_one_on_the_wall(place: Any, member: Any) -> None:
    """Half past midnight on the first of July in France is June in Greenwich."""
    offer = OfferFactory(partner__landlord=place.landlord)
    UseFactory(offer=offer, member=member, used_at=datetime(2025, 7, 1, 0, 30, tzinfo=PARIS))
    UseFactory(offer=offer, member=member, used_at=datetime(2025, 6, 30, 23, 30, tzinfo=PARIS))
    fold_old_uses(NOW)
    rows = OfferUseCount.objects.order_by("month").values_list("month", "uses", "saving_cents")
    assert list(rows) == [(date(2025, 6, 1), 1, 2_00), (date(2025, 7, 1), 1, 2_00)]


def test_people_of_a_month_that_is_partly_folded_are_not_told(place: Any, member: Any) -> None:
    offer = OfferFactory(partner__landlord=place.landlord)
    for day in (5, 25):
        UseFactory(offer=offer, member=member, used_at=datetime(2026, 2, day, 9, tzinfo=PARIS))
    (month,) = months_of(offer.partner, EARLY)
    assert (month.people, month.has_few) == (1, True)
    fold_old_uses(NOW)
    (month,) = months_of(offer.partner, EARLY)
    assert (month.uses, month.people, month.has_few) == (2, None, False)


def test_it_runs_each_night() -> None:
    (job,) = [job for job in jobs.daily() if job.name == "offer-counts"]
    assert (job.hour, job.work) == (4, fold_old_uses)
