"""A card at a till: what one use saves, how often it may be, taken back within minutes."""

from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from club.kernel.refusal import refuse
from club.kernel.spans import local_day
from club.kernel.transactions import Contended, hold, in_one_transaction
from club.kernel.transitions import log
from club.models import LogEntry, Member, Residence, User
from club.queries.members import good_until
from marketplace.enums import LimitPer, OfferKind
from marketplace.models import Offer, OfferUse
from marketplace.queries.offers import offers_shown, with_stock
from marketplace.queries.people import acting

TIME_TO_UNDO = timedelta(minutes=10)
MOST_CENTS = 10_000_00
PRESSED_AGAIN = timedelta(days=1)
"""How long the page that counted a use may be sent again."""
USED_UP = {
    LimitPer.DAY: _("Déjà utilisé aujourd’hui."),
    LimitPer.WEEK: _("Déjà utilisé cette semaine."),
    LimitPer.MONTH: _("Déjà utilisé ce mois-ci."),
    LimitPer.YEAR: _("Déjà utilisé cette année."),
    LimitPer.EVER: _("Cet avantage a déjà servi pour cette carte."),
}


@in_one_transaction
def use_offer(
    offer: Offer,
    *,
    member: Member,
    amount_cents: int | None = None,
    by: User,
    now: datetime,
    form_key: str = "",
) -> OfferUse:
    """Count one use. The member's row is locked before their uses are counted, and the
    unique rank is the judge; the page with `form_key`, sent twice, counts once."""
    on = local_day(now)
    if amount_cents is not None and not 0 < amount_cents <= MOST_CENTS:
        text = _("Écrivez le montant de l’achat, jusqu’à 10 000 €, ou rien.")
        raise refuse("amount_wrong", text, "amount_cents")
    if member.household.landlord_id != offer.partner.landlord_id or not good_until(member, on):
        raise refuse("card_not_good", _("Cette carte n’est pas valable."), "card")
    refuse_on_day(offer, on)
    hold(member)
    made = counted_by(form_key, offer, member, now)
    if made is not None:
        return made
    use = OfferUse(
        offer=offer,
        member=member,
        residence=residence_of(member),
        period=period_of(offer.limit_per, on),
        used_at=now,
        amount_cents=amount_cents,
        saving_cents=saving_of(offer, amount_cents),
        by=by,
    )
    use.rank = free_rank(use)
    try:
        use.save(force_insert=True)
    except IntegrityError as error:
        raise Contended from error
    log(use, "use_offer", by=by, now=now, facts={"key": form_key} if form_key else {})
    return use


def refuse_on_day(offer: Offer, on: date) -> None:
    shown = offers_shown(offer.partner.landlord, on).filter(pk=offer.pk)
    found = with_stock(shown, on).first()
    if found is None:
        raise refuse("offer_not_today", _("Cet avantage n’est pas valable aujourd’hui."), "offer")
    if found.is_sold_out:
        raise refuse("sold_out", _("Cet avantage est épuisé aujourd’hui."), "offer")


def counted_by(form_key: str, offer: Offer, member: Member, now: datetime) -> OfferUse | None:
    """What the page that carries this key has counted, unless it was taken back since."""
    if not form_key:
        return None
    recent = OfferUse.objects.filter(offer=offer, member=member, used_at__gt=now - PRESSED_AGAIN)
    lines = LogEntry.objects.filter(
        subject_kind="offeruse",
        subject_id__in=list(recent.values_list("pk", flat=True)),
        verb="use_offer",
        facts__key=form_key,
    )
    return recent.filter(pk__in=lines.values_list("subject_id", flat=True)).first()


def free_rank(use: OfferUse) -> int:
    """The lowest rank of the period that is free: one taken back leaves its own."""
    same: dict[str, Any] = {"offer": use.offer, "member": use.member, "period": use.period}
    taken = set(OfferUse.objects.filter(**same).values_list("rank", flat=True))
    rank = next(rank for rank in count(1) if rank not in taken)
    most = use.offer.limit_count
    if most is not None and rank > most:
        raise refuse("limit_reached", USED_UP[LimitPer(use.offer.limit_per)], "offer", most=most)
    return rank


def residence_of(member: Member) -> Residence | None:
    dwelling = member.household.dwelling
    return dwelling.residence if dwelling else None


def period_of(limit_per: str, on: date) -> str:
    """The stretch of local days in which uses are counted together; a day without a limit."""
    match limit_per:
        case LimitPer.WEEK:
            year, week, _weekday = on.isocalendar()
            return f"{year}-W{week:02d}"
        case LimitPer.MONTH:
            return f"{on:%Y-%m}"
        case LimitPer.YEAR:
            return f"{on:%Y}"
        case LimitPer.EVER:
            return "ever"
    return on.isoformat()


def saving_of(offer: Offer, amount_cents: int | None) -> int:
    """Cents of euro; of a percentage only where the amount is known, half a cent goes up."""
    match offer.kind:
        case OfferKind.PERCENT:
            return ((amount_cents or 0) * (offer.percent or 0) + 50) // 100
        case OfferKind.AMOUNT:
            off = offer.amount_cents or 0
            return off if amount_cents is None else min(off, amount_cents)
        case OfferKind.PRICE:
            return max(0, (offer.usual_price_cents or 0) - (offer.price_cents or 0))
    return 0


@in_one_transaction
def take_back_use(use: OfferUse, *, by: User, now: datetime) -> None:
    """A slip of the finger, within minutes, by somebody of the same firm."""
    if not acting(by).filter(partner=use.offer.partner_id).exists():
        raise refuse("other_firm", _("Seul le commerce qui l’a compté peut l’annuler."))
    if now - use.used_at > TIME_TO_UNDO:
        raise refuse("too_late", _("Les dix minutes sont passées. Appelez l’accueil."))
    log(use, "take_back_use", by=by, now=now)
    if not OfferUse.objects.filter(pk=use.pk).delete()[0]:
        raise refuse("taken_back", _("C’est déjà annulé."))
