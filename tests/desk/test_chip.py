"""What the counter says of a subscription: the right decides, the subscription says why."""

from datetime import date

import pytest

from club.queries.entitlement import Coverage
from concierge.enums import SubscriptionStatus
from concierge.models import Subscription
from desk.screen import chip_of

TODAY = date(2027, 3, 9)
NONE = Coverage(None, None)


def until(*day: int) -> Coverage:
    return Coverage(date(2027, 1, 1), date(*day))


@pytest.mark.parametrize(
    ("held", "status", "kind", "text"),
    [
        (NONE, None, "late", "Pas d’abonnement"),
        (NONE, SubscriptionStatus.PENDING, "late", "Abonnement à payer"),
        (until(2027, 3, 8), None, "late", "Abonnement fini le lundi 8 mars"),
        (until(2027, 3, 8), SubscriptionStatus.PAUSED, "aside", "Abonnement en pause"),
        (until(2027, 3, 9), SubscriptionStatus.ACTIVE, "aside", "Abonné jusqu’au mardi 9 mars"),
        (until(2027, 4, 9), SubscriptionStatus.ACTIVE, "ok", "À jour jusqu’au vendredi 9 avril"),
        (until(2027, 4, 9), None, "ok", "À jour jusqu’au vendredi 9 avril"),
        (
            until(2027, 3, 20), SubscriptionStatus.LATE,
            "late", "En retard, emprunte jusqu’au samedi 20 mars",
        ),
        (
            Coverage(date(2027, 3, 10), date(2028, 3, 9)), SubscriptionStatus.ACTIVE,
            "aside", "Abonné dès le mercredi 10 mars",
        ),
    ],
)  # fmt: skip
def test_a_chip(held: Coverage, status: str | None, kind: str, text: str) -> None:
    subscription = Subscription(status=status) if status else None
    found, words = chip_of(held, subscription, TODAY)
    assert (found, words.replace("\xa0", " ")) == (kind, text)
