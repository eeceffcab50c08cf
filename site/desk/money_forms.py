"""The forms of money at the counter. Amounts are typed as people write them."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from club.domain.till import DENOMINATIONS, MOST_OF_EACH
from club.enums import DESK_MEANS, Means, MovementKind
from club.forms import EurosField
from club.kernel import words
from club.kernel.purchases import Due
from concierge.enums import Audience, KeptReason
from concierge.models import Plan
from concierge.queries.plans import price_words
from desk.taking import Offer, Owed, Wanted

MEANS = [(means.value, capfirst(means.label)) for means in DESK_MEANS]
MOST_DAYS = 366
NOTHING = "0:0"


class Ticks(forms.MultipleChoiceField):
    """Ticks of which none is needed, and which no "optional" stands beside."""

    def validate(self, value: Any) -> None:
        for key in value:
            if not self.valid_value(key):
                raise ValidationError(self.error_messages["invalid_choice"], "invalid_choice")


class Number(forms.IntegerField):
    """How many; empty is none."""

    def validate(self, value: Any) -> None:
        if value is not None:
            super().validate(value)


class PayForm(forms.Form):
    """What is paid, how, and what the person hands over; the total follows from the ticks."""

    means = forms.ChoiceField(
        label=_("Moyen de paiement"),
        choices=MEANS,
        initial=Means.CASH,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choisissez comment la personne paie.")},
    )
    given = EurosField(
        label=_("Reçu en espèces"), required=False, help_text=_("Vide : le compte est juste.")
    )

    def __init__(self, *args: Any, owed: Owed, till_is_open: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owed = owed
        added: dict[str, forms.Field] = {
            f"plan_{offer.kind}": plan_field(offer, owed.is_tenant)
            for offer in owed.offers
            if offer.plans
        }
        if owed.asks_paper:
            added["paper"] = forms.BooleanField(label=_("Quittance ou bail vu"), required=False)
        if owed.lines:
            added["lines"] = lines_field(owed.lines)
        if owed.more:
            added["more"] = more_field(owed.more)
        if not till_is_open:
            self.fields["float"] = EurosField(
                label=_("Fond de caisse"),
                required=False,
                help_text=_("La caisse est fermée. Pour des espèces, comptez ce qu’elle contient."),
            )
        self.fields["code"] = forms.CharField(
            label=_("Code du bailleur"),
            max_length=40,
            required=False,
            help_text=_("Il paie l’abonnement. Rien d’autre à cocher."),
            widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        )
        if added:
            self.fields = added | self.fields
            first = "given" if owed.total else next(iter(added))
        else:
            self.fields = {"code": self.fields["code"]}
            first = "code"
        self.fields[first].widget.attrs["autofocus"] = True

    @property
    def choice_fields(self) -> list[forms.BoundField]:
        order = ("plan_subscription", "paper", "plan_membership", "lines", "more")
        names = [name for name in order if name in self.fields]
        return [self[name] for name in names]

    @property
    def has_choices(self) -> bool:
        return bool(self.choice_fields)

    def wanted(self) -> Wanted:
        data = self.cleaned_data
        plans = {plan.pk: plan for offer in self.owed.offers for plan in offer.plans}
        lines = {line_key(line): line for line in [*self.owed.lines, *self.owed.more]}
        ticked = [*data.get("lines", []), *data.get("more", [])]
        return Wanted(
            plans={
                plans[int(pk)]: int(cents)
                for offer in self.owed.offers
                if (chosen := data.get(f"plan_{offer.kind}", NOTHING)) != NOTHING
                for pk, cents in [chosen.split(":")]
            },
            lines=[lines[key] for key in ticked],
            paper_seen=bool(data.get("paper")),
            code=data["code"].strip(),
            means=data.get("means", ""),
            given_cents=data.get("given"),
            float_cents=data.get("float"),
        )

    def chosen_cents(self) -> int:
        """The total of what is ticked on the page as it stands."""
        keys: list[str] = []
        for offer in self.owed.offers:
            if offer.plans:
                keys.append(str(self[f"plan_{offer.kind}"].value() or ""))
        for name in ("lines", "more"):
            if name in self.fields:
                keys += self[name].value() or []
        known = {plan_key(plan) for offer in self.owed.offers for plan in offer.plans}
        known |= {line_key(line) for line in [*self.owed.lines, *self.owed.more]}
        return sum(int(key.rpartition(":")[2]) for key in keys if key in known)


def plan_key(plan: Plan) -> str:
    return f"{plan.pk}:{plan.price_cents}"


def line_key(line: Due) -> str:
    return f"{line.kind}:{line.subject_id}:{line.cents}"


def plan_field(offer: Offer, is_tenant: bool) -> forms.ChoiceField:
    """The plans with their whole price; nothing is a choice too."""

    def label(plan: Plan) -> str:
        if plan.audience == Audience.TENANT and not is_tenant:
            return _("%(plan)s (quittance ou bail à voir) : %(price)s") % {
                "plan": plan.name,
                "price": price_words(plan),
            }
        return _("%(plan)s : %(price)s") % {"plan": plan.name, "price": price_words(plan)}

    return forms.ChoiceField(
        label=capfirst(offer.kind.label),
        choices=[*((plan_key(plan), label(plan)) for plan in offer.plans), (NOTHING, _("Rien"))],
        initial=plan_key(offer.default) if offer.default else NOTHING,
        widget=forms.RadioSelect,
        error_messages={
            "invalid_choice": _("Le prix a changé. Choisissez à nouveau."),
            "required": _("Choisissez une formule, ou « Rien »."),
        },
    )


def lines_field(lines: list[Due]) -> Ticks:
    return Ticks(
        label=_("À payer"),
        choices=[(line_key(line), f"{line.label} : {words.money(line.cents)}") for line in lines],
        initial=[line_key(line) for line in lines],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Ce n’est plus à payer, ou le prix a changé.")},
    )


def more_field(lines: list[Due]) -> Ticks:
    """Money for goods to come: asked for, never proposed as owed."""
    found = lines_field(lines)
    found.label, found.initial = _("Payer d’avance"), []
    return found


class GiveBackForm(forms.Form):
    """A deposit that goes back, whole or in part."""

    means = forms.ChoiceField(
        label=_("Rendue en"), choices=MEANS, widget=forms.RadioSelect, initial=Means.CASH
    )
    kept = EurosField(label=_("Retenir"), required=False, help_text=_("Vide : tout est rendu."))
    reason = forms.ChoiceField(
        label=_("Pourquoi"),
        required=False,
        choices=[
            ("", _("Rien n’est retenu")),
            *((reason.value, capfirst(reason.label)) for reason in KeptReason),
        ],
    )


class PayBackForm(forms.Form):
    """Money for places that were given back: all of it, by one means."""

    means = forms.ChoiceField(
        label=_("Rendu en"),
        choices=MEANS,
        widget=forms.RadioSelect,
        initial=Means.CASH,
        error_messages={"required": _("Choisissez comment l’argent est rendu.")},
    )


class FloatForm(forms.Form):
    float = EurosField(
        label=_("Fond de caisse"),
        help_text=_("Ce que le tiroir contient maintenant."),
        error_messages={"required": _("Comptez le tiroir et écrivez le montant.")},
    )


class MovementForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("Mouvement"),
        choices=[(kind.value, capfirst(kind.label)) for kind in MovementKind],
        initial=MovementKind.BANKED,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choisissez le mouvement.")},
    )
    cents = EurosField(
        label=_("Montant"), error_messages={"required": _("Écrivez le montant.")}
    )  # fmt: skip


class CountForm(forms.Form):
    """How many of each note and coin; an empty field is none."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for value in DENOMINATIONS:
            self.fields[f"n{value}"] = Number(
                label=words.money(value),
                min_value=0,
                max_value=MOST_OF_EACH,
                widget=forms.TextInput(
                    attrs={"inputmode": "numeric", "autocomplete": "off", "data-value": value}
                ),
                error_messages={
                    key: _("Comptez de 0 à %(most)d.") % {"most": MOST_OF_EACH}
                    for key in ("invalid", "min_value", "max_value")
                },
            )
        self.fields[f"n{DENOMINATIONS[0]}"].widget.attrs["autofocus"] = True

    def counted(self) -> dict[int, int]:
        return {value: self.cleaned_data[f"n{value}"] or 0 for value in DENOMINATIONS}

    def rows(self) -> Iterator[forms.BoundField]:
        return (self[f"n{value}"] for value in DENOMINATIONS)


class DatesForm(forms.Form):
    """From a day to a day, in an address."""

    du = forms.DateField(
        label=_("Du"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    au = forms.DateField(
        label=_("Au"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        first: date | None = data.get("du")
        last: date | None = data.get("au")
        if first and last:
            if not 2000 <= first.year <= last.year <= 2100:
                raise ValidationError(_("Choisissez des jours entre 2000 et 2100."))
            if last < first:
                self.add_error("au", _("Le dernier jour vient après le premier."))
            elif last - first > timedelta(days=MOST_DAYS):
                self.add_error("au", _("Choisissez un an au plus."))
        return data
