"""Foreign words made ours: clean HTML, a short lead, a department, marks like "complet"."""

import html
import re

import nh3
from django.utils.html import escape

from club.imports.values import clean
from club.kernel.people import folded
from events.enums import Audience, Theme

TAGS = {"p", "br", "b", "ul", "ol", "li", "a"}
"""What a paragraph of ours may hold."""
MOST_BODY = 20_000
BLOCKS = re.compile(
    r"<(/?)(?:div|section|article|header|footer|blockquote|tr|table|h[1-6])\b[^<>]*>",
    re.IGNORECASE,
)
TITLES = re.compile(r"<h[1-6]\b[^<>]*>(.*?)</h[1-6]\s*>", re.IGNORECASE | re.DOTALL)
EMPTY = re.compile(r"<(p|li|b|ul|ol)>(?:\s|&nbsp;|\u00a0|<br>)*</\1>", re.IGNORECASE)
MARKDOWN_LINK = re.compile(r"\[([^\[\]]{1,200})\]\((https?://[^()\s]{1,500})\)")
EMPHASIS = re.compile(r"(?<!\w)(\*{1,3}|_{1,3})(?=\S)([^*_\n]{1,300}?)(?<=\S)\1(?!\w)")
STRAY_STARS = re.compile(r"(?:(?<=\s)|^)\*{1,3}(?=\s|$)|\*{2,3}")
LINK = re.compile(r"https?://[^\s<>\"'()\[\]]{3,390}")


def plain(text: str) -> str:
    """One line, without tags nor the signs of Markdown."""
    text = clean(text, lines=True)
    text = MARKDOWN_LINK.sub(r"\1", text)
    text = EMPHASIS.sub(r"\2", text)
    return " ".join(STRAY_STARS.sub(" ", text).split())


def shortened(text: str, most: int) -> str:
    """At most so many letters, cut behind a sentence or else behind a word."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    end = max(head.rfind(mark) for mark in (". ", "! ", "? "))
    if end > most // 2:
        return head[: end + 1]
    return head[: max(head.rfind(" "), most // 2)].rstrip(" ,;:–-") + "…"


def paragraphs(text: str) -> str:
    """Rich text of an event's body, from HTML, Markdown or plain lines."""
    if re.search(r"</?[a-zA-Z][^<>]*>", text):
        return tidied(text)
    lines = clean(text, lines=True)
    blocks = [block for block in re.split(r"\n\s*\n", lines) if block.strip()]
    made = []
    for block in blocks:
        safe = str(escape(STRAY_STARS.sub("", EMPHASIS.sub(r"\2", block)).strip()))
        safe = MARKDOWN_LINK.sub(r'<a href="\2">\1</a>', safe)
        made.append(f"<p>{'<br>'.join(safe.splitlines())}</p>")
    return tidied("".join(made))


def tidied(text: str) -> str:
    text = TITLES.sub(r"<p><b>\1</b></p>", text[: MOST_BODY * 4])
    text = BLOCKS.sub(r"<\1p>", text)
    text = re.sub(r"<(/?)strong\b[^<>]*>", r"<\1b>", text, flags=re.IGNORECASE)
    safe = nh3.clean(
        text,
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes={"https", "mailto", "tel"},
        link_rel=None,
    )
    safe = re.sub(r"<a>(.*?)</a>", r"\1", safe, flags=re.DOTALL)
    before = None
    while before != safe:
        before, safe = safe, EMPTY.sub("", safe)
    if safe and not safe.lstrip().startswith(("<p", "<ul", "<ol")):
        safe = f"<p>{safe}</p>"
    return cut(safe.strip())


def cut(safe: str) -> str:
    """Whole paragraphs only."""
    if len(safe) <= MOST_BODY:
        return safe
    end = max(safe.rfind(mark, 0, MOST_BODY) for mark in ("</p>", "</ul>", "</ol>"))
    if end > 0:
        return safe[: safe.index(">", end) + 1]
    return f"<p>{escape(shortened(html.unescape(clean(safe)), MOST_BODY))}</p>"


def links_in(text: str) -> list[str]:
    return [found.rstrip(".,;:!?») ") for found in LINK.findall(html.unescape(text))]


# -- Marks ----------------------------------------------------------------------------------

MARKS = {
    "full": "complet",
    "cancelled": "annulée?",
    "postponed": "reportée?",
}


def marks_in(title: str) -> tuple[str, set[str]]:
    """The title without "(complet)", "ANNULÉ :" and the like, and what they said.

    Only a mark that stands apart counts: "le programme complet" says nothing.
    """
    said = set()
    for code, word in MARKS.items():
        apart = (
            rf"^\W*{word}\b\s*[\]\)!:.–—-]+\s*|\s*[\[\(–—|:!-]+\s*{word}\s*[\]\)!.]*\s*$"
            rf"|\s*[\[\(]\s*{word}\s*[\]\)!]+\s*"
        )
        left = re.sub(apart, " ", title, flags=re.IGNORECASE).strip()
        if left != title and left:
            said.add(code)
            title = left
    return title, said


def says_full(conditions: str) -> bool:
    """ "Complet", "C’est complet.", "Atelier complet" in the terms of entry."""
    return bool(
        re.search(
            r"(?:^|[.!?;|]\s*|\best\s+|\b(?:événement|atelier|séance|stage)\s+)complet(?:e|s)?"
            r"\s*(?:[.!;|]|$)",
            clean(conditions),
            re.IGNORECASE,
        )
    )


