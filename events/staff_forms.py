"""The forms of the staff's admin: an event with its rules, a session, what is done to one."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminPageForm
from wagtail.admin.widgets import AdminDateInput, AdminTimeInput

from club.access import staff_places
from club.forms import add_refusal
from club.kernel import words
from club.kernel.inputs import near
from club.kernel.refusal import Refused
from club.kernel.spans import at, local_day
from club.models import Place
from club.permissions import places_for
from club.viewsets import ScopedForm
from events.domain.changes import Shift
from events.domain.schedules import MOST, check_schedule, refuse_too_many
from events.enums import CancelReason
from events.models import EventIndex, EventPage, Schedule, Session
from events.queries.staff import events_of

FURTHEST = timedelta(days=5 * 366)


# -- Pages ----------------------------------------------------------------------------------


class ProgrammeForm(WagtailAdminPageForm):
    """A programme is of one place for good: what it holds would not follow."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "place" not in self.fields:
            return
        if self.instance.pk:
            self.fields["place"].disabled = True
        elif self.for_user is not None:
            self.fields["place"].queryset = staff_places(self.for_user)


class EventForm(WagtailAdminPageForm):
    """Each date or rule is tried, and told what is wrong where it was written."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for line in self.schedule_lines():
            self.offer_places(line)

    def schedule_lines(self) -> list[Any]:
        formset = self.formsets.get("schedules")
        return [] if formset is None else [*formset.forms, formset.empty_form]

    def offer_places(self, line: Any) -> None:
        """Sessions are held where one works, and where they are held already."""
        if "place" not in line.fields:
            return
        programme = self.programme()
        mine = staff_places(self.for_user) if self.for_user else Place.objects.all()
        if programme is not None:
            mine = mine.filter(landlord=programme.place.landlord_id)
        chosen = Place.objects.filter(Q(pk__in=mine.values("pk")) | Q(pk=line.instance.place_id))
        line.fields["place"].queryset = chosen

    def programme(self) -> EventIndex | None:
        if not hasattr(self, "_programme"):
            parent = self.parent_page
            self._programme = (
                EventIndex.objects.select_related("place__landlord").filter(pk=parent.pk).first()
                if parent is not None
                else None
            )
        return self._programme

    def is_valid(self) -> bool:
        if "schedules" in self.formsets and self.is_bound:
            self.try_schedules()
        return super().is_valid()

    def try_schedules(self) -> None:
        """A draft too is told: a day that cannot be read never gets better by waiting."""
        programme, now, coming = self.programme(), timezone.now(), 0
        formset = self.formsets["schedules"]
        for line in formset.forms:
            if not line.is_valid() or (formset.can_delete and formset._should_delete_form(line)):
                continue
            schedule: Schedule = line.instance
            place = schedule.place or (programme.place if programme else None)
            if place is None or not schedule.starts_on:
                continue
            try:
                before, coming = coming, coming + check_schedule(schedule, place, now)
                if before <= MOST:
                    refuse_too_many(coming)
            except Refused as refused:
                add_refusal(line, refused)


def register() -> None:
    """A page type lies below its form, so the form is put in from here."""
    EventPage.base_form_class = EventForm
    EventIndex.base_form_class = ProgrammeForm


# -- Sessions -------------------------------------------------------------------------------


class SessionForm(ScopedForm):
    """The terms of one session. When and where it is moves with those who come."""

    keep_registered = forms.BooleanField(
        label=_("Garder tous les inscrits"),
        required=False,
        help_text=_("S’il y a trop d’inscrits : une place rendue n’est plus donnée."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "capacity" in self.fields:
            self.initial["capacity"] = self.instance.wanted_capacity


class AddSessionForm(ScopedForm):
    """One more date of an event, on the event's own terms."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Place.objects.all()
        if not self.for_user.is_superuser:
            mine = mine.filter(pk__in=places_for(self.for_user, Session, ["add"]))
        self.fields["event"].queryset = events_of(mine)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean()
        starts_at, ends_at = data.get("starts_at"), data.get("ends_at")
        if starts_at:
            fault = fault_of_start(starts_at, timezone.now())
            if fault:
                self.add_error("starts_at", fault)
            elif ends_at and ends_at <= starts_at:
                self.add_error("ends_at", str(_("La fin vient après le début.")))
            elif ends_at and ends_at - starts_at > timedelta(days=31):
                self.add_error("ends_at", str(_("Une séance dure un mois au plus.")))
        return data


