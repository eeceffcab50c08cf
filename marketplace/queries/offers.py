"""Which offers are shown on a day, and how each stands with the landlord.

Days are local: an offer until the 22nd counts at 23:59 and no longer at 00:01.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast
from django.utils import timezone
from wagtail.models import Revision, WorkflowState

from club.kernel.spans import local_day
from club.models import Landlord, LogEntry
from marketplace.models import Offer, OfferStock, Partner
from marketplace.queries.shown import Need, partners_shown

Terms = dict[str, Any]
TERMS = (
    "title", "kind", "percent", "amount_cents", "price_cents", "usual_price_cents", "gift",
    "conditions", "starts_on", "ends_on", "limit_count", "limit_per", "picture_id",
)  # fmt: skip
"""What is moderated, by the names of the attributes."""


# -- Shown -----------------------------------------------------------------------------------


def holds_on(on: date) -> Q:
    """What is agreed, not withdrawn, and of that day."""
    return Q(live=True, withdrawn_on=None, starts_on__lte=on) & (
        Q(ends_on=None) | Q(ends_on__gte=on)
    )


def offers_shown(landlord: Landlord, on: date, needs: list[Need] | None = None) -> QuerySet[Offer]:
    """Those of the partners that are shown that day."""
    partners = partners_shown(landlord, on, needs=needs).order_by()
    return Offer.objects.filter(holds_on(on), partner__in=partners.values("pk"))


def offers_of(partner: Partner, on: date) -> QuerySet[Offer]:
    """Those of a partner that is known to be shown, in the order of their making."""
    return Offer.objects.filter(holds_on(on), partner=partner).order_by("pk")


def with_stock(offers: QuerySet[Offer], on: date) -> QuerySet[Any]:
    """`is_sold_out` and `left` of that day: none left is sold out as well as what was marked
    so, which alone is `is_marked`."""
    stock = OfferStock.objects.filter(offer=OuterRef("pk"), day=on)
    return offers.annotate(
        is_sold_out=Exists(stock.filter(Q(sold_out=True) | Q(left=0))),
        is_marked=Exists(stock.filter(sold_out=True)),
        left=Subquery(stock.values("left")[:1]),
    )


def first_of(partners: Iterable[Partner], on: date) -> dict[int, Offer]:
    """The oldest offer of each partner that is known to be shown."""
    numbers = [one.pk for one in partners]
    if not numbers:
        return {}
    rows = Offer.objects.filter(holds_on(on), partner__in=numbers).order_by("-pk")
    return {offer.partner_id: offer for offer in rows}


# -- Terms -----------------------------------------------------------------------------------


def terms_of(offer: Offer) -> Terms:
    return {name: getattr(offer, name) for name in TERMS}


def terms_in(content: dict[str, Any]) -> Terms:
    """The terms that a revision holds, without a statement."""
    found = {}
    for name in TERMS:
        field: Any = Offer._meta.get_field(name.removesuffix("_id"))
        found[name] = field.to_python(content.get(field.name))
    return found


def as_offer(offer: Offer, terms: Terms) -> Offer:
    """The offer with these terms, to be looked at and never saved."""
    return Offer(pk=offer.pk, partner=offer.partner, public_id=offer.public_id, **terms)


# -- How it stands ---------------------------------------------------------------------------


def states_in(offers: QuerySet[Offer] | Iterable[Offer]) -> QuerySet[WorkflowState]:
    """The questions that wait and the refusals that nothing followed yet."""
    numbers: Any = (
        offers.order_by().values_list(Cast("pk", CharField()), flat=True)
        if isinstance(offers, QuerySet)
        else [str(offer.pk) for offer in offers]
    )
    return (
        WorkflowState.objects.active()
        .filter(base_content_type=Offer.get_base_content_type(), object_id__in=numbers)
        .select_related("current_task_state__revision", "requested_by")
    )


def active_state(offer: Offer) -> WorkflowState | None:
    return states_in([offer]).first()


def asked_now(offer: Offer) -> Revision | None:
    """The revision that waits for an answer."""
    state = active_state(offer)
    if state is None or state.status != WorkflowState.STATUS_IN_PROGRESS:
        return None
    revision: Revision = state.current_task_state.revision
    return revision


def waiting(offers: QuerySet[Offer]) -> QuerySet[WorkflowState]:
    """What the officer reads, the oldest first."""
    found = states_in(offers).filter(status=WorkflowState.STATUS_IN_PROGRESS)
    return found.order_by("created_at", "pk")


@dataclass(frozen=True)
class Standing:
    """How an offer stands: what residents see, and what is asked of the landlord."""

    is_agreed: bool
    starts_on: date
    ends_on: date | None
    withdrawn_on: date | None
    by_team: bool
    waits_since: datetime | None
    refused_for: str
    newest: Terms

    @property
    def is_shown(self) -> bool:
        return self.is_agreed and self.withdrawn_on is None

    @property
    def is_over(self) -> bool:
        return self.ends_on is not None and self.ends_on < local_day(timezone.now())

    @property
    def is_coming(self) -> bool:
        return self.starts_on > local_day(timezone.now())

    @property
    def is_draft(self) -> bool:
        """Taken back before it was ever agreed to."""
        return not (self.is_agreed or self.waits_since or self.refused_for)


def standings(offers: Iterable[Offer]) -> dict[int, Standing]:
    """The same two statements at most for one and for many."""
    offers = list(offers)
    states = {int(state.object_id): state for state in states_in(offers)} if offers else {}
    team = withdrawn_by_team(offers)
    return {offer.pk: standing(offer, states.get(offer.pk), offer.pk in team) for offer in offers}


def standing(offer: Offer, state: WorkflowState | None, by_team: bool) -> Standing:
    task = state.current_task_state if state is not None else None
    waits = state is not None and state.status == WorkflowState.STATUS_IN_PROGRESS
    return Standing(
        is_agreed=offer.live,
        starts_on=offer.starts_on,
        ends_on=offer.ends_on,
        withdrawn_on=offer.withdrawn_on,
        by_team=by_team,
        waits_since=task.started_at if task and waits else None,
        refused_for=task.comment if task and not waits else "",
        newest=terms_in(task.revision.content) if task else terms_of(offer),
    )


def with_standings(offers: Iterable[Offer]) -> list[Offer]:
    """Each offer with its `standing`."""
    offers = list(offers)
    found = standings(offers)
    for offer in offers:
        offer.standing = found[offer.pk]
    return offers


def withdrawn_by_team(offers: Iterable[Offer]) -> set[int]:
    """Those that the landlord's side took away, and not their partner."""
    numbers = [offer.pk for offer in offers if offer.withdrawn_on is not None]
    if not numbers:
        return set()
    rows = LogEntry.objects.filter(
        subject_kind="offer", subject_id__in=numbers, verb="withdraw"
    ).order_by("pk")
    last = dict(rows.values_list("subject_id", "facts"))
    return {number for number, facts in last.items() if facts["by"] == "team"}
