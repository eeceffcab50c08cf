"""A landlord's six colours, refused with the reason where they could not be read.

Contrast is WCAG 2.2's ratio of relative luminances; the distance between colours is
CIE76 ΔE in CIELAB (D65), enough to keep an action from looking like an error.
"""

import re
from typing import Any

from django.utils.translation import gettext as _

VARIABLES = ("action", "on_action", "sign", "light", "house", "paper")
INK = "#2B2420"
BRICK = "#9A3F25"


def is_colour(text: str) -> bool:
    """Whether it is written #RRGGBB; the field's own validator tells what is not."""
    return re.fullmatch(r"#[0-9A-Fa-f]{6}", text) is not None


def channels(colour: str) -> list[float]:
    """Linear-light red, green and blue, 0 to 1 (IEC 61966-2-1)."""
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]


def luminance(colour: str) -> float:
    red, green, blue = channels(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, bright = sorted([luminance(one), luminance(other)])
    return (bright + 0.05) / (dark + 0.05)


def lab(colour: str) -> tuple[float, float, float]:
    red, green, blue = channels(colour)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883

    def f(t: float) -> float:
        return float(t ** (1 / 3)) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116

    return 116 * f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))


def distance(one: str, other: str) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(lab(one), lab(other), strict=True)) ** 0.5)


def faults_of(theme: Any) -> dict[str, str]:
    """By field, why a colour is refused; empty where all can be read."""
    rules = [
        ("on_action", theme.on_action, theme.action, 4.5, _("le texte sur l’action")),
        ("action", theme.action, theme.paper, 4.5, _("l’action sur le papier")),
        ("sign", theme.on_action, theme.sign, 4.5, _("le texte sur l’enseigne")),
        ("light", theme.light, theme.sign, 3, _("la lumière sur l’enseigne")),
        ("paper", INK, theme.paper, 10, _("le texte sur le papier")),
        ("house", theme.house, theme.paper, 3, _("la maison sur le papier")),
    ]
    faults: dict[str, str] = {}
    for field, front, back, least, what in rules:
        if not (is_colour(front) and is_colour(back)):
            continue
        ratio = contrast(front, back)
        if ratio < least:
            faults[field] = _(
                "Contraste trop faible pour %(what)s : %(ratio).1f, il faut %(least)s."
            ) % {"what": what, "ratio": ratio, "least": least}
    if is_colour(theme.action) and distance(theme.action, BRICK) < 20:
        faults["action"] = _("Cette couleur ressemble trop à celle des erreurs.")
    return faults
