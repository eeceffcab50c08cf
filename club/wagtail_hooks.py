"""The admin's screens of places and people, with who may do what there."""

from datetime import datetime
from typing import Any

from django import forms
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, MultiFieldPanel
from wagtail.admin.viewsets.base import ViewSetGroup
from wagtail.admin.widgets.button import HeaderButton

from club.domain import members as people
from club.enums import RightSource
from club.kernel import codes
from club.models import (
    Closure,
    Dwelling,
    Household,
    Landlord,
    LedgerEntry,
    Member,
    Place,
    Receipt,
    Residence,
    Right,
    SchoolHolidays,
    Season,
    TillDay,
    User,
)
from club.opinion_hooks import OpinionsViewSet
from club.permissions import ALL, RULES, VIEW, WRITE, permit, visible
from club.provider_hooks import DifferenceViewSet, EventViewSet, RefundViewSet
from club.viewsets import (
    CreateView,
    EditView,
    IndexView,
    ScopedForm,
    ScopedViewSet,
    Step,
    money_column,
    narrow,
)

CHANGE = frozenset({"view", "change"})
GIVE = frozenset({"view", "add"})

permit(Landlord, path="places", officer=CHANGE)
permit(Place, path="", officer=CHANGE, concierge=VIEW)
permit(Season, path="place", officer=ALL)
permit(Closure, path="place", officer=VIEW, concierge=VIEW)
permit(SchoolHolidays, path="", officer=VIEW, concierge=VIEW)
permit(Residence, path="landlord__places", officer=WRITE, concierge=VIEW)
permit(Dwelling, path="residence__landlord__places", officer=WRITE, concierge=VIEW)
permit(Household, path="members__place", officer=CHANGE, concierge=CHANGE)
permit(Member, path="place", officer=WRITE, concierge=WRITE)
permit(Receipt, path="place", officer=VIEW, concierge=VIEW)
permit(LedgerEntry, path="place", officer=VIEW, concierge=VIEW)
permit(TillDay, path="place", officer=VIEW, concierge=VIEW)
permit(Right, path="household__members__place", officer=CHANGE | GIVE, concierge=CHANGE)


