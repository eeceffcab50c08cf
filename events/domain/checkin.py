"""The door of a session: who came, told once; who walked in; who did not come.

A scan carries the number that its page made up. It is stored once: sent again, it is
answered with what was stored. What a door off line did is done already, so its scans are
taken as they were: whoever it let in is inside, places or not, and what does not fit
(let in twice, cancelled meanwhile) is kept to be looked at.

Who counts as absent: after the beginning staff may mark those who have not come, and
their places are free again for whoever comes. At night the house does the same for
sessions that are over, but only where somebody was checked in. A session where nobody
was is one whose door nobody held, and nobody counts as absent there.

Order of locks: the session, then its registration.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from club.kernel import codes
from club.kernel.bookings import Channel
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import end_of, start_of
from club.kernel.transactions import Contended, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Card, Member, User
from events.domain import fees
from events.domain.places import claim, claim_beyond, locked_session
from events.domain.rules import MOST_AT_ONCE, quantity_wrong
from events.domain.waiting import free_places, offers_stop_at
from events.enums import HOLDING, LIVE, RegistrationStatus, ScanOutcome, SessionStatus
from events.models import CheckIn, Registration, Session, WalkIn
from events.queries.figures import door_was_held
from events.tickets import read_ticket

DOOR_DAYS = timedelta(days=31)
"""How long after a session a sheet signed on paper may still be entered."""
AFTERWARDS = timedelta(hours=3)
"""A session is long over, and its door's phones have sent what they kept."""
UNSURE = (RegistrationStatus.ASKED, RegistrationStatus.WAITING, RegistrationStatus.OFFERED)
ENTERED = (ScanOutcome.IN, ScanOutcome.WALK_IN)


@dataclass(frozen=True)
class Scan:
    """One passage as the door saw it; `despite` is what it was told and went on from."""

    number: str
    at: datetime
    now: datetime
    by: User | None
    offline: bool
    despite: str

    def overrides(self, outcome: str) -> bool:
        return self.despite in {outcome, ScanOutcome.FULL} or self.offline


# -- Whose code it is ------------------------------------------------------------------------


def found_by(session: Session, code: str) -> Registration | None:
    """The registration that a card, a ticket or a reference stands for at this door.

    A card opens its household's places too. Somebody who has none here may have some at
    another session of the day.
    """
    known = Registration.objects.filter(place__landlord=session.place.landlord_id)
    ticket = read_ticket(code)
    scanned = ticket.reference if ticket else codes.as_scanned(code)
    if scanned is not None and scanned.startswith("R"):
        return known.filter(reference=scanned).first()
    member = holder_of(session, code)
    if member is None:
        return None
    mine = known.filter(member__household=member.household_id)
    here = list(mine.filter(session=session).order_by("-pk"))
    if here:
        return min(here, key=lambda one: (one.status not in LIVE, one.member_id != member.pk))
    same_day = mine.filter(
        status__in=LIVE,
        starts_at__gte=start_of(session.day),
        starts_at__lt=end_of(session.day),
    )
    return same_day.order_by("starts_at", "pk").first()


def holder_of(session: Session, code: str) -> Member | None:
    """Whose live card it is: by its number or the address in its QR."""
    scanned = codes.as_scanned(code)
    cards = Card.objects.filter(
        revoked_at=None, member__place__landlord=session.place.landlord_id
    ).select_related("member__user")
    if "://" in code:
        card = cards.filter(token=code.strip().rstrip("/").rpartition("/")[2]).first()
    elif scanned is not None and scanned.startswith("M"):
        card = cards.filter(number=scanned[1:]).first()
    else:
        card = None
    return card.member if card else None


def outcome_for(registration: Registration | None, session: Session) -> str:
    """What stands in the way at the door; IN where nothing does."""
    if registration is None:
        return ScanOutcome.UNKNOWN
    if registration.session_id != session.pk:
        return ScanOutcome.WRONG
    status = registration.status
    if status == RegistrationStatus.PRESENT:
        is_full = registration.came >= registration.quantity
        return ScanOutcome.ALREADY if is_full else ScanOutcome.IN
    if status in UNSURE:
        return ScanOutcome.WAITING
    if status not in LIVE:
        return ScanOutcome.CANCELLED
    return ScanOutcome.IN if is_settled(registration) else ScanOutcome.UNPAID


