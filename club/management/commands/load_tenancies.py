from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from club.domain.tenancy import replace_digests
from club.domain.tenancy_files import UnreadableFile, read_tenancies
from club.models import Landlord


class Command(BaseCommand):
    help = (
        "Lit le fichier des baux (référence, nom, date de naissance), en garde des empreintes"
        " qui ne se lisent pas, et oublie le reste. Les empreintes d’avant sont remplacées."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument("--landlord", required=True, metavar="SLUG")
        parser.add_argument(
            "--skip-bad",
            action="store_true",
            help="Charger les bonnes lignes même si d’autres sont mauvaises.",
        )

    def handle(self, *, file: Path, landlord: str, skip_bad: bool, **options: Any) -> None:
        owner = Landlord.objects.filter(slug=landlord).first()
        if owner is None:
            known = ", ".join(Landlord.objects.values_list("slug", flat=True)) or "aucun"
            raise CommandError(f"Bailleur inconnu : {landlord}. Connus : {known}.")
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CommandError(f"Le fichier ne s’ouvre pas : {error.strerror}.") from error
        now = timezone.now()
        try:
            reading = read_tenancies(content, owner, timezone.localdate(now))
        except UnreadableFile as error:
            raise CommandError(str(error)) from error
        for sentence in reading.bad:
            self.stderr.write(sentence)
        if reading.bad and not skip_bad:
            raise CommandError(
                f"Rien n’est chargé : {len(reading.bad)} mauvaise(s) ligne(s)"
                f" sur {len(reading.bad) + reading.good}. Corrigez-les, ou ajoutez --skip-bad."
            )
        if not reading.digests:
            raise CommandError("Rien n’est chargé : aucune bonne ligne.")
        kept = replace_digests(owner, reading.digests, now=now)
        self.stdout.write(f"Lignes lues : {reading.good + len(reading.bad)}")
        self.stdout.write(f"Lignes écartées : {len(reading.bad)}")
        self.stdout.write(f"Lignes en double : {reading.good - kept}")
        self.stdout.write(f"Empreintes gardées : {kept}")
