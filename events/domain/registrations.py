"""Places of a member at a session: taken, waited for, changed, given back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import F, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from club.enums import Activity
from club.kernel.bookings import Channel
from club.kernel.form_keys import once_a_form
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.transactions import Contended, hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Member, User
from club.queries.entitlement import may
from events.domain import fees
from events.domain.places import claim, insert_claiming, locked_session
from events.domain.rules import (
    MOST_AT_ONCE,
    Standing,
    check,
    over_household_limit,
    quantity_wrong,
    standing_of,
    unit_price,
)
from events.domain.told import told
from events.domain.waiting import free_places, offer_places, offers_stop_at
from events.enums import HOLDING, LIVE, OPEN, AnswerKind, RegistrationStatus, SessionStatus
from events.models import Answer, Participant, Question, Registration, Session

AFTER_THE_OFFER = (RegistrationStatus.PENDING, RegistrationStatus.CONFIRMED)


@dataclass(frozen=True)
class Person:
    """Somebody who comes; without an age, an adult."""

    name: str = ""
    age: int | None = None


@dataclass(frozen=True)
class Company:
    """Who comes, and what was answered: by the number of the question."""

    people: Sequence[Person] = ()
    answers: dict[int, str] = field(default_factory=dict)


NOBODY_NAMED = Company()


# -- Taking places --------------------------------------------------------------------------


@in_one_transaction
def register(
    *,
    member: Member,
    session: Session | str,
    quantity: int,
    by: User,
    now: datetime,
    channel: str = Channel.WEB,
    waits: bool = False,
    fewer_ok: bool = False,
    company: Company = NOBODY_NAMED,
) -> Registration:
    """Take `quantity` places, or with `waits` a turn on the list where they are not free.

    Raises `Refused` with every reason; code `full` says how many places are left. The API
    gives the session's public identifier, so that no statement only looks it up.
    """
    public_id = session.public_id if isinstance(session, Session) else session
    standing = standing_of(member, public_id, now)
    if standing.session.household_limit is not None:
        # Two adults of a household at once would both count the same.
        hold(member.household)
        standing = standing_of(member, public_id, now)
    check(standing, quantity, now, channel)
    check_company(standing, quantity, company, channel)
    wanted = Wanted(standing, member, quantity, fewer_ok, channel, company)
    if standing.may_fit(quantity):
        return take(wanted, by=by, now=now)
    if not waits:
        raise full(standing.session, quantity, now)
    return wait_for(wanted, by=by, now=now)


@dataclass(frozen=True)
class Wanted:
    """What a member asks for, checked against the session's rules."""

    standing: Standing
    member: Member
    quantity: int
    fewer_ok: bool
    channel: str
    company: Company

    @property
    def session(self) -> Session:
        return self.standing.session

    def made(self, status: str, now: datetime, **more: Any) -> Registration:
        """Not kept yet."""
        made = Registration(
            session=self.session,
            member=self.member,
            place=self.session.place,
            starts_at=self.session.starts_at,
            ends_at=self.session.ends_at,
            quantity=self.quantity,
            wanted=self.quantity,
            fewer_ok=self.fewer_ok,
            unit_cents=unit_price(self.standing),
            status=status,
            channel=self.channel,
            created_at=now,
            **more,
        )
        if status == RegistrationStatus.PENDING:
            made.pay_until = fees.pay_until(made, now)
        return made


def take(wanted: Wanted, *, by: User, now: datetime) -> Registration:
    """The unique key of (session, member) judges between two tabs."""
    session = wanted.session
    cents = unit_price(wanted.standing) * wanted.quantity
    status = RegistrationStatus.ASKED if session.needs_approval else held_status(session, cents)
    sure = {"confirmed_at": now} if status == RegistrationStatus.CONFIRMED else {}
    made = wanted.made(status, now, **sure)
    try:
        if not insert_claiming(made):
            raise Contended
    except IntegrityError as error:
        raise Contended from error
    keep_company(made, wanted.company)
    if status != RegistrationStatus.ASKED:
        fees.charge(made, by=by, now=now)
    facts = {"to": status, "quantity": made.quantity}
    log(made, "register", by=by, now=now, channel=made.channel, facts=facts)
    told(made, f"registration.{status}", now=now)
    return made


def held_status(session: Session, cents: int) -> RegistrationStatus:
    """Once its places are held: to be paid, or sure."""
    if cents and session.pay_first:
        return RegistrationStatus.PENDING
    return RegistrationStatus.CONFIRMED


