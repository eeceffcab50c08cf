from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from club.kernel.invariants import all_invariants


class Command(BaseCommand):
    help = "Checks what must always hold; ends with 1 where something does not."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        for invariant in all_invariants():
            began = monotonic()
            found = list(invariant.violations())
            seconds = f"{monotonic() - began:.2f} s"
            line = f"{invariant.name:<12} {seconds:>8}  {invariant.sentence}"
            if not found:
                self.stdout.write(f"ok      {line}")
                continue
            broken += 1
            self.stdout.write(f"BROKEN  {line}")
            for line in found:
                self.stdout.write(f"        {line}")
        if broken:
            raise CommandError(f"{broken} invariants are broken.")
