import gc
import os
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone, translation

from club.domain.members import issue_claim
from club.models import Member
from demo import town
from demo.accounts import DOMAIN, STAFF_PASSWORD, STAFF_SECRET
from demo.processes import Running, first_free_port, is_free

DEFAULT_PORT = 8000
BY_CODE = "e-mail, puis le code affiché à l’écran"
BY_PASSWORD = "mot de passe et code ci-dessous"
PEOPLE = (
    ("leila", "locataire, abonnée, deux enfants, des inscriptions", BY_CODE),
    ("marc", "ni locataire ni abonné, une place à payer", BY_CODE),
    ("rose", "72 ans, sans téléphone, compte fait à l’accueil", "lettre, voir ci-dessous"),
    ("concierge", "concierge : /desk/ et /admin/", BY_PASSWORD),
    ("officer", "chargée de mission du bailleur : /desk/ et /admin/", BY_PASSWORD),
    ("editor", "rédaction : /admin/", BY_PASSWORD),
    ("baker", "boulanger : /espace-partenaire/", BY_CODE),
    ("plumber", "plombier : /espace-partenaire/", BY_CODE),
)


class Command(BaseCommand):
    help = "Lance la ville de démonstration : site, tâches de fond, et les personnes du quartier."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, help="port d’écoute (8000, ou le premier libre)")
        parser.add_argument(
            "--reset", action="store_true", help="efface la démonstration et la refait"
        )
        parser.add_argument(
            "--code", action="store_true", help="donne le code du moment de l’équipe, rien d’autre"
        )

    def handle(self, *args: Any, port: int | None, reset: bool, code: bool, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("La démonstration ne se lance pas en production (MODE=production).")
        if code:
            self.say(staff_code())
            return
        if not settings.DEMO:
            begin_again_in_demo_mode()
        with translation.override("fr"):
            port = self.choose_port(port)
            self.prepare(reset)
            self.serve(port)

    def choose_port(self, port: int | None) -> int:
        if port is None:
            found = first_free_port(DEFAULT_PORT)
            if found is None:
                raise CommandError("Aucun port libre près de 8000. Choisissez-en un avec --port.")
            return found
        if not 1 <= port <= 65535:
            raise CommandError("Le port va de 1 à 65535.")
        if not is_free(port):
            raise CommandError(f"Le port {port} est déjà pris. Choisissez-en un autre avec --port.")
        return port

    # -- The town ---------------------------------------------------------------------

    def prepare(self, reset: bool) -> None:
        began = time.monotonic()
        if reset:
            self.empty()
        self.say("Préparation de la base…")
        gc.freeze()  # A quarter less time: migrations make waste, what is loaded by now is none.
        call_command("migrate", verbosity=0, interactive=False)
        if not town.stands_alone():
            raise CommandError(
                "Cette base tient déjà d’autres données. Donnez-en une vide par DATABASE_URL."
            )
        if reset:
            cache.clear()
        now = timezone.now()
        self.say("Le quartier s’installe…")
        if town.load(now):
            self.say(f"Prêt en {time.monotonic() - began:.0f} s.")
        elif age := town.age_in_days(now):
            self.say(f"Cette ville date de {age} jour(s). --reset la refait à ce jour.")

    def empty(self) -> None:
        """Take away the demonstration's database; any other is refused."""
        tables = connection.introspection.table_names()
        if "club_landlord" in tables and not town.stands_alone():
            raise CommandError("Cette base tient d’autres données : elle reste comme elle est.")
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("DROP SCHEMA public CASCADE")
                cursor.execute("CREATE SCHEMA public")
            connection.close()
            return
        connection.close()
        name = str(settings.DATABASES["default"]["NAME"])
        for suffix in ("", "-wal", "-shm"):
            Path(name + suffix).unlink(missing_ok=True)

    # -- The processes ------------------------------------------------------------------

    def serve(self, port: int) -> None:
        running = Running(port)
        try:
            if not running.wait_until_live():
                if running.ended.is_set():
                    return
                raise CommandError("Le site ne répond pas. Les lignes ci-dessus disent pourquoi.")
            self.welcome(port)
            fallen = running.watch()
            if fallen is not None:
                raise CommandError(f"Un processus s’est arrêté : {fallen}.")
        finally:
            running.stop()
            self.say("Arrêté.")

    def welcome(self, port: int) -> None:
        address = f"http://localhost:{port}"
        lines = ["", f"La conciergerie est ouverte : {address}/", ""]
        lines += [f"  {name + '@' + DOMAIN:24}  {who:50}  {how}" for name, who, how in PEOPLE]
        lines += [
            "",
            f"  Équipe, mot de passe : {STAFF_PASSWORD}",
            f"  Équipe, code du moment : {staff_code()}, puis : manage.py demo --code",
            f"  (secret TOTP pour une application de codes : {STAFF_SECRET})",
        ]
        rose = Member.objects.get(user__email=f"rose@{DOMAIN}")
        if rose.claimed_at is None:
            claim = issue_claim(rose, by=None, now=timezone.now())
            lines.append(f"  Lettre de Rose : {address}/bienvenue/ avec {claim} et le nom Lemaire")
        lines += [
            "",
            f"  Comptoir {address}/desk/   Rédaction {address}/admin/   API {address}/api/v1/docs",
            "  Ctrl-C arrête tout.",
            "",
        ]
        self.say("\n".join(lines))

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def staff_code() -> str:
    """The six digits that the staff's second factor accepts now."""
    counters = list(yield_hotp_counters_from_time())
    return str(format_hotp_value(hotp_value(STAFF_SECRET, counters[len(counters) // 2])))


def begin_again_in_demo_mode() -> None:
    """Settings are read once, at the start: the same command starts anew with MODE=demo."""
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | {"MODE": "demo"})