def is_settled(registration: Registration) -> bool:
    """Free, or charged and paid; an absent one's unpaid charge was taken back."""
    if not registration.cents:
        return True
    return is_charged(registration) and fees.balance(registration) >= 0


def is_charged(registration: Registration) -> bool:
    return fees.charges_of(registration).filter(reversed_by=None).exists()


# -- Coming in -------------------------------------------------------------------------------


@in_one_transaction
def check_in(
    session: Session,
    what: Registration | str,
    *,
    scan: str,
    at: datetime,
    by: User | None,
    now: datetime,
    quantity: int | None = None,
    despite: str = "",
    offline: bool = False,
) -> CheckIn:
    """Let in whom a code or a registration stands for; or tell why not, and change nothing.

    Without a `quantity` all its places are used: the first scan of three lets three in,
    and where only two came the next scan lets the third in. Told UNPAID, WAITING or FULL,
    a second scan with that word as `despite` lets them in all the same. `offline` says
    that the door let them in already.
    """
    session = locked_session(session.pk)
    before = stored(session, scan)
    if before is not None:
        return before
    passage = Scan(scan, min(at, now), now, by, offline, despite)
    refuse_closed_door(session, passage)
    found = found_by(session, what) if isinstance(what, str) else what
    registration = locked_here(found, session)
    outcome = outcome_for(registration, session)
    people = 0
    if registration is not None and registration.session_id == session.pk:
        people = people_of(registration, quantity, is_strict=not offline)
        outcome = passed(registration, session, outcome, people, passage)
    if outcome == ScanOutcome.FORCED and registration is not None:
        people = quantity or registration.quantity
    elif outcome != ScanOutcome.IN:
        people = 0
    return record(session, outcome, passage, registration=registration, quantity=people)


@in_one_transaction
def note_turned_away(
    session: Session,
    code: str,
    outcome: str,
    *,
    scan: str,
    at: datetime,
    by: User | None,
    now: datetime,
) -> CheckIn:
    """What a door off line told somebody whom it did not let in: kept, and nothing else."""
    session = locked_session(session.pk)
    before = stored(session, scan)
    if before is not None:
        return before
    passage = Scan(scan, min(at, now), now, by, offline=True, despite="")
    return record(session, outcome, passage, registration=found_by(session, code))


def stored(session: Session, scan: str) -> CheckIn | None:
    """What this scan's number has told already."""
    before = CheckIn.objects.filter(scan=scan).select_related("registration", "walk_in").first()
    if before is not None and before.session_id != session.pk:
        raise refuse("wrong_state", _("Ce scan vient d’une autre séance."))
    return before


def refuse_closed_door(session: Session, scan: Scan) -> None:
    """The door opens on the morning of the session, and closes a month after it."""
    if scan.at < start_of(session.day):
        raise refuse("not_begun", _("L’entrée ouvre le jour de la séance."))
    if not scan.offline and scan.now > session.ends_at + DOOR_DAYS:
        raise refuse("over", _("Cette séance est finie depuis trop longtemps."))


def locked_here(found: Registration | None, session: Session) -> Registration | None:
    """The registration under lock if it is of this session, whose lock is held."""
    if found is None:
        return None
    rows = Registration.objects.select_related(
        "member__user", "member__household", "session__event", "place__event_policy"
    )
    if found.session_id != session.pk:
        return rows.get(pk=found.pk)
    registration = rows.select_for_update(no_key=True, of=("self",)).get(pk=found.pk)
    if registration.session_id == session.pk:
        registration.session = session
    return registration


