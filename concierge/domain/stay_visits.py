"""The visits of a stay: which days, what was done there, what was found.

The rule
- At least one visit in any n days of the stay on which the place is open: a visit waits as
  long as the rhythm allows; where that day is closed it is made on the nearest open day
  before, and where there is none since the last visit, on the next one after.
- Days are days of the calendar: no clock change adds or takes one, and there are never two
  visits on a day.
- Only while the stay runs (the keys are at the desk, or none are needed), and never ahead
  of its day, a visit is noted done. What was noted by mistake is undone.
- What was found is one code of a closed list. It waits on the desk's list for a call.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import transaction
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext_lazy as _

from club.domain.messages import channel_for, tell
from club.enums import MessageChannel, MessageStatus
from club.kernel import words
from club.kernel.refusal import refuse
from club.kernel.rows import flush
from club.kernel.spans import at, days_between, local_day
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log
from club.models import Message, User
from club.queries.calendar import Calendar, calendar_of
from concierge.enums import Incident, StayStatus
from concierge.models import Stay, StayVisit

TOLD_FROM = time(18)
"""The visits of a day are told together in the evening."""
GROUP = "stay-visits"


# -- The plan ----------------------------------------------------------------------------------


def plan(
    calendar: Calendar,
    first: date,
    last: date,
    every: int,
    *,
    visited: date | None = None,
    today: date | None = None,
) -> list[date]:
    """The days of the visits from `first` to `last`, after the last one that was made.

    With `today` nothing is planned for a day that has passed: what is overdue comes first.
    """
    days = [day for day in days_between(first, last) if calendar.is_open_day(day)]
    if visited is not None:
        days = [day for day in days if day > visited]
    if today is not None:
        days = [day for day in days if day >= today]
    before = visited if visited is not None and visited >= first else first - timedelta(days=1)
    found: list[date] = []
    while days:
        due = before + timedelta(days=every)
        if due > last and (found or visited is not None):
            break
        in_time = [day for day in days if day <= due]
        before = in_time[-1] if in_time else days[0]
        found.append(before)
        days = [day for day in days if day > before]
    return found


def plan_visits(stay: Stay, now: datetime) -> None:
    """Make the plan anew; what was done, or found, stays as it was.

    A day that stays planned keeps its row: somebody may have its page open at the door.
    """
    made = stay.visits.exclude(done_at=None, incident="").values_list("day", flat=True)
    visited = max(made, default=None)
    days = plan(
        calendar_of(stay.place),
        stay.first_on,
        stay.last_on,
        stay.visit_every,
        visited=visited,
        today=local_day(now),
    )
    drop_visits_ahead(stay, but=days)
    held = set(stay.visits.values_list("day", flat=True))
    StayVisit.objects.bulk_create(StayVisit(stay=stay, day=day) for day in days if day not in held)


def drop_visits_ahead(stay: Stay, *, but: Collection[date] = ()) -> None:
    """What nobody has made: the stay is over or off, or its plan is made anew."""
    ahead = stay.visits.filter(done_at=None, incident="").exclude(day__in=but)
    flush()
    Message.objects.filter(subject_kind="stayvisit", subject_id__in=ahead.values("pk")).delete()
    ahead.delete()


# -- One visit ---------------------------------------------------------------------------------


def locked_visit(visit: StayVisit) -> StayVisit:
    """Under the lock of its stay, which is taken first everywhere; its day may be off by now."""
    stay = (
        Stay.objects.select_for_update(no_key=True, of=("self",))
        .select_related("member__user", "place", "service")
        .get(pk=visit.stay_id)
    )
    rows = StayVisit.objects.select_for_update(no_key=True, of=("self",))
    held = rows.filter(pk=visit.pk).first()
    if held is None:
        raise refuse("gone", _("Cette visite n’est plus prévue. Relisez la tournée."))
    held.stay = stay
    return held


def check_runs(visit: StayVisit, now: datetime) -> None:
    if visit.stay.status == StayStatus.BOOKED:
        text = _("Les clés ne sont pas là. Recevez-les, ou commencez sans clés.")
        raise refuse("not_begun", text)
    if visit.stay.status != StayStatus.RUNNING:
        text = _("Cette garde ne peut plus changer : %(state)s.")
        raise refuse("wrong_state", text % {"state": visit.stay.get_status_display()})
    if visit.day > local_day(now):
        raise refuse("not_yet", _("Cette visite est prévue un autre jour."))


@in_one_transaction
def tick_visit(
    visit: StayVisit,
    tasks: Iterable[str],
    *,
    photo: ContentFile | None = None,
    by: User,
    now: datetime,
) -> StayVisit:
    """Somebody was there and did that. `photo` has been drawn anew, without EXIF."""
    visit = locked_visit(visit)
    check_runs(visit, now)
    if visit.done_at is not None:
        raise refuse(
            "done_already",
            _("Cette visite est déjà notée : %(who)s, %(when)s.")
            % {"who": visit.done_by or _("l’accueil"), "when": words.moment(visit.done_at)},
        )
    done = set(tasks)
    ticked = [task for task in visit.stay.tasks if task in done]
    if not ticked or len(ticked) != len(done):
        raise refuse("tasks_wrong", _("Cochez ce que vous avez fait."), "tasks")
    visit.ticked, visit.done_at, visit.done_by = ticked, now, by
    with saved(visit.photo, "visite.jpg", photo):
        visit.save(update_fields=["ticked", "done_at", "done_by", "photo"])
        log(visit, "tick", by=by, now=now, facts={"tasks": ticked})
        tell_done(visit, now)
    return visit


@in_one_transaction
def undo_tick(visit: StayVisit, *, by: User, now: datetime) -> StayVisit:
    """It was another home: the visit is to do again, and its photo is gone."""
    visit = locked_visit(visit)
    if visit.done_at is None or visit.stay.status != StayStatus.RUNNING:
        raise refuse("wrong_state", _("Il n’y a plus rien à défaire."))
    untell(visit, "visit.done")
    drop_file(visit.photo.storage, visit.photo.name or "")
    visit.ticked, visit.done_at, visit.done_by, visit.photo = [], None, None, ""
    visit.save(update_fields=["ticked", "done_at", "done_by", "photo"])
    log(visit, "undo_tick", by=by, now=now)
    return visit


@contextmanager
def saved(file: FieldFile, name: str, content: ContentFile | None) -> Iterator[None]:
    """A file stands before its row is written: what fails after it takes it away again."""
    if content is None:
        yield
        return
    file.save(name, content, save=False)
    try:
        yield
    except Exception:
        file.storage.delete(file.name or "")
        raise


def drop_file(storage: Storage, name: str) -> None:
    """Once the row that named it has let go of it."""
    if name:
        transaction.on_commit(lambda: storage.delete(name))


# -- What was found ----------------------------------------------------------------------------


@in_one_transaction
def note_incident(visit: StayVisit, incident: str, *, by: User, now: datetime) -> StayVisit:
    """Something is wrong there: the member is told to call, and stands on the desk's list."""
    visit = locked_visit(visit)
    check_runs(visit, now)
    if incident not in Incident.values:
        raise refuse("incident_wrong", _("Choisissez ce que vous avez trouvé."), "incident")
    if visit.incident == incident and visit.called_at is None:
        raise refuse("wrong_state", _("C’est déjà noté. Appelez la personne."))
    visit.incident, visit.called_at, visit.called_by = incident, None, None
    visit.save(update_fields=["incident", "called_at", "called_by"])
    log(visit, "incident", by=by, now=now, facts={"incident": incident})
    untell(visit, "visit.incident")
    key = f"visit.incident:{visit.pk}:{int(now.timestamp())}"
    tell(visit.stay.member, "visit.incident", visit, key=key, now=now)
    return visit