def keep_company(made: Registration, company: Company) -> None:
    if company == NOBODY_NAMED:
        return
    Participant.objects.bulk_create(
        Participant(registration=made, name=person.name.strip()[:80], age=person.age)
        for person in company.people
        if person.name.strip() or person.age is not None
    )
    if company.answers:
        asked = Question.objects.in_bulk(company.answers)
        Answer.objects.bulk_create(
            Answer(
                registration=made,
                question=asked[pk],
                asked=asked[pk].text,
                kind=asked[pk].kind,
                value=value[:80],
            )
            for pk, value in company.answers.items()
            if value and pk in asked
        )


def full(session: Session, quantity: int, now: datetime) -> Refused:
    """Too few places: how many are left, whether one can wait, and other dates."""
    left = session.free or 0
    text: str | Promise = (
        ngettext_lazy("Il reste une seule place.", "Il reste %(left)s places.", left)
        % {"left": left}
        if left
        else _("C’est complet.")
    )
    others = (
        Session.objects.filter(
            event=session.event_id, status=SessionStatus.SCHEDULED, starts_at__gt=now
        )
        .filter(Q(capacity=None) | Q(booked__lt=F("capacity")))
        .exclude(pk=session.pk)
        .order_by("starts_at")
        .values_list("public_id", flat=True)[:3]
    )
    return refuse(
        "full",
        text,
        "quantity",
        places_left=left,
        can_wait=now < offers_stop_at(session)
        and (session.capacity is None or quantity <= session.capacity),
        other_sessions=list(others),
    )


def wait_for(wanted: Wanted, *, by: User, now: datetime) -> Registration:
    """A turn at the end of the list, for all the places together; whoever said that fewer
    would do is offered at once what is left."""
    session = locked_session(wanted.session.pk)
    if session.free is None or wanted.quantity <= session.free:
        raise Contended
    capacity = session.wanted_capacity
    if capacity is not None and wanted.quantity > capacity:
        text = _("Cette séance a %(capacity)s places en tout.") % {"capacity": capacity}
        raise refuse("more_than_capacity", text, "quantity", capacity=capacity)
    if now >= offers_stop_at(session):
        raise refuse(
            "too_late_to_wait",
            _("La liste d’attente est close. Une place libre va à qui vient : appelez-nous."),
        )
    made = wanted.made(RegistrationStatus.WAITING, now, queued_at=now, waiting_at=now)
    try:
        made.save(force_insert=True)
    except IntegrityError as error:
        raise Contended from error
    keep_company(made, wanted.company)
    facts = {"to": made.status, "quantity": made.quantity, "fewer_ok": made.fewer_ok}
    log(made, "wait", by=by, now=now, channel=made.channel, facts=facts)
    if made.fewer_ok:
        for offered in offer_places(session, by=by, now=now):
            if offered.pk == made.pk:
                return offered
    told(made, "registration.waiting", now=now)
    return made


def register_once(*, form_key: str, member: Member, **wanted: object) -> Registration:
    """`register` for the page that carries `form_key`: pressed twice, made once."""
    return once_a_form(
        Registration,
        form_key=form_key,
        member=member,
        make=lambda: register(member=member, **wanted),  # type: ignore[arg-type]
    )


def check_company(standing: Standing, quantity: int, company: Company, channel: str) -> None:
    """Names, ages and answers, where the event asks for them; the desk may leave them out."""
    event = standing.session.event
    reasons: list[Reason] = []
    named = [person for person in company.people if person.name.strip()]
    text: str | Promise
    if len(company.people) > quantity:
        text = _("Il y a plus de personnes que de places.")
        reasons.append(Reason("too_many_people", text, "people"))
    elif event.asks_names and len(named) < quantity and channel != Channel.DESK:
        text = _("Écrivez le nom de chaque personne.")
        reasons.append(Reason("names_missing", text, "people"))
    for person in company.people:
        if person.age is None:
            continue
        if not 0 <= person.age <= 120:
            reasons.append(Reason("age_wrong", _("Écrivez un âge de 0 à 120 ans."), "people"))
        elif event.age_min is not None and person.age < event.age_min:
            text = _("C’est à partir de %(age)s ans.") % {"age": event.age_min}
            reasons.append(Reason("too_young", text, "people", {"age_min": event.age_min}))
        elif event.age_max is not None and person.age > event.age_max:
            text = _("C’est jusqu’à %(age)s ans.") % {"age": event.age_max}
            reasons.append(Reason("too_old", text, "people", {"age_max": event.age_max}))
    is_asked = standing.has_questions and (channel != Channel.DESK or company.answers)
    for question in event.questions.all() if is_asked else ():
        reason = answer_fault(question, company.answers.get(question.pk, ""), channel)
        if reason is not None:
            reasons.append(reason)
    if reasons:
        raise Refused(reasons)