WITHOUT = re.compile(r"\bsans\s+(?:aucune\s+)?(?:réservation|inscription|rendez-vous)|"
                     r"\b(?:réservation|inscription)s?\s+(?:non|pas)\s+(?:obligatoire|nécessaire)",
                     re.IGNORECASE)  # fmt: skip
BOOKING = re.compile(r"\binscri(?:ption|vez|re)|\bréserv(?:ation|ez|er)\b|\bbillet", re.IGNORECASE)


def asks_booking(conditions: str) -> bool:
    return bool(BOOKING.search(WITHOUT.sub(" ", clean(conditions))))


RESERVED = re.compile(r"\bréservée?s?\s+(?:aux?|à|pour)\b", re.IGNORECASE)


def is_reserved(conditions: str) -> bool:
    """Not for everybody: "réservé aux élèves"."""
    return bool(RESERVED.search(clean(conditions)))


def price_words(conditions: str) -> str:
    """The terms of entry, each once, without the addresses that stand elsewhere."""
    parts = (part.strip() for part in re.split(r"\s*\|\s*", LINK.sub("", conditions)))
    told = " | ".join(dict.fromkeys(part for part in parts if part))
    return re.sub(r"\s*(?:\b(?:ici|sur|via))?\s*:?\s*$", "", told)


PROMOTION = re.compile(
    r"\bgagne[rz]\b|\boffres? spéciales?|\bpromos?\b|\bpromotion|\bsoldes?\b|\btentez\b"
    r"|\bjeu[- ]concours|\bcode promo|\bréduction de\b|\bachetez\b",
    re.IGNORECASE,
)


def is_junk(title: str, lead: str, body: str) -> bool:
    """An advertisement, a test, or a title alone that says nothing."""
    letters = [word for word in folded(title).split() if word not in {"test", "essai", "event"}]
    says_nothing = len("".join(letters)) < 3
    return says_nothing or bool(PROMOTION.search(title)) or not (lead or clean(body))


# -- Departments ------------------------------------------------------------------------------

# Beginnings of words, without accents. What stands in the title counts most.
STEMS: dict[str, tuple[str, ...]] = {
    Theme.COOK: ("cuisin", "recette", "patiss", "gourmand", "crepe", "soupe", "confitur", "gouter"),
    Theme.MEND: ("bricol", "repar", "coutur", "coudre", "tricot", "ourlet", "menuis", "perceus"),
    Theme.GROW: ("jardin", "semis", "plant", "compost", "potager", "balcon", "graine", "bouture"),
    Theme.MOVE: (
        "gym", "yoga", "sport", "marche", "randonn", "danse", "velo", "course", "petanque",
        "etirement", "tai",
    ),
    Theme.MANAGE: (
        "demarche", "droit", "assuranc", "impot", "emploi", "permanenc", "budget", "caf",
        "administrati", "juridi",
    ),
    Theme.LEARN: (
        "devoir", "cours", "formation", "secour", "numeriqu", "informati", "ordinateur",
        "conferenc", "seminair", "masterclass", "lecture", "apprent", "atelier",
        "metier",
    ),
    Theme.OUT: (
        "sortie", "musee", "expo", "visite", "theatre", "cinema", "cine", "projection", "concert",
        "jazz", "spectacl", "balade", "film", "quartet", "conte", "philatel", "salon", "festival",
    ),
    Theme.PARTY: ("fete", "bal", "carnaval", "noel", "kermess", "guinguett", "karaok"),
    Theme.MEET: ("rencontr", "cafe", "voisin", "grenier", "repas", "jeux", "papot"),
}  # fmt: skip
WHOLE_WORDS = {"bal", "caf", "tai", "cine", "conte", "gym"}
"""Stems that are words, so that the ball is no balloon."""


def theme_of(title: str, keywords: str, lead: str) -> str:
    """Three points for a word of the title, two for a key word, one for the lead."""
    scores = dict.fromkeys(STEMS, 0)
    for points, text in ((3, title), (2, keywords), (1, lead)):
        words = set(folded(text).split())
        for theme, stems in STEMS.items():
            scores[theme] += points * sum(begins(word, stems) for word in words)
    best = max(scores, key=lambda theme: scores[theme])
    return best if scores[best] else Theme.MEET


def begins(word: str, stems: tuple[str, ...]) -> bool:
    return any(
        word in (stem, stem + "s") if stem in WHOLE_WORDS else word.startswith(stem)
        for stem in stems
    )


def audience_of(words: str, age_min: int | None, age_max: int | None) -> str:
    """By the ages, else by words that leave no doubt."""
    said = f" {folded(words)} "
    if age_max is not None and age_max <= 12:
        return Audience.CHILDREN
    if age_min is not None and age_min >= 16:
        return Audience.ADULTS
    if age_min is not None and age_min >= 11 and age_max is not None and age_max <= 20:
        return Audience.TEENS
    for audience, needles in (
        (Audience.FAMILIES, (" en famille ", " familial ", " parents enfants ")),
        (Audience.CHILDREN, (" jeune public ", " pour les enfants ", " for kids ")),
        (Audience.TEENS, (" pour les ados ", " pour les jeunes ")),
        (Audience.SENIORS, (" seniors ", " pour les aines ")),
    ):
        if any(needle in said for needle in needles):
            return audience
    return Audience.ALL
