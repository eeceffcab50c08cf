"""The admin's screens of partners, with who may do what there."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, MultiFieldPanel
from wagtail.admin.ui.tables import Column

from club.models import Landlord
from club.permissions import RULES, VIEW, WRITE, permit, visible
from club.viewsets import (
    CreateView,
    ScopedViewSet,
    Step,
)
from marketplace import register
from marketplace.domain import partners
from marketplace.enums import PARTNER_MOVES, PartnerStatus
from marketplace.forms.insurance import PriceForm
from marketplace.forms.staff import LookUpForm, PartnerForm
from marketplace.models import Partner
from marketplace.wagtail_hooks.fees import (
    ConventionsPanel,
    EditPartner,
    InspectPartner,
    PartnerIndex,
)

permit(Partner, path="landlord__places", officer=WRITE, concierge=VIEW)


class PricesPanel(InlinePanel):
    """Prices are typed in euros."""

    def get_form_options(self) -> dict[str, Any]:
        options: dict[str, Any] = super().get_form_options()
        options["formsets"][self.relation_name] |= {"form": PriceForm}
        return options


def may_become(status: str) -> Any:
    return lambda partner: status in PARTNER_MOVES[partner.status]


class AddPartner(CreateView):
    """Where the register has an address, a first step asks it and fills the form in."""

    template_name = "marketplace/admin/add_partner.html"
    lookup: LookUpForm | None = None

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if register.is_on():
            asked = request.GET if "siret" in request.GET else None
            self.lookup = LookUpForm(asked, auto_id="lookup_%s")
            if self.lookup.is_valid():
                self.initial = self.looked_up(self.lookup.cleaned_data["siret"])
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(lookup=self.lookup, **kwargs)

    def looked_up(self, siret: str) -> dict[str, Any]:
        mine = visible(Landlord.objects.all(), self.request.user, RULES[Partner], ["add"])
        for partner in Partner.objects.filter(landlord__in=mine, siret=siret):
            url = reverse("partner:edit", args=[partner.pk])
            text = _("%(name)s a déjà ce numéro SIRET.") % {"name": partner.name}
            messages.warning(
                self.request, text, buttons=[messages.button(url, _("Voir ce partenaire"))]
            )
        if not mine.exclude(partners__siret=siret).exists():
            return {}
        return {"siret": siret} | self.asked(siret)

    def asked(self, siret: str) -> dict[str, Any]:
        try:
            found = register.look_up(siret)
        except register.RegisterDown:
            down = _("Le registre ne répond pas. Remplissez les champs à la main.")
            messages.warning(self.request, down)
            return {}
        if found is None:
            unknown = _("Le registre ne connaît pas ce numéro. Remplissez les champs à la main.")
            messages.warning(self.request, unknown)
            return {}
        if found.is_closed:
            closed = _("Le registre dit cette entreprise fermée. Vérifiez avant de l’ajouter.")
            messages.warning(self.request, closed)
        else:
            done = _("Trouvé dans le registre des entreprises. Relisez, puis complétez.")
            messages.success(self.request, done)
        fields = ("name", "legal_name", "address", "postcode", "city")
        return {field: getattr(found, field) for field in fields}

    def save_instance(self) -> Partner:
        partner = self.form.save(commit=False)
        return partners.add_partner(partner, by=self.request.user, now=timezone.now())


class PartnerViewSet(ScopedViewSet):
    model = Partner
    form_base = PartnerForm
    related = ("landlord",)
    prefetched = ("conventions",)
    icon = "group"
    index_view_class = PartnerIndex
    add_view_class = AddPartner
    edit_view_class = EditPartner
    inspect_view_class = InspectPartner
    list_display = [
        "name",
        "kind",
        "city",
        "phone",
        "status",
        "checked_on",
        "confirmed_on",
        Column("fee_said", label=_("participation")),
    ]
    list_filter = ["kind", "shop", "status"]
    ordering = ["name", "pk"]
    search_fields = ["name", "legal_name", "siret", "city"]
    search_backend_name = None
    inspect_view_fields = [
        "name", "kind", "legal_name", "siret", "address", "postcode", "city", "phone", "email",
        "status", "checked_on", "confirmed_on",
    ]  # fmt: skip
    panels = [
        MultiFieldPanel(
            [
                FieldPanel("landlord"),
                FieldRowPanel([FieldPanel("kind"), FieldPanel("shop")]),
                FieldRowPanel([FieldPanel("name"), FieldPanel("legal_name")]),
                FieldPanel("siret"),
                FieldRowPanel([FieldPanel("orias"), FieldPanel("orias_checked_on")]),
            ],
            heading=_("Qui"),
        ),
        InlinePanel("trades", label=_("Métier"), heading=_("Métiers, pour un artisan")),
        MultiFieldPanel(
            [
                FieldPanel("description"),
                FieldPanel("picture"),
                FieldPanel("languages"),
                FieldPanel("step_free"),
            ],
            heading=_("Ce que lisent les habitants"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("address"),
                FieldRowPanel([FieldPanel("postcode"), FieldPanel("city")]),
                FieldRowPanel([FieldPanel("phone"), FieldPanel("email")]),
                FieldPanel("website"),
                FieldPanel("places"),
                FieldPanel("delivers"),
            ],
            heading=_("Où le joindre"),
        ),
        InlinePanel(
            "hours",
            label=_("Horaire"),
            heading=_("Horaires"),
            panels=[
                FieldPanel("weekday"),
                FieldRowPanel([FieldPanel("opens"), FieldPanel("closes")]),
            ],
        ),
        FieldPanel("hours_note"),
        MultiFieldPanel(
            [FieldPanel("meetings"), FieldPanel("prices_on")],
            heading=_("Pour un intermédiaire en assurance"),
        ),
        PricesPanel(
            "prices",
            label=_("Tarif"),
            heading=_("Tarif indicatif qu’il publie"),
            panels=[FieldRowPanel([FieldPanel("rooms"), FieldPanel("yearly_cents")])],
        ),
        ConventionsPanel(
            "conventions",
            label=_("Convention"),
            heading=_("Conventions signées"),
            panels=[
                FieldRowPanel([FieldPanel("version"), FieldPanel("signed_on")]),
                FieldRowPanel([FieldPanel("starts_on"), FieldPanel("ends_on")]),
                FieldPanel("fee_cents"),
            ],
        ),
    ]
    steps = {
        "publier": Step(
            _("Mettre en ligne"),
            partners.publish,
            question=_("Les habitants le voient, tant que sa convention et ses papiers durent."),
            done=_("Ce partenaire est en ligne."),
            is_possible=may_become(PartnerStatus.LIVE),
            icon="view",
        ),
        "retirer": Step(
            _("Retirer de la liste"),
            partners.take_down,
            question=_("Les habitants ne le voient plus. Rien n’est effacé."),
            done=_("Ce partenaire n’est plus montré."),
            is_possible=may_become(PartnerStatus.PAUSED),
            icon="no-view",
        ),
        "terminer": Step(
            _("Terminer la convention"),
            partners.end,
            question=_("Le partenaire quitte le club. Ses papiers sont gardés cinq ans."),
            done=_("La convention est terminée."),
            is_possible=may_become(PartnerStatus.ENDED),
            icon="cross",
        ),
    }