def answer_fault(question: Question, value: str, channel: str) -> Reason | None:
    name = f"question_{question.pk}"
    if not value:
        if question.required and channel != Channel.DESK:
            return Reason("answer_missing", _("Répondez à cette question."), name)
        return None
    allowed = {
        AnswerKind.YES_NO: ["yes", "no"],
        AnswerKind.CHOICE: question.options,
    }.get(AnswerKind(question.kind))
    if allowed is not None and value not in allowed:
        return Reason("answer_wrong", _("Choisissez une des réponses."), name)
    if question.kind == AnswerKind.NUMBER and not (value.isascii() and value.isdigit()):
        return Reason("answer_wrong", _("Écrivez un nombre."), name)
    return None


# -- What is held already ----------------------------------------------------------------------


def locked_registration(registration: Registration) -> Registration:
    """Under the lock of its session, which is taken first everywhere."""
    session = locked_session(
        Registration.objects.values_list("session_id", flat=True).get(pk=registration.pk)
    )
    held = (
        Registration.objects.select_for_update(no_key=True, of=("self",))
        .select_related("member__user", "member__household", "member__place", "place")
        .get(pk=registration.pk)
    )
    if held.session_id != session.pk:
        raise Contended
    held.session = session
    return held


def refuse_closed(registration: Registration, now: datetime, channel: str) -> None:
    """What is over or has begun is changed no more; the desk may until the end."""
    if registration.status not in OPEN:
        raise refuse(
            "wrong_state",
            _("Cette inscription ne peut plus changer : %(state)s.")
            % {"state": registration.get_status_display()},
        )
    session = registration.session
    if now >= (session.ends_at if channel == Channel.DESK else session.starts_at):
        raise refuse("begun", _("La séance a commencé. Parlez-en à l’accueil."))


@in_one_transaction
def cancel(
    registration: Registration, *, by: User, now: datetime, channel: str = Channel.WEB
) -> Registration:
    """Give the places back, once; the money too, as long as the session's term allows it."""
    registration = locked_registration(registration)
    refuse_closed(registration, now, channel)
    keeps_money = now > registration.session.refunds_until()
    end(registration, RegistrationStatus.CANCELLED, by=by, now=now, verb="cancel", channel=channel,
        keeps_money=keeps_money)  # fmt: skip
    told(registration, "registration.cancelled", now=now, settles=True)
    return registration


def end(
    registration: Registration,
    to: str,
    *,
    by: User | None,
    now: datetime,
    verb: str,
    channel: str = "",
    keeps_money: bool = False,
) -> None:
    """Out of the session, whose lock is held: its places go on, its money comes back."""
    held = registration.status in HOLDING
    move(
        registration,
        to,
        by=by,
        now=now,
        verb=verb,
        channel=channel,
        sequence=registration.sequence + 1,
        offer_ends_at=None,
        pay_until=None,
    )
    if registration.cents and not (keeps_money and fees.balance(registration) >= 0):
        fees.uncharge(registration, by=by, now=now)
        fees.give_money_back(registration, now=now)
    if held:
        free_places(registration.session, registration.quantity, by=by, now=now)


@in_one_transaction
def change_quantity(
    registration: Registration,
    quantity: int,
    *,
    by: User,
    now: datetime,
    channel: str = Channel.WEB,
) -> Registration:
    """More places, or fewer; of an offer fewer only."""
    registration = locked_registration(registration)
    refuse_closed(registration, now, channel)
    before, session = registration.quantity, registration.session
    if quantity == before:
        return registration
    standing = standing_of(registration.member, session.public_id, now)
    reasons = quantity_reasons(registration, standing, quantity)
    if reasons:
        raise Refused(reasons)
    more = quantity - before
    if registration.status in (RegistrationStatus.WAITING, RegistrationStatus.OFFERED):
        registration.wanted = quantity
    if registration.status == RegistrationStatus.WAITING:
        if more > 0:
            registration.queued_at = now
    elif more > 0 and not claim(session, more):
        raise full(session, more, now)
    registration.quantity = quantity
    registration.sequence += 1
    registration.save(update_fields=["quantity", "wanted", "queued_at", "sequence"])
    facts = {"before": before, "quantity": quantity}
    log(registration, "change_quantity", by=by, now=now, channel=channel, facts=facts)
    if registration.status in AFTER_THE_OFFER:
        fees.charge_anew(registration, by=by, now=now)
    drop_spare_names(registration)
    if more < 0 and registration.status != RegistrationStatus.WAITING:
        free_places(locked_session(session.pk), -more, by=by, now=now)
    elif more < 0:
        free_places(session, 0, by=by, now=now)
    told(registration, "registration.changed", now=now, settles=True)
    return registration


