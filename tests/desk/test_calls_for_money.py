"""Whom the desk calls about a subscription: those whom no letter reaches or helped."""

from datetime import date, timedelta

import pytest

from concierge.enums import Renewal, SubscriptionStatus
from concierge.models import Subscription
from concierge.queries.subscriptions import to_call
from tests.desk.conftest import words
from tests.factories.club import NOW, MemberFactory, PlaceFactory
from tests.factories.money import SubscriptionFactory

TODAY = date(2027, 3, 9)


def one(place, email="", phone="", **fields):
    member = MemberFactory(place=place, user__email=email, user__phone=phone)
    made = SubscriptionFactory(of=member, status=SubscriptionStatus.ACTIVE)
    Subscription.objects.filter(pk=made.pk).update(**fields)
    return made


@pytest.mark.parametrize(
    ("email", "fields", "is_called"),
    [
        ("", {"paid_until": TODAY + timedelta(days=30)}, True),
        ("", {"paid_until": TODAY + timedelta(days=31)}, False),
        ("a@example.org", {"paid_until": TODAY}, False),
        ("", {"paid_until": TODAY, "renewal": Renewal.FREE}, False),
        ("", {"paid_until": TODAY, "stops_at_end": True}, False),
        ("", {"paid_until": TODAY, "renewal": Renewal.ONLINE, "payment_failed_at": NOW}, True),
        ("a@example.org", {"paid_until": TODAY, "payment_failed_at": NOW}, False),
        ("", {"paid_until": TODAY - timedelta(days=1), "status": "late"}, True),
        ("a@example.org", {"paid_until": TODAY - timedelta(days=3), "status": "late"}, False),
        ("a@example.org", {"paid_until": TODAY - timedelta(days=4), "status": "late"}, True),
        ("", {"paid_until": TODAY, "status": "ended"}, False),
    ],
)
def test_who_is_called(place, email, fields, is_called):
    made = one(place, email, **fields)
    assert list(to_call(place, TODAY)) == ([made] if is_called else [])


def test_another_adult_with_an_email_is_written_to(place):
    made = one(place, paid_until=TODAY)
    MemberFactory(place=place, household=made.household, user__email="b@example.org")
    assert not to_call(place, TODAY).exists()


def test_the_list_gives_name_phone_and_reason(desk, place):
    one(place, phone="+33612345678", paid_until=TODAY + timedelta(days=3))
    one(PlaceFactory(slug="ailleurs"), paid_until=TODAY)
    text = words(desk.get("/desk/appels/")).replace("\xa0", " ")
    assert "Samira Benali 06 12 34 56 78 Habitants Finit le vendredi 12 mars" in text
    assert text.count("Finit le") == 1
