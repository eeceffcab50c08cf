from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from club.domain.housekeeping import tidy
from club.domain.retention import retain


class Command(BaseCommand):
    help = "Warns and erases whose time is over, as the nightly job does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only tell what would be done")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        done = retain(now, dry_run=options["dry_run"])
        verb = "would be " if options["dry_run"] else ""
        self.stdout.write(f"{len(done.warned)} members {verb}warned: {numbers(done.warned)}")
        self.stdout.write(f"{len(done.erased)} members {verb}erased: {numbers(done.erased)}")
        for pk, codes in done.in_the_way.items():
            self.stdout.write(f"member {pk} stays: {', '.join(codes)}")
        for name, count in done.rows.items():
            self.stdout.write(f"{count} rows of {name} {verb}deleted")
        if not options["dry_run"]:
            tidy(now)


def numbers(keys: list[int]) -> str:
    return ", ".join(map(str, keys)) or "none"
