"""One artisan's part in a request: asked, answering, silent. The rules are in `visits`.

Whatever changes a request locks its row first, so of two answers at one time the second
finds what the first has made of it.
"""

from datetime import datetime, time, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from club.domain.messages import tell
from club.kernel import codes
from club.kernel.refusal import refuse
from club.kernel.spans import local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import User
from marketplace.domain.told import tell_partner
from marketplace.enums import DAY_PARTS, AskStatus, VisitStatus
from marketplace.models import Partner, VisitAsk, VisitRequest
from marketplace.models.visits import MOST_ASKED
from marketplace.queries.visits import (
    LIVE,
    MAY_ANSWER,
    artisans_for,
    chased_in_vain,
    may_come,
    proposals_over,
    unchased,
    windows_of,
)

CHASED_AFTER = timedelta(hours=48)
GIVEN_UP_AFTER = timedelta(hours=24)
SOON_DAYS = 3
"""What "as soon as possible" means: today or one of the next three days."""
FARTHEST = timedelta(days=60)
EARLIEST, LATEST = time(7), time(21)
"""Nobody lets an artisan in at night: a slip between 3 and 15 is told before it is agreed."""
FIRST_HOUR, LAST_HOUR, SUNDAY = 8, 20, 6
OVER: dict[str, tuple[str, str | Promise]] = {
    VisitStatus.AGREED: ("taken", _("Un autre artisan vient d’accepter.")),
    VisitStatus.DONE: ("over", _("Cette demande est close.")),
    VisitStatus.UNANSWERED: ("over", _("Cette demande est close.")),
    VisitStatus.CANCELLED: ("called_off", _("L’habitant a annulé sa demande.")),
}


# -- Telling ---------------------------------------------------------------------------------


def key_of(event: str, subject: VisitAsk | VisitRequest) -> str:
    """A key of its own each time: a step is taken once, and may come back another day."""
    return f"{event}:{subject.pk}:{codes.token()[:12]}"


def tell_artisan(ask: VisitAsk, event: str, *, now: datetime) -> None:
    tell_partner(
        ask.partner,
        event,
        ask,
        key=key_of(event, ask),
        now=now,
        following=reverse("pro:visit", args=[ask.visit.public_id]),
    )


def tell_resident(
    visit: VisitRequest, event: str, *, now: datetime, facts: dict[str, Any] | None = None
) -> None:
    tell(visit.member, event, visit, key=key_of(event, visit), now=now, facts=facts)


# -- Asking ----------------------------------------------------------------------------------


def ask_artisan(
    visit: VisitRequest, partner: Partner, *, by: User | None, now: datetime
) -> VisitAsk:
    rank = visit.asks.count() + 1
    ask = VisitAsk.objects.create(visit=visit, partner=partner, rank=rank, asked_at=now)
    log(ask, "ask", by=by, now=now, facts={"to": AskStatus.ASKED})
    tell_artisan(ask, "visit.asked", now=now)
    return ask


def next_artisans(visit: VisitRequest, now: datetime) -> list[Partner]:
    """Who was not asked yet, in the directory's order of the day: as many as may be asked."""
    room = MOST_ASKED - visit.asks.filter(status__in=LIVE).count()
    if room <= 0:
        return []
    known = visit.asks.values("partner")
    found = artisans_for(visit.landlord, visit.member.place, visit.trade, local_day(now))
    return list(found.exclude(pk__in=known)[:room])


def go_on(visit: VisitRequest, *, by: User | None, now: datetime) -> None:
    """One artisan was lost: the next in their place, or the end where nobody is left."""
    if visit.widen:
        for partner in next_artisans(visit, now)[:1]:
            ask_artisan(visit, partner, by=None, now=now)
            return
    if not visit.asks.filter(status__in=LIVE).exists():
        move(visit, VisitStatus.UNANSWERED, by=by, now=now, verb="unanswered")
        tell_resident(visit, "visit.unanswered", now=now)


def close_others(
    visit: VisitRequest, event: str, *, by: User | None, now: datetime, kept: VisitAsk | None = None
) -> None:
    """Whoever may still come need not; who was silent is told nothing more."""
    rest = visit.asks.filter(status__in=[*MAY_ANSWER, AskStatus.ACCEPTED])
    if kept is not None:
        rest = rest.exclude(pk=kept.pk)
    for ask in rest.select_related("visit", "partner").order_by("rank"):
        was_silent = ask.status == AskStatus.SILENT
        move(ask, AskStatus.CLOSED, by=by, now=now, verb="close")
        if not was_silent:
            tell_artisan(ask, event, now=now)


# -- Answers ---------------------------------------------------------------------------------


