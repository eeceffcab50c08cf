"""How it went: who is asked about what, what is kept of the answer, who is called.

The rules, as they are told to people:

- After a service, a loan, an event or an order, and never after a parcel or a copy at the
  counter (too small to ask about). The newest of the last three days, each thing once.
- One question a week at most, whatever it is about: somebody who was asked on a Tuesday
  may be asked again on the next Tuesday. The question after an artisan's visit, which is
  the marketplace's own, counts.
- It leaves by e-mail, or by SMS where there is no e-mail, from 8:00 to 20:00 and not on
  Sundays. Nobody without either is asked, nor who said "not me".
- One tap on a face, and for who is not happy one reason of a list. The answer may be
  given for thirty days, and changed for a week after it was.
- Not happy puts a call on the desk's list. After it the person is told nothing more; who
  does not pick up stays on the list once, and leaves it the second time.
- Answers are read by the desk (the calls) and counted by month. Nothing is public. After
  thirteen months, or when the person goes, the face stays as a count of its month.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from club.domain.consents import give_consent
from club.domain.messages import channel_of, tell_many
from club.enums import CallOutcome, ConsentKind, Face, OpinionReason, Weekday
from club.kernel import opinions
from club.kernel.opinions import Ended
from club.kernel.refusal import refuse
from club.kernel.spans import local_day, start_of
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import Consent, LogEntry, Member, Message, Opinion, User

EVENT = "opinion.asked"
LATELY = timedelta(days=3)
BETWEEN = timedelta(days=7)
"""From one question to the next, in calendar days."""
ANSWERED_WITHIN = timedelta(days=30)
CHANGED_WITHIN = timedelta(days=7)
FIRST_HOUR, LAST_HOUR = time(8), time(20)
AT_ONCE = 1000


# -- Asking ----------------------------------------------------------------------------------


def is_an_hour_to_ask(now: datetime) -> bool:
    local = timezone.localtime(now, timezone.get_default_timezone())
    return FIRST_HOUR <= local.time() < LAST_HOUR and local.weekday() != Weekday.SUNDAY


def ask_lately(now: datetime) -> int:
    """Ask who had something that ended lately; run twice, or by two at once, asks once."""
    if not is_an_hour_to_ask(now):
        return 0
    ended: dict[int, list[Ended]] = defaultdict(list)
    for source in opinions.sources():
        for thing in source.ended(now - LATELY, now):
            ended[thing.member_id].append(thing)
    members = sorted(ended)
    return sum(
        ask_some({pk: ended[pk] for pk in members[first : first + AT_ONCE]}, now)
        for first in range(0, len(members), AT_ONCE)
    )


@in_one_transaction
def ask_some(ended: Mapping[int, Sequence[Ended]], now: datetime) -> int:
    """The members' rows are held, so that another scheduler reads what this one asked."""
    channels = reached(ended)
    since = week_of(now)
    asked = asked_lately(channels, now)
    asked |= opinions.asked_elsewhere(list(channels), since)
    waiting = [thing for pk in channels if pk not in asked for thing in ended[pk]]
    chosen = newest_of_each(waiting)
    rows = [
        Opinion(
            member_id=thing.member_id,
            place_id=thing.place_id,
            kind=thing.kind,
            subject_id=thing.subject_id,
            label=thing.label[:120],
            asked_at=now,
        )
        for thing in chosen
    ]
    tell_many(
        Message(
            key=f"{EVENT}:{row.reference}",
            event=EVENT,
            member_id=row.member_id,
            subject_kind=str(Opinion._meta.model_name),
            subject_id=row.pk,
            channel=channels[thing.member_id],
            facts={"on": local_day(thing.at).isoformat()},
            due_at=now,
        )
        for row, thing in zip(Opinion.objects.bulk_create(rows), chosen, strict=True)
    )
    return len(rows)


def week_of(now: datetime) -> datetime:
    """From when on a question stands in the way of another one now."""
    return start_of(local_day(now) - BETWEEN + timedelta(days=1))


def asked_lately(members: Iterable[int], now: datetime) -> set[int]:
    """Who had a question of this house less than a week ago."""
    rows = Opinion.objects.filter(member__in=list(members), asked_at__gte=week_of(now))
    return set(rows.values_list("member_id", flat=True))


def reached(ended: Mapping[int, Sequence[Ended]]) -> dict[int, str]:
    """Who may be asked, with the channel; their rows are locked."""
    objects = Consent.objects.filter(
        member=OuterRef("pk"), kind=ConsentKind.NO_QUESTIONS, withdrawn_at=None
    )
    rows = Member.objects.filter(~Exists(objects), pk__in=ended, user__is_active=True)
    rows = rows.select_for_update(of=("self",), no_key=True).order_by("pk")
    found = {}
    for pk, email, phone in rows.values_list("pk", "user__email", "user__phone"):
        channel = channel_of(email, phone)
        if channel is not None:
            found[pk] = channel
    return found


def newest_of_each(things: Sequence[Ended]) -> list[Ended]:
    """Of each member the newest thing that was never asked about."""
    by_kind: dict[str, set[int]] = defaultdict(set)
    for thing in things:
        by_kind[thing.kind].add(thing.subject_id)
    wanted = Q(pk=None)
    for kind, ids in by_kind.items():
        wanted |= Q(kind=kind, subject_id__in=ids)
    known = set(Opinion.objects.filter(wanted).values_list("kind", "subject_id")) if things else ()
    chosen: dict[int, Ended] = {}
    for thing in sorted(things, key=lambda one: (one.at, one.kind, one.subject_id)):
        if (thing.kind, thing.subject_id) not in known:
            chosen[thing.member_id] = thing
    return list(chosen.values())


