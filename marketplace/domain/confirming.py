"""A page says when somebody last found it right; after six months its people are asked."""

from datetime import datetime

from django.urls import reverse

from club.kernel.spans import local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import Message, User
from marketplace.domain.told import tell_partner
from marketplace.models import Partner
from marketplace.queries.confirmed import asking, unconfirmed

EVENT = "partner.confirm"


@in_one_transaction
def confirm_page(partner: Partner, *, by: User, now: datetime) -> Partner:
    partner.confirmed_on = local_day(now)
    partner.save(update_fields=["confirmed_on"])
    log(partner, "confirm_page", by=by, now=now)
    return partner


@in_one_transaction
def ask(partner: Partner, *, now: datetime) -> int:
    """How many were asked; nobody twice for the same half-year and the same turn."""
    hold(partner)
    partner.refresh_from_db(fields=["confirmed_on", "status"])
    due = asking(partner, local_day(now))
    if due is None:
        return 0
    key = f"{EVENT}:{partner.pk}:{due.due_on}:{due.again}"
    if Message.objects.filter(key__startswith=f"{key}:").exists():
        return 0
    return tell_partner(partner, EVENT, partner, key=key, now=now, following=reverse("pro:page"))


def ask_to_confirm(now: datetime) -> None:
    """Each morning."""
    for partner in unconfirmed(local_day(now)):
        ask(partner, now=now)
