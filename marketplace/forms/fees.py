"""The forms of a convention's fee: taking it, and what money makes unchangeable."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms.models import WagtailAdminModelForm

from club.enums import DESK_MEANS
from club.kernel import words
from club.models import Place
from marketplace.queries.fees import Fee, has_money

MEANS = [(means.value, capfirst(means.label)) for means in DESK_MEANS]


class TakeFeeForm(forms.Form):
    """Which year is paid, how, and at which place; what leaves no choice is not asked."""

    year = forms.ChoiceField(label=_("Année"), widget=forms.RadioSelect)
    means = forms.ChoiceField(
        label=_("Moyen de paiement"),
        choices=MEANS,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choisissez comment le partenaire paie.")},
    )
    place = forms.ModelChoiceField(
        label=_("Encaissé à"), queryset=Place.objects.none(), empty_label=None
    )

    def __init__(
        self, *args: Any, fees: Sequence[Fee], places: Sequence[Place], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        # With the sum: a year whose fee was changed meanwhile is another choice.
        self.fees = {f"{fee.year.source}:{fee.year.convention.fee_cents}": fee for fee in fees}
        years = [(source, year_words(fee)) for source, fee in self.fees.items()]
        self.fields["year"].choices = years  # type: ignore[attr-defined]
        own = Place.objects.filter(pk__in=[place.pk for place in places]).order_by("pk")
        self.fields["place"].queryset = own  # type: ignore[attr-defined]
        if len(years) == 1:
            self.fields["year"].widget = forms.HiddenInput()
        if years:
            self.initial["year"] = years[0][0]
        if len(places) == 1:
            self.fields["place"].widget = forms.HiddenInput()
            self.initial["place"] = places[0].pk

    def clean(self) -> None:
        """The year may be a hidden field: what is wrong with it is told above the form."""
        if self.has_error("year", "invalid_choice"):
            text = _("Cette année est payée, ou son montant a changé entre-temps. Relisez-la.")
            self.add_error(None, text)

    @property
    def fee(self) -> Fee:
        return self.fees[self.cleaned_data["year"]]


def year_words(fee: Fee) -> str:
    """ "1 janvier 2027 – 31 décembre 2027 : 100 €"."""
    return gettext("du %(first)s au %(last)s : %(sum)s") % {
        "first": words.date_of(fee.year.starts_on),
        "last": words.date_of(fee.year.ends_on),
        "sum": words.money(fee.year.convention.fee_cents),
    }


class ConventionForm(WagtailAdminModelForm):
    """Once money was taken for it, its years keep their days."""

    def clean_starts_on(self) -> Any:
        day = self.cleaned_data["starts_on"]
        moved = self.instance.pk and "starts_on" in self.changed_data
        if moved and has_money([self.instance.pk]):
            raise forms.ValidationError(
                _("Une participation est déjà payée. Gardez ce jour, ou ajoutez une convention.")
            )
        return day
