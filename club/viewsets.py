"""The admin's screens of day-to-day data: each shows and takes what is at one's places."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.forms import ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.menu import MenuItem
from wagtail.admin.panels import ObjectList
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.admin.views import generic
from wagtail.admin.views.generic import history, usage
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.admin.widgets.button import HeaderButton
from wagtail.permissions import policy_registry

from club.access import fresh_proof, staff_places
from club.enums import Role
from club.forms import add_refusal
from club.kernel import words
from club.kernel.refusal import Refused
from club.permissions import RULES, visible


def narrow(form: forms.BaseForm, user: Any, model: type[models.Model], action: str) -> None:
    """Leave in each list of choices what is at the places where this may be done."""
    for field in form.fields.values():
        choices = field.queryset if isinstance(field, ModelChoiceField) else None
        if choices is not None and choices.model in RULES:
            field.queryset = visible(choices, user, RULES[model], [action])  # type: ignore[attr-defined]


def narrow_lines(formset: Any, *scope: Any) -> None:
    """The same in each line of a form, and in the empty one that the page copies."""
    add_fields = formset.add_fields

    def add_own(form: forms.BaseForm, index: int | None) -> None:
        add_fields(form, index)
        narrow(form, *scope)

    formset.add_fields = add_own


class ScopedForm(WagtailAdminModelForm):
    """Its choices are those of one's own places, so that nothing can be put elsewhere."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        action = "change" if self.instance.pk else "add"
        scope = (self.for_user, type(self.instance), action)
        narrow(self, *scope)
        for formset in self.formsets.values():
            narrow_lines(formset, *scope)


class OfficersItem(MenuItem):
    """A line of the menu for officers; several of them ask once a page."""

    def is_shown(self, request: HttpRequest) -> bool:
        user: Any = request.user
        if not hasattr(user, "_is_officer"):
            user._is_officer = staff_places(user, Role.OFFICER).exists()
        return bool(user._is_officer)


class OwnPlacesMixin:
    """An object of another place is not there: 404, for each way of opening it."""

    scoped_actions: tuple[str, ...] = ("change", "delete", "view")

    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        found = super().get_object(*args, **kwargs)  # type: ignore[misc]
        policy = policy_registry.get_by_type(type(found))
        user = self.request.user  # type: ignore[attr-defined]
        if not policy.user_has_any_permission_for_instance(user, self.scoped_actions, found):
            raise Http404
        return found


class IndexView(generic.IndexView):
    related: tuple[str, ...] = ()
    prefetched: tuple[str, ...] = ()

    def get_base_queryset(self) -> Any:
        policy = policy_registry.get_by_type(self.model)
        mine = policy.instances_user_has_any_permission_for(
            self.request.user, ["view", "change", "delete"]
        )
        rows = super().get_base_queryset().filter(pk__in=mine.values("pk"))
        if self.related:
            rows = rows.select_related(*self.related)
        return rows.prefetch_related(*self.prefetched)

    def _get_custom_column(self, field_name: str, column_class: Any = Column, **kwargs: Any) -> Any:
        """A yes or no is a mark, not the word True."""
        field = getattr(self.model, field_name, None)
        if isinstance(getattr(field, "field", None), models.BooleanField):
            column_class = BooleanColumn
        return super()._get_custom_column(field_name, column_class, **kwargs)


class RefusingMixin:
    """A verb's refusal is told at the form, with what was typed kept."""

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return super().form_valid(form)  # type: ignore[misc]
        except Refused as refused:
            add_refusal(form, refused)
            self.produced_error_message = self.get_error_message()  # type: ignore[attr-defined]
            return self.form_invalid(form)  # type: ignore[attr-defined]


class CreateView(RefusingMixin, generic.CreateView):
    pass


class EditView(OwnPlacesMixin, RefusingMixin, generic.EditView):
    scoped_actions = ("change",)
    step_url_name = None
    steps: dict[str, "Step"] = {}

    @property
    def header_buttons(self) -> list[Any]:
        buttons = list(super().header_buttons)
        for name, step in self.steps.items():
            if step.is_possible(self.object):
                url = reverse(self.step_url_name, args=[self.object.pk, name])
                buttons.append(HeaderButton(str(step.label), url=url, icon_name=step.icon))
        return buttons


