"""The desk's forms of deliveries: how many at most, another day, called off, an order."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from club.kernel import words
from concierge.enums import CancelledFor
from concierge.models import Delivery, DeliveryStock
from concierge.order_forms import BasketForm, quantity_name

MOST = 9999
MOST_SHIFT = timedelta(days=60)
WRONG = {
    key: _("Écrivez un nombre de 0 à 9999, ou laissez vide.")
    for key in ("invalid", "min_value", "max_value")
}


def most_field(label: str, initial: int | None, help_text: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=0,
        max_value=MOST,
        initial=initial,
        help_text=help_text,
        error_messages=WRONG,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


def most_name(stock: DeliveryStock) -> str:
    return f"most_{stock.pk}"


class MostForm(forms.Form):
    """How much there is of each product, and how much the place can keep. Empty: no end."""

    def __init__(
        self, *args: Any, delivery: Delivery, stock: Iterable[DeliveryStock], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.delivery, self.stock = delivery, list(stock)
        for one in self.stock:
            said = _("Déjà commandé : %(number)d.") % {"number": one.ordered}
            self.fields[most_name(one)] = most_field(str(one.product), one.most, said)
        said = _("Déjà commandé en tout : %(number)d.") % {"number": delivery.ordered}
        self.fields["most"] = most_field(
            str(_("Ce que l’accueil peut garder")), delivery.most_pieces, said
        )

    def clean(self) -> dict[str, Any]:
        """All of them or none: what is promised is looked at before anything is written."""
        data: dict[str, Any] = super().clean() or {}
        promised = [(most_name(one), one.ordered) for one in self.stock]
        for name, ordered in [*promised, ("most", self.delivery.ordered)]:
            most = data.get(name)
            if most is not None and most < ordered:
                text = _("%(ordered)d sont déjà promis. Choisissez %(ordered)d au moins.")
                self.add_error(name, text % {"ordered": ordered})
        return data

    def changes(self) -> list[tuple[str, Delivery | DeliveryStock, int | None]]:
        """The field, the thing, its new limit: of what really changes."""
        asked: list[tuple[str, Delivery | DeliveryStock, int | None, int | None]] = [
            (most_name(one), one, one.most, self.cleaned_data.get(most_name(one)))
            for one in self.stock
        ]
        room = self.cleaned_data.get("most")
        asked.append(("most", self.delivery, self.delivery.most_pieces, room))
        return [(name, thing, after) for name, thing, before, after in asked if before != after]


class CancelForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("Pourquoi"),
        choices=[(one.value, str(one.label).capitalize()) for one in CancelledFor],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choisissez pourquoi.")},
    )


class ShiftForm(forms.Form):
    jour = forms.DateField(
        label=_("Nouveau jour"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages=dict.fromkeys(("required", "invalid"), _("Choisissez le jour.")),
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.days = today, today + MOST_SHIFT
        first, last = self.days
        self.fields["jour"].widget.attrs |= {"min": first.isoformat(), "max": last.isoformat()}

    def clean_jour(self) -> date:
        day: date = self.cleaned_data["jour"]
        if not self.days[0] <= day <= self.days[1]:
            raise forms.ValidationError(_("Choisissez un jour des deux mois qui viennent."))
        return day


class DeskOrderForm(BasketForm):
    """What somebody at the counter orders; `key` is the page's own."""

    key = forms.CharField(
        min_length=20,
        max_length=43,
        widget=forms.HiddenInput,
        error_messages={
            code: _("Cette page a vieilli. Commandez à nouveau.")
            for code in ("required", "min_length", "max_length")
        },
    )

    def __init__(
        self, data: Any = None, *, shelf: Iterable[DeliveryStock], own: dict[str, int], **more: Any
    ) -> None:
        shelf = list(shelf)
        initial = {quantity_name(one.product): own.get(one.product.public_id) for one in shelf}
        goods = [(one.product, one.unit_cents) for one in shelf]
        super().__init__(data, goods=goods, initial=initial, **more)
        for one in shelf:
            said = [words.money(one.unit_cents)]
            mine = own.get(one.product.public_id, 0)
            if one.left is not None:
                said.append(str(_("il en reste %(left)d") % {"left": one.left + mine}))
            field = self.fields[quantity_name(one.product)]
            field.help_text = ", ".join(said)
            field.widget.attrs |= {"inputmode": "numeric", "autocomplete": "off"}

    @property
    def quantities(self) -> list[Any]:
        return [self[quantity_name(product)] for product, _cents in self.goods]
