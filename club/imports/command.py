"""What the import commands share: their options, the bar, the words at the end."""

from abc import ABC, abstractmethod
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from tqdm import tqdm

from club.imports.report import Report
from club.kernel.refusal import Refused

T = TypeVar("T")
SHOWN = 20
"""How many faults are printed; the report has them all."""


class ImportCommand(BaseCommand, ABC):
    """A command that loads one file; `load` does the work."""

    name = ""
    kinds = "CSV, TSV, JSON"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help=self.kinds)
        parser.add_argument(
            "--column", action="append", default=[], metavar="CHAMP=TITRE",
            help=_("la colonne d’un champ, quand son titre n’est pas reconnu"),
        )  # fmt: skip
        parser.add_argument(
            "--dry-run", action="store_true", help=_("vérifie et raconte, ne charge rien")
        )
        parser.add_argument(
            "--skip-bad", action="store_true", help=_("charge les bonnes lignes malgré les autres")
        )

    @abstractmethod
    def load(self, options: dict[str, Any]) -> Report:
        """Read the file and load it, in one transaction."""

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override("fr"):
            try:
                report = self.load(options)
            except Refused as refused:
                raise CommandError(
                    " ".join(str(reason.text) for reason in refused.reasons)
                ) from refused
            except IntegrityError as error:
                raise CommandError(
                    _("Un autre import tourne en même temps. Rien n’est chargé. Recommencez.")
                ) from error
            self.tell(report, options["dry_run"])

    def tell(self, report: Report, dry_run: bool) -> None:
        path = report.write(self.name, timezone.now())
        for note in report.notes:
            self.stdout.write(note)
        for line in report.faults[:SHOWN]:
            self.stderr.write(
                _("Ligne %(number)d : %(words)s") % {"number": line.number, "words": line.words}
            )
        if len(report.faults) > SHOWN:
            self.stderr.write(
                _("… et %(number)d autres lignes refusées.")
                % {"number": len(report.faults) - SHOWN}
            )
        self.stdout.write(report.summary())
        self.stdout.write(_("Rapport : %(path)s") % {"path": path})
        if dry_run:
            self.stdout.write(_("Essai seulement : rien n’est chargé."))
        elif not report.loaded:
            raise CommandError(_("Rien n’est chargé. Corrigez ces lignes, ou ajoutez --skip-bad."))

    def columns(self, options: dict[str, Any]) -> dict[str, str]:
        """`--column name=Titre` as a mapping."""
        pairs = [text.partition("=") for text in options["column"]]
        if any(not (name and sign and header) for name, sign, header in pairs):
            raise CommandError(_("Écrivez --column champ=Titre."))
        return {name.strip(): header.strip() for name, _sign, header in pairs}

    def bar(self, rows: Iterable[T], total: int) -> Iterable[T]:
        """A progress bar on a terminal, nothing in a file or a pipe."""
        return tqdm(rows, total=total, unit=" lignes", disable=None, leave=False)
