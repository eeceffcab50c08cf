"""Wagtail's own moderation of offers: its rows, and what may be answered in it.

One workflow of one task serves all landlords; the task itself knows whose officers may
answer (`models.workflow`). Whose turn it is, what was answered and why stands in Wagtail's
tables alone.
"""

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.models import TaskState, Workflow, WorkflowContentType, WorkflowState, WorkflowTask

from club.domain.messages import tell_user
from club.enums import Role
from club.kernel.refusal import refuse
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import User
from club.queries.team import holders
from marketplace.domain.told import tell_partner
from marketplace.models import Offer, OfficerApproval
from marketplace.queries.offers import active_state

WORKFLOW, TASK = "Accord sur un avantage", "Accord de la chargée de mission"
MOST_WORDS = 300


def workflow() -> Workflow:
    """Made when the first offer is proposed, and anew if somebody took it away.

    Without its task Wagtail would put on line whatever is proposed.
    """
    found: Workflow | None = Offer.get_default_workflow()
    if found is not None and found.tasks.filter(officerapproval__active=True).exists():
        return found
    made = Workflow.objects.create(name=WORKFLOW)
    task = OfficerApproval.objects.create(name=TASK)
    WorkflowTask.objects.create(workflow=made, task=task, sort_order=0)
    WorkflowContentType.objects.update_or_create(
        content_type=Offer.get_base_content_type(), defaults={"workflow": made}
    )
    return made


def begin(offer: Offer, *, by: User, now: datetime) -> None:
    """Ask for an answer on the newest revision; what was asked or refused before is over."""
    drop(offer, by=by)
    workflow().start(offer, by)
    tell_officers(offer, by=by, now=now)


def drop(offer: Offer, *, by: User) -> bool:
    """Whether there was a question or a refusal to call off."""
    state = active_state(offer)
    if state is not None:
        state.cancel(user=by)
    return state is not None


def asked(offer: Offer, revision_id: int) -> TaskState:
    """The open question on that revision: whoever answers has read these very words."""
    state = active_state(offer)
    if state is None or state.status != WorkflowState.STATUS_IN_PROGRESS:
        raise refuse("not_waiting", _("Cette proposition n’attend plus de réponse."))
    task: TaskState = state.current_task_state
    if not task.revision_id == revision_id == offer.latest_revision_id:
        raise refuse("changed_since", _("Le partenaire l’a modifié entre-temps. Relisez-le."))
    return task


@in_one_transaction
def approve(offer: Offer, revision_id: int, *, by: User, now: datetime) -> Offer:
    """Residents see it from now on, with these terms; one that was withdrawn comes back."""
    hold(offer)
    offer = Offer.objects.select_related("partner__landlord").get(pk=offer.pk)
    task = asked(offer, revision_id)
    if offer.withdrawn_on is not None:
        offer.withdrawn_on = None
        offer.save(update_fields=["withdrawn_on"])
    hooks.search_for_hooks()  # Wagtail asks who may publish: `wagtail_hooks` has told it by now.
    task.approve(user=by)
    offer.refresh_from_db()
    log(offer, "approve", by=by, now=now, facts={"revision": revision_id})
    tell_answer(offer, "offer.approved", revision_id, now=now)
    return offer


@in_one_transaction
def turn_down(offer: Offer, revision_id: int, why: str, *, by: User, now: datetime) -> Offer:
    """The partner reads why, and what residents see stays as it was."""
    why = why.strip()
    if not why:
        raise refuse("why_missing", _("Dites pourquoi : le partenaire lit cette phrase."), "why")
    if len(why) > MOST_WORDS:
        text = _("Écrivez %(most)d caractères au plus.") % {"most": MOST_WORDS}
        raise refuse("why_too_long", text, "why")
    hold(offer)
    offer = Offer.objects.select_related("partner__landlord").get(pk=offer.pk)
    asked(offer, revision_id).reject(user=by, comment=why)
    log(offer, "turn_down", by=by, now=now, facts={"revision": revision_id})
    tell_answer(offer, "offer.refused", revision_id, now=now)
    return offer


# -- Who is told -----------------------------------------------------------------------------


def tell_officers(offer: Offer, *, by: User, now: datetime) -> None:
    """Each of the landlord's, once; who proposed it themselves knows."""
    for row in holders(Role.OFFICER, place__landlord=offer.partner.landlord_id):
        if row.user_id == by.pk:
            continue
        tell_user(
            row.user,
            row.place,
            "offer.proposed",
            offer,
            key=f"offer.proposed:{offer.latest_revision_id}:{row.user_id}",
            now=now,
            facts={"revision": offer.latest_revision_id},
        )


def tell_answer(offer: Offer, event: str, revision_id: int, *, now: datetime) -> None:
    tell_partner(
        offer.partner,
        event,
        offer,
        key=f"{event}:{revision_id}",
        now=now,
        following=reverse("pro:offer-edit", args=[offer.public_id]),
        facts={"revision": revision_id},
    )
