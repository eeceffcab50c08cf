import dataclasses
import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from config.bench import town
from config.bench.measures import MEASURES, Plan, Row

QUICK = Plan(clients=4, rounds=1, seconds=1, turns=5, sizes=(1_000, 10_000))


class Command(BaseCommand):
    help = (
        "Measures the house on PostgreSQL, in a database of its own that is dropped at the end."
        " Only ratios count: contenders take turns, and medians over the rounds are told."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", choices=list(MEASURES), help="one measure alone")
        parser.add_argument("--clients", type=int, default=8)
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--seconds", type=float, default=5, help="of each turn")
        parser.add_argument("--quick", action="store_true", help="only shows that all runs")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError(
                "The bench needs PostgreSQL: set DATABASE_URL=postgres://user:password@host/name."
            )
        plan = QUICK
        if not options["quick"]:
            plan = Plan(
                options["clients"], options["rounds"], options["seconds"], turns=40,
                sizes=(10_000, 100_000, 1_000_000),
            )  # fmt: skip
        chosen = [options["name"]] if options["name"] else list(MEASURES)
        cache = "Redis" if settings.REDIS_URL else "the database (set REDIS_URL for Redis)"
        self.stdout.write(f"Cache and limits: {cache}.")
        results: dict[str, list[Row]] = {}
        for name in chosen:
            with town.database() as database:
                town.fill()
                results[name] = MEASURES[name](database, plan)
            self.show(name, results[name])
        self.save(plan, results)

    def show(self, name: str, rows: list[Row]) -> None:
        self.stdout.write("")
        self.stdout.write(self.style.MIGRATE_HEADING(name))
        for row in rows:
            ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
            verdict = {None: "", True: "reached", False: "missed"}[row.ok]
            self.stdout.write(
                f"  {row.what:<42} {row.figure:>26} {ratio:>7}  {row.goal:<8} {verdict}"
            )

    def save(self, plan: Plan, results: dict[str, list[Row]]) -> None:
        folder = settings.VAR_DIR / "bench"
        folder.mkdir(parents=True, exist_ok=True)
        moment = datetime.now(UTC)
        path = folder / f"{moment:%Y-%m-%dT%H%M%S}.json"
        document = {
            "at": moment.isoformat(),
            "plan": dataclasses.asdict(plan),
            "results": {
                name: [dataclasses.asdict(row) for row in rows] for name, rows in results.items()
            },
        }
        path.write_text(json.dumps(document, ensure_ascii=False, indent=2))
        self.stdout.write(f"\n{path}")