def held(ask: VisitAsk) -> VisitAsk:
    """The ask as it is once its request is locked."""
    hold(VisitRequest(pk=ask.visit_id))
    asks = VisitAsk.objects.select_related(
        "visit__member__user", "visit__member__place", "visit__landlord", "partner__landlord"
    )
    return asks.get(pk=ask.pk)


def check_open(ask: VisitAsk) -> None:
    if ask.status == AskStatus.ACCEPTED:
        raise refuse("yours", _("Vous avez déjà accepté cette visite."))
    if ask.visit.status in OVER:
        code, text = OVER[ask.visit.status]
        raise refuse(code, text)
    if ask.status not in MAY_ANSWER:
        raise refuse("answered", _("Cette demande n’attend plus votre réponse."))


def check_papers(ask: VisitAsk, now: datetime, text: str | Promise) -> None:
    if not may_come(ask.partner, ask.visit.trade, local_day(now)):
        raise refuse("not_covered", text)


def check_moment(moment: datetime, now: datetime) -> None:
    if moment <= now:
        raise refuse("in_the_past", _("Choisissez une heure à venir."), "at")
    if moment > now + FARTHEST:
        raise refuse("too_far", _("Choisissez un jour dans les deux mois."), "at")
    if not EARLIEST <= on_the_wall(moment).time() <= LATEST:
        raise refuse("at_night", _("Choisissez une heure entre 7 h et 21 h."), "at")


def is_wished(visit: VisitRequest, moment: datetime, now: datetime) -> bool:
    """Inside a part of a day that the resident chose, or soon where they chose none."""
    local = local_day(moment)
    if not visit.windows:
        return (local - local_day(now)).days <= SOON_DAYS
    return any(day == local and is_inside(moment, part) for day, part in windows_of(visit))


def is_inside(moment: datetime, part: str) -> bool:
    first, last = DAY_PARTS[part]
    return first <= on_the_wall(moment).hour < last


PAPERS = _("Vos papiers ne couvrent plus ce métier. Envoyez-les à l’accueil, puis acceptez.")


@in_one_transaction
def accept(ask: VisitAsk, moment: datetime, *, by: User, now: datetime) -> VisitAsk:
    """The artisan comes at an hour that the resident wished: it is agreed."""
    ask = held(ask)
    check_open(ask)
    check_papers(ask, now, PAPERS)
    check_moment(moment, now)
    if not is_wished(ask.visit, moment, now):
        text = _("L’habitant n’a pas choisi cette heure. Proposez-la-lui plutôt.")
        raise refuse("not_wished", text, "at")
    settle(ask, moment, by=by, now=now)
    return ask


@in_one_transaction
def propose(ask: VisitAsk, moment: datetime, *, by: User, now: datetime) -> VisitAsk:
    """Another hour: agreed once the resident says yes. A new one replaces the one before."""
    ask = held(ask)
    check_open(ask)
    check_papers(ask, now, PAPERS)
    check_moment(moment, now)
    if ask.status == AskStatus.PROPOSED and ask.proposes_at == moment:
        raise refuse("same", _("C’est déjà l’heure que vous proposez."), "at")
    facts = {"moment": moment.isoformat()}
    move(ask, AskStatus.PROPOSED, by=by, now=now, verb="propose", facts=facts, proposes_at=moment)
    tell_resident(ask.visit, "visit.proposed", now=now, facts={"ask": ask.pk})
    return ask


@in_one_transaction
def decline(ask: VisitAsk, *, by: User, now: datetime) -> VisitAsk:
    """Not free. Whoever has accepted meanwhile gives the visit back by an act of its own."""
    ask = held(ask)
    check_open(ask)
    move(ask, AskStatus.DECLINED, by=by, now=now, verb="decline")
    go_on(ask.visit, by=by, now=now)
    return ask


@in_one_transaction
def give_back(ask: VisitAsk, *, by: User, now: datetime) -> VisitAsk:
    """An agreed visit: those who were too late are asked again, and the next in turn."""
    ask = held(ask)
    visit = ask.visit
    if ask.status != AskStatus.ACCEPTED:
        raise refuse("not_yours", _("Cette visite n’est pas à vous."))
    if visit.status != VisitStatus.AGREED or visit.visit_at is None or visit.visit_at <= now:
        raise refuse("too_late", _("L’heure de la visite est passée. Appelez l’habitant."))
    facts = {"ask": ask.pk, "was": visit.visit_at.isoformat()}
    move(ask, AskStatus.DECLINED, by=by, now=now, verb="give_back")
    move(
        visit, VisitStatus.ASKING, by=by, now=now, verb="given_back", visit_at=None, agreed_at=None
    )
    tell_resident(visit, "visit.given_back", now=now, facts=facts)
    closed = visit.asks.filter(status=AskStatus.CLOSED, silent_at=None)
    for late in closed.select_related("visit", "partner__landlord").order_by("rank"):
        if may_come(late.partner, visit.trade, local_day(now)):
            ask_again(late, now=now)
    go_on(visit, by=None, now=now)
    return ask