# -- Answering -------------------------------------------------------------------------------


def held(opinion: Opinion) -> Opinion:
    """The question as it is once its row is locked."""
    hold(opinion)
    return Opinion.objects.select_related("member__user", "place__landlord").get(pk=opinion.pk)


def may_answer(opinion: Opinion, now: datetime) -> bool:
    """For thirty days; what was answered may be changed for a week."""
    if opinion.member_id is None:
        return False
    if opinion.answered_at is not None:
        return now < opinion.answered_at + CHANGED_WITHIN
    return now < opinion.asked_at + ANSWERED_WITHIN


def checked(opinion: Opinion, now: datetime) -> None:
    if may_answer(opinion, now):
        return
    if opinion.answered_at is not None:
        raise refuse("said", _("Vous avez déjà répondu. Merci."))
    raise refuse("too_late", _("Cette question est close. Dites-le-nous à l’accueil."))


@in_one_transaction
def answer(opinion: Opinion, face: str, now: datetime) -> Opinion:
    """One tap. It stays out of the log, which more people read, and which outlives it."""
    opinion = held(opinion)
    if face not in Face.values:
        raise refuse("missing", _("Choisissez un des trois visages."), "face")
    if opinion.face == face:
        return opinion
    checked(opinion, now)
    opinion.face = face
    if face == Face.HAPPY:
        opinion.reason = ""
    if opinion.answered_at is None:
        opinion.answered_at = now
    opinion.save(update_fields=["face", "reason", "answered_at"])
    return opinion


@in_one_transaction
def give_reason(opinion: Opinion, reason: str, now: datetime) -> Opinion:
    """Of somebody who is not happy, and of a list."""
    opinion = held(opinion)
    if reason not in OpinionReason.values:
        raise refuse("reason_wrong", _("Choisissez une raison de la liste."), "reason")
    if opinion.face in ("", Face.HAPPY):
        raise refuse("no_face", _("Choisissez d’abord un visage."), "face")
    if opinion.reason == reason:
        return opinion
    checked(opinion, now)
    opinion.reason = reason
    opinion.save(update_fields=["reason"])
    return opinion


@in_one_transaction
def ask_no_more(opinion: Opinion, now: datetime) -> None:
    """From the link of a question, for whom it was asked."""
    member = held(opinion).member
    if member is None:
        raise refuse("too_late", _("Cette question est close. Dites-le-nous à l’accueil."))
    give_consent(member, ConsentKind.NO_QUESTIONS, by=member.user, now=now)


# -- Calling ---------------------------------------------------------------------------------


@in_one_transaction
def note_call(opinion: Opinion, outcome: str, *, by: User, now: datetime) -> Opinion:
    """What came of the call. A first one that nobody took leaves the line where it is."""
    opinion = held(opinion)
    if outcome not in CallOutcome.values:
        raise refuse("outcome_wrong", _("Choisissez une suite de la liste."), "outcome")
    if opinion.member_id is None or opinion.face != Face.UNHAPPY:
        raise refuse("no_call", _("Il n’y a plus personne à appeler."))
    if opinion.called_at is not None:
        raise refuse("called", _("Cet appel est déjà noté."))
    before, opinion.outcome = opinion.outcome, outcome
    if outcome != CallOutcome.NO_ANSWER or before == CallOutcome.NO_ANSWER:
        opinion.called_at = now
    opinion.called_by = by
    opinion.save(update_fields=["outcome", "called_at", "called_by"])
    log(opinion, "note_call", by=by, now=now, facts={"from": before, "to": outcome})
    return opinion


@in_one_transaction
def undo_call(opinion: Opinion, *, by: User, now: datetime) -> Opinion:
    """Take back what was noted today."""
    opinion = held(opinion)
    lines = LogEntry.objects.filter(subject_kind="opinion", subject_id=opinion.pk)
    last = lines.filter(verb__in=["note_call", "undo_call"]).order_by("-at", "-pk").first()
    if opinion.member_id is None or last is None or last.verb != "note_call":
        raise refuse("not_noted", _("Il n’y a rien à défaire."))
    if last.at < start_of(local_day(now)):
        raise refuse("too_late", _("Seul un appel noté aujourd’hui se défait."))
    before = last.facts["from"]
    log(
        opinion, "undo_call", by=by, now=now, facts={"from": opinion.outcome, "to": before}
    )  # fmt: skip
    opinion.outcome, opinion.called_at = before, None
    if not before:
        opinion.called_by = None
    opinion.save(update_fields=["outcome", "called_at", "called_by"])
    return opinion


# -- Forgetting ------------------------------------------------------------------------------


def make_counts(rows: QuerySet[Opinion]) -> int:
    """Of each answer leave the month, the place, the kind, the face and the reason.

    The number of the thing goes too: a loan leads to its member. `-pk` keeps it unique.
    """
    Message.objects.filter(subject_kind="opinion", subject_id__in=rows.values("pk")).delete()
    month = TruncMonth("asked_at")
    return rows.update(
        member=None,
        label="",
        subject_id=-F("pk"),
        answered_at=Case(When(answered_at=None, then=Value(None)), default=month),
        called_at=Case(When(called_at=None, then=Value(None)), default=month),
        called_by=None,
        asked_at=month,
    )


def forget_old_opinions(now: datetime) -> int:
    end = now - relativedelta(months=settings.RETENTION_SCANS_MONTHS)
    return make_counts(Opinion.objects.filter(asked_at__lt=end, subject_id__gt=0))
