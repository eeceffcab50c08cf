"""The admin's screens of events, with who may do what there, and what serves their pages."""

from collections.abc import Iterable, Iterator
from typing import Any

import django_filters
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.menu import MenuItem
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.pages.bulk_actions import DeleteBulkAction
from wagtail.admin.viewsets.base import ViewSet, ViewSetGroup
from wagtail.admin.widgets.button import Button, HeaderButton
from wagtail.models import Page

from club.kernel import words
from club.kernel.refusal import Refused
from club.models import Place
from club.permissions import RULES, VIEW, WRITE, permit, places_for, visible
from club.viewsets import CreateView, EditView, IndexView, ScopedViewSet, money_column
from events.domain.schedules import Made, add_session, new_session, strays
from events.domain.terms import AMENDED, amend
from events.enums import SessionStatus
from events.models import EventPage, EventPolicy, Registration, Session
from events.queries.staff import events_of, expected_at, is_used, with_numbers
from events.signals import made_for
from events.staff_forms import AddSessionForm, SessionForm
from events.views import pages, staff

permit(Session, path="place", officer=WRITE, concierge=WRITE)
permit(Registration, path="place", officer=VIEW, concierge=VIEW)
permit(EventPolicy, path="place", officer=WRITE, concierge=VIEW)


# -- Sessions -----------------------------------------------------------------------------------


def places_of(request: HttpRequest | None) -> Any:
    """Where one sees sessions."""
    user = request.user if request else None
    return visible(Place.objects.order_by("name"), user, RULES[Session], ["view"])


class SessionFilters(WagtailFilterSet):
    """To come unless said otherwise: what is over is looked up, not worked on."""

    event = django_filters.ModelChoiceFilter(
        label=_("Événement"), queryset=lambda request: events_of(places_of(request))
    )
    place = django_filters.ModelChoiceFilter(label=_("Point d’accueil"), queryset=places_of)
    when = django_filters.ChoiceFilter(
        label=_("Quand"),
        choices=[("past", _("passées")), ("all", _("toutes"))],
        empty_label=_("à venir"),
        method="filter_when",
    )
    rule = django_filters.ChoiceFilter(
        label=_("Règle"),
        choices=[("stray", _("avec des inscrits, ne suit plus la règle"))],
        empty_label=_("peu importe"),
        method="filter_rule",
    )

    class Meta:
        model = Session
        fields = ["event", "place", "when", "rule"]

    def filter_queryset(self, queryset: Any) -> Any:
        rows = super().filter_queryset(queryset)
        if not self.form.cleaned_data.get("when"):
            rows = rows.filter(ends_at__gt=timezone.now())
        return rows

    def filter_when(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(ends_at__lte=timezone.now()) if value == "past" else queryset

    def filter_rule(self, queryset: Any, name: str, value: str) -> Any:
        """Of one event: its rules are read anew."""
        event = self.form.cleaned_data.get("event")
        if event is None:
            return queryset
        try:
            return queryset.filter(pk__in=strays(event, timezone.now()))
        except Refused:
            return queryset.none()


class SessionIndex(IndexView):
    def get_base_queryset(self) -> Any:
        return with_numbers(super().get_base_queryset())


class EditSession(EditView):
    """Terms are typed here; what people have to be told of has its own buttons."""

    def save_instance(self) -> Session:
        data = self.form.cleaned_data
        return amend(
            self.object,
            data["capacity"],
            keep_registered=data["keep_registered"],
            by=self.request.user,
            now=timezone.now(),
            **{name: data[name] for name in AMENDED},
        )

    @property
    def header_buttons(self) -> list[Any]:
        buttons = list(super().header_buttons)
        if self.object.status == SessionStatus.CANCELLED:
            return [*buttons, self.button("told", _("Qui appeler"), "mobile-alt")]
        if self.object.ends_at > timezone.now():
            buttons.append(self.button("move", _("Déplacer"), "time"))
            buttons.append(self.button("cancel", _("Annuler la séance"), "cross"))
        return buttons

    def button(self, name: str, label: Any, icon: str) -> HeaderButton:
        url = reverse(f"session:{name}", args=[self.object.pk])
        return HeaderButton(str(label), url=url, icon_name=icon)


class AddSession(CreateView):
    """One more date, on the terms of its event."""

    def get_initial_form_instance(self) -> Session:
        instance: Session = super().get_initial_form_instance() or Session()
        wanted = self.request.GET.get("event", "")
        if wanted.isascii() and wanted.isdigit() and len(wanted) < 10:
            instance.event_id = int(wanted)
        return instance

    def save_instance(self) -> Session:
        data = self.form.cleaned_data
        session = new_session(data["event"], data["place"], data["starts_at"], data["ends_at"])
        for name in ("room", "address", "note"):
            setattr(session, name, data[name])
        return add_session(session, by=self.request.user, now=timezone.now())


def when_of(session: Session) -> str:
    return words.moment(session.starts_at)


def places_taken(session: Session) -> str:
    if session.capacity is None:
        return str(session.booked)
    return f"{session.booked} / {session.wanted_capacity}"


def state_of(session: Session) -> str:
    if session.status == SessionStatus.SCHEDULED and session.is_full:
        return gettext("complète")
    return str(session.get_status_display())


class SessionViewSet(ScopedViewSet):
    """When and where a session is, and whether, changes by verbs that tell people."""

    model = Session
    related = ("event", "place")
    icon = "calendar-alt"
    index_view_class = SessionIndex
    add_view_class = AddSession
    edit_view_class = EditSession
    filterset_class = SessionFilters
    form_base = SessionForm
    ordering = ["starts_at", "pk"]
    list_display = [
        "event",
        Column("when", label=_("quand"), accessor=when_of),
        "place",
        Column("taken", label=_("places prises"), accessor=places_taken),
        Column("waiting", label=_("en attente")),
        Column("state", label=_("état"), accessor=state_of),
    ]
    inspect_view_fields = [
        "event",
        "place",
        "room",
        "address",
        "note",
        "starts_at",
        "ends_at",
        "opens_at",
        "others_at",
        "closes_at",
        "capacity",
        "booked",
        "price_cents",
        "member_price_cents",
        "status",
        "cancel_reason",
        "replaced_by",
    ]
    panels = [
        FieldPanel("note"),
        MultiFieldPanel(
            [FieldPanel("capacity"), FieldPanel("keep_registered")], heading=_("Places")
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("price_cents"), FieldPanel("member_price_cents")]),
                FieldPanel("pay_first"),
                FieldPanel("cancel_hours"),
            ],
            heading=_("Prix"),
            help_text=_("Qui est déjà inscrit garde son prix."),
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("opens_at"), FieldPanel("others_at")]),
                FieldPanel("closes_at"),
                FieldPanel("members_only"),
                FieldPanel("needs_approval"),
                FieldPanel("household_limit"),
            ],
            heading=_("Inscription"),
        ),
    ]
    add_panels = [
        FieldPanel("event"),
        FieldRowPanel([FieldPanel("starts_at"), FieldPanel("ends_at")]),
        FieldPanel("place"),
        FieldRowPanel([FieldPanel("room"), FieldPanel("address")]),
        FieldPanel("note"),
    ]

    def get_add_view_kwargs(self, **kwargs: Any) -> Any:
        panel = panel_of(self.add_panels, AddSessionForm)
        kwargs |= {"panel": panel, "form_class": panel.get_form_class()}
        return super().get_add_view_kwargs(**kwargs) | kwargs

    def get_urlpatterns(self) -> list[Any]:
        return [
            *super().get_urlpatterns(),
            path("annuler/<int:pk>/", staff.cancel, name="cancel"),
            path("deplacer/<int:pk>/", staff.move, name="move"),
            path("prevenus/<int:pk>/", staff.told, name="told"),
        ]