def drop_spare_names(registration: Registration) -> None:
    named = registration.participants.order_by("pk").values_list("pk", flat=True)
    Participant.objects.filter(pk__in=list(named[registration.quantity :])).delete()


def quantity_reasons(registration: Registration, standing: Standing, quantity: int) -> list[Reason]:
    session = registration.session
    text: str | Promise
    if not 1 <= quantity <= MOST_AT_ONCE:
        return [quantity_wrong()]
    if registration.status == RegistrationStatus.OFFERED and quantity > registration.quantity:
        return [more_than_offered(registration)]
    capacity = session.wanted_capacity
    if capacity is not None and quantity > max(capacity, registration.quantity):
        text = _("Cette séance a %(capacity)s places en tout.") % {"capacity": capacity}
        return [Reason("more_than_capacity", text, "quantity", {"capacity": capacity})]
    held = registration.quantity if registration.status in HOLDING else 0
    return over_household_limit(standing, quantity - held)


def more_than_offered(registration: Registration) -> Reason:
    text = ngettext_lazy(
        "On vous propose une place.",
        "On vous propose %(offered)s places. Prenez-en autant, ou moins.",
        registration.quantity,
    ) % {"offered": registration.quantity}
    return Reason("more_than_offered", text, "quantity")


@in_one_transaction
def move_to(
    registration: Registration,
    session: Session | str,
    *,
    by: User,
    now: datetime,
    channel: str = Channel.WEB,
) -> Registration:
    """Another date of the same event; the reference stays."""
    public_id = session.public_id if isinstance(session, Session) else session
    member = registration.member
    standing = standing_of(member, public_id, now)
    wanted = standing.session
    for pk in sorted({wanted.pk, registration.session_id}):
        locked_session(pk)
    registration = locked_registration(registration)
    refuse_closed(registration, now, channel)
    before = registration.session
    if wanted.event_id != before.event_id or wanted.pk == before.pk:
        raise refuse("other_event", _("Choisissez une autre date du même événement."), "session")
    if registration.status not in AFTER_THE_OFFER:
        raise refuse("wrong_state", _("Cette inscription ne peut pas changer de date."))
    check(standing, registration.quantity, now, channel)
    if not claim(wanted, registration.quantity):
        raise full(wanted, registration.quantity, now)
    registration.session = wanted
    registration.place = wanted.place
    registration.starts_at, registration.ends_at = wanted.starts_at, wanted.ends_at
    registration.unit_cents = unit_price(standing)
    if registration.pay_until is not None:
        registration.pay_until = min(registration.pay_until, wanted.starts_at)
    registration.sequence += 1
    registration.save(
        update_fields=[
            "session", "place", "starts_at", "ends_at", "unit_cents", "pay_until", "sequence",
        ]
    )  # fmt: skip
    facts = {"before": before.public_id, "session": wanted.public_id}
    log(registration, "move", by=by, now=now, channel=channel, facts=facts)
    fees.charge_anew(registration, by=by, now=now)
    free_places(before, registration.quantity, by=by, now=now)
    told(registration, "registration.changed", now=now, settles=True)
    return registration


@in_one_transaction
def accept(
    registration: Registration,
    *,
    quantity: int | None = None,
    by: User,
    now: datetime,
    channel: str = Channel.WEB,
) -> Registration:
    """Say yes to the places that are offered, or to fewer, before the offer lapses."""
    registration = locked_registration(registration)
    if registration.status in AFTER_THE_OFFER:
        return registration
    if not registration.offer_holds(now):
        raise refuse("offer_over", _("Cette proposition n’est plus valable."))
    offered = registration.quantity
    taken = offered if quantity is None else quantity
    if taken < 1:
        raise Refused(quantity_wrong())
    if taken > offered:
        raise Refused(more_than_offered(registration))
    if taken < offered:
        registration.quantity = registration.wanted = taken
        registration.save(update_fields=["quantity", "wanted"])
        drop_spare_names(registration)
    hold_places(registration, by=by, now=now, verb="accept", channel=channel)
    if taken < offered:
        free_places(registration.session, offered - taken, by=by, now=now)
    return registration