def fault_of_start(starts_at: datetime, now: datetime) -> str | None:
    if starts_at <= now:
        return str(_("Choisissez une date à venir."))
    if starts_at > now + FURTHEST:
        return str(_("Cette date est trop loin d’aujourd’hui. Relisez l’année."))
    return None


class SessionChoice(forms.ModelChoiceField):
    def label_from_instance(self, session: Session) -> str:
        free = session.free
        places = _("sans limite") if free is None else _("places libres : %(n)s") % {"n": free}
        return f"{words.moment(session.starts_at)} ({places})"


ONE, FOLLOWING = "one", "following"


class ScopeForm(forms.Form):
    """What is asked of one session or of it and those that follow."""

    scope = forms.ChoiceField(
        label=_("Quelles séances"), widget=forms.RadioSelect, initial=ONE, required=True
    )

    def __init__(self, *args: Any, session: Session, following: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.session = session
        choices: list[tuple[str, Any]] = [(ONE, _("Cette séance seulement"))]
        if following:
            text = _("Cette séance et les suivantes du même événement : %(n)s en tout")
            choices.append((FOLLOWING, text % {"n": following + 1}))
        self.fields["scope"].choices = choices  # type: ignore[attr-defined]


class CancelForm(ScopeForm):
    reason = forms.ChoiceField(
        label=_("Pourquoi"),
        choices=[("", _("Choisissez")), *CancelReason.choices],
        help_text=_("Les inscrits lisent ces mots."),
        error_messages={"required": _("Choisissez pourquoi.")},
    )
    instead = SessionChoice(
        label=_("Date proposée à la place"),
        queryset=Session.objects.none(),
        required=False,
        empty_label=_("Aucune"),
        help_text=_("Les places y sont gardées jusqu’au lendemain soir."),
    )

    def __init__(self, *args: Any, others: QuerySet[Session], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["instead"].queryset = others  # type: ignore[attr-defined]


class MoveForm(ScopeForm):
    day = forms.DateField(label=_("Nouveau jour"), widget=AdminDateInput)
    starts = forms.TimeField(label=_("De"), widget=AdminTimeInput)
    ends = forms.TimeField(
        label=_("À"),
        widget=AdminTimeInput,
        help_text=_("Avant l’heure de début : la séance finit le lendemain."),
    )
    place = forms.ModelChoiceField(label=_("Point d’accueil"), queryset=Place.objects.none())
    room = forms.CharField(label=_("Salle"), max_length=120, required=False)
    address = forms.CharField(
        label=_("Adresse"),
        max_length=250,
        required=False,
        help_text=_("Si c’est ailleurs qu’à l’accueil."),
    )

    def __init__(self, *args: Any, places: QuerySet[Place], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].queryset = places  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if {"day", "starts", "ends"} <= set(data):
            limit = local_day(timezone.now()) + FURTHEST
            if data["day"] > limit:
                text = _("Cette date est trop loin d’aujourd’hui. Relisez l’année.")
                self.add_error("day", ValidationError(text))
            elif at(data["day"], data["starts"]) <= timezone.now():
                self.add_error("day", ValidationError(_("Choisissez une date à venir.")))
            elif data["starts"] == data["ends"]:
                text = _("La séance finit à l’heure où elle commence. Changez une des deux.")
                self.add_error("ends", ValidationError(text))
        return data

    def shift(self) -> Shift:
        data = self.cleaned_data
        day: date = data["day"]
        ends_on = day if data["ends"] > data["starts"] else day + timedelta(days=1)
        starts_at, ends_at = at(day, data["starts"]), at(ends_on, data["ends"])
        return Shift(starts_at, ends_at, data["place"], data["room"], data["address"])


class PeriodForm(forms.Form):
    """The months that a report is about."""

    first = forms.DateField(label=_("Du"), widget=AdminDateInput)
    last = forms.DateField(label=_("Au"), widget=AdminDateInput)
    place = forms.ModelChoiceField(
        label=_("Point d’accueil"),
        queryset=Place.objects.none(),
        required=False,
        empty_label=_("Tous les miens"),
    )

    def __init__(self, *args: Any, places: QuerySet[Place], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].queryset = places  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        if first and last and last < first:
            self.add_error("last", ValidationError(_("La fin vient après le début.")))
        elif first and last and (last - first > FURTHEST or not near(first) or not near(last)):
            self.add_error("last", ValidationError(_("Choisissez cinq ans au plus.")))
        return data