def panel_of(panels: list[Any], form: Any) -> Any:
    return ObjectList(panels, base_form_class=form).bind_to_model(Session)


class RegistrationViewSet(ScopedViewSet):
    """Read here; taken, changed and given back at the desk and by the people themselves."""

    model = Registration
    related = ("session__event", "member__user", "place")
    icon = "group"
    list_display = [
        "reference",
        "member",
        Column("event", label=_("événement"), accessor="session.event.title"),
        Column("when", label=_("quand"), accessor=when_of),
        "quantity",
        "status",
        money_column("cents", _("prix")),
    ]
    list_filter = ["status", "channel"]
    ordering = ["-starts_at", "-pk"]
    search_fields = ["member__search_name", "reference", "session__event__title"]
    search_backend_name = None
    inspect_view_fields = [
        "reference",
        "member",
        "session",
        "place",
        "quantity",
        "wanted",
        "fewer_ok",
        "status",
        "unit_cents",
        "channel",
        "created_at",
        "queued_at",
        "offer_ends_at",
        "pay_until",
        "came",
    ]
    panels: list[Any] = []


class EventPolicyViewSet(ScopedViewSet):
    model = EventPolicy
    related = ("place",)
    icon = "list-ul"
    list_display = ["place", "offer_until", "last_offer_minutes", "pay_hours", "no_show_limit"]
    panels = [
        FieldPanel("place"),
        MultiFieldPanel(
            [FieldPanel("offer_until"), FieldPanel("last_offer_minutes")],
            heading=_("Liste d’attente"),
        ),
        FieldPanel("pay_hours"),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("no_show_limit"), FieldPanel("no_show_days")]),
                FieldPanel("pause_days"),
            ],
            heading=_("Absences sans prévenir"),
        ),
    ]


# -- Reports ------------------------------------------------------------------------------------


class TeamItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return request.user.is_superuser or bool(places_for(request.user, Session, ["view"]))


class ReviewViewSet(ViewSet):
    name = "events-review"
    url_prefix = "evenements/a-relire"
    icon = "view"
    menu_label = _("À relire")

    def get_urlpatterns(self) -> list[Any]:
        return [path("", staff.review, name="index")]