def ask_again(ask: VisitAsk, *, now: datetime) -> None:
    move(
        ask,
        AskStatus.ASKED,
        by=None,
        now=now,
        verb="ask_again",
        chased_at=None,
        proposes_at=None,
        closed_at=None,
    )
    tell_artisan(ask, "visit.asked", now=now)


def settle(ask: VisitAsk, moment: datetime, *, by: User, now: datetime) -> None:
    """Agreed: who comes when, and from now on each knows the other's name and phone."""
    visit = ask.visit
    move(ask, AskStatus.ACCEPTED, by=by, now=now, verb="accept")
    facts = {"moment": moment.isoformat(), "partner": ask.partner_id}
    move(visit, VisitStatus.AGREED, by=by, now=now, verb="agree", facts=facts, visit_at=moment)
    close_others(visit, "visit.closed", by=by, now=now, kept=ask)
    tell_artisan(ask, "visit.taken", now=now)
    tell_resident(visit, "visit.agreed", now=now)


# -- The resident's word on a proposal ---------------------------------------------------------


def check_proposal(ask: VisitAsk, moment: datetime) -> None:
    """It stands, and it still is the hour that the resident has read."""
    if ask.visit.status == VisitStatus.AGREED:
        raise refuse("agreed", _("Une visite est déjà convenue."))
    if ask.visit.status != VisitStatus.ASKING or ask.status != AskStatus.PROPOSED:
        raise refuse("no_proposal", _("Cette proposition n’est plus là."))
    if ask.proposes_at != moment:
        raise refuse("changed", _("L’artisan propose maintenant une autre heure. Relisez-la."))


@in_one_transaction
def agree(ask: VisitAsk, moment: datetime, *, by: User, now: datetime) -> VisitAsk:
    """Yes to the hour that was read."""
    ask = held(ask)
    check_proposal(ask, moment)
    if moment <= now:
        raise refuse("in_the_past", _("Cette heure est passée."))
    text = _("Cet artisan n’est plus vérifié pour ce métier. Choisissez-en un autre.")
    check_papers(ask, now, text)
    settle(ask, moment, by=by, now=now)
    return ask


@in_one_transaction
def turn_down(ask: VisitAsk, moment: datetime, *, by: User, now: datetime) -> VisitAsk:
    """The hour that was read does not suit: this artisan is out, the next is asked."""
    ask = held(ask)
    check_proposal(ask, moment)
    move(ask, AskStatus.DECLINED, by=by, now=now, verb="turn_down")
    tell_artisan(ask, "visit.turned_down", now=now)
    go_on(ask.visit, by=by, now=now)
    return ask


# -- Silence -----------------------------------------------------------------------------------


def on_the_wall(moment: datetime) -> datetime:
    return timezone.localtime(moment, timezone.get_default_timezone())


def may_disturb(now: datetime) -> bool:
    """Nobody is woken: from 8:00 to 20:00 on the wall, and not on a Sunday."""
    local = on_the_wall(now)
    return local.weekday() != SUNDAY and FIRST_HOUR <= local.hour < LAST_HOUR


@in_one_transaction
def chase(ask: VisitAsk, *, now: datetime) -> None:
    """Asked once more; who is no longer shown is passed over at once."""
    ask = held(ask)
    if not unchased(now - CHASED_AFTER).filter(pk=ask.pk).exists():
        return
    if not may_come(ask.partner, ask.visit.trade, local_day(now)):
        pass_over(ask, now=now)
        return
    ask.chased_at = now
    ask.save(update_fields=["chased_at"])
    log(ask, "chase", by=None, now=now)
    tell_artisan(ask, "visit.chased", now=now)


@in_one_transaction
def give_up(ask: VisitAsk, *, now: datetime) -> None:
    """Chased in vain: they may still answer, but the next is asked."""
    ask = held(ask)
    if chased_in_vain(now - GIVEN_UP_AFTER).filter(pk=ask.pk).exists():
        pass_over(ask, now=now)


def pass_over(ask: VisitAsk, *, now: datetime) -> None:
    move(ask, AskStatus.SILENT, by=None, now=now, verb="pass_over")
    go_on(ask.visit, by=None, now=now)


@in_one_transaction
def let_proposal_lapse(ask: VisitAsk, *, now: datetime) -> None:
    """The hour proposed came without the resident's word."""
    ask = held(ask)
    if not proposals_over(now).filter(pk=ask.pk).exists():
        return
    move(ask, AskStatus.DECLINED, by=None, now=now, verb="proposal_over")
    go_on(ask.visit, by=None, now=now)
