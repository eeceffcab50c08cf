"""The lending policies of a place, read once per change of the place."""

from club.models import Place
from concierge.models import LendingPolicy

_memo: dict[int, tuple[str, dict[str, LendingPolicy]]] = {}


def policies_of(place: Place) -> dict[str, LendingPolicy]:
    """By value class; the empty one is the rule for all others (see `calendar_of`)."""
    held = _memo.get(place.pk)
    if held is None or held[0] != place.rules_stamp:
        rows = {policy.value_class: policy for policy in place.policies.all()}
        rows.setdefault("", LendingPolicy(place=place))
        held = (place.rules_stamp, rows)
        _memo[place.pk] = held
    return held[1]


def policy_for(place: Place, value_class: str) -> LendingPolicy:
    rows = policies_of(place)
    return rows.get(value_class) or rows[""]