def people_of(registration: Registration, quantity: int | None, *, is_strict: bool) -> int:
    """How many go in now: all who are still missing, unless said."""
    rest = max(0, registration.quantity - registration.came)
    if quantity is None or (quantity > rest and not is_strict):
        return rest
    if quantity < 1:
        raise refuse("quantity_wrong", _("Écrivez combien de personnes entrent."), "quantity")
    if rest and quantity > rest:
        text: str | Promise = ngettext_lazy(
            "Il reste une place à cette inscription.",
            "Il reste %(rest)s places à cette inscription.",
            rest,
        ) % {"rest": rest}
        raise refuse("quantity_wrong", text, "quantity")
    return quantity


def passed(
    registration: Registration, session: Session, outcome: str, people: int, scan: Scan
) -> str:
    """Let in where nothing stands in the way, or where the door goes on despite it."""
    if outcome == ScanOutcome.ALREADY:
        return ScanOutcome.FORCED if scan.offline else outcome
    if outcome == ScanOutcome.CANCELLED:
        return outcome
    if outcome != ScanOutcome.IN and not scan.overrides(outcome):
        return outcome
    if outcome == ScanOutcome.WAITING:
        refuse_while_offers_run(registration, session, scan)
    if not has_places(registration, session, scan):
        return ScanOutcome.FULL
    make_sure(registration, scan)
    let_in(registration, people, scan)
    return ScanOutcome.IN


def refuse_while_offers_run(registration: Registration, session: Session, scan: Scan) -> None:
    """Until its last hours the list goes by its order, and the door does not overtake it."""
    waits = registration.status == RegistrationStatus.WAITING
    if waits and not scan.offline and scan.now < offers_stop_at(session):
        raise refuse("queue_runs", _("La liste d’attente suit encore son ordre."))


def has_places(registration: Registration, session: Session, scan: Scan) -> bool:
    """Whoever holds no places claims them now; the room grows only where staff say so."""
    if registration.status in HOLDING:
        return True
    if claim(session, registration.quantity):
        return True
    if scan.despite == ScanOutcome.FULL or scan.offline:
        claim_beyond(session, registration.quantity)
        return True
    return False


def make_sure(registration: Registration, scan: Scan) -> None:
    """What was only asked, waited for or offered is a registration like the others."""
    if registration.status == RegistrationStatus.WAITING:
        step(registration, RegistrationStatus.OFFERED, scan, offer_ends_at=registration.starts_at)
    if registration.status in UNSURE:
        step(registration, RegistrationStatus.CONFIRMED, scan, offer_ends_at=None)
        fees.charge(registration, by=scan.by, now=scan.now)


def step(registration: Registration, to: str, scan: Scan, **changes: Any) -> None:
    move(
        registration,
        to,
        by=scan.by,
        now=scan.now,
        verb="let_in",
        channel=Channel.DESK,
        sequence=registration.sequence + 1,
        **changes,
    )


def let_in(registration: Registration, people: int, scan: Scan) -> None:
    facts = {"people": people}
    if registration.status == RegistrationStatus.PRESENT:
        registration.came += people
        registration.save(update_fields=["came"])
        log(registration, "check_in", by=scan.by, now=scan.now, channel=Channel.DESK, facts=facts)
        return
    was_absent = registration.status == RegistrationStatus.ABSENT
    move(
        registration,
        RegistrationStatus.PRESENT,
        by=scan.by,
        now=scan.now,
        verb="check_in",
        channel=Channel.DESK,
        facts=facts,
        came=people,
        present_at=scan.at,
        absent_at=None,
        pay_until=None,
    )
    if was_absent:
        charge_if_not(registration, by=scan.by, now=scan.now)


def charge_if_not(registration: Registration, *, by: User | None, now: datetime) -> None:
    """An absent one who comes after all pays as the others do."""
    if registration.cents and not is_charged(registration):
        fees.charge(registration, by=by, now=now)


def record(
    session: Session,
    outcome: str,
    scan: Scan,
    *,
    registration: Registration | None = None,
    walk_in: WalkIn | None = None,
    quantity: int = 0,
) -> CheckIn:
    """Two pages that made up the same number: one of them reads what the other stored."""
    try:
        return CheckIn.objects.create(
            session=session,
            registration=registration,
            walk_in=walk_in,
            scan=scan.number,
            outcome=outcome,
            quantity=quantity,
            offline=scan.offline,
            at=scan.at,
            recorded_at=scan.now,
            by=scan.by,
        )
    except IntegrityError as error:
        raise Contended from error


