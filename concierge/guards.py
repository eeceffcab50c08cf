"""What the database refuses for the concierge: two claims on a copy, two periods at once."""

from club.kernel import guards

ONE_CLAIM = guards.no_overlap(
    "concierge_loan_no_overlap",
    "concierge_loan",
    key="copy_id",
    starts="starts_at",
    ends="held_until",
    where="{row}status IN ('reserved', 'ready', 'out')",
)
ONE_PERIOD = guards.no_overlap(
    "concierge_period_no_overlap",
    "concierge_subscriptionperiod",
    key="subscription_id",
    starts="starts_on",
    ends="ends_on",
    where="{row}revoked_at IS NULL",
    days=True,
)


def register() -> None:
    guards.register(ONE_CLAIM, ONE_PERIOD)