class DeleteView(OwnPlacesMixin, generic.DeleteView):
    scoped_actions = ("delete",)

    def form_valid(self, form: Any) -> HttpResponse:
        """What others hang on stays, and says so."""
        try:
            return super().form_valid(form)
        except models.ProtectedError:
            messages.error(self.request, _("Cela sert encore : on ne peut pas l’effacer."))
            return redirect(self.edit_url_name, self.object.pk)


class HistoryView(OwnPlacesMixin, history.HistoryView):
    pass


class UsageView(OwnPlacesMixin, usage.UsageView):
    pass


class InspectView(OwnPlacesMixin, generic.InspectView):
    def get_field_display_value(self, field_name: str, field: Any) -> Any:
        if field_name.endswith("cents"):
            cents = getattr(self.object, field_name)
            return "" if cents is None else words.money(cents)
        return super().get_field_display_value(field_name, field)


def money_column(name: str, label: str | Promise) -> Column:
    """Cents in a list, as people say them."""

    def told(row: Any) -> str:
        cents = getattr(row, name)
        return "" if cents is None else words.money(cents)

    return Column(name, label=label, accessor=told)


class Step:
    """One verb on one object, as a button of its edit page and a page that asks once."""

    def __init__(
        self,
        label: str | Promise,
        act: Any,
        *,
        question: str | Promise,
        done: str | Promise,
        is_possible: Any = lambda instance: True,
        form_class: type[forms.Form] = forms.Form,
        icon: str = "circle-check",
    ) -> None:
        self.label = label
        self.act = act
        self.question = question
        self.done = done
        self.is_possible = is_possible
        self.form_class = form_class
        self.icon = icon


class ScopedViewSet(ModelViewSet):
    """A model's screens, scoped by `club.permissions`; `steps` are verbs on one object."""

    index_view_class = IndexView
    add_view_class = CreateView
    edit_view_class = EditView
    delete_view_class = DeleteView
    history_view_class = HistoryView
    usage_view_class = UsageView
    inspect_view_class = InspectView
    copy_view_enabled = False
    inspect_view_enabled = True
    list_per_page = 50
    steps: dict[str, Step] = {}
    fresh_proof = False
    """Whether adding and stepping ask for the code again, where the last proof is old."""

    form_base: type[ScopedForm] = ScopedForm
    read_panels: list[Any] = []
    """What the edit page shows instead of `panels`, where nothing may be rewritten."""

    related: tuple[str, ...] = ()
    """What a list's columns read besides the row itself: `select_related`."""
    prefetched: tuple[str, ...] = ()

    def get_index_view_kwargs(self, **kwargs: Any) -> Any:
        return super().get_index_view_kwargs(
            related=self.related, prefetched=self.prefetched, **kwargs
        )

    def get_edit_handler(self) -> Any:
        return ObjectList(self.panels, base_form_class=self.form_base).bind_to_model(self.model)

    def get_edit_view_kwargs(self, **kwargs: Any) -> Any:
        if self.read_panels:
            panel = ObjectList(self.read_panels).bind_to_model(self.model)
            kwargs |= {"panel": panel, "form_class": panel.get_form_class()}
        return super().get_edit_view_kwargs(**kwargs) | {
            "steps": self.steps,
            "step_url_name": self.get_url_name("step"),
            **kwargs,
        }

    def get_urlpatterns(self) -> list[Any]:
        patterns = super().get_urlpatterns()
        if self.steps:
            patterns.append(
                path("step/<int:pk>/<slug:name>/", self.proved(self.step_view), name="step")
            )
        return patterns

    @property
    def add_view(self) -> Any:
        return self.proved(super().add_view)

    def proved(self, view: Any) -> Any:
        return fresh_proof(view) if self.fresh_proof else view

    def step_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        step = self.steps.get(name)
        if step is None:
            raise Http404
        policy = policy_registry.get_by_type(self.model)
        if not policy.user_has_permission(request.user, "change"):
            raise PermissionDenied
        mine = policy.instances_user_has_any_permission_for(request.user, ["change"])
        instance = get_object_or_404(mine, pk=pk)
        edit_url = reverse(self.get_url_name("edit"), args=[pk])
        form = step.form_class(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                step.act(instance, by=request.user, now=timezone.now(), **form.cleaned_data)
            except Refused as refused:
                add_refusal(form, refused)
            else:
                messages.success(request, str(step.done))
                return redirect(edit_url)
        context = {
            "form": form,
            "step": step,
            "instance": instance,
            "edit_url": edit_url,
            "page_title": str(step.label),
        }
        return render(request, "club/admin/step.html", context)
