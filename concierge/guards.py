"""What the database refuses for the concierge: two claims on a copy or a seat, two periods."""

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
ONE_SEAT = guards.no_overlap(
    "concierge_appointment_no_overlap",
    "concierge_appointment",
    key="lane",
    starts="starts_at",
    ends="held_until",
    where="{row}status IN ('offered', 'booked')",
)
ONE_STAY = guards.no_overlap(
    "concierge_stay_no_overlap",
    "concierge_stay",
    key="lane",
    starts="starts_at",
    ends="ends_at",
    where="{row}status IN ('booked', 'running')",
)


def register() -> None:
    guards.register(ONE_CLAIM, ONE_PERIOD, ONE_SEAT, ONE_STAY)
