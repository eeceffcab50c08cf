"""What a resident asks of the directory, in its address."""

from datetime import datetime

from django import forms

from club.models import Place
from marketplace.enums import PartnerKind, Spoken
from marketplace.queries.directory import Wanted
from marketplace.queries.trades import SHOP_OF, TRADE_OF

SHOPPING = frozenset({PartnerKind.MERCHANT, PartnerKind.PRODUCER})
LANGUAGES = [(code, name) for code, name in Spoken.choices if code != Spoken.FRENCH]
"""French goes without saying."""


class ListForm(forms.Form):
    """The filters of a list. What cannot be read is left out."""

    metier = forms.SlugField(required=False)
    commerce = forms.SlugField(required=False)
    lieu = forms.SlugField(required=False)
    ouvert = forms.BooleanField(required=False)
    plain_pied = forms.BooleanField(required=False)
    langue = forms.ChoiceField(required=False, choices=LANGUAGES)
    q = forms.CharField(required=False, max_length=80)
    page = forms.IntegerField(required=False, min_value=1, max_value=500)

    def wanted(self, kind: str, places: list[Place], now: datetime) -> Wanted:
        """A trade asks for artisans and a sort of shop for shops, whatever else is said."""
        self.is_valid()
        said = self.cleaned_data
        slug = said.get("lieu", "")
        return Wanted(
            kind=kind,
            trade=TRADE_OF.get(said.get("metier", ""), "") if kind == PartnerKind.ARTISAN else "",
            shop=SHOP_OF.get(said.get("commerce", ""), "") if kind in SHOPPING else "",
            place=next((place for place in places if place.slug == slug), None),
            open_at=now if said.get("ouvert") else None,
            step_free=said.get("plain_pied", False),
            language=said.get("langue", ""),
            text=said.get("q", ""),
        )

    def number(self) -> int:
        return self.cleaned_data.get("page") or 1