@in_one_transaction
def set_came(registration: Registration, came: int, *, by: User, now: datetime) -> Registration:
    """Of a family that was let in, how many there really are."""
    session = locked_session(registration.session_id)
    held = locked_here(registration, session)
    assert held is not None
    if held.session_id != session.pk or held.status != RegistrationStatus.PRESENT:
        raise refuse("wrong_state", _("Cette inscription n’est pas entrée."))
    if not 1 <= came <= held.quantity:
        text = _("Écrivez un nombre de 1 à %(quantity)s.") % {"quantity": held.quantity}
        raise refuse("quantity_wrong", text, "quantity")
    facts = {"before": held.came, "people": came}
    held.came = came
    held.save(update_fields=["came"])
    log(held, "set_came", by=by, now=now, channel=Channel.DESK, facts=facts)
    return held


# -- Coming in without being registered --------------------------------------------------------


@in_one_transaction
def walk_in(
    session: Session,
    first_name: str,
    quantity: int,
    *,
    scan: str,
    at: datetime,
    by: User | None,
    now: datetime,
    despite: str = "",
    offline: bool = False,
) -> CheckIn:
    """Somebody nobody knows, with a first name and how many; only where it costs nothing."""
    session = locked_session(session.pk)
    before = stored(session, scan)
    if before is not None:
        return before
    passage = Scan(scan, min(at, now), now, by, offline, despite)
    refuse_closed_door(session, passage)
    first_name = first_name.strip()
    reasons = walk_in_reasons(session, first_name, quantity)
    if reasons:
        raise Refused(reasons)
    if not claim(session, quantity):
        if despite != ScanOutcome.FULL and not offline:
            return record(session, ScanOutcome.FULL, passage)
        claim_beyond(session, quantity)
    made = WalkIn.objects.create(
        session=session, first_name=first_name[:40], quantity=quantity, came_at=passage.at
    )
    facts = {"quantity": quantity}
    log(made, "walk_in", by=by, now=now, channel=Channel.DESK, facts=facts)
    return record(session, ScanOutcome.WALK_IN, passage, walk_in=made, quantity=quantity)


def walk_in_reasons(session: Session, first_name: str, quantity: int) -> list[Reason]:
    if session.status == SessionStatus.CANCELLED:
        return [Reason("session_cancelled", _("Cette séance est annulée."))]
    reasons = []
    if session.price_cents:
        text = _("Cette séance se paie : créez la personne, puis encaissez.")
        reasons.append(Reason("not_free", text))
    elif session.members_only:
        text = _("Cette séance est pour les abonnés : inscrivez la personne.")
        reasons.append(Reason("members_only", text))
    if not first_name:
        reasons.append(Reason("name_missing", _("Écrivez le prénom."), "first_name"))
    if not 1 <= quantity <= MOST_AT_ONCE:
        reasons.append(quantity_wrong())
    return reasons


def takes_walk_ins(session: Session) -> bool:
    return not walk_in_reasons(session, "x", 1)


# -- Undone ------------------------------------------------------------------------------------


@in_one_transaction
def undo_check_in(check_in: CheckIn, *, by: User, now: datetime) -> CheckIn:
    """Take back that somebody went in: once, whoever presses twice."""
    session = locked_session(check_in.session_id)
    scan = f"undo:{check_in.pk}"
    before = stored(session, scan)
    if before is not None:
        return before
    passage = Scan(scan, now, now, by, offline=False, despite="")
    if check_in.outcome not in ENTERED:
        raise refuse("wrong_state", _("Il n’y a rien à défaire."))
    if check_in.walk_in_id is not None:
        undo_walk_in(check_in.walk_in_id, session, by=by, now=now)
    else:
        registration = locked_here(check_in.registration, session)
        if registration is None or registration.status != RegistrationStatus.PRESENT:
            raise refuse("wrong_state", _("Cette inscription n’est pas entrée."))
        undo_people(registration, check_in.quantity, by=by, now=now)
    return record(
        session,
        ScanOutcome.OUT,
        passage,
        registration=check_in.registration,
        walk_in=check_in.walk_in,
        quantity=check_in.quantity,
    )


