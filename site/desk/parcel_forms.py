"""The desk's forms of parcels: receiving one after the other, naming one, another shelf."""

from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator, RegexValidator
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from club.kernel import codes
from club.models import Member, Place
from club.queries.members import member_by_card, search_members
from concierge.domain.parcels import MOST_SHELF
from concierge.enums import Carrier, ParcelSize

SCANNED = r"\d{6}"
"""What no shelf is called, and every card and label bears."""
SIZES = [(size.value, capfirst(size.label)) for size in ParcelSize]


def people_named(place: Place, text: str) -> list[Member]:
    """Members of this place by letters or card; by a card, also of the landlord's others."""
    found = search_members(place, text)
    if found:
        return found
    code = codes.as_scanned(text)
    if code is None or not code.startswith("M"):
        return []
    member = member_by_card(code)
    if member is None or member.place.landlord_id != place.landlord_id:
        return []
    return [member]


class WhoForm(forms.Form):
    """Whose it is, by letters or card; where several fit, they are a list to choose from."""

    who = forms.CharField(
        label=_("Pour qui"),
        max_length=150,
        help_text=_("Quelques lettres du nom, ou la carte."),
        error_messages={"required": _("Tapez le nom ou scannez la carte.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    person = forms.ChoiceField(
        label=_("Laquelle de ces personnes"),
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), _("Plusieurs personnes portent ce nom. Choisissez.")
        ),
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, place: Place, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = place
        self.people: dict[str, Member] = {}
        text = self.data.get(self.add_prefix("who"), "").replace("\x00", "").strip()[:150]
        if text:
            self.people = {str(one.pk): one for one in people_named(place, text)}
        if len(self.people) > 1:
            lines = [(pk, line_of(one)) for pk, one in self.people.items()]
            self.fields["person"].choices = lines  # type: ignore[attr-defined]
        else:
            del self.fields["person"]

    def one(self, data: dict[str, Any]) -> Member | None:
        """The person who is meant; an error beside the field where it is not plain who."""
        if len(self.people) == 1:
            return next(iter(self.people.values()))
        if not self.people:
            if data.get("who"):
                self.add_error("who", _("Personne ne porte ce nom ou ce numéro ici."))
            return None
        return self.people.get(data.get("person", ""))


def shelf_field(**more: Any) -> forms.CharField:
    """A scan that comes early is no shelf. The field takes it whole, so that it is refused as
    what it is: the browser would cut it to fit."""
    return forms.CharField(
        label=_("Étagère"),
        error_messages={"required": _("Écrivez l’étagère.")},
        validators=[
            MaxLengthValidator(MOST_SHELF, _("Une étagère a 12 signes au plus.")),
            RegexValidator(
                SCANNED, _("C’est un code scanné, pas une étagère."), inverse_match=True
            ),
        ],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
        **more,
    )


def line_of(member: Member) -> str:
    """A name and what tells two of one name apart."""
    cards = member.live_cards  # type: ignore[attr-defined]
    size = _("foyer de %(size)d") % {"size": member.household.size}
    return ", ".join([str(member), *(str(card) for card in cards), str(size)])


class ReceiveForm(WhoForm):
    """In the order of the hands: the label, the name on it, the size, the shelf."""

    code = forms.CharField(
        label=_("Code-barres du colis"),
        max_length=80,
        required=False,
        help_text=_("Scannez l’étiquette. Sans étiquette, laissez vide."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    for_nobody = forms.BooleanField(label=_("Je ne sais pas encore pour qui"), required=False)
    size = forms.ChoiceField(
        label=_("Taille"),
        choices=SIZES,
        initial=ParcelSize.SMALL,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choisissez la taille.")},
    )
    shelf = shelf_field(required=False)
    carrier = forms.ChoiceField(
        label=_("Transporteur"),
        choices=[("", _("d’après le code-barres")), *Carrier.choices],
        required=False,
    )
    key = forms.CharField(max_length=43, required=False, widget=forms.HiddenInput)
    field_order = ("code", "who", "person", "for_nobody", "size", "shelf", "carrier")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["who"].error_messages["required"] = _(
            "Tapez le nom ou scannez la carte. Sinon, cochez la case."
        )
        if self.data.get("code"):
            self.fields["person" if "person" in self.fields else "who"].widget.attrs[
                "autofocus"
            ] = True
        else:
            first = "who" if self.initial.get("code") else "code"
            self.fields[first].widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("for_nobody"):
            for name in ("who", "person"):
                self.errors.pop(name, None)
        data["member"] = None if data.get("for_nobody") else self.one(data)
        return data


class AssignForm(WhoForm):
    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        data["member"] = self.one(data)
        return data


class ShelfForm(forms.Form):
    shelf = shelf_field()
