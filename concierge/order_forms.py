"""What a resident orders: how much of each product, how often, and when they are away."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from club.enums import Weekday
from club.forms import RefusableForm, check_near
from club.kernel import words
from club.kernel.refusal import refuse
from concierge.models import DeliveryRound, Product
from concierge.models.orders import MOST_PIECES

OFTEN = [(1, gettext_lazy("Chaque semaine")), (2, gettext_lazy("Toutes les deux semaines"))]


def day_widget() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def quantity_name(product: Product) -> str:
    return f"line_{product.public_id}"


def price_name(product: Product) -> str:
    return f"prix_{product.public_id}"


class BasketForm(RefusableForm):
    """How many of each product. The page sends along the price that it showed, so that an
    order is not made at another one."""

    def __init__(
        self, data: Any = None, *, goods: Iterable[tuple[Product, int]], **more: Any
    ) -> None:
        """`goods` are the products with their price in cents."""
        super().__init__(data, **more)
        self.goods = list(goods)
        too_many = _("%(most)d au plus.") % {"most": MOST_PIECES}
        for product, _cents in self.goods:
            self.fields[quantity_name(product)] = forms.IntegerField(
                label=str(product),
                required=False,
                min_value=0,
                max_value=MOST_PIECES,
                error_messages={
                    "invalid": _("Écrivez un nombre entier."),
                    "min_value": _("Écrivez 0 ou plus."),
                    "max_value": too_many,
                },
            )
            self.fields[price_name(product)] = forms.IntegerField(
                required=False, min_value=0, max_value=10**6, widget=forms.HiddenInput
            )

    def wanted(self) -> dict[str, int]:
        """What is asked for, by the product's public identifier."""
        return {
            product.public_id: self.cleaned_data[quantity_name(product)]
            for product, _cents in self.goods
            if self.cleaned_data.get(quantity_name(product))
        }

    @property
    def lines(self) -> list[tuple[Product, int, int]]:
        """The products that are asked for: how many, and for how many cents together."""
        wanted = self.wanted()
        return [
            (product, wanted[product.public_id], wanted[product.public_id] * cents)
            for product, cents in self.goods
            if product.public_id in wanted
        ]

    @property
    def total(self) -> int:
        return sum(cents for _product, _number, cents in self.lines)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        for product, cents in self.goods:
            shown = said.get(price_name(product))
            if said.get(quantity_name(product)) and shown is not None and shown != cents:
                text = _("Le prix a changé : %(now)s au lieu de %(before)s.")
                prices = {"now": words.money(cents), "before": words.money(shown)}
                self.codes = ["price_changed"]
                self.add_error(quantity_name(product), text % prices)
        if not self.errors and not self.wanted():
            raise ValidationError(_("Choisissez au moins un produit."), code="nothing_ordered")
        return said

    def refuse_another_total(self, cents: int) -> None:
        """In the transaction of the order: it is undone where its price is not the shown one."""
        if cents != self.total:
            text = _("Le prix a changé entre-temps. Regardez le total, puis commandez.")
            raise refuse("price_changed", text)


def often_field(**more: Any) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=gettext_lazy("Combien de fois ?"),
        coerce=int,
        empty_value=None,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), gettext_lazy("Choisissez une des réponses.")
        ),
        **more,
    )


def last_day_field() -> forms.DateField:
    return forms.DateField(
        label=gettext_lazy("Jusqu’au"),
        required=False,
        help_text=gettext_lazy("Ce jour compte aussi. Vide : jusqu’à ce que vous arrêtiez."),
        error_messages={"invalid": gettext_lazy("Choisissez un jour.")},
        validators=[check_near],
        widget=day_widget(),
    )


class WeekdaysForm(BasketForm):
    """With the days of the week on which an order repeats, asked where its round comes on
    more than one: nobody orders all of them by ticking none."""

    FIELDS = {"every_weeks": "chaque", "weekdays": "jours", "ends_on": "jusquau"}

    def __init__(
        self, data: Any = None, *, round: DeliveryRound | None = None, **more: Any
    ) -> None:
        super().__init__(data, **more)
        days = sorted(round.weekdays) if round is not None else []
        if len(days) < 2:
            return
        self.fields["jours"] = forms.TypedMultipleChoiceField(
            label=_("Quels jours ?"),
            choices=[(day, Weekday(day).label.capitalize()) for day in days],
            coerce=int,
            required=not self.is_bound or bool(self.data.get("chaque")),
            widget=forms.CheckboxSelectMultiple,
            error_messages=dict.fromkeys(
                ("required", "invalid_choice", "invalid_list"), _("Choisissez au moins un jour.")
            ),
        )

    @property
    def weekdays(self) -> list[int]:
        """None where there is nothing to choose: each day of the round."""
        return sorted(self.cleaned_data.get("jours") or [])


class OrderForm(WeekdaysForm):
    """The press on "Commander": once, or every week. `key` is the page's own."""

    chaque = often_field(
        required=False, choices=[("", gettext_lazy("Une seule fois")), *OFTEN], initial=""
    )
    jusquau = last_day_field()
    key = forms.CharField(
        min_length=20,
        max_length=43,
        widget=forms.HiddenInput,
        error_messages={
            code: gettext_lazy("Cette page a vieilli. Commandez à nouveau.")
            for code in ("required", "min_length", "max_length")
        },
    )

    def __init__(self, data: Any = None, *, planned_on: date | None = None, **more: Any) -> None:
        """The order's own day is ticked at first, and stays so: it is what the total is of."""
        super().__init__(data, **more)
        self.own_day = planned_on.weekday() if planned_on is not None else None
        if "jours" in self.fields and self.own_day is not None:
            self.fields["jours"].initial = [self.own_day]

    def clean_jours(self) -> list[int]:
        days: list[int] = self.cleaned_data["jours"]
        offered = {day for day, _label in self.fields["jours"].choices}  # type: ignore[attr-defined]
        if self.own_day is not None and days and self.own_day in offered - set(days):
            text = _("Cochez aussi %(day)s : c’est le jour de cette commande.")
            raise ValidationError(text % {"day": Weekday(self.own_day).label}, code="own_day")
        return days


class StandingForm(WeekdaysForm):
    """What an order that repeats is changed to."""

    chaque = often_field(choices=OFTEN)
    jusquau = last_day_field()


class AwayForm(RefusableForm):
    """Days on which nothing is to be ordered."""

    FIELDS = {"first": "first_on", "last": "last_on"}
    first_on = forms.DateField(
        label=gettext_lazy("Je suis absent du"),
        error_messages=dict.fromkeys(
            ("required", "invalid"), gettext_lazy("Choisissez le premier jour.")
        ),
        widget=day_widget(),
    )
    last_on = forms.DateField(
        label=gettext_lazy("au"),
        help_text=gettext_lazy("Ce jour compte aussi."),
        error_messages=dict.fromkeys(
            ("required", "invalid"), gettext_lazy("Choisissez le dernier jour.")
        ),
        widget=day_widget(),
    )


class DeliveryChoiceForm(RefusableForm):
    """The press on another date or another place."""

    slot = forms.SlugField(
        max_length=12,
        error_messages=dict.fromkeys(
            ("required", "invalid", "max_length"), gettext_lazy("Choisissez une livraison.")
        ),
    )
