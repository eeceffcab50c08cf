import sys
from argparse import SUPPRESS, ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from club import worker


class Command(BaseCommand):
    help = "Runs background work: messages, reminders, nightly jobs. Ctrl-C or SIGTERM stops it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--stalled-after",
            type=float,
            default=worker.STALLED_AFTER,
            metavar="SECONDS",
            help="end and restart a cluster that began no task for so long",
        )
        parser.add_argument("--cluster", action="store_true", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["cluster"]:
            sys.exit(worker.run_cluster())
        worker.Supervisor(options["stalled_after"]).run()