class ChildForm(WagtailAdminModelForm):
    """A line of a place: its choices are those of the places one may change."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        narrow(self, self.for_user, Place, "change")


class LinesPanel(InlinePanel):
    def get_form_options(self) -> dict[str, Any]:
        options: dict[str, Any] = super().get_form_options()
        options["formsets"][self.relation_name] |= {
            "form": ChildForm,
            "inherit_kwargs": ["for_user"],
        }
        return options


class LandlordViewSet(ScopedViewSet):
    model = Landlord
    icon = "home"
    menu_order = 400
    menu_name = "landlord"
    add_to_admin_menu = True
    list_display = ["name", "hostname", "school_zone"]
    panels = [
        MultiFieldPanel(
            [FieldPanel("name"), FieldPanel("hostname", read_only=True), FieldPanel("school_zone")],
            heading=_("Le bailleur"),
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("action"), FieldPanel("on_action")]),
                FieldRowPanel([FieldPanel("sign"), FieldPanel("light")]),
                FieldRowPanel([FieldPanel("house"), FieldPanel("paper")]),
            ],
            heading=_("Les six couleurs"),
            help_text=_("Une couleur que l’on ne pourrait pas lire est refusée, avec la raison."),
        ),
    ]


class PlaceViewSet(ScopedViewSet):
    model = Place
    icon = "site"
    list_display = ["name", "district", "city", "phone", "is_public"]
    panels = [
        MultiFieldPanel(
            [
                FieldPanel("name"),
                FieldPanel("district"),
                FieldPanel("address"),
                FieldPanel("address_hint"),
                FieldRowPanel([FieldPanel("postcode"), FieldPanel("city")]),
                FieldRowPanel([FieldPanel("phone"), FieldPanel("email")]),
                FieldPanel("operator"),
                FieldPanel("is_public"),
            ],
            heading=_("Le point d’accueil"),
        ),
        MultiFieldPanel(
            [FieldPanel("collector"), FieldPanel("payee"), FieldPanel("sign_off_cents")],
            heading=_("L’argent"),
        ),
        FieldPanel("closed_on_public_holidays"),
        LinesPanel(
            "opening_hours",
            heading=_("Horaires"),
            label=_("Horaire"),
            help_text=_("Une ligne par plage : le matin, l’après-midi."),
            panels=[
                FieldPanel("weekday"),
                FieldRowPanel([FieldPanel("opens"), FieldPanel("closes")]),
                FieldRowPanel([FieldPanel("period"), FieldPanel("season")]),
            ],
        ),
        LinesPanel(
            "seasons",
            heading=_("Saisons"),
            label=_("Saison"),
            help_text=_("Les horaires d’une saison remplacent les autres."),
        ),
        LinesPanel(
            "exceptional_hours",
            heading=_("Horaires exceptionnels"),
            label=_("Horaire exceptionnel"),
            panels=[
                FieldPanel("day"),
                FieldRowPanel([FieldPanel("opens"), FieldPanel("closes")]),
            ],
        ),
        LinesPanel(
            "account_numbers",
            heading=_("Comptes comptables"),
            label=_("Compte"),
            help_text=_("Seulement ceux qui ne sont pas les numéros habituels."),
            panels=[
                FieldPanel("use"),
                FieldRowPanel([FieldPanel("number"), FieldPanel("name")]),
            ],
        ),
    ]


class ClosureIndex(IndexView):
    """The way to the act: closing a place moves what is booked there."""

    @property
    def header_buttons(self) -> list[Any]:
        label = str(_("Fermer ou rouvrir au comptoir"))
        url = reverse("desk:closures")
        return [*super().header_buttons, HeaderButton(label, url=url, icon_name="cross")]


class ClosureViewSet(ScopedViewSet):
    """Read here; declared, changed and withdrawn at the desk, which shows what it touches."""

    model = Closure
    index_view_class = ClosureIndex
    related = ("place",)
    icon = "cross"
    list_display = ["place", "starts_on", "ends_on", "reason"]
    list_filter = ["reason"]
    ordering = ["-starts_on"]
    panels = [
        FieldPanel("place"),
        FieldRowPanel([FieldPanel("starts_on"), FieldPanel("ends_on")]),
        FieldPanel("reason"),
    ]


class SchoolHolidaysViewSet(ScopedViewSet):
    model = SchoolHolidays
    icon = "calendar"
    list_display = ["name", "zone", "starts_on", "ends_on"]
    list_filter = ["zone"]
    panels = [
        FieldPanel("zone"),
        FieldPanel("name"),
        FieldRowPanel([FieldPanel("starts_on"), FieldPanel("ends_on")]),
    ]


class ResidenceViewSet(ScopedViewSet):
    model = Residence
    related = ("place",)
    icon = "home"
    list_display = ["name", "code", "city", "dwelling_count", "place"]
    search_fields = ["name", "code", "address", "city"]
    search_backend_name = None
    panels = [
        FieldPanel("landlord"),
        FieldPanel("place"),
        FieldRowPanel([FieldPanel("code"), FieldPanel("name")]),
        FieldPanel("address"),
        FieldRowPanel([FieldPanel("postcode"), FieldPanel("city")]),
        FieldPanel("dwelling_count"),
    ]


class DwellingViewSet(ScopedViewSet):
    model = Dwelling
    related = ("residence",)
    icon = "key"
    list_display = ["code", "residence", "floor", "door", "rooms"]
    search_fields = ["code", "residence__name"]
    search_backend_name = None
    panels = [
        FieldPanel("residence"),
        FieldPanel("code"),
        FieldRowPanel([FieldPanel("floor"), FieldPanel("door")]),
        FieldPanel("rooms"),
    ]


class HouseholdForm(ScopedForm):
    """The dwelling is typed by the landlord's own identifier: there are thousands."""

    dwelling_code = forms.CharField(
        label=_("Identifiant du logement"), max_length=40, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.dwelling_id:
            self.fields["dwelling_code"].initial = self.instance.dwelling.code

    def clean_dwelling_code(self) -> str:
        code: str = self.cleaned_data["dwelling_code"].strip()
        dwellings = Dwelling.objects.filter(residence__landlord=self.instance.landlord_id)
        found = dwellings.filter(code=code)[:2]
        if code and len(found) != 1:
            raise forms.ValidationError(
                gettext("Aucun logement ne porte cet identifiant.")
                if not found
                else gettext("Plusieurs logements portent cet identifiant. Précisez-le.")
            )
        self.instance.dwelling = found[0] if code else None
        return code


class HouseholdViewSet(ScopedViewSet):
    model = Household
    related = ("dwelling__residence",)
    prefetched = ("members__user",)
    form_base = HouseholdForm
    icon = "group"
    list_display = ["__str__", "dwelling", "size", "created_at"]
    search_fields = ["members__user__last_name", "members__user__first_name"]
    search_backend_name = None
    panels = [FieldPanel("size"), FieldPanel("dwelling_code")]


class MemberForm(ScopedForm):
    """A member's name lies with the account, and changes through the verb."""

    first_name = forms.CharField(label=_("Prénom"), max_length=150)
    last_name = forms.CharField(label=_("Nom"), max_length=150)
    email = forms.EmailField(label=_("E-mail"), required=False)
    phone = forms.CharField(label=_("Téléphone"), max_length=30, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            user: User = self.instance.user
            self.fields["first_name"].initial = user.first_name
            self.fields["last_name"].initial = user.last_name
            for name in ("email", "phone"):
                self.fields[name].initial = getattr(user, name)
                self.fields[name].disabled = True
                self.fields[name].help_text = _("La personne le change elle-même, par un code.")


class AddMember(CreateView):
    def save_instance(self) -> Member:
        data = self.form.cleaned_data
        return people.register_member(
            first_name=data["first_name"],
            last_name=data["last_name"],
            email=data["email"],
            phone=data["phone"],
            place=data["place"],
            by=self.request.user,
            now=timezone.now(),
        )


class EditMember(EditView):
    def save_instance(self) -> Member:
        data = self.form.cleaned_data
        member: Member = self.form.save()
        people.rename_member(
            member,
            first_name=data["first_name"],
            last_name=data["last_name"],
            by=self.request.user,
            now=timezone.now(),
        )
        return member


class MemberViewSet(ScopedViewSet):
    model = Member
    related = ("user", "place")
    prefetched = ("household__members__user",)
    form_base = MemberForm
    icon = "user"
    add_view_class = AddMember
    edit_view_class = EditMember
    list_display = ["__str__", "household", "place", "joined_at"]
    search_fields = ["search_name", "user__email", "user__phone", "cards__number"]
    search_backend_name = None
    inspect_view_fields = ["household", "place", "joined_at", "claimed_at"]
    panels = [
        FieldRowPanel([FieldPanel("first_name"), FieldPanel("last_name")]),
        FieldRowPanel([FieldPanel("email"), FieldPanel("phone")]),
        FieldPanel("place"),
    ]


def withdraw(right: Right, *, by: User, now: datetime) -> None:
    people.withdraw_right(right, by=by, now=now)


class RightForm(ScopedForm):
    """Whose right it is comes from a card: the number that the person holds in the hand."""

    card = forms.CharField(label=_("Numéro de carte"), max_length=20)
    whole_household = forms.BooleanField(
        label=_("Pour tout le foyer"), required=False, initial=True
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        given = (RightSource.GIFT, RightSource.SPONSOR)
        self.fields["source"].choices = [(source.value, source.label) for source in given]

    def clean_card(self) -> Member:
        code = codes.as_scanned(self.cleaned_data["card"]) or ""
        members = visible(Member.objects.all(), self.for_user, RULES[Right], ["add"])
        member: Member | None = members.filter(
            cards__number=code[1:], cards__revoked_at=None
        ).first()
        if member is None:
            raise forms.ValidationError(gettext("Aucune carte active ne porte ce numéro ici."))
        return member


class AddRight(CreateView):
    def save_instance(self) -> Right:
        data = self.form.cleaned_data
        member = data["card"]
        given = people.give_right(
            member.household if data["whole_household"] else member,
            [data["activity"]],
            data["starts_on"],
            data["ends_on"],
            data["source"],
            by=self.request.user,
            now=timezone.now(),
        )
        return given[0]


class RightViewSet(ScopedViewSet):
    """Given and withdrawn by the verbs; a right that was given is never rewritten."""

    model = Right
    related = ("member__user",)
    prefetched = ("household__members__user",)
    icon = "check"
    add_view_class = AddRight
    form_base = RightForm
    list_display = ["__str__", "household", "member", "source", "starts_on", "revoked_at"]
    list_filter = ["activity", "source"]
    panels = [
        FieldRowPanel([FieldPanel("card"), FieldPanel("whole_household")]),
        FieldPanel("activity"),
        FieldRowPanel([FieldPanel("starts_on"), FieldPanel("ends_on")]),
        FieldPanel("source"),
    ]
    read_panels = [
        FieldPanel(name, read_only=True)
        for name in (
            "household",
            "member",
            "activity",
            "starts_on",
            "ends_on",
            "source",
            "given_by",
            "revoked_at",
        )
    ]
    steps = {
        "retirer": Step(
            _("Retirer ce droit"),
            withdraw,
            question=_("Ce droit s’arrête tout de suite. Les prêts en cours restent."),
            done=_("Le droit est retiré."),
            is_possible=lambda right: right.revoked_at is None,
            icon="cross",
        )
    }


class ReceiptViewSet(ScopedViewSet):
    """Read here; taken and cancelled at the desk."""

    model = Receipt
    related = ("place", "member__user", "cancels")
    icon = "doc-full"
    list_display = [
        "__str__",
        "place",
        "member",
        "means",
        money_column("cents", _("montant")),
        "issued_at",
        "cancels",
    ]
    list_filter = ["means"]
    ordering = ["-issued_at", "-pk"]
    search_fields = ["number", "member__search_name"]
    search_backend_name = None
    inspect_view_fields = [
        "place",
        "year",
        "number",
        "member",
        "means",
        "cents",
        "given_cents",
        "till",
        "cancels",
        "issued_at",
        "issued_by",
    ]
    panels: list[Any] = []


class LedgerViewSet(ScopedViewSet):
    """Every amount with what it is for; nothing here is ever changed."""

    model = LedgerEntry
    related = ("place", "receipt")
    prefetched = ("household__members__user",)
    icon = "list-ol"
    list_display = [
        "label",
        "household",
        "kind",
        "account",
        "means",
        money_column("cents", _("montant")),
        "receipt",
        "at",
    ]
    list_filter = ["kind", "account", "means"]
    ordering = ["-at", "-pk"]
    inspect_view_fields = [
        "label",
        "place",
        "household",
        "member",
        "kind",
        "account",
        "means",
        "cents",
        "source",
        "receipt",
        "reverses",
        "at",
        "by",
    ]
    panels: list[Any] = []


class TillDayViewSet(ScopedViewSet):
    """The days of the tills: opened, counted and signed at the desk."""

    model = TillDay
    related = ("place", "opened_by", "closed_by", "signed_by")
    icon = "lock-open"
    list_display = [
        "opened_at",
        "place",
        "closed_at",
        money_column("expected_cents", _("attendu")),
        money_column("counted_cents", _("compté")),
        "signed_at",
    ]
    ordering = ["-opened_at"]
    inspect_view_fields = [
        "place",
        "opened_at",
        "opened_by",
        "float_cents",
        "closed_at",
        "closed_by",
        "expected_cents",
        "counted_cents",
        "signed_at",
        "signed_by",
    ]
    panels: list[Any] = []


class MoneyGroup(ViewSetGroup):
    menu_label = _("Argent")
    menu_name = "money"
    menu_icon = "list-ol"
    menu_order = 230
    items = (
        ReceiptViewSet,
        LedgerViewSet,
        TillDayViewSet,
        RefundViewSet,
        DifferenceViewSet,
        EventViewSet,
    )


class PlacesGroup(ViewSetGroup):
    menu_label = _("Accueil")
    menu_name = "places"
    menu_icon = "site"
    menu_order = 210
    items = (PlaceViewSet, ClosureViewSet, SchoolHolidaysViewSet, OpinionsViewSet)


class PeopleGroup(ViewSetGroup):
    menu_label = _("Habitants")
    menu_name = "people"
    menu_icon = "group"
    menu_order = 220
    items = (
        MemberViewSet,
        HouseholdViewSet,
        RightViewSet,
        ResidenceViewSet,
        DwellingViewSet,
    )


@hooks.register("insert_global_admin_js")
def own_script() -> SafeString:
    """Before any field is drawn, so that each picker is made as it says."""
    return format_html('<script src="{}"></script>', static("js/admin.js"))


@hooks.register("register_admin_viewset")
def viewsets() -> list[Any]:
    return [PlacesGroup(), PeopleGroup(), MoneyGroup(), LandlordViewSet()]