@in_one_transaction
def approve(registration: Registration, *, by: User, now: datetime) -> Registration:
    """The desk says yes to what was asked for."""
    registration = locked_registration(registration)
    if registration.status != RegistrationStatus.ASKED:
        raise refuse("wrong_state", _("Cette demande a déjà sa réponse."))
    hold_places(registration, by=by, now=now, verb="approve", channel=Channel.DESK)
    return registration


def hold_places(
    registration: Registration, *, by: User, now: datetime, verb: str, channel: str
) -> None:
    """Its places are held already: now they are sure, or to be paid."""
    to = held_status(registration.session, registration.cents)
    pay_until = fees.pay_until(registration, now) if to == RegistrationStatus.PENDING else None
    move(
        registration,
        to,
        by=by,
        now=now,
        verb=verb,
        channel=channel,
        pay_until=pay_until,
        offer_ends_at=None,
        sequence=registration.sequence + 1,
    )
    fees.charge(registration, by=by, now=now)
    told(registration, f"registration.{to}", now=now)


@in_one_transaction
def decline(registration: Registration, *, by: User, now: datetime) -> Registration:
    """The desk says no to what was asked for."""
    registration = locked_registration(registration)
    if registration.status != RegistrationStatus.ASKED:
        raise refuse("wrong_state", _("Cette demande a déjà sa réponse."))
    end(registration, RegistrationStatus.REFUSED, by=by, now=now, verb="decline")
    told(registration, "registration.refused", now=now)
    return registration


@in_one_transaction
def withdraw_offer(registration: Registration, *, by: User, now: datetime) -> Registration:
    """Staff take an offer back: its turn stays, and the list is walked from its head."""
    registration = locked_registration(registration)
    if registration.status != RegistrationStatus.OFFERED:
        raise refuse("wrong_state", _("Il n’y a plus de place proposée."))
    quantity = registration.quantity
    move(
        registration,
        RegistrationStatus.WAITING,
        by=by,
        now=now,
        verb="withdraw_offer",
        quantity=registration.wanted,
        offer_ends_at=None,
        sequence=registration.sequence + 1,
    )
    free_places(registration.session, quantity, by=by, now=now)
    return registration


# -- What ends by itself ------------------------------------------------------------------------


@in_one_transaction
def lapse(registration: Registration, *, now: datetime) -> Registration:
    """An offer nobody took, places nobody paid, a turn that never came."""
    registration = locked_registration(registration)
    if not has_lapsed(registration, now):
        return registration
    was = registration.status
    end(registration, RegistrationStatus.LAPSED, by=None, now=now, verb="lapse")
    is_over = now >= registration.starts_at
    if not (is_over and was in {RegistrationStatus.WAITING, RegistrationStatus.OFFERED}):
        told(registration, "registration.lapsed", now=now, facts={"was": was})
    return registration


def has_lapsed(registration: Registration, now: datetime) -> bool:
    if registration.status == RegistrationStatus.OFFERED:
        return not registration.offer_holds(now)
    if registration.status == RegistrationStatus.PENDING:
        term = registration.pay_until
        is_over = term is not None and now >= term and not fees.is_paid(registration)
        return is_over and not fees.is_being_paid(registration, now)
    if registration.status in {RegistrationStatus.WAITING, RegistrationStatus.ASKED}:
        return now >= registration.starts_at
    return False


def to_lapse(now: datetime) -> QuerySet[Registration]:
    return Registration.objects.filter(
        Q(status=RegistrationStatus.OFFERED, offer_ends_at__lte=now)
        | Q(status=RegistrationStatus.PENDING, pay_until__lte=now)
        | Q(
            status__in=[RegistrationStatus.WAITING, RegistrationStatus.ASKED],
            starts_at__lte=now,
        )
    ).order_by("pk")


# -- Told, and allowed -------------------------------------------------------------------------


def at_the_same_time(registration: Registration) -> QuerySet[Registration]:
    """The member's other places at the same time: told, and allowed."""
    return (
        Registration.objects.filter(
            member=registration.member_id,
            status__in=LIVE,
            starts_at__lt=registration.ends_at,
            ends_at__gt=registration.starts_at,
        )
        .exclude(pk=registration.pk)
        .select_related("session__event")
    )


def is_subscriber(member: Member, session: Session) -> bool:
    return may(member, Activity.EVENTS, session.day, session.day) is None
