"""The admin's screens of who acts for a partner: added with a link, sent another, gone."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel
from wagtail.admin.ui.tables import Column

from club.permissions import WRITE, permit
from club.viewsets import CreateView, ScopedForm, ScopedViewSet, Step
from marketplace.domain import people
from marketplace.models import PartnerPerson

permit(PartnerPerson, path="partner__landlord__places", officer=WRITE)


class PersonForm(ScopedForm):
    """The name and the address lie with the account; an address that has one keeps it."""

    first_name = forms.CharField(label=_("Prénom"), max_length=150)
    last_name = forms.CharField(label=_("Nom"), max_length=150)
    email = forms.EmailField(label=_("E-mail"), required=False)
    phone = forms.CharField(
        label=_("Téléphone portable"),
        max_length=30,
        required=False,
        help_text=_("Le lien part à l’e-mail ; sans e-mail, par SMS."),
    )


class AddPerson(CreateView):
    def save_instance(self) -> PartnerPerson:
        data = self.form.cleaned_data
        return people.add_person(
            data["partner"],
            first_name=data["first_name"],
            last_name=data["last_name"],
            email=data["email"],
            phone=data["phone"],
            by=self.request.user,
            now=timezone.now(),
        )


def is_there(person: PartnerPerson) -> bool:
    return person.left_at is None


class PersonViewSet(ScopedViewSet):
    model = PartnerPerson
    menu_label = _("Personnes")
    form_base = PersonForm
    add_view_class = AddPerson
    related = ("partner", "user")
    icon = "user"
    list_display = [
        "partner",
        "user",
        Column("email", label=_("e-mail"), accessor=lambda person: person.user.email),
        Column("phone", label=_("téléphone"), accessor=lambda person: person.user.phone),
        "added_at",
        "left_at",
    ]
    ordering = ["partner__name", "pk"]
    search_fields = ["partner__name", "user__last_name", "user__first_name", "user__email"]
    search_backend_name = None
    inspect_view_fields = ["partner", "user", "added_at", "left_at"]
    panels = [
        FieldPanel("partner"),
        FieldRowPanel([FieldPanel("first_name"), FieldPanel("last_name")]),
        FieldRowPanel([FieldPanel("email"), FieldPanel("phone")]),
    ]
    read_panels: list[Any] = [
        FieldPanel(name, read_only=True) for name in ("partner", "user", "added_at", "left_at")
    ]
    steps = {
        "lien": Step(
            _("Envoyer un nouveau lien"),
            people.send_again,
            question=_("Il part à son adresse et ouvre un seul téléphone."),
            done=_("Le lien est parti."),
            is_possible=is_there,
            icon="mail",
        ),
        "retirer": Step(
            _("Retirer cette personne"),
            people.leave,
            question=_("Elle n’agit plus pour ce partenaire. Ses liens ne servent plus."),
            done=_("Cette personne n’agit plus pour ce partenaire."),
            is_possible=is_there,
            icon="cross",
        ),
    }
