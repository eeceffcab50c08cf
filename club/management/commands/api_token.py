from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from club.domain.tokens import create_token
from club.enums import Scope
from club.kernel import codes
from club.kernel.refusal import Refused
from club.models import User
from club.queries.members import member_by_card


class Command(BaseCommand):
    help = "Crée un accès à l’API pour une personne ; le jeton est seul sur la dernière ligne."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("who", metavar="EMAIL_OR_CARD")
        parser.add_argument("--scope", choices=Scope.values, default=Scope.WRITE)
        parser.add_argument("--name", default="Ligne de commande")

    def handle(self, *, who: str, scope: str, name: str, **options: Any) -> None:
        user = self.find(who)
        if user is None:
            raise CommandError(f"Personne n’a cet e-mail ni cette carte : {who}.")
        try:
            token, plain = create_token(user, name, scope, timezone.now())
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{user}, {token.get_scope_display()}")
        self.stdout.write(plain)

    def find(self, who: str) -> User | None:
        if "@" in who:
            return User.objects.filter(email__iexact=who, is_active=True).first()
        scanned = codes.as_scanned(who)
        if scanned is None or not scanned.startswith("M"):
            return None
        member = member_by_card(scanned)
        return member.user if member else None
