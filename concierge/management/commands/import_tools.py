from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from club.imports.command import ImportCommand
from club.imports.report import Report
from club.models import Place
from concierge.imports.tools import import_tools


class Command(ImportCommand):
    help = "Charge le catalogue des objets et leurs exemplaires depuis un fichier."
    name = "objets"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--place", help=_("nom court du point d’accueil, inutile quand il n’y en a qu’un")
        )

    def load(self, options: dict[str, Any]) -> Report:
        places = Place.objects.select_related("landlord")
        if options["place"]:
            places = places.filter(slug=options["place"])
        found = list(places[:2])
        if len(found) != 1:
            known = ", ".join(Place.objects.values_list("slug", flat=True)) or "—"
            raise CommandError(
                _("Dites quel point d’accueil avec --place. Points connus : %(known)s.")
                % {"known": known}
            )
        return import_tools(
            options["file"],
            place=found[0],
            columns=self.columns(options),
            now=timezone.now(),
            dry_run=options["dry_run"],
            skip_bad=options["skip_bad"],
            bar=self.bar,
        )
