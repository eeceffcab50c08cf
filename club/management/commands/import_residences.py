from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from club.imports.command import ImportCommand
from club.imports.report import Report
from club.imports.residences import import_residences
from club.models import Landlord, Place


class Command(ImportCommand):
    help = "Charge les résidences d’un bailleur, et leurs logements, depuis un fichier."
    name = "residences"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--landlord", required=True, help=_("nom court du bailleur"))
        parser.add_argument("--place", help=_("point d’accueil des résidences nouvelles"))

    def load(self, options: dict[str, Any]) -> Report:
        landlord = Landlord.objects.filter(slug=options["landlord"]).first()
        if landlord is None:
            known = ", ".join(Landlord.objects.values_list("slug", flat=True))
            raise CommandError(
                _("Ce bailleur n’existe pas. Bailleurs connus : %(known)s.") % {"known": known}
            )
        place = Place.objects.filter(landlord=landlord, slug=options["place"]).first()
        if options["place"] and place is None:
            raise CommandError(_("Ce point d’accueil n’est pas de ce bailleur."))
        return import_residences(
            options["file"],
            landlord=landlord,
            place=place,
            columns=self.columns(options),
            now=timezone.now(),
            dry_run=options["dry_run"],
            skip_bad=options["skip_bad"],
            bar=self.bar,
        )
