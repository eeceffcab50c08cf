from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from club.domain.reconciliation import reconcile
from club.gateway import Unavailable


class Command(BaseCommand):
    help = "Compares the payment provider with the ledger; ends with 1 where they differ."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=35, help="how far to look back")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.STRIPE_SECRET_KEY:
            raise CommandError("There are no keys: nothing is paid on line here.")
        now = timezone.now()
        try:
            found = reconcile(now, since=now - timedelta(days=options["days"]))
        except Unavailable as error:
            raise CommandError(f"The provider does not answer: {error}.") from error
        for one in found:
            self.stdout.write(
                f"{one.kind}  {one.provider_id}"
                f"  {one.provider_cents} there, {one.ledger_cents} here"
            )
        if found:
            raise CommandError(f"{len(found)} differences.")
        self.stdout.write("The provider and the ledger agree.")
