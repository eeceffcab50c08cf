"""What became of each row: on the screen in short, in a file in full."""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from club.imports.reader import Fault

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Outcome(models.TextChoices):
    CREATED = "created", gettext_lazy("créé")
    UPDATED = "updated", gettext_lazy("modifié")
    UNCHANGED = "unchanged", gettext_lazy("inchangé")
    MERGED = "merged", gettext_lazy("regroupé")
    SKIPPED = "skipped", gettext_lazy("laissé de côté")
    REFUSED = "refused", gettext_lazy("refusé")


@dataclass(frozen=True)
class Line:
    number: int
    key: str
    name: str
    outcome: str
    words: str = ""


@dataclass
class Report:
    """Every row of a file, in its order, and what there is to know of the whole."""

    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    loaded: bool = False

    def refuse(self, faults: Iterable[Fault]) -> None:
        self.lines.extend(Line(f.number, "", "", Outcome.REFUSED, f.text) for f in faults)

    @property
    def faults(self) -> list[Line]:
        return [line for line in self.lines if line.outcome == Outcome.REFUSED]

    @property
    def counts(self) -> dict[str, int]:
        counted = Counter(line.outcome for line in self.lines)
        return {value: counted[value] for value in Outcome.values}

    def summary(self) -> str:
        """ "166 lignes. Créé : 150, inchangé : 16."."""
        parts = [
            f"{self.word(value)}\u00a0: {number}" for value, number in self.counts.items() if number
        ]
        text = _("%(total)d lignes. %(parts)s.") % {
            "total": len(self.lines), "parts": ", ".join(parts),
        }  # fmt: skip
        return str(text)

    def word(self, outcome: str) -> str:
        """ "créé", or "à créer" where nothing was loaded."""
        if not self.loaded and outcome == Outcome.CREATED:
            return _("à créer")
        if not self.loaded and outcome == Outcome.UPDATED:
            return _("à modifier")
        return str(Outcome(outcome).label)

    def write(self, name: str, now: datetime) -> Path:
        """The whole report as a CSV that a spreadsheet opens; its address."""
        folder = Path(settings.VAR_DIR) / "imports"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}-{timezone.localtime(now):%Y%m%d-%H%M%S-%f}.csv"
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow([_("ligne"), _("identifiant"), _("nom"), _("résultat"), _("détail")])
            for line in sorted(self.lines, key=lambda line: line.number):
                cells = [line.key, line.name, self.word(line.outcome), line.words]
                writer.writerow([line.number, *map(harmless, cells)])
        return path


def harmless(cell: str) -> str:
    """A cell that a spreadsheet shows as text and never runs as a formula."""
    return "'" + cell if cell.startswith(FORMULA_STARTS) else cell
