"""What staff do to sessions in the admin, each shown before it is done; and what came of it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.access import is_fresh, prove, staff_places
from club.domain.journal import plain
from club.enums import Role
from club.forms import add_refusal
from club.kernel import words
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import Place
from club.month_forms import file_url, usual_period, wants_file
from club.permissions import RULES, places_for, visible
from club.views.files import as_csv_file
from events.domain.changes import (
    Effect,
    Plan,
    cancel_sessions,
    later_of_series,
    move_sessions,
    plan_cancellation,
    plan_move,
    refuse_impossible,
    shifted,
)
from events.imports.review import words_for
from events.models import Registration, Session
from events.queries.figures import Month, by_month
from events.queries.staff import coming_of_event, to_call_about, to_review
from events.staff_forms import FOLLOWING, CancelForm, MoveForm, PeriodForm

FIELDS = {"starts_at": "day", "ends_at": "ends"}
"""What the verb of moving names, and what its form calls it."""


def mine(user: Any, action: str = "change") -> Any:
    rows = Session.objects.select_related("event", "place__landlord", "replaced_by")
    return visible(rows, user, RULES[Session], [action])


def own_session(request: HttpRequest, pk: int) -> Session:
    """Of one's own places; elsewhere it is not there."""
    if not request.user.is_superuser and not places_for(request.user, Session, ["change"]):
        raise PermissionDenied
    session: Session = get_object_or_404(mine(request.user), pk=pk)
    return session


@dataclass(frozen=True)
class Line:
    """One registration in a dry run."""

    effect: Effect

    @property
    def registration(self) -> Registration:
        return self.effect.registration

    @property
    def way(self) -> str:
        ways = {"email": _("par e-mail"), "sms": _("par SMS")}
        return ways.get(self.effect.how or "", _("à appeler"))

    @property
    def phone(self) -> str:
        return self.registration.member.user.phone

    @property
    def refund(self) -> str:
        cents = self.effect.refund_cents
        return words.money(cents) if cents else ""


class Change(ABC):
    """One page in two steps: the address carries what is asked, so that it is shown first,
    and again after a proof or a change; only the press below the list does it."""

    title = ""
    verb = ""
    template = "events/admin/change.html"

    def __init__(self, request: HttpRequest, session: Session) -> None:
        self.request, self.session, self.now = request, session, timezone.now()
        series = later_of_series(session, self.now)
        known = [one.pk for one in series]
        allowed = set(mine(request.user).filter(pk__in=known).values_list("pk", flat=True))
        self.following = [one for one in series if one.pk in allowed and one.pk != session.pk]
        data = request.GET if "scope" in request.GET else None
        self.form = self.make_form(data, len(self.following))

    @abstractmethod
    def make_form(self, data: Any, following: int) -> Any:
        """What is asked, with `following` later sessions to choose from."""

    @abstractmethod
    def plan(self) -> Plan:
        """What would follow, found without changing anything."""

    @abstractmethod
    def act(self, seal: str) -> Plan:
        """Do it, if what follows is still what `seal` was shown for."""

    @abstractmethod
    def done(self, plan: Plan) -> str:
        """What was done, in a sentence."""

    @property
    def sessions(self) -> list[Session]:
        is_series = self.form.cleaned_data["scope"] == FOLLOWING
        return [self.session, *self.following] if is_series else [self.session]

    def answer(self) -> HttpResponse:
        if not self.form.is_bound or not self.form.is_valid():
            return self.page(None)
        try:
            plan = self.plan()
        except Refused as refused:
            add_refusal(self.form, refused, fields=FIELDS)
            return self.page(None)
        if plan.refund_cents and not is_fresh(self.request):
            return prove(self.request.get_full_path())
        if self.request.method != "POST":
            return self.page(plan)
        try:
            plan = self.act(self.request.POST.get("seal", ""))
        except Refused as refused:
            return self.refused(refused)
        messages.success(self.request, self.done(plan))
        return redirect("session:told", self.session.pk)

    def refused(self, refused: Refused) -> HttpResponse:
        """Changed meanwhile: the list as it is now, to be read and pressed again."""
        if refused.codes != ["changed_meanwhile"]:
            add_refusal(self.form, refused, fields=FIELDS)
            return self.page(None)
        for reason in refused.reasons:
            messages.warning(self.request, str(reason.text))
        return self.page(self.plan())

    def page(self, plan: Plan | None) -> HttpResponse:
        context = {
            "form": self.form,
            "session": self.session,
            "plan": plan,
            "lines": [Line(effect) for effect in plan.effects] if plan else [],
            "rows": self.rows(plan.sessions) if plan else [],
            "refund": words.money(plan.refund_cents) if plan and plan.refund_cents else "",
            "offers": sum(effect.gets_offer for effect in plan.effects) if plan else 0,
            "page_title": self.title,
            "verb": self.verb,
            "edit_url": reverse("session:edit", args=[self.session.pk]),
        }
        return render(self.request, self.template, context)

    def rows(self, sessions: Iterable[Session]) -> list[tuple[str, str]]:
        return [(words.moment(one.starts_at), "") for one in sessions]


class Cancelling(Change):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.title = _("Annuler une séance")
        self.verb = _("Annuler et prévenir")

    def make_form(self, data: Any, following: int) -> CancelForm:
        others = coming_of_event(self.session.event, self.now).exclude(pk=self.session.pk)
        return CancelForm(
            data,
            session=self.session,
            following=following,
            others=others.filter(pk__in=mine(self.request.user).values("pk")),
        )

    def plan(self) -> Plan:
        instead = self.form.cleaned_data["instead"]
        refuse_impossible(self.sessions, instead, self.now)
        return plan_cancellation(self.sessions, instead=instead, now=self.now)

    def act(self, seal: str) -> Plan:
        data = self.form.cleaned_data
        return cancel_sessions(
            self.sessions,
            reason=data["reason"],
            instead=data["instead"],
            seal=seal,
            by=self.request.user,  # type: ignore[arg-type]
            now=self.now,
        )

    def done(self, plan: Plan) -> str:
        text = ngettext("La séance est annulée.", "Les séances sont annulées.", len(plan.sessions))
        return f"{text} {people_told(plan)}"


