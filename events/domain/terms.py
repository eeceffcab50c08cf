"""Other terms for one session: what it costs, who may register and until when."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from club.kernel.refusal import Reason, Refused
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log
from club.models import User
from events.domain.changes import set_capacity
from events.domain.places import locked_session
from events.enums import SessionStatus
from events.models import Session

AMENDED = (
    "note",
    "price_cents",
    "member_price_cents",
    "pay_first",
    "cancel_hours",
    "opens_at",
    "others_at",
    "closes_at",
    "members_only",
    "needs_approval",
    "household_limit",
)
"""What staff change of a session without telling anybody. Its capacity asks first; when
and where it is moves with those who come."""


@in_one_transaction
def amend(
    session: Session,
    capacity: int | None,
    *,
    keep_registered: bool = False,
    by: User,
    now: datetime,
    **terms: Any,
) -> Session:
    """Who is registered keeps the price they were told; the terms count for the next."""
    session = locked_session(session.pk)
    reasons = faults_of(session, terms)
    if reasons:
        raise Refused(reasons)
    changed = {name: value for name, value in terms.items() if getattr(session, name) != value}
    if set(changed) - set(AMENDED):
        raise ValueError(f"No term of a session: {sorted(set(changed) - set(AMENDED))}")
    if capacity != session.wanted_capacity:
        session = set_capacity(session, capacity, keep_registered=keep_registered, by=by, now=now)
    for name, value in changed.items():
        setattr(session, name, value)
    if changed:
        session.changed_at = now
        session.save(update_fields=[*changed, "changed_at"])
        log(session, "amend_session", by=by, now=now, facts={"changed": sorted(changed)})
    return session


def faults_of(session: Session, terms: dict[str, Any]) -> list[Reason]:
    """The hours of registration follow one another and end before the session does."""
    reasons: list[Reason] = []
    if session.status == SessionStatus.CANCELLED:
        return [Reason("wrong_state", _("Cette séance est annulée."))]
    closes_at = terms.get("closes_at", session.closes_at)
    if closes_at > session.ends_at:
        text = _("L’inscription finit avant la fin de la séance.")
        reasons.append(Reason("closes_late", text, "closes_at"))
    opens_at = terms.get("opens_at", session.opens_at)
    others_at = terms.get("others_at", session.others_at)
    if opens_at is not None and opens_at >= closes_at:
        text = _("L’inscription commence avant de finir.")
        reasons.append(Reason("dates_in_disorder", text, "opens_at"))
    if others_at is not None and not (opens_at or others_at) <= others_at <= closes_at:
        text = _("Les autres s’inscrivent après les abonnés, avant la fin des inscriptions.")
        reasons.append(Reason("dates_in_disorder", text, "others_at"))
    return reasons
