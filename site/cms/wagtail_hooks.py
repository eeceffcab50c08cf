"""The admin's parts that concern pages: defects, what may not be deleted, one's own menu."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from wagtail import hooks
from wagtail.admin.panels import FieldPanel
from wagtail.models import Page

from club.permissions import permit
from club.viewsets import ScopedViewSet
from cms.models import AccessibilityPage, DefectReport, HomePage

permit(
    DefectReport,
    path="place",
    officer=frozenset({"view", "change"}),
    editor=frozenset({"view", "change"}),
)


class DefectViewSet(ScopedViewSet):
    """Somebody's words are read, not rewritten; only the day of the answer is set."""

    model = DefectReport
    related = ("place",)
    icon = "warning"
    menu_order = 300
    add_to_admin_menu = True
    list_display = ["__str__", "place", "email", "answered_on"]
    list_filter = ["place"]
    panels = [
        FieldPanel("page", read_only=True),
        FieldPanel("what", read_only=True),
        FieldPanel("email", read_only=True),
        FieldPanel("reported_at", read_only=True),
        FieldPanel("answered_on"),
    ]


@hooks.register("register_admin_viewset")
def viewsets() -> Any:
    return DefectViewSet()


@hooks.register("before_delete_page")
def keep_what_the_law_asks_for(request: HttpRequest, page: Page) -> HttpResponse | None:
    """A home and an accessibility declaration are changed, never deleted by editors."""
    if request.user.is_superuser or not isinstance(page.specific, HomePage | AccessibilityPage):
        return None
    messages.error(request, gettext("Cette page ne peut pas être supprimée. Modifiez-la."))
    return redirect("wagtailadmin_pages:edit", page.pk)


@hooks.register("construct_reports_menu")
def hide_whole_reports(request: HttpRequest, menu_items: list[Any]) -> None:
    """They tell of every place at once, so that staff of one are refused them."""
    whole = {"site-history", "workflows", "workflow-tasks"}
    if not request.user.is_superuser:
        menu_items[:] = [item for item in menu_items if item.name not in whole]
