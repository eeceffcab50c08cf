"""Addresses as landlords' files write them: capitals, lot names, two in one cell."""

import re

STREET = (
    r"rue|r\.|avenue|av\.?|boulevard|bd\.?|bld\.?|place|pl\.?|allée|allee|all\.?|impasse|imp\.?"
    r"|passage|pass\.?|square|sq\.?|quai|chemin|che\.?|cours|cité|cite|villa|route|rte\.?|voie"
    r"|sente|sentier|ruelle|esplanade|mail|chaussée|chaussee|hameau|résidence|residence|porte"
    r"|carrefour|rond-point|faubourg|fbg"
)
NUMBERS = (
    r"\d+(?:\s*,?\s*(?:bis|ter|quater|[a-d])\b)?"
    r"(?:\s*(?:-|/|à|&|et|,)\s*\d+(?:\s*(?:bis|ter|quater|[a-d])\b)?)*"
)
BEGINNING = re.compile(rf"\b{NUMBERS}\s*,?\s*(?:{STREET})\s", re.IGNORECASE)
SMALL = {
    "rue", "avenue", "boulevard", "place", "allée", "impasse", "passage", "square", "quai",
    "chemin", "cours", "cité", "villa", "route", "voie", "sente", "sentier", "ruelle",
    "esplanade", "mail", "chaussée", "hameau", "porte", "carrefour", "faubourg", "bis", "ter",
    "quater", "de", "du", "des", "la", "le", "les", "et", "à", "au", "aux", "sur", "sous", "en",
}  # fmt: skip
SHORTENED = {
    "av": "avenue", "bd": "boulevard", "bld": "boulevard", "pl": "place", "imp": "impasse",
    "pass": "passage", "sq": "square", "all": "allée", "che": "chemin", "rte": "route",
    "fbg": "faubourg", "allee": "allée", "cite": "cité", "chaussee": "chaussée",
}  # fmt: skip
UPPER = {"zac", "hlm"}


def parted(cell: str) -> tuple[str, list[str]]:
    """The name before the address, and each address: "LOT D1B - 86 RUE DES HAIES".

    A cell in which no street is found is all name.
    """
    starts = [found.start() for found in BEGINNING.finditer(cell)]
    if not starts:
        return in_small_letters(cell), []
    name = cell[: starts[0]].strip(" ,-–;:/")
    ends = [*starts[1:], len(cell)]
    pieces = [cell[start:end] for start, end in zip(starts, ends, strict=True)]
    return in_small_letters(name), [address(piece) for piece in pieces]


def address(text: str) -> str:
    text = re.sub(r"\s+(?:et|ET|/|-)\s*$", "", text.strip(" ,-–;:/"))
    return in_small_letters(text)


def in_small_letters(text: str) -> str:
    """ "25 RUE DES ANNELETS" becomes "25 rue des Annelets"; mixed letters stay."""
    text = re.sub(r"\s+", " ", text).strip()
    letters = [letter for letter in text if letter.isalpha()]
    if not letters or sum(letter.isupper() for letter in letters) / len(letters) < 0.7:
        return text
    return re.sub(r"[^\W\d_]+(?:\.(?=\s))?", written, re.sub(r"\b([DL])'(?=\w)", elided, text))


def elided(found: re.Match[str]) -> str:
    return found[1].lower() + "’"


def written(found: re.Match[str]) -> str:
    word = found[0].lower()
    bare = word.rstrip(".")
    before = found.string[: found.start()]
    after = found.string[found.end() :]
    if bare in SHORTENED and (before[-1:] == " " or not before):
        return SHORTENED[bare]
    if bare in SMALL and (before or bare not in {"la", "le", "les"}):
        return word
    if bare in UPPER and not before:
        return bare.upper()
    if len(bare) <= 2 and (before[-1:].isdigit() or after[:1].isdigit()):
        return found[0].upper()
    if bare in {"d", "l"} and after.startswith("’"):
        return word
    return word.capitalize()
