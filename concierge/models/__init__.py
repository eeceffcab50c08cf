from concierge.models.catalogue import Copy, Department, Part, Repair, Tool
from concierge.models.lending import LendingPolicy, Loan
from concierge.models.subscriptions import (
    Plan,
    PlanListing,
    Sponsorship,
    Subscription,
    SubscriptionPeriod,
)

__all__ = [
    "Copy",
    "Department",
    "LendingPolicy",
    "Loan",
    "Part",
    "Plan",
    "PlanListing",
    "Repair",
    "Sponsorship",
    "Subscription",
    "SubscriptionPeriod",
    "Tool",
]
