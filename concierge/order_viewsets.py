"""The admin's screens of bread and baskets: what is sold, when it comes, what comes.

A product is withdrawn by its verb, never by a tick. A changed round is written at once;
its coming deliveries follow where nobody has ordered of them, and stay as they were
announced where somebody has.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, MultiFieldPanel
from wagtail.admin.ui.tables import Column
from wagtail.admin.viewsets.base import ViewSetGroup

from club.enums import Weekday
from club.forms import EurosField, typed
from club.kernel import words
from club.kernel.transactions import in_one_transaction
from club.models import Producer, User
from club.permissions import ALL, VIEW, WRITE, permit
from club.viewsets import CreateView, EditView, ScopedForm, ScopedViewSet, Step, money_column
from concierge.domain.deliveries import withdraw
from concierge.domain.rounds import Kept, offer_again, round_written
from concierge.enums import Allergen
from concierge.models import Delivery, DeliveryRound, Product
from content.pictures import drawings

permit(Producer, path="landlord__places", officer=VIEW, concierge=VIEW)
permit(Product, path="producer__landlord__places", officer=ALL, concierge=WRITE)
permit(DeliveryRound, path="place", officer=ALL, concierge=WRITE)
permit(Delivery, path="place", officer=VIEW, concierge=VIEW)

MOST_CENTS = 200_00
MOST_OWED_CENTS = 500_00
TOLD = 12
"""How many deliveries a message names."""
TILES = ("pain-paniers",)
NO_ALLERGEN = "none"
"""Ticked in the form and stored as no code: whoever says nothing has not answered."""


def pictures() -> list[Any]:
    tiles = [(f"tiles/{key}", key.replace("-", " ").capitalize()) for key in TILES]
    return [("", _("Aucun")), *tiles, *drawings()]


class ProductForm(ScopedForm):
    """The price is typed in euros; what is sold already keeps its producer."""

    picture = forms.ChoiceField(label=_("Dessin"), required=False)
    euros = EurosField(label=_("Prix en euros"))
    allergens = forms.MultipleChoiceField(
        label=_("Allergènes"),
        choices=[*Allergen.choices, (NO_ALLERGEN, _("Aucun des quatorze"))],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Les quatorze que la loi demande de dire."),
        error_messages={"required": _("Cochez ce qu’il contient, ou « Aucun des quatorze ».")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["picture"].choices = pictures()
        if self.instance.pk:
            self.initial["allergens"] = self.instance.allergens or [NO_ALLERGEN]
            self.fields["euros"].initial = typed(self.instance.price_cents)
            if self.instance.stock.exists():
                self.fields["producer"].disabled = True
                self.fields["producer"].help_text = _("Ce produit a déjà été proposé.")

    def clean_allergens(self) -> list[str]:
        said: list[str] = self.cleaned_data["allergens"]
        if NO_ALLERGEN not in said:
            return said
        if len(said) > 1:
            text = gettext("Il en contient, ou il n’en contient aucun : ne cochez pas les deux.")
            raise forms.ValidationError(text)
        return []

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean()
        cents = data.get("euros")
        if cents is not None and cents > MOST_CENTS:
            self.add_error("euros", _("Le prix va jusqu’à 200 €."))
        self.instance.price_cents = cents or 0
        return data


def take_out(product: Product, *, by: User, now: datetime) -> None:
    withdraw(product, by=by, now=now)


class ProductViewSet(ScopedViewSet):
    """A new price counts for the deliveries that are made from then on."""

    model = Product
    related = ("producer",)
    form_base = ProductForm
    icon = "tag"
    list_display = ["__str__", "producer", money_column("price_cents", _("prix")), "is_offered"]
    list_filter = ["is_offered"]
    search_fields = ["name", "producer__name"]
    search_backend_name = None
    inspect_view_fields = ["producer", "name", "size", "about", "price_cents", "is_offered"]
    panels = [
        MultiFieldPanel(
            [
                FieldPanel("producer"),
                FieldRowPanel([FieldPanel("name"), FieldPanel("size")]),
                FieldPanel("about"),
                FieldRowPanel([FieldPanel("picture"), FieldPanel("wall")]),
                FieldPanel("position"),
            ],
            heading=_("Le produit"),
        ),
        MultiFieldPanel(
            [FieldPanel("euros")],
            heading=_("Le prix"),
            help_text=_("Un nouveau prix vaut pour les livraisons pas encore ouvertes."),
        ),
        FieldPanel("allergens"),
    ]
    steps = {
        "retirer": Step(
            _("Retirer de la vente"),
            take_out,
            question=_("Plus personne ne peut en commander. Ce qui est commandé reste."),
            done=_("Le produit n’est plus proposé. Les commandes régulières sont prévenues."),
            is_possible=lambda product: product.is_offered,
            icon="cross",
        ),
        "remettre": Step(
            _("Remettre en vente"),
            offer_again,
            question=_("On peut de nouveau en commander. Les commandes régulières restent finies."),
            done=_("Le produit est de nouveau proposé."),
            is_possible=lambda product: not product.is_offered,
        ),
    }


class RoundForm(ScopedForm):
    """Days are ticked; what is ordered of a round holds its place and its producer."""

    picture = forms.ChoiceField(label=_("Dessin"), required=False)
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Jours de livraison"),
        choices=Weekday.choices,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choisissez au moins un jour.")},
    )
    owed = EurosField(
        label=_("Dû au plus par foyer, en euros"),
        required=False,
        help_text=_("Au-delà, il faut payer avant de commander. 0 : tout est payé d’avance."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["picture"].choices = pictures()
        self.fields["owed"].initial = typed(self.instance.most_owed_cents)
        if self.instance.pk and self.instance.deliveries.exists():
            for name in ("place", "producer"):
                self.fields[name].disabled = True
                self.fields[name].help_text = _("Cette tournée a déjà des livraisons.")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean()
        cents = data.get("owed") or 0
        if cents > MOST_OWED_CENTS:
            self.add_error("owed", _("Cela va jusqu’à 500 €."))
        self.instance.most_owed_cents = cents
        place, producer = data.get("place"), data.get("producer")
        if place and producer and producer.landlord_id != place.landlord_id:
            self.add_error("producer", _("Ce producteur est d’un autre bailleur."))
        return data

    def is_valid(self) -> bool:
        """The goods are the producer's own, and there is at least one."""
        if not super().is_valid():
            return False
        lines = [
            form.cleaned_data
            for form in self.formsets["goods"].forms
            if form.cleaned_data and not form.cleaned_data.get("DELETE")
        ]
        if not lines:
            self.add_error(None, _("Ajoutez au moins un produit."))
        producer = self.cleaned_data.get("producer")
        for line in lines:
            if producer and line["product"].producer_id != producer.pk:
                text = _("« %(product)s » est d’un autre producteur.")
                self.add_error(None, text % {"product": line["product"]})
        return not self.errors


