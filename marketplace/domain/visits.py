"""A request to artisans, from the first message to the resident's word on the visit.

The rules, as they are told to people:

- Any member asks; no subscription is needed. At most three requests are open at once, a
  visit whose hour has passed not counted, and ten are made in a calendar month.
- Up to three artisans are asked, of those that the directory shows today for the trade,
  that serve the member's place and have somebody who can answer.
- They read the trade, the problem, the town and the times; they see the photos. Name,
  address and phone pass to the one that accepts, when it does.
- An artisan accepts an hour inside a wished part of a day, or within three days where
  the wish was "as soon as possible". Any other hour is a proposal, which the resident
  takes or turns down; several may wait at once. The first that is agreed gets the visit,
  and the others are told so.
- Silent for 48 hours, an artisan is asked once more; silent for 24 hours after that,
  they are passed over, and may still answer while the request is open. Messages that
  nobody waits for leave from 8:00 to 20:00 and not on Sundays.
- Whoever is lost (declines, is passed over, is turned down, or proposed an hour that has
  come) is replaced by the next in the directory's order of the day, unless the member
  said not to. Nobody is asked while three are asked or wait for the member's word.
- Where nobody is left, the member is told what they can do. They may ask others then.
- Papers are looked at anew before each promise: lapsed, an artisan cannot take a visit.
- Until its hour, either side can call an agreed visit off. Called off by the artisan, it
  goes back to those who were too late, and to the next in turn.
- The morning after, the member is asked whether the visit took place, and how it went.
  The answer is for the officers' counts alone. Unanswered for 14 days, it is done.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from django.db import IntegrityError
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from club.domain.messages import tell
from club.domain.opinions import asked_lately
from club.kernel.people import e164
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import local_day, start_of
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Member, Message, User
from marketplace.domain.asks import ask_artisan, close_others, next_artisans, tell_resident
from marketplace.enums import Satisfaction, Trade, UnhappyFor, VisitStatus
from marketplace.models import Partner, VisitPhoto, VisitRequest
from marketplace.models.visits import MOST_ASKED
from marketplace.queries.visits import (
    Window,
    artisans_for,
    asked_since,
    never_said,
    open_count,
    visited_between,
    windows_offered,
)

MOST_OPEN = 3
MOST_A_MONTH = 10
MOST_WINDOWS = 3
MOST_PHOTOS = 3
SAID_WITHIN = timedelta(days=14)
ASKED_LATE = timedelta(days=3)
"""A worker that was down asks after a visit this much later still, and no more then."""


@dataclass(frozen=True)
class Work:
    """What is to be done, where and when, as the member says it."""

    trade: str
    what: str
    address: str
    town: str
    phone: str
    windows: Sequence[Window] = ()
    widen: bool = True


# -- Asking ----------------------------------------------------------------------------------


def number_for(member: Member, form_key: str) -> str:
    """The public number of what a page asks for, which the page's key alone decides.

    It is unique, so of two presses at one time the second undoes itself; and nobody can
    tell it from the key of a page without the house's secret.
    """
    digest = salted_hmac("marketplace.visit", f"{member.pk}:{form_key}", algorithm="sha256")
    return urlsafe_b64encode(digest.digest()).decode()[:12]


def ask_once(
    *,
    form_key: str,
    member: Member,
    work: Work,
    artisans: Sequence[Partner],
    photos: Iterable[ContentFile],
    by: User,
    now: datetime,
) -> VisitRequest:
    """`ask_for_visit` for the page that carries `form_key`: pressed twice, made once."""
    number = number_for(member, form_key)
    made = VisitRequest.objects.filter(public_id=number)
    first = made.first()
    if first is not None:
        return first
    try:
        return ask_for_visit(
            member=member, work=work, artisans=artisans, photos=photos, by=by, now=now,
            number=number,
        )  # fmt: skip
    except (Refused, IntegrityError):
        first = made.first()
        if first is None:
            raise
        return first


@in_one_transaction
def ask_for_visit(
    *,
    member: Member,
    work: Work,
    artisans: Sequence[Partner],
    photos: Iterable[ContentFile] = (),
    by: User,
    now: datetime,
    number: str = "",
) -> VisitRequest:
    photos = list(photos)
    hold(member)
    phone = e164(work.phone) or ""
    reasons = [
        *limits_reached(member, now),
        *faults_of(work, phone, now),
        *faults_of_choice(member, work.trade, artisans, now),
    ]
    if len(photos) > MOST_PHOTOS:
        text = _("Envoyez trois photos au plus.")
        reasons.append(Reason("too_many_photos", text, "photos"))
    if reasons:
        raise Refused(reasons)
    visit = VisitRequest(
        member=member,
        landlord=member.household.landlord,
        trade=work.trade,
        what=work.what.strip(),
        address=work.address.strip(),
        town=work.town.strip(),
        phone=phone,
        windows=[[day.isoformat(), part] for day, part in sorted(set(work.windows))],
        widen=work.widen,
        asked_at=now,
    )
    if number:
        visit.public_id = number
    visit.save(force_insert=True)
    log(visit, "ask", by=by, now=now, facts={"to": visit.status})
    for partner in artisans:
        ask_artisan(visit, partner, by=by, now=now)
    for photo in photos:
        VisitPhoto.objects.create(visit=visit, file=photo)
    return visit


def limits_reached(member: Member, now: datetime) -> list[Reason]:
    reasons = []
    if open_count(member, now) >= MOST_OPEN:
        text = _("Vous avez déjà trois demandes en cours. Annulez-en une, ou appelez l’accueil.")
        reasons.append(Reason("too_many_open", text))
    if asked_since(member, start_of(local_day(now).replace(day=1))) >= MOST_A_MONTH:
        text = _("Vous avez fait dix demandes ce mois-ci. Appelez l’accueil.")
        reasons.append(Reason("too_many_this_month", text))
    return reasons


def faults_of(work: Work, phone: str, now: datetime) -> list[Reason]:
    reasons = []
    if work.trade not in Trade.values:
        reasons.append(Reason("trade_wrong", _("Choisissez un métier de la liste.")))
    if not work.what.strip():
        reasons.append(Reason("what_missing", _("Dites en une phrase ce qui ne va pas."), "what"))
    if not work.address.strip():
        text = _("Écrivez l’adresse où l’artisan doit venir.")
        reasons.append(Reason("address_missing", text, "address"))
    if not work.town.strip():
        reasons.append(Reason("town_missing", _("Écrivez la commune."), "town"))
    if not phone:
        text = _("Ce numéro n’existe pas. Exemple : 06 12 34 56 78.")
        reasons.append(Reason("phone_wrong", text, "phone"))
    if len(set(work.windows)) > MOST_WINDOWS:
        text = _("Choisissez trois moments au plus.")
        reasons.append(Reason("too_many_windows", text, "windows"))
    elif set(work.windows) - set(windows_offered(now)):
        text = _("Un de ces moments est passé ou trop loin. Choisissez-en un autre.")
        reasons.append(Reason("window_gone", text, "windows"))
    return reasons


def faults_of_choice(
    member: Member, trade: str, artisans: Sequence[Partner], now: datetime
) -> list[Reason]:
    chosen = {partner.pk for partner in artisans}
    if not chosen:
        return [Reason("nobody_chosen", _("Choisissez au moins un artisan."), "artisans")]
    if len(chosen) > MOST_ASKED:
        return [Reason("too_many_asked", _("Choisissez trois artisans au plus."), "artisans")]
    shown = artisans_for(member.household.landlord, member.place, trade, local_day(now))
    if len(artisans) != len(chosen) or shown.filter(pk__in=chosen).count() != len(chosen):
        text = _("Un de ces artisans n’est plus disponible. Choisissez de nouveau.")
        return [Reason("not_shown", text, "artisans")]
    return []


# -- The member's own steps --------------------------------------------------------------------


def held(visit: VisitRequest) -> VisitRequest:
    """The request as it is once its row is locked."""
    hold(visit)
    found = VisitRequest.objects.select_related("member__user", "member__place", "landlord")
    return found.get(pk=visit.pk)


@in_one_transaction
def ask_others(visit: VisitRequest, *, by: User, now: datetime) -> VisitRequest:
    """As many as may still be asked, of those who were not yet."""
    visit = held(visit)
    if visit.status not in {VisitStatus.ASKING, VisitStatus.UNANSWERED}:
        raise refuse("over", _("Cette demande n’attend plus personne."))
    found = next_artisans(visit, now)
    if not found:
        raise refuse("nobody_left", _("Tous les artisans possibles sont déjà demandés."))
    if visit.status == VisitStatus.UNANSWERED:
        move(visit, VisitStatus.ASKING, by=by, now=now, verb="ask_others")
    for partner in found:
        ask_artisan(visit, partner, by=by, now=now)
    return visit


@in_one_transaction
def cancel(visit: VisitRequest, *, by: User, now: datetime) -> VisitRequest:
    """Called off; a visit that was agreed and did not take place ends so too."""
    visit = held(visit)
    was_agreed = visit.status == VisitStatus.AGREED
    is_over = visit.visit_at is not None and visit.visit_at <= now
    move(visit, VisitStatus.CANCELLED, by=by, now=now, verb="cancel")
    if was_agreed and is_over:
        return visit
    close_others(visit, "visit.called_off", by=by, now=now)
    if was_agreed:
        tell_resident(visit, "visit.cancelled", now=now)
    return visit


@in_one_transaction
def take_place(visit: VisitRequest, *, by: User, now: datetime) -> VisitRequest:
    """The member says that the artisan came."""
    visit = held(visit)
    if visit.status == VisitStatus.AGREED and visit.visit_at is not None and visit.visit_at > now:
        raise refuse("too_early", _("La visite n’a pas encore eu lieu."))
    move(visit, VisitStatus.DONE, by=by, now=now, verb="take_place")
    return visit


@in_one_transaction
def say_how_it_went(
    visit: VisitRequest, satisfaction: str, reason: str = "", *, by: User, now: datetime
) -> VisitRequest:
    """One answer, once; its words stay out of the log, which more people read."""
    visit = held(visit)
    if visit.status != VisitStatus.DONE:
        raise refuse("not_done", _("Dites d’abord si la visite a eu lieu."))
    if visit.satisfaction:
        raise refuse("said", _("Vous avez déjà répondu. Merci."))
    if satisfaction not in Satisfaction.values:
        raise refuse("missing", _("Choisissez une des trois réponses."), "satisfaction")
    if reason and (reason not in UnhappyFor.values or satisfaction == Satisfaction.HAPPY):
        raise refuse("reason_wrong", _("Choisissez une raison de la liste."), "unhappy_for")
    visit.satisfaction, visit.unhappy_for = satisfaction, reason
    visit.save(update_fields=["satisfaction", "unhappy_for"])
    log(visit, "say_how_it_went", by=by, now=now)
    return visit


# -- The morning after -------------------------------------------------------------------------


def to_ask_about(now: datetime) -> list[VisitRequest]:
    """Visits of the last days of which the member was not asked yet: one question a week."""
    today = start_of(local_day(now))
    visits = list(visited_between(today - ASKED_LATE, today).select_related("member__user"))
    keys = {happened_key(visit) for visit in visits}
    asked = set(Message.objects.filter(key__in=keys).values_list("key", flat=True))
    busy = asked_lately({visit.member_id for visit in visits}, now)
    return [
        visit
        for visit in visits
        if happened_key(visit) not in asked and visit.member_id not in busy
    ]


def happened_key(visit: VisitRequest) -> str:
    return f"visit.happened:{visit.pk}:{visit.visit_at:%Y%m%d%H%M}"


@in_one_transaction
def ask_whether_it_took_place(visit: VisitRequest, *, now: datetime) -> None:
    hold(visit.member)
    if asked_lately([visit.member_id], now):
        return
    tell(visit.member, "visit.happened", visit, key=happened_key(visit), now=now)


def to_close(now: datetime) -> Iterable[VisitRequest]:
    return never_said(now - SAID_WITHIN)


@in_one_transaction
def close_unsaid(visit: VisitRequest, *, now: datetime) -> None:
    """Nobody said anything: taken as done, and counted as such without a word on it."""
    visit = held(visit)
    if visit.status == VisitStatus.AGREED:
        move(visit, VisitStatus.DONE, by=None, now=now, verb="close_unsaid")
