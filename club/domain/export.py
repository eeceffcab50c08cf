"""That somebody took their data along is written down; the file itself is kept nowhere."""

from datetime import datetime

from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log
from club.models import Member, User


@in_one_transaction
def note_export(member: Member, *, by: User, now: datetime) -> None:
    log(member, "export", by=by, now=now)