def undo_people(registration: Registration, people: int, *, by: User, now: datetime) -> None:
    left = registration.came - people
    facts = {"people": people}
    if left > 0:
        registration.came = left
        registration.save(update_fields=["came"])
        log(registration, "undo_check_in", by=by, now=now, channel=Channel.DESK, facts=facts)
        return
    move(
        registration,
        RegistrationStatus.CONFIRMED,
        by=by,
        now=now,
        verb="undo_check_in",
        channel=Channel.DESK,
        facts=facts,
        came=0,
        present_at=None,
    )
    is_to_be_paid = registration.session.pay_first and now < registration.starts_at
    if is_to_be_paid and not is_settled(registration):
        move(
            registration,
            RegistrationStatus.PENDING,
            by=by,
            now=now,
            verb="unpaid",
            pay_until=fees.pay_until(registration, now),
        )


def undo_walk_in(pk: int, session: Session, *, by: User, now: datetime) -> None:
    made = WalkIn.objects.select_for_update(no_key=True).get(pk=pk)
    if made.undone_at is not None:
        raise refuse("wrong_state", _("Cette entrée est déjà défaite."))
    made.undone_at = now
    made.save(update_fields=["undone_at"])
    log(made, "undo_walk_in", by=by, now=now, channel=Channel.DESK)
    free_places(session, made.quantity, by=by, now=now)


# -- Who did not come --------------------------------------------------------------------------


@in_one_transaction
def mark_absent(session: Session, *, by: User | None, now: datetime) -> list[Registration]:
    """After the beginning: those who have not come; what they left unpaid is taken back."""
    session = locked_session(session.pk)
    if session.status == SessionStatus.CANCELLED:
        raise refuse("session_cancelled", _("Cette séance est annulée."))
    if now < session.starts_at:
        raise refuse("not_begun", _("La séance n’a pas commencé."))
    missing = list(of_session(session, RegistrationStatus.CONFIRMED))
    for registration in missing:
        move(
            registration,
            RegistrationStatus.ABSENT,
            by=by,
            now=now,
            verb="mark_absent",
            channel=Channel.DESK if by else "",
        )
        if registration.cents and fees.balance(registration) < 0:
            fees.uncharge(registration, by=by, now=now)
    if missing:
        free_places(session, sum(one.quantity for one in missing), by=by, now=now)
    return missing


@in_one_transaction
def undo_absent(session: Session, *, marked_at: datetime, by: User, now: datetime) -> int:
    """They were there, or will be: their places are theirs, were they given meanwhile."""
    session = locked_session(session.pk)
    back = list(of_session(session, RegistrationStatus.ABSENT).filter(absent_at=marked_at))
    for registration in back:
        move(
            registration,
            RegistrationStatus.CONFIRMED,
            by=by,
            now=now,
            verb="undo_absent",
            channel=Channel.DESK,
            absent_at=None,
        )
        charge_if_not(registration, by=by, now=now)
    if back:
        claim_beyond(session, sum(one.quantity for one in back))
    return len(back)


def of_session(session: Session, status: str) -> QuerySet[Registration]:
    return (
        Registration.objects.select_for_update(no_key=True, of=("self",))
        .filter(session=session, status=status)
        .select_related("member__household", "place", "session__event")
        .order_by("pk")
    )


def to_close(now: datetime) -> QuerySet[Session]:
    """Sessions that are over, whose door was held and where somebody stays unmarked."""
    unmarked = Registration.objects.filter(
        session=OuterRef("pk"), status=RegistrationStatus.CONFIRMED
    )
    return Session.objects.filter(
        Q(Exists(unmarked)) & door_was_held(),
        status=SessionStatus.SCHEDULED,
        ends_at__lte=now - AFTERWARDS,
        ends_at__gt=now - DOOR_DAYS,
    ).order_by("pk")