@in_one_transaction
def drop_incident(visit: StayVisit, *, by: User, now: datetime) -> StayVisit:
    """Noted by mistake."""
    visit = locked_visit(visit)
    if not visit.incident or visit.called_at is not None:
        raise refuse("wrong_state", _("Il n’y a plus rien à défaire."))
    visit.incident = ""
    visit.save(update_fields=["incident"])
    log(visit, "drop_incident", by=by, now=now)
    untell(visit, "visit.incident")
    return visit


@in_one_transaction
def mark_called(visit: StayVisit, *, by: User, now: datetime) -> StayVisit:
    visit = locked_visit(visit)
    if not visit.incident or visit.called_at is not None:
        raise refuse("wrong_state", _("Cet appel est déjà noté."))
    visit.called_at, visit.called_by = now, by
    visit.save(update_fields=["called_at", "called_by"])
    log(visit, "called", by=by, now=now)
    return visit


# -- Telling -----------------------------------------------------------------------------------


def tell_done(visit: StayVisit, now: datetime) -> None:
    """By e-mail alone: an SMS a visit would be a nuisance. The page says it at once."""
    member = visit.stay.member
    if channel_for(member) != MessageChannel.EMAIL:
        return
    key = f"visit.done:{visit.pk}:{int(now.timestamp())}"
    due_at = max(now, at(local_day(now), TOLD_FROM))
    tell(member, "visit.done", visit, key=key, now=now, due_at=due_at, group=GROUP)


def untell(visit: StayVisit, event: str) -> None:
    """Take back what has not left."""
    flush()
    Message.objects.filter(
        event=event,
        subject_kind="stayvisit",
        subject_id=visit.pk,
        status=MessageStatus.PENDING,
    ).delete()
