"""An offer's terms: proposed, taken back, withdrawn and brought back.

What residents see changes by an officer's answer alone (`domain.moderation`), save for
taking an offer away, which whoever keeps the shop may do at once.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from dateutil.relativedelta import relativedelta
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import LogEntry, User
from marketplace.domain import moderation
from marketplace.enums import PartnerKind
from marketplace.models import Offer, Partner
from marketplace.queries.offers import (
    TERMS,
    Terms,
    asked_now,
    terms_in,
    terms_of,
    withdrawn_by_team,
)
from marketplace.queries.people import people_of

MOST_A_DAY = 20
"""Proposals of one partner."""
LONGEST = relativedelta(years=5)
"""How far ahead a day of the terms may lie: what lasts longer has no end, and says so."""


def drafted(offer: Offer | None, partner: Partner, terms: Terms, *, now: datetime) -> Offer:
    """The offer as it would be, not saved; refused with each fault beside its field."""
    if partner.kind == PartnerKind.INTERMEDIARY:
        text = _("Un intermédiaire en assurance ne propose pas d’avantage.")
        raise refuse("not_for_insurance", text)
    draft = Offer(partner=partner, live=False) if offer is None else offer
    for name, value in terms.items():
        setattr(draft, name, value)
    reasons = faults_of(draft)
    if draft.ends_on and draft.ends_on < local_day(now):
        reasons.append(Reason("is_over", _("Ce jour est déjà passé."), "ends_on"))
    wrong = {reason.field for reason in reasons}
    for name in ("starts_on", "ends_on"):
        day = getattr(draft, name)
        if day and day > local_day(now) + LONGEST and name not in wrong:
            reasons.append(Reason("too_far", _("Choisissez un jour dans les cinq ans."), name))
    if reasons:
        raise Refused(reasons)
    return draft


def faults_of(draft: Offer) -> list[Reason]:
    """One sentence a field: what is missing is not told to be wrong as well."""
    faults: dict[str, list[str]] = {}
    left_out = {field.name for field in Offer._meta.fields} - {*TERMS}
    for check in (partial(draft.clean_fields, exclude=left_out), draft.clean):
        try:
            check()
        except ValidationError as error:
            faults = error.message_dict | faults
    return [
        Reason("terms_wrong", sentence, field)
        for field, sentences in faults.items()
        for sentence in sentences[:1]
    ]


@in_one_transaction
def propose(
    offer: Offer | None, partner: Partner, terms: dict[str, Any], by: User, now: datetime
) -> Offer:
    """Ask for the landlord's agreement. The newest words win: what still waited is over.

    Sent twice it is asked once. `terms` are all of `TERMS`: what is left out of a change
    is taken from `Standing.newest` by the caller.
    """
    check_pace(partner, now)
    if offer is None:
        hold(partner)
        draft = drafted(None, partner, terms, now=now)
        same = asked_again(draft)
        if same is not None:
            return same
        draft.save()
    else:
        hold(offer)
        stored = Offer.objects.select_related("partner__landlord").get(pk=offer.pk)
        shown, waiting = terms_of(stored), asked_now(stored)
        draft = drafted(stored, stored.partner, terms, now=now)
        if waiting is not None and terms_in(waiting.content) == terms_of(draft):
            return draft
        if draft.live and terms_of(draft) == shown:
            raise refuse("no_change", _("Il n’y a rien à changer."))
        if not draft.live:
            draft.save()
    draft.save_revision(user=by, clean=False)
    moderation.begin(draft, by=by, now=now)
    log(draft, "propose", by=by, now=now, facts={"revision": draft.latest_revision_id})
    return draft


def check_pace(partner: Partner, now: datetime) -> None:
    """Each proposal is a message to each officer: so many a day are enough."""
    own = Offer.objects.filter(partner=partner).values("pk")
    lately = LogEntry.objects.filter(
        subject_kind="offer", subject_id__in=own, verb="propose", at__gt=now - timedelta(days=1)
    )
    if lately.count() >= MOST_A_DAY:
        raise refuse("too_many", _("C’est beaucoup pour un jour. Recommencez demain."))


def asked_again(draft: Offer) -> Offer | None:
    """The same new offer, pressed twice."""
    for offer in Offer.objects.filter(partner=draft.partner, live=False):
        if terms_of(offer) == terms_of(draft) and asked_now(offer) is not None:
            return offer
    return None


@in_one_transaction
def take_back(offer: Offer, *, by: User, now: datetime) -> Offer:
    """The partner asks no longer, or lets a refused change rest; what is shown stays."""
    hold(offer)
    if not moderation.drop(offer, by=by):
        raise refuse("not_waiting", _("Cette proposition n’attend plus de réponse."))
    log(offer, "take_back", by=by, now=now)
    return offer


@in_one_transaction
def withdraw(offer: Offer, *, by: User, now: datetime) -> Offer:
    """Not shown from now on, and no longer asked for."""
    hold(offer)
    offer.refresh_from_db()
    if offer.withdrawn_on is not None or not offer.live:
        raise refuse("not_shown", _("Cet avantage n’est pas en ligne."))
    moderation.drop(offer, by=by)
    offer.withdrawn_on = local_day(now)
    offer.save(update_fields=["withdrawn_on"])
    is_partner = people_of(offer.partner).filter(user=by).exists()
    log(offer, "withdraw", by=by, now=now, facts={"by": "partner" if is_partner else "team"})
    return offer


@in_one_transaction
def bring_back(offer: Offer, *, by: User, now: datetime) -> Offer:
    """With the terms that were approved; what the landlord took away, the landlord returns."""
    hold(offer)
    offer.refresh_from_db()
    if offer.withdrawn_on is None or not offer.live:
        raise refuse("not_withdrawn", _("Cet avantage n’est pas retiré."))
    is_partner = people_of(offer.partner).filter(user=by).exists()
    if is_partner and withdrawn_by_team([offer]):
        raise refuse("withdrawn_by_team", _("Le bailleur l’a retiré. Appelez l’accueil."))
    offer.withdrawn_on = None
    offer.save(update_fields=["withdrawn_on"])
    log(offer, "bring_back", by=by, now=now)
    return offer