def days_words(deliveries: Sequence[Delivery]) -> str:
    said = [words.day(one.day) for one in deliveries[:TOLD]]
    return ", ".join(said) + (" …" if len(deliveries) > TOLD else "")


def tell(request: Any, kept: Kept) -> None:
    """What has become of the deliveries that were announced already."""
    if kept.remade:
        text = gettext("Livraisons refaites selon la nouvelle tournée : %(number)d.")
        messages.info(request, text % {"number": kept.remade})
    if kept.ordered:
        text = gettext("Déjà commandées, elles restent comme annoncées : %(days)s.")
        messages.warning(request, text % {"days": days_words(kept.ordered)})


class WriteRound:
    """The row and its deliveries in one transaction: nobody orders in between."""

    def form_valid(self, form: Any) -> HttpResponse:
        response, kept = self.write(form)
        tell(self.request, kept)  # type: ignore[attr-defined]
        return response

    @in_one_transaction
    def write(self, form: Any) -> tuple[HttpResponse, Kept]:
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        row = DeliveryRound.objects.get(pk=form.instance.pk)
        by: User = self.request.user  # type: ignore[attr-defined]
        return response, round_written(row, by=by, now=timezone.now())


class AddRound(WriteRound, CreateView):
    pass


class EditRound(WriteRound, EditView):
    pass


def days_of(round: DeliveryRound) -> str:
    return ", ".join(str(Weekday(day).label) for day in sorted(round.weekdays))


class RoundViewSet(ScopedViewSet):
    model = DeliveryRound
    related = ("place", "producer")
    form_base = RoundForm
    add_view_class = AddRound
    edit_view_class = EditRound
    icon = "date"
    list_display = [
        "name",
        "place",
        "producer",
        Column("days", label=_("jours"), accessor=days_of),
        "is_offered",
    ]
    list_filter = ["is_offered", "place"]
    search_fields = ["name", "producer__name"]
    search_backend_name = None
    inspect_view_fields = ["name", "place", "producer", "collect_from", "collect_until"]
    panels = [
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("place"), FieldPanel("producer")]),
                FieldPanel("name"),
                FieldRowPanel([FieldPanel("picture"), FieldPanel("wall")]),
                FieldRowPanel([FieldPanel("is_offered"), FieldPanel("position")]),
            ],
            heading=_("La tournée"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("weekdays"),
                FieldPanel("every_weeks"),
                FieldRowPanel([FieldPanel("starts_on"), FieldPanel("ends_on")]),
                FieldRowPanel([FieldPanel("collect_from"), FieldPanel("collect_until")]),
                FieldRowPanel([FieldPanel("cutoff_days"), FieldPanel("cutoff_time")]),
                FieldPanel("weeks_ahead"),
                FieldPanel("on_closed"),
            ],
            heading=_("Quand"),
            help_text=_("Une livraison déjà commandée reste comme elle est annoncée."),
        ),
        InlinePanel("goods", heading=_("Produits"), label=_("Produit"), min_num=1),
        MultiFieldPanel(
            [
                FieldPanel("most_pieces"),
                FieldPanel("owed"),
                FieldPanel("needs_right"),
                FieldPanel("leftover"),
            ],
            heading=_("Règles"),
        ),
    ]


def when_of(delivery: Delivery) -> str:
    return words.day(delivery.day)


class DeliveryViewSet(ScopedViewSet):
    """Read here; handed over, moved and called off at the desk."""

    model = Delivery
    related = ("round", "place", "producer")
    icon = "clipboard-list"
    list_display = [
        "round",
        "place",
        Column("when", label=_("jour"), accessor=when_of),
        "status",
        "ordered",
        "most_pieces",
    ]
    list_filter = ["status", "round"]
    ordering = ["-collect_from", "-pk"]
    search_fields = ["round__name", "producer__name"]
    search_backend_name = None
    inspect_view_fields = [
        "round",
        "place",
        "producer",
        "day",
        "collect_from",
        "collect_until",
        "cutoff_at",
        "ordered",
        "most_pieces",
        "status",
    ]
    panels: list[Any] = []


class OrdersGroup(ViewSetGroup):
    menu_label = _("Pain et paniers")
    menu_name = "orders"
    menu_icon = "tag"
    menu_order = 212
    items = (ProductViewSet, RoundViewSet, DeliveryViewSet)