class AttendanceViewSet(ViewSet):
    name = "events-attendance"
    url_prefix = "evenements/frequentation"
    icon = "table"
    menu_label = _("Fréquentation")
    menu_item_class = TeamItem

    def get_urlpatterns(self) -> list[Any]:
        return [path("", staff.attendance, name="index")]


class EventsGroup(ViewSetGroup):
    menu_label = _("Événements")
    menu_name = "events"
    menu_icon = "calendar-alt"
    menu_order = 205
    items = (
        SessionViewSet,
        RegistrationViewSet,
        ReviewViewSet,
        AttendanceViewSet,
        EventPolicyViewSet,
    )


@hooks.register("register_admin_viewset")
def viewsets() -> Any:
    return EventsGroup()


# -- Pages --------------------------------------------------------------------------------------


@hooks.register("before_serve_page", order=10)
def serve_event_pages(
    page: Page, request: HttpRequest, args: Any, kwargs: Any
) -> HttpResponse | None:
    """A page type lies below the views, so it is served from here, after Wagtail has asked
    whether this reader may see it."""
    return pages.serve(page, request)


def sessions_url(event: EventPage, query: str = "") -> str:
    return f"{reverse('session:index')}?event={event.pk}{query}"


@hooks.register("register_page_header_buttons")
def sessions_button(
    page: Page, user: Any, view_name: str, next_url: str | None = None
) -> Iterator[Button]:
    """From an event to its sessions."""
    event = page.specific if page.pk else page
    may_look = user.is_superuser or places_for(user, Session, ["view"])
    if isinstance(event, EventPage) and may_look:
        yield Button(
            gettext("Voir les séances"),
            url=sessions_url(event, "&when=all"),
            icon_name="calendar-alt",
            priority=5,
        )
        add_url = f"{reverse('session:add')}?event={event.pk}"
        yield Button(gettext("Ajouter une séance"), url=add_url, icon_name="plus", priority=6)


@hooks.register("after_publish_page")
def tell_what_was_made(request: HttpRequest, page: Page) -> None:
    """How many sessions publishing made, and which of them staff have to look at."""
    known = made_for.get()
    if known is None or known[0] != page.pk:
        return
    made_for.set(None)
    event = page.specific
    made = known[1]
    if isinstance(made, Refused):
        for reason in made.reasons:
            messages.error(request, str(reason.text))
        return
    text = " ".join(lines_of(made))
    if made.stray:
        url = sessions_url(event, "&rule=stray")
        messages.warning(
            request, format_html('{} <a href="{}">{}</a>', text, url, gettext("Voir ces séances"))
        )
    elif text:
        messages.success(request, text)


def lines_of(made: Made) -> list[str]:
    counted = (
        (made.added, ngettext("%(n)s séance créée.", "%(n)s séances créées.", made.added)),
        (
            made.followed,
            ngettext("%(n)s séance déplacée.", "%(n)s séances déplacées.", made.followed),
        ),
        (made.removed, ngettext("%(n)s séance retirée.", "%(n)s séances retirées.", made.removed)),
        (
            len(made.stray),
            ngettext(
                "%(n)s séance a des inscrits et ne suit plus la règle.",
                "%(n)s séances ont des inscrits et ne suivent plus la règle.",
                len(made.stray),
            ),
        ),
    )
    return [text % {"n": number} for number, text in counted if number]


@hooks.register("after_unpublish_page")
def tell_who_comes_all_the_same(request: HttpRequest, page: Page) -> None:
    """Taken off the site, an event still has the people who hold places."""
    event = page.specific
    people = expected_at(event, timezone.now()) if isinstance(event, EventPage) else 0
    if people:
        text = ngettext(
            "%(n)s place est encore prise. Annulez les séances pour prévenir.",
            "%(n)s places sont encore prises. Annulez les séances pour prévenir.",
            people,
        ) % {"n": people}
        link = gettext("Voir les séances")
        message = format_html('{} <a href="{}">{}</a>', text, sessions_url(event), link)
        messages.warning(request, message)


def events_below(found: Iterable[Page]) -> list[EventPage]:
    return [
        event for page in found for event in EventPage.objects.descendant_of(page, inclusive=True)
    ]


def refuse_deletion(request: HttpRequest) -> None:
    text = gettext("Des personnes se sont inscrites. Dépubliez la page, ou annulez les séances.")
    messages.error(request, text)


@hooks.register("before_delete_page")
def keep_what_people_came_to(request: HttpRequest, page: Page) -> HttpResponse | None:
    """Registrations outlive their page's usefulness; without any, its sessions go with it."""
    if not is_used(events_below([page])):
        return None
    refuse_deletion(request)
    return redirect("wagtailadmin_pages:edit", page.pk)


@hooks.register("before_bulk_action")
def keep_what_people_came_to_in_a_list(
    request: HttpRequest, action_type: str, objects: list[Any], action: Any
) -> HttpResponse | None:
    if not isinstance(action, DeleteBulkAction) or not is_used(events_below(objects)):
        return None
    refuse_deletion(request)
    return redirect(action.next_url)
