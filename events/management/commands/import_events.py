from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from club.imports.command import ImportCommand
from club.imports.report import Report
from club.models import Place
from events.imports.events import import_events


class Command(ImportCommand):
    help = "Charge des événements, comme brouillons à relire, depuis un agenda ou un fichier."
    name = "evenements"
    kinds = "ICS, JSON, CSV, TSV"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--place", help=_("nom court du point d’accueil, inutile quand il n’y en a qu’un")
        )
        parser.add_argument(
            "--publish", action="store_true", help=_("publie ceux que rien n’oblige à relire")
        )

    def load(self, options: dict[str, Any]) -> Report:
        places = Place.objects.select_related("landlord")
        if options["place"]:
            places = places.filter(slug=options["place"])
        found = list(places[:2])
        if len(found) != 1:
            known = ", ".join(Place.objects.values_list("slug", flat=True)) or "—"
            raise CommandError(
                _("Dites quel point d’accueil avec --place. Points connus : %(known)s.")
                % {"known": known}
            )
        return import_events(
            options["file"],
            place=found[0],
            columns=self.columns(options),
            now=timezone.now(),
            dry_run=options["dry_run"],
            skip_bad=options["skip_bad"],
            publish=options["publish"],
            bar=self.bar,
        )