class Moving(Change):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.title = _("Déplacer une séance")
        self.verb = _("Déplacer et prévenir")

    def make_form(self, data: Any, following: int) -> MoveForm:
        user = self.request.user
        places = Place.objects.filter(landlord=self.session.place.landlord_id)
        if not user.is_superuser:
            places = places.filter(pk__in=places_for(user, Session, ["change"]))
        starts = timezone.localtime(self.session.starts_at)
        ends = timezone.localtime(self.session.ends_at)
        initial = {
            "day": starts.date(),
            "starts": starts.time(),
            "ends": ends.time(),
            "place": self.session.place_id,
            "room": self.session.room,
            "address": self.session.address,
        }
        return MoveForm(
            data, initial=initial, session=self.session, following=following, places=places
        )

    def plan(self) -> Plan:
        refuse_impossible(self.sessions, None, self.now)
        return plan_move(self.sessions, now=self.now)

    def act(self, seal: str) -> Plan:
        return move_sessions(
            self.sessions,
            self.form.shift(),
            seal=seal,
            by=self.request.user,  # type: ignore[arg-type]
            now=self.now,
        )

    def done(self, plan: Plan) -> str:
        text = ngettext(
            "La séance est déplacée.", "Les séances sont déplacées.", len(plan.sessions)
        )
        return f"{text} {people_told(plan)}"

    def rows(self, sessions: Iterable[Session]) -> list[tuple[str, str]]:
        shift = self.form.shift()
        return [
            (words.moment(one.starts_at), words.moment(shifted(one, self.session, shift)[0]))
            for one in sessions
        ]


def people_told(plan: Plan) -> str:
    to_call = len(plan.to_call)
    by_message = len(plan.effects) - to_call
    parts = [
        ngettext("%(n)s inscrit prévenu.", "%(n)s inscrits prévenus.", by_message)
        % {"n": by_message}
    ]
    if to_call:
        parts.append(
            ngettext("%(n)s personne à appeler.", "%(n)s personnes à appeler.", to_call)
            % {"n": to_call}
        )
    return " ".join(parts)


def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    session = own_session(request, pk)
    if session.cancelled_at is not None:
        return redirect("session:told", pk)
    return Cancelling(request, session).answer()


def move(request: HttpRequest, pk: int) -> HttpResponse:
    session = own_session(request, pk)
    if session.cancelled_at is not None:
        return redirect("session:told", pk)
    return Moving(request, session).answer()


def told(request: HttpRequest, pk: int) -> HttpResponse:
    """Who still has to be called; it stays there to be read again."""
    session = own_session(request, pk)
    context = {
        "session": session,
        "members": to_call_about(session),
        "page_title": _("Qui appeler"),
        "edit_url": reverse("session:edit", args=[pk]),
    }
    return render(request, "events/admin/told.html", context)


# -- Reports ------------------------------------------------------------------------------------


def team_places(request: HttpRequest) -> Any:
    """Where one is an officer or a concierge."""
    places = staff_places(request.user, Role.OFFICER, Role.CONCIERGE)  # type: ignore[arg-type]
    if not places:
        raise PermissionDenied
    return places.order_by("name", "pk")


def review(request: HttpRequest) -> HttpResponse:
    """Imported events that somebody has to read, with why."""
    pages = to_review(programme_places(request))
    rows = [(page, words_for(page.review)) for page in pages]
    context = {"rows": rows, "page_title": _("À relire")}
    return render(request, "events/admin/review.html", context)


def programme_places(request: HttpRequest) -> Any:
    """Whoever writes pages reads what was imported: editors too."""
    places = staff_places(request.user)  # type: ignore[arg-type]
    if not places:
        raise PermissionDenied
    return places


def attendance(request: HttpRequest) -> HttpResponse:
    """By month and place; the same lines as a file with `?fichier=csv`."""
    places = team_places(request)
    now = timezone.now()
    usual = usual_period(local_day(now))
    form = PeriodForm(request.GET if "first" in request.GET else usual, places=places)
    months: list[Month] = []
    if form.is_valid():
        data = form.cleaned_data
        chosen = [data["place"]] if data["place"] else list(places)
        months = by_month(chosen, data["first"], data["last"], now=now)
        if wants_file(request):
            return as_file(months)
    context = {
        "form": form,
        "months": months,
        "file_url": file_url(request, usual),
        "page_title": _("Fréquentation"),
    }
    return render(request, "events/admin/attendance.html", context)


def as_file(months: Iterable[Month]) -> HttpResponse:
    heads = [
        _("Mois"), _("Point d’accueil"), _("Séances tenues"), _("Sans pointage"),
        _("Séances annulées"), _("Places"), _("Inscrits"), _("Venus"), _("Absents"),
        _("Sans inscription"), _("Foyers"), _("Remplissage, %"),
    ]  # fmt: skip
    return as_csv_file("frequentation", heads, map(cells_of, months))


def cells_of(month: Month) -> list[str]:
    numbers = (
        month.held, month.uncounted, month.cancelled, month.places, month.registered,
        month.came, month.no_shows, month.walk_ins, month.households,
    )  # fmt: skip
    rate = "" if month.fill_rate is None else str(round(100 * month.fill_rate))
    return [f"{month.month:%m/%Y}", plain(month.place.name), *map(str, numbers), rate]
