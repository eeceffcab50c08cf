from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def strong(html: SafeString) -> SafeString:
    """Wagtail writes bold as <b>; here bold means that it matters."""
    text = str(html).replace("<b>", "<strong>").replace("</b>", "</strong>")
    return mark_safe(text)  # noqa: S308 - what comes in is the editor's own clean HTML
