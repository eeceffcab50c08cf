"""The admin's screens of services: their rules, who has which appointment."""

from itertools import pairwise
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
from club.models import Place
from club.permissions import ALL, VIEW, WRITE, permit
from club.viewsets import EditView, InspectView, ScopedForm, ScopedViewSet, money_column
from concierge.domain.slot_wishes import look_again
from concierge.enums import ServiceKind, ServiceUnit, StayTask
from concierge.models import Appointment, Service
from concierge.queries.appointments import ahead, outside
from content.pictures import drawings

permit(Service, path="place", officer=ALL, concierge=WRITE)
permit(Appointment, path="place", officer=VIEW, concierge=VIEW)

MOST_CENTS = 200_00
TOLD = 20
"""How many appointments a message names."""
STAY_UNITS = (ServiceUnit.DAY, ServiceUnit.ONCE)
TILES = ("rendez-vous", "service", "colis", "carte", "devoirs", "entraide")


class ServiceForm(ScopedForm):
    """The price is typed in euros; the hours of a day follow one another."""

    picture = forms.ChoiceField(label=_("Dessin"), required=False)
    tasks = forms.MultipleChoiceField(
        label=_("Ce que l’on fait"),
        choices=StayTask.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Pour une garde : ce que l’habitant peut cocher."),
    )
    euros = EurosField(label=_("Prix en euros"), required=False, help_text=_("Vide : gratuit."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tiles = [(f"tiles/{key}", key.replace("-", " ").capitalize()) for key in TILES]
        self.fields["picture"].choices = [("", _("Aucun")), *tiles, *drawings()]
        if self.instance.unit_cents:
            self.fields["euros"].initial = typed(self.instance.unit_cents)
        if self.instance.pk and self.instance.appointments.exists():
            self.fields["place"].disabled = True
            self.fields["place"].help_text = _("Ce service a déjà des rendez-vous.")
        if self.instance.pk and self.instance.stays.exists():
            is_priced = self.instance.stays.filter(unit_cents__gt=0).exists()
            for name in ("place", "kind", "unit") if is_priced else ("place", "kind"):
                self.fields[name].disabled = True
                self.fields[name].help_text = _("Ce service a déjà des gardes.")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean()
        cents = data.get("euros") or 0
        if cents > MOST_CENTS:
            self.add_error("euros", _("Le prix va jusqu’à 200 €."))
        self.instance.unit_cents = cents
        if data.get("kind") == ServiceKind.STAY:
            self.check_stay(data)
        return data

    def check_stay(self, data: dict[str, Any]) -> None:
        """A stay has something to do, and is priced by the day or once."""
        if not data.get("tasks"):
            self.add_error("tasks", _("Cochez au moins une chose à faire."))
        if self.instance.unit_cents and data.get("unit") not in STAY_UNITS:
            self.add_error("unit", _("Une garde se paie par jour ou en une fois."))

    def is_valid(self) -> bool:
        if not super().is_valid():
            return False
        lines = [
            form.cleaned_data
            for form in self.formsets["hours"].forms
            if form.cleaned_data and not form.cleaned_data.get("DELETE")
        ]
        hours = sorted((line["weekday"], line["opens"], line["closes"]) for line in lines)
        for (day, _opens, closes), (other, opens, _closes) in pairwise(hours):
            if day == other and opens < closes:
                name = {"day": Weekday(day).label}
                self.add_error(None, _("Deux lignes d’heures se suivent mal le %(day)s.") % name)
                return False
        return True


class EditService(EditView):
    """Whoever has an appointment keeps it: staff are told whom the new rules leave outside."""

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        now = timezone.now()
        service = Service.objects.select_related("place__landlord").get(pk=self.object.pk)
        coming = ahead(service.place, now).filter(service=service)
        stray = outside(coming, Place.objects.get(pk=service.place_id))
        if stray:
            said = [f"{one.member}, {words.moment(one.starts_at)}" for one in stray[:TOLD]]
            text = gettext("Hors créneaux, à prévenir : %(who)s.") % {"who": " ; ".join(said)}
            messages.warning(self.request, text)
        look_again(service, by=self.request.user, now=now)
        return response


HOW_LABEL = _("Comment ça marche")
"""The field's own name is one word, that another catalogue has for a commentary."""


class InspectService(InspectView):
    def get_field_label(self, field_name: str, field: Any) -> str:
        if field_name == "about":
            return str(HOW_LABEL)
        return str(super().get_field_label(field_name, field))


def price_of(service: Service) -> str:
    return words.money(service.unit_cents) if service.unit_cents else gettext("gratuit")


class ServiceViewSet(ScopedViewSet):
    model = Service
    related = ("place",)
    form_base = ServiceForm
    edit_view_class = EditService
    inspect_view_class = InspectService
    icon = "calendar-check"
    list_display = [
        "name",
        "place",
        "kind",
        Column("price", label=_("prix"), accessor=price_of),
        "is_offered",
    ]
    list_filter = ["kind", "is_offered"]
    search_fields = ["name"]
    search_backend_name = None
    inspect_view_fields = ["name", "place", "about", "kind", "unit_cents", "unit", "is_offered"]
    panels = [
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("place"), FieldPanel("kind")]),
                FieldPanel("name"),
                FieldPanel("about", heading=HOW_LABEL),
                FieldRowPanel([FieldPanel("picture"), FieldPanel("wall")]),
                FieldRowPanel([FieldPanel("is_offered"), FieldPanel("position")]),
            ],
            heading=_("Le service"),
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("euros"), FieldPanel("unit")]),
                FieldPanel("needs_right"),
            ],
            heading=_("Prix et droit"),
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("minutes"), FieldPanel("buffer_minutes")]),
                FieldRowPanel([FieldPanel("seats"), FieldPanel("most_open")]),
                FieldRowPanel([FieldPanel("lead_minutes"), FieldPanel("horizon_days")]),
                FieldPanel("cutoff_minutes"),
            ],
            heading=_("Créneaux"),
            help_text=_("Qui a déjà rendez-vous le garde, même hors des nouveaux créneaux."),
        ),
        MultiFieldPanel(
            [
                FieldPanel("tasks"),
                FieldRowPanel([FieldPanel("visit_every"), FieldPanel("most_days")]),
            ],
            heading=_("Garde"),
            help_text=_(
                "Pour « pendant une absence ». Délais et places : les mêmes que les créneaux."
            ),
        ),
        InlinePanel(
            "hours",
            heading=_("Heures du service"),
            label=_("Heures"),
            help_text=_("Sans ligne : tant que l’accueil est ouvert."),
        ),
        InlinePanel("pauses", heading=_("Absences"), label=_("Absence")),
        InlinePanel("questions", heading=_("Questions"), label=_("Question")),
    ]


def when_of(appointment: Appointment) -> str:
    return words.moment(appointment.starts_at)


class AppointmentViewSet(ScopedViewSet):
    """Read here; taken, changed and given back at the desk and by the people themselves."""

    model = Appointment
    related = ("service", "member__user", "place")
    icon = "group"
    list_display = [
        "reference",
        "member",
        "service",
        Column("when", label=_("quand"), accessor=when_of),
        "status",
        money_column("unit_cents", _("prix")),
    ]
    list_filter = ["status", "channel", "service"]
    ordering = ["-starts_at", "-pk"]
    search_fields = ["member__search_name", "reference", "service__name"]
    search_backend_name = None
    inspect_view_fields = [
        "reference",
        "member",
        "service",
        "place",
        "starts_at",
        "ends_at",
        "quantity",
        "status",
        "unit_cents",
        "channel",
        "created_at",
    ]
    panels: list[Any] = []


class ServicesGroup(ViewSetGroup):
    menu_label = _("Services")
    menu_name = "services"
    menu_icon = "calendar-check"
    menu_order = 210
    items = (ServiceViewSet, AppointmentViewSet)
