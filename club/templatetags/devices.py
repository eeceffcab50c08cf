from django import template
from django.utils.translation import gettext as _

register = template.Library()

SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "Linux": "Linux",
}
BROWSERS = {
    "Firefox": "Firefox",
    "Edg": "Edge",
    "SamsungBrowser": "Samsung Internet",
    "Chrome": "Chrome",
    "Safari": "Safari",
}


@register.filter
def device(user_agent: str) -> str:
    """What a browser calls itself, in words that its owner knows: "Chrome, Android"."""
    found = [
        next((name for mark, name in names.items() if mark in user_agent), "")
        for names in (BROWSERS, SYSTEMS)
    ]
    return ", ".join(filter(None, found)) or _("Appareil inconnu")
