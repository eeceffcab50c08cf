"""The forms of a request to artisans: the member's, and each side's answers."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils.translation import gettext_lazy as _

from club.kernel.inputs import FIRST_YEAR, LAST_YEAR
from club.kernel.spans import at
from content.pictures import reencoded
from marketplace.domain.visits import MOST_PHOTOS, Work
from marketplace.enums import DayPart, Satisfaction, UnhappyFor
from marketplace.files import MOST_BYTES
from marketplace.models import Partner
from marketplace.queries.visits import Window

DAYS = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %m %Y"]
HOURS = ["%H:%M", "%Hh%M", "%Hh", "%H"]


class SeveralFiles(forms.FileInput):
    allow_multiple_selected = True


class PhotosField(forms.FileField):
    """Up to three photos, each drawn anew; what one lacks is said of all in one place."""

    def __init__(self, **kwargs: Any) -> None:
        widget = SeveralFiles(attrs={"accept": "image/jpeg,image/png,image/webp"})
        super().__init__(widget=widget, required=False, max_length=200, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[ContentFile]:
        files = data if isinstance(data, list | tuple) else [data]
        files = [file for file in files if file]
        if len(files) > MOST_PHOTOS:
            raise ValidationError(_("Envoyez trois photos au plus."), code="too_many_photos")
        drawn: list[ContentFile] = []
        for file in files:
            super().clean(file, initial)
            drawn.append(reencoded(file, MOST_BYTES))
        return drawn


def window_key(window: Window) -> str:
    day, part = window
    return f"{day.isoformat()}.{part}"


def window_of(key: str) -> Window:
    day, _dot, part = key.partition(".")
    return date.fromisoformat(day), part


class VisitForm(forms.Form):
    """What, when, where, and who is asked. `key` is the page's own: pressed twice, made
    once."""

    what = forms.CharField(
        label=_("Que faut-il réparer ou faire ?"),
        max_length=400,
        help_text=_("Les artisans le lisent. N’écrivez ici ni votre nom ni votre adresse."),
        error_messages={
            "required": _("Dites en une phrase ce qui ne va pas."),
            "max_length": _("Dites-le en 400 signes au plus."),
        },
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    photos = PhotosField(
        label=_("Des photos"),
        help_text=_("Trois au plus, en JPEG, PNG ou WebP, 10 Mo chacune."),
        error_messages={
            "empty": _("Un de ces fichiers est vide. Choisissez-en un autre."),
            "invalid": _("Choisissez une photo JPEG, PNG ou WebP."),
            "max_length": _("Le nom d’un fichier est trop long. Raccourcissez-le."),
        },
    )
    soon = forms.BooleanField(label=_("Dès que possible"), required=False)
    windows = forms.MultipleChoiceField(
        label=_("Ou à un de ces moments"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Choisissez-en trois au plus."),
        error_messages={
            "invalid_choice": _("Un de ces moments est passé ou trop loin. Choisissez-en un autre.")
        },
    )
    address = forms.CharField(
        label=_("Adresse, bâtiment, étage"),
        max_length=200,
        help_text=_("Donnée seulement à l’artisan qui accepte."),
        error_messages={"required": _("Écrivez l’adresse où l’artisan doit venir.")},
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
    )
    town = forms.CharField(
        label=_("Commune"),
        max_length=100,
        error_messages={"required": _("Écrivez la commune.")},
        widget=forms.TextInput(attrs={"autocomplete": "address-level2"}),
    )
    phone = forms.CharField(
        label=_("Votre téléphone"),
        max_length=30,
        help_text=_("Donné seulement à l’artisan qui accepte."),
        error_messages={"required": _("Écrivez votre téléphone.")},
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    artisans = forms.MultipleChoiceField(
        label=_("À qui demander ?"),
        help_text=_("Trois au plus. Le premier qui accepte vient."),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choisissez au moins un artisan."),
            "invalid_choice": _("Un de ces artisans n’est plus disponible. Choisissez de nouveau."),
        },
    )
    widen = forms.BooleanField(
        label=_("Si personne ne répond, demander au suivant de la liste"), required=False
    )
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
        *args: Any,
        trade: str,
        found: Iterable[Partner],
        offered: Iterable[Window],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.trade = trade
        self.found = {partner.public_id: partner for partner in found}
        self.offered = list(offered)
        artisans: Any = self.fields["artisans"]
        artisans.choices = [(key, partner.name) for key, partner in self.found.items()]
        windows: Any = self.fields["windows"]
        windows.choices = [(window_key(window), window_key(window)) for window in self.offered]

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if "windows" not in self.errors:
            if said.get("soon") and said.get("windows"):
                text = _("Choisissez « Dès que possible », ou des moments, mais pas les deux.")
                self.add_error("windows", text)
            elif not said.get("soon") and not said.get("windows"):
                text = _("Choisissez « Dès que possible », ou un à trois moments.")
                self.add_error("windows", text)
        if self.errors and self.files and "photos" not in self.errors:
            self.add_error("photos", _("Choisissez de nouveau vos photos : elles sont à renvoyer."))
        return said

    def work(self) -> Work:
        said = self.cleaned_data
        return Work(
            trade=self.trade,
            what=said["what"],
            address=said["address"],
            town=said["town"],
            phone=said["phone"],
            windows=[window_of(key) for key in said["windows"]],
            widen=said["widen"],
        )

    def chosen(self) -> list[Partner]:
        """In the order of the list, which is that of the day."""
        ticked = set(self.cleaned_data["artisans"])
        return [partner for key, partner in self.found.items() if key in ticked]

    def days(self) -> list[dict[str, Any]]:
        """The days with the boxes of their parts, for the page to draw."""
        ticked = set(self["windows"].value() or [])
        days: dict[date, list[dict[str, Any]]] = {}
        for window in self.offered:
            day, part = window
            key = window_key(window)
            box = {"key": key, "label": PARTS[part], "is_ticked": key in ticked}
            days.setdefault(day, []).append(box)
        return [{"day": day, "boxes": boxes} for day, boxes in days.items()]


PARTS: dict[str, Any] = {
    DayPart.MORNING: _("Matin"),
    DayPart.AFTERNOON: _("Après-midi"),
    DayPart.EVENING: _("Soir"),
}


class MomentKey(forms.CharField):
    """An hour that a button carries."""

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise ValidationError(_("Cette page a vieilli. Choisissez de nouveau."))
        return moment


class MomentForm(forms.Form):
    """A day and an hour of the artisan's own."""

    day = forms.DateField(
        label=_("Le jour"),
        input_formats=DAYS,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={
            "required": _("Écrivez le jour."),
            "invalid": _("Écrivez le jour et le mois, par exemple 31/12/2027."),
        },
    )
    hour = forms.TimeField(
        label=_("L’heure"),
        input_formats=HOURS,
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        error_messages={
            "required": _("Écrivez l’heure."),
            "invalid": _("Écrivez l’heure, par exemple 9:30."),
        },
    )

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise forms.ValidationError(_("Écrivez le jour et le mois, par exemple 31/12/2027."))
        return day

    def moment(self) -> datetime:
        return at(self.cleaned_data["day"], self.cleaned_data["hour"])


class PressForm(forms.Form):
    """A press of a button: whom it is about, and the hour that was read."""

    rank = forms.IntegerField(required=False, min_value=1)
    at = MomentKey(required=False, max_length=40)


class SayForm(forms.Form):
    satisfaction = forms.ChoiceField(
        label=_("Êtes-vous content de la visite ?"),
        choices=[
            (Satisfaction.HAPPY, _("Oui, content")),
            (Satisfaction.SO_SO, _("Moyennement")),
            (Satisfaction.UNHAPPY, _("Non, pas content")),
        ],
        widget=forms.RadioSelect,
        help_text=_("Votre avis reste privé. L’artisan ne le voit pas."),
        error_messages={
            code: _("Choisissez une des trois réponses.") for code in ("required", "invalid_choice")
        },
    )
    unhappy_for = forms.ChoiceField(
        label=_("Si quelque chose n’allait pas"),
        choices=[("", _("Ne pas préciser")), *UnhappyFor.choices],
        required=False,
        error_messages={"invalid_choice": _("Choisissez une raison de la liste.")},
    )
