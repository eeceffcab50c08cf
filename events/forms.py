"""What a visitor asks of the programme, in its address; what a member says to register."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from club.kernel.refusal import Reason, Refused
from events.domain.registrations import Company, Person
from events.domain.rules import MOST_AT_ONCE
from events.enums import AnswerKind, Audience, Theme
from events.models import EventPage, Question
from events.queries.programme import Wanted

MONTHS_AHEAD = 13
"""Sessions are made a year ahead: a month further on has none."""
RADIOS = 6


def months_from(today: date, month: date) -> int:
    return (month.year - today.year) * 12 + month.month - today.month


def read_month(text: str, today: date) -> date | None:
    """`2027-03`; a month that is over, or too far to have sessions, is no month."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text, re.ASCII) or text < "2000":
        return None
    month = date(int(text[:4]), int(text[5:]), 1)
    return month if 0 <= months_from(today, month) <= MONTHS_AHEAD else None


def read_day(text: str, today: date) -> date | None:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date() if len(text) == 10 else None  # noqa: DTZ007
    except ValueError:
        return None
    if day is None or day < today or months_from(today, day) > MONTHS_AHEAD:
        return None
    return day


class ListForm(forms.Form):
    """The filters of the programme. What cannot be read is left out."""

    lieu = forms.SlugField(required=False)
    rayon = forms.ChoiceField(required=False, choices=Theme.choices)
    enfants = forms.BooleanField(required=False)
    plain_pied = forms.BooleanField(required=False)
    places = forms.BooleanField(required=False)
    texte = forms.CharField(required=False, max_length=80)
    mois = forms.CharField(required=False, max_length=7)
    jour = forms.CharField(required=False, max_length=10)
    papier = forms.BooleanField(required=False)
    page = forms.IntegerField(required=False, min_value=1, max_value=100)

    def wanted(self, today: date) -> Wanted:
        self.is_valid()
        said = self.cleaned_data
        return Wanted(
            place=said.get("lieu", ""),
            theme=said.get("rayon", ""),
            children=said.get("enfants", False),
            step_free=said.get("plain_pied", False),
            with_places=said.get("places", False),
            text=said.get("texte", ""),
            month=read_month(said.get("mois", ""), today),
            day=read_day(said.get("jour", ""), today),
            paper=said.get("papier", False),
        )

    def number(self) -> int:
        return self.cleaned_data.get("page") or 1


class PersonFields:
    """The two fields of one who comes, as the page groups them."""

    def __init__(self, form: "RegisterForm", number: int) -> None:
        self.number = number
        names = (f"nom_{number}", f"age_{number}")
        self.fields = [form[name] for name in names if name in form.fields]


class RegisterForm(forms.Form):
    """How many, who, and the event's questions. `key` is the page's own: pressed twice,
    made once."""

    codes: Sequence[str] = ()
    places = forms.IntegerField(
        label=_("Combien de places ?"),
        min_value=1,
        max_value=MOST_AT_ONCE,
        error_messages={
            "required": _("Dites combien de places."),
            "invalid": _("Écrivez un nombre."),
            "min_value": _("Prenez au moins une place."),
            "max_value": _("On prend 20 places au plus. Un groupe passe à l’accueil."),
        },
    )
    moins = forms.BooleanField(label=_("Moins de places me conviendrait aussi"), required=False)
    attente = forms.BooleanField(required=False, widget=forms.HiddenInput)
    key = forms.CharField(
        min_length=20,
        max_length=43,
        widget=forms.HiddenInput,
        error_messages={
            code: _("Cette page a vieilli. Choisissez de nouveau.")
            for code in ("required", "min_length", "max_length")
        },
    )

    def __init__(
        self,
        data: Any = None,
        *,
        event: EventPage,
        questions: Iterable[Question],
        quantity: int,
        first_name: str = "",
        **more: Any,
    ) -> None:
        super().__init__(data, **more)
        self.event = event
        self.questions = list(questions)
        self.quantity = quantity
        for number in range(1, quantity + 1):
            if event.asks_names:
                self.fields[f"nom_{number}"] = forms.CharField(
                    label=_("Prénom et nom"),
                    max_length=80,
                    error_messages={"required": _("Écrivez le nom de cette personne.")},
                    widget=forms.TextInput(attrs={"autocomplete": "off"}),
                )
            if event.asks_ages:
                of_all = event.audience == Audience.CHILDREN
                self.fields[f"age_{number}"] = forms.IntegerField(
                    label=_("Âge") if of_all else _("Âge, si c’est un enfant"),
                    required=False,
                    min_value=0,
                    max_value=120,
                    error_messages={
                        "invalid": _("Écrivez un âge en chiffres."),
                        "min_value": _("Écrivez un âge de 0 à 120 ans."),
                        "max_value": _("Écrivez un âge de 0 à 120 ans."),
                    },
                    widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
                )
        if event.asks_names and first_name and event.audience != Audience.CHILDREN:
            self.fields["nom_1"].initial = first_name
        for question in self.questions:
            self.fields[f"question_{question.pk}"] = question_field(question)

    @property
    def people(self) -> list[PersonFields]:
        if not (self.event.asks_names or self.event.asks_ages):
            return []
        return [PersonFields(self, number) for number in range(1, self.quantity + 1)]

    @property
    def asked(self) -> list[Any]:
        return [self[f"question_{question.pk}"] for question in self.questions]

    def company(self) -> Company:
        said = self.cleaned_data
        people = [
            Person(said.get(f"nom_{number}", ""), said.get(f"age_{number}"))
            for number in range(1, self.quantity + 1)
        ]
        return Company(
            people=people if self.people else (),
            answers={
                question.pk: said[f"question_{question.pk}"]
                for question in self.questions
                if said.get(f"question_{question.pk}")
            },
        )

    def refuse(self, refused: Refused) -> None:
        """Say a verb's reasons where the form says its own."""
        self.codes = refused.codes
        # A field with an error leaves the cleaned data, which the next reason looks at.
        said = dict(self.cleaned_data)
        for reason in refused.reasons:
            for name in self.at_fault(reason, said):
                if name is None or str(reason.text) not in self.errors.get(name, []):
                    self.add_error(name, str(reason.text))

    def at_fault(self, reason: Reason, said: dict[str, Any]) -> list[str | None]:
        """The fields that a reason speaks about; an age names each who is too young."""
        if reason.field == "quantity":
            return ["places"]
        if reason.field == "people":
            bounds = (self.event.age_min or 0, self.event.age_max or 120)
            ages = [
                name
                for name in self.fields
                if name.startswith("age_")
                and said.get(name) is not None
                and not bounds[0] <= said[name] <= bounds[1]
            ]
            return list(ages) or [None]
        return [reason.field if reason.field in self.fields else None]


def question_field(question: Question) -> forms.Field:
    missing = {"required": _("Répondez à cette question.")}
    if question.kind == AnswerKind.NUMBER:
        return forms.RegexField(
            r"\A[0-9]{1,9}\Z",
            label=question.text,
            required=question.required,
            error_messages=missing | {"invalid": _("Écrivez un nombre.")},
            widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        )
    choices: list[tuple[str, Any]] = [("yes", _("Oui")), ("no", _("Non"))]
    if question.kind == AnswerKind.CHOICE:
        choices = [(option, option) for option in question.options]
    few = len(choices) <= RADIOS
    return forms.ChoiceField(
        label=question.text,
        required=question.required,
        choices=choices if few else [("", _("Choisissez")), *choices],
        error_messages=missing | {"invalid_choice": _("Choisissez une des réponses.")},
        widget=forms.RadioSelect if few else forms.Select,
    )
