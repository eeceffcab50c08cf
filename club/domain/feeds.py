"""The private address of a member's agenda."""

from datetime import datetime

from club.kernel import codes
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log
from club.models import Member, User


@in_one_transaction
def new_feed_address(member: Member, *, by: User, now: datetime) -> str:
    """Another secret address: the one that was passed on or lost answers no more."""
    member.feed_token = codes.token()
    member.save(update_fields=["feed_token"])
    log(member, "new_feed_address", by=by, now=now)
    return member.feed_token
