"""Finding an object by the word that people have for it.

Whole words are the database's work (Wagtail's search: accents, plurals and the
description). Typing errors, brands and slang are found by comparing letters with
the names and other names of the landlord's catalogue, which is small.
"""

from collections.abc import Iterable

from django.db.models import QuerySet
from rapidfuzz import fuzz
from wagtail.search.backends import get_search_backend

from club.kernel.people import folded
from club.models import Landlord
from concierge.models import Tool

EXACT, BEGINNING, IN_DESCRIPTION, ALIKE, NEAR = 100.0, 92.0, 78.0, 74.0, 66.0
"""How well a word is met; below `ALIKE` it is no answer, from `NEAR` on a suggestion."""

# Words that say nothing about which object is meant.
ARTICLES = {"d", "de", "des", "du", "l", "la", "le", "les", "ma", "mon", "un", "une"}
EMPTY_WORDS = ARTICLES | {"a", "au", "aux", "avec", "en", "et", "pour", "sur"}
BROAD_WORDS = {"appareil", "appareils", "machine", "machines", "objet", "outil", "outils"}


def words_of(text: str) -> list[str]:
    return folded(text).split()


def telling(words: Iterable[str]) -> list[str]:
    """The words that tell objects apart; the broad ones only where there is no other."""
    kept = [word for word in words if word not in EMPTY_WORDS]
    return [word for word in kept if word not in BROAD_WORDS] or kept


def likeness(asked: str, word: str) -> float:
    """How much of the word that was asked for is in this one, 0 to 100."""
    if asked == word:
        return EXACT
    if len(asked) >= 3 and word.startswith(asked):
        return BEGINNING
    if len(asked) <= 3 or len(word) <= 3:
        return 0.0
    return min(fuzz.ratio(asked, word), BEGINNING - 1)


def score(asked: list[str], tool: Tool) -> float:
    """The mean over the asked words of the best-met one, or the names run together."""
    names = [tool.name, *tool.other_names.split(","), tool.brand]
    words = {word for name in names for word in words_of(name)}
    if not words:
        return 0.0
    each = sum(max(likeness(word, other) for other in words) for word in asked) / len(asked)
    together = "".join(asked)
    if len(together) < 5:
        return each
    runs = ("".join(telling(words_of(name))) for name in names)
    whole = max(fuzz.ratio(together, run) for run in runs)
    return max(each, min(whole, BEGINNING - 1) if whole < EXACT else EXACT)


def listed_tools(landlord: Landlord) -> QuerySet[Tool]:
    return Tool.objects.filter(landlord=landlord, is_listed=True).select_related(
        "department", "photo"
    )


def ranked(landlord: Landlord, text: str) -> list[tuple[float, Tool]]:
    asked = telling(words_of(text[:200]))
    if not asked:
        return []
    # The landlord's objects only, so the index is asked for its best rows and no more.
    found = get_search_backend().search(
        " ".join(asked), Tool.objects.filter(landlord=landlord, is_listed=True), operator="and"
    )
    by_word = {tool.pk for tool in found[:200]}
    rated = []
    for tool in listed_tools(landlord):
        points = score(asked, tool)
        if tool.pk in by_word:
            points = max(points, IN_DESCRIPTION)
        rated.append((points, tool))
    return sorted(rated, key=lambda pair: (-pair[0], folded(pair[1].name)))


def search_tools(landlord: Landlord, text: str) -> list[Tool]:
    """The landlord's listed objects that answer `text`, best first.

    Where a word is met as it is written, look-alikes are left out: who asks for a
    "perceuse" is not shown the "ponceuse". Two statements, however many objects.
    """
    rated = ranked(landlord, text)
    best = rated[0][0] if rated else 0.0
    if best >= BEGINNING:
        return [tool for points, tool in rated if points >= BEGINNING or points == IN_DESCRIPTION]
    return [tool for points, tool in rated if points >= ALIKE]


def near_tools(landlord: Landlord, text: str, limit: int = 3) -> list[Tool]:
    """What is nearest where nothing answers."""
    return [tool for points, tool in ranked(landlord, text)[:limit] if points >= NEAR]
