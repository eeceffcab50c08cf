"""The named list of a plan: whom the landlord has put on it."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from club.kernel.refusal import refuse
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log
from club.models import Member, User
from concierge.enums import Audience
from concierge.models import Plan, PlanListing


@in_one_transaction
def list_member(plan: Plan, member: Member, *, by: User, now: datetime) -> PlanListing:
    """Put a member on a plan's list; who is on it already stays, once."""
    if plan.audience != Audience.LISTED:
        raise refuse("no_list", _("Cette formule n’est pas pour une liste de personnes."), "plan")
    if plan.landlord_id != member.household.landlord_id:
        raise refuse("other_landlord", _("Cette formule est d’un autre bailleur."), "plan")
    listing, is_new = PlanListing.objects.get_or_create(
        plan=plan, member=member, defaults={"listed_at": now}
    )
    if is_new:
        log(listing, "list_member", by=by, now=now, facts={"plan": plan.pk})
    return listing
