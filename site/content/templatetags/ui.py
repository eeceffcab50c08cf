"""The components of the design system, as template tags."""

from collections.abc import Iterator
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BaseForm
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

register = template.Library()

WALLS = {"butter", "water", "clay", "rose", "linden", "honey"}
AVAILABILITY_ICONS = {"free": "check", "back": "clock", "repair": "spanner", "gone": "cross"}
CHIP_ICONS = {
    "ok": "check",
    "aside": "box",
    "late": "warning",
    "repair": "spanner",
    "info": "info",
}
NOTICE_ICONS = {"know": "info", "done": "check"}
RESULT_ICONS = {
    "done": "check",
    "attention": "box",
    "refused": "warning",
    "returned": "return",
    "in": "check",
    "walk_in": "user",
    "already": "clock",
    "forced": "users",
    "wrong": "chevron-right",
    "cancelled": "cross",
    "waiting": "pause",
    "unpaid": "tag",
    "unknown": "question",
    "full": "box",
    "out": "undo",
}
PHOTO_SIZES = {"hero": "fill-640x344", "tile": "fill-360x224"}


def picture_url(key: str) -> str:
    """A drawing's address; an unknown one becomes the empty shelf, never an error."""
    path = key if "/" in key else f"tools/{key}"
    try:
        return static(f"img/{path}.svg")
    except ValueError:
        return static("img/tiles/vide.svg")


def pictures_of(keys: str) -> list[dict[str, Any]]:
    return [
        {"url": picture_url(key), "is_garland": key.endswith("guirlande-fanions")}
        for key in keys.split()
    ]


@register.simple_tag
def icon(name: str) -> SafeString:
    """Decoration beside a word: hidden from assistive technology."""
    return format_html(
        '<svg class="icon" width="24" height="24" aria-hidden="true" focusable="false">'
        '<use href="{}#{}"></use></svg>',
        static("img/icons.svg"),
        name,
    )


@register.inclusion_tag("components/window.html")
def window(
    picture: str = "", photo: Any = None, wall: str = "clay", size: str = "card"
) -> dict[str, Any]:
    pictures = pictures_of(picture or "tiles/vide")
    rendition = None
    if photo:
        rendition = photo.get_rendition(PHOTO_SIZES.get(size, "fill-320x266") + "|format-webp")
    return {
        "pictures": pictures,
        "is_pair": sum(not drawing["is_garland"] for drawing in pictures) > 1,
        "photo": rendition,
        "wall": wall if wall in WALLS else "honey",
        "size": size,
    }


@register.inclusion_tag("components/tile.html")
def tile(url: str, label: str, wall: str, pictures: str) -> dict[str, Any]:
    return {"url": url, "label": label, "wall": wall, "pictures": pictures}


@register.inclusion_tag("components/availability.html")
def availability(state: str, text: str) -> dict[str, Any]:
    return {"state": state, "text": text, "icon_name": AVAILABILITY_ICONS[state]}


@register.inclusion_tag("components/chip.html")
def chip(kind: str, text: str) -> dict[str, Any]:
    return {"kind": kind, "text": text, "icon_name": CHIP_ICONS[kind]}


@register.inclusion_tag("components/slot_button.html")
def slot_button(
    label: str,
    sub: str = "",
    url: str = "",
    primary: bool = False,
    taken: bool = False,
    name: str = "",
    value: Any = "",
) -> dict[str, Any]:
    return {
        "label": label,
        "sub": sub,
        "url": url,
        "primary": primary,
        "taken": taken,
        "name": name,
        "value": value,
    }


@register.simple_block_tag(end_name="endnotice")
def notice(content: SafeString, kind: str = "know", icon: str = "", strong: str = "") -> SafeString:
    return render_to_string(
        "components/notice.html",
        {"content": content, "kind": kind, "strong": strong, "icon": icon or NOTICE_ICONS[kind]},
    )


@register.simple_block_tag(end_name="endempty_state")
def empty_state(content: SafeString, icon: str, title: str) -> SafeString:
    return render_to_string(
        "components/empty_state.html", {"content": content, "icon": icon, "title": title}
    )


def errors_of(form: BaseForm) -> Iterator[dict[str, Any]]:
    """Each message with the control that it speaks about, in the form's order."""
    for message in form.non_field_errors():
        yield {"text": message, "target": ""}
    for field in form:
        grouped = field.use_fieldset and field.auto_id
        target = f"{field.auto_id}_0" if grouped else field.id_for_label
        for message in field.errors:
            yield {"text": message, "target": target}


@register.inclusion_tag("components/error_summary.html")
def error_summary(form: BaseForm | None) -> dict[str, Any]:
    return {"errors": list(errors_of(form)) if form and form.errors else []}


@register.inclusion_tag("components/desk_result.html")
def desk_result(
    kind: str, word: str, text: str = "", undo_url: str | None = None, undo_key: str = "F9"
) -> dict[str, Any]:
    return {
        "kind": kind,
        "word": word,
        "text": text,
        "undo_url": undo_url,
        "undo_key": undo_key,
        "icon_name": RESULT_ICONS[kind],
    }


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: template.Context, page_obj: Page[Any]) -> dict[str, Any]:
    """The pages before and after, with the filters of the address kept."""

    def address(number: int) -> str:
        query = context["request"].GET.copy()
        query["page"] = str(number)
        return f"?{query.urlencode()}"

    return {
        "page_obj": page_obj,
        "previous_url": address(page_obj.number - 1) if page_obj.has_previous() else "",
        "next_url": address(page_obj.number + 1) if page_obj.has_next() else "",
    }


@register.inclusion_tag("components/back_link.html")
def back_link(url: str, label: str = "") -> dict[str, Any]:
    return {"url": url, "label": label or _("Retour")}
