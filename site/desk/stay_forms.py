"""The desk's forms of stays and keys: a visit, what was found, keys in and keys out."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import Member, Place
from concierge.domain.keys import LAST_HOOK, MOST_PIECES, signature_of
from concierge.enums import Incident, KeyReason, StayTask
from concierge.kinds_stays import days_words
from concierge.models import Proxy, Stay, StayVisit
from content.pictures import reencoded
from desk.parcel_forms import WhoForm

MOST_BYTES = 10 * 1024 * 1024
INCIDENTS = [(one.value, capfirst(str(one.label))) for one in Incident]


class TickForm(forms.Form):
    """What was done there, and a photo if one helps."""

    tasks = forms.MultipleChoiceField(
        label=_("Ce que j’ai fait"),
        widget=forms.CheckboxSelectMultiple,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice", "invalid_list"), _("Cochez ce que vous avez fait.")
        ),
    )
    photo = forms.FileField(
        label=_("Photo"),
        required=False,
        max_length=200,
        help_text=_("Pour le membre seul. Effacée après treize mois."),
        widget=forms.FileInput(
            attrs={"accept": "image/jpeg,image/png,image/webp", "capture": "environment"}
        ),
        error_messages={
            "empty": _("Ce fichier est vide. Choisissez-en un autre."),
            "invalid": _("Choisissez une photo JPEG, PNG ou WebP."),
            "max_length": _("Le nom du fichier est trop long. Raccourcissez-le."),
        },
    )

    def __init__(self, *args: Any, visit: StayVisit, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = dict(StayTask.choices)
        self.fields["tasks"].choices = [  # type: ignore[attr-defined]
            (task, capfirst(str(labels[task]))) for task in visit.stay.tasks
        ]

    def clean_photo(self) -> Any:
        photo = self.cleaned_data["photo"]
        return reencoded(photo, MOST_BYTES) if photo else None


class IncidentForm(forms.Form):
    incident = forms.ChoiceField(
        label=_("Ce que j’ai trouvé"),
        choices=INCIDENTS,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), _("Choisissez ce que vous avez trouvé.")
        ),
    )


class SignedForm(forms.Form):
    """Drawn on the screen, or on the printed receipt."""

    signature = forms.CharField(
        required=False, max_length=400_000, widget=forms.HiddenInput(attrs={"data-signature": ""})
    )
    on_paper = forms.BooleanField(
        label=_("Signé sur papier"),
        required=False,
        help_text=_("Imprimez le reçu ensuite, faites-le signer, gardez-le."),
    )

    def clean_signature(self) -> Any:
        try:
            return signature_of(self.cleaned_data["signature"])
        except Refused as refused:
            self.add_error("on_paper", str(refused.reasons[0].text))
            return None


class ReceiveKeysForm(SignedForm, WhoForm):
    """Whose, why, how many, on which hook; the stay among those that wait for keys."""

    reason = forms.ChoiceField(
        label=_("Pourquoi"),
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), _("Choisissez pourquoi vous gardez ces clés.")
        ),
    )
    pieces = forms.IntegerField(
        label=_("Nombre de clés"),
        min_value=1,
        max_value=MOST_PIECES,
        initial=1,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _("Écrivez un nombre de 1 à 30.")
        ),
    )
    hook = forms.IntegerField(
        label=_("Crochet"),
        min_value=1,
        max_value=LAST_HOOK,
        help_text=_("Le premier libre est proposé."),
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _("Écrivez un nombre de 1 à 999.")
        ),
    )
    field_order = ("who", "person", "reason", "pieces", "hook", "signature", "on_paper")

    def __init__(
        self,
        *args: Any,
        place: Place,
        member: Member | None,
        stays: list[Stay],
        now: datetime,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, place=place, **kwargs)
        self.member = member
        self.stays = {str(stay.pk): stay for stay in stays}
        if member is not None:
            del self.fields["who"]
            self.fields.pop("person", None)
        today = local_day(now)
        waiting = [
            (
                f"stay:{pk}",
                gettext("%(service)s, %(days)s")
                % {"service": stay.service.name, "days": days_words(stay, today)},
            )
            for pk, stay in self.stays.items()
        ]
        others = [
            (one.value, capfirst(str(one.label))) for one in KeyReason if one != KeyReason.STAY
        ]
        self.fields["reason"].choices = waiting + others  # type: ignore[attr-defined]
        self.fields["reason"].initial = (waiting + others)[0][0]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        data["member"] = self.member or self.one(data)
        kind, _colon, pk = data.get("reason", "").partition(":")
        data["stay"] = self.stays.get(pk)
        data["reason"] = kind
        return data


class GiveBackForm(SignedForm):
    """To whom: an adult of the home, or somebody whom the member has named."""

    to = forms.ChoiceField(
        label=_("À qui"),
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), _("Choisissez à qui vous rendez les clés.")
        ),
    )
    field_order = ("to", "signature", "on_paper")

    def __init__(
        self, *args: Any, adults: list[Member], proxies: list[Proxy], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.people: dict[str, Member | Proxy] = {f"m{one.pk}": one for one in adults}
        self.people |= {f"p{one.pk}": one for one in proxies}
        identity = gettext("pièce d’identité à demander")
        choices = [
            (key, f"{one}, {identity}" if isinstance(one, Proxy) else str(one))
            for key, one in self.people.items()
        ]
        self.fields["to"].choices = choices  # type: ignore[attr-defined]
        self.fields["to"].initial = choices[0][0] if choices else None

    def clean_to(self) -> Member | Proxy:
        return self.people[self.cleaned_data["to"]]


class HookForm(forms.Form):
    hook = forms.IntegerField(
        label=_("Autre crochet"),
        min_value=1,
        max_value=LAST_HOOK,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _("Écrivez un nombre de 1 à 999.")
        ),
    )
