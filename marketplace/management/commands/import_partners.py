from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from club.imports.command import ImportCommand
from club.imports.report import Report
from club.models import Landlord
from marketplace.imports.partners import import_partners


class Command(ImportCommand):
    help = "Charge des commerçants et des producteurs depuis un fichier, à l’état de projets."
    name = "partenaires"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--landlord", required=True, help=_("nom court du bailleur"))

    def load(self, options: dict[str, Any]) -> Report:
        landlord = Landlord.objects.filter(slug=options["landlord"]).first()
        if landlord is None:
            known = ", ".join(Landlord.objects.values_list("slug", flat=True))
            raise CommandError(
                _("Ce bailleur n’existe pas. Bailleurs connus : %(known)s.") % {"known": known}
            )
        return import_partners(
            options["file"],
            landlord=landlord,
            columns=self.columns(options),
            now=timezone.now(),
            dry_run=options["dry_run"],
            skip_bad=options["skip_bad"],
            bar=self.bar,
        )
