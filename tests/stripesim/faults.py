"""What goes wrong between a caller and the service, by rule or at seeded random rates."""

import re
import threading
from dataclasses import dataclass, field
from random import Random
from typing import Any

KINDS = (
    "before_write",  # a 500, nothing was done
    "after_write",  # all was done; a 500, or with close=true no answer at all
    "close_before",  # the connection ends, nothing was done
    "rate_limit",  # a 429
    "delay",  # the answer takes `seconds`
)


@dataclass
class Fault:
    kind: str
    close: bool = False
    # The real service keeps a 500 under its key and answers it again for a day.
    kept: bool = False
    seconds: float = 0.0


@dataclass
class Rule:
    fault: Fault
    method: str = ".*"
    path: str = ".*"
    times: int = 1
    skip: int = 0

    def fits(self, method: str, path: str) -> bool:
        return bool(re.fullmatch(self.method, method) and re.search(self.path, path))


@dataclass
class Faults:
    rules: list[Rule] = field(default_factory=list)
    rates: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.05
    random: Random = field(default_factory=lambda: Random(1))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add_rule(self, **wanted: Any) -> None:
        parts = {
            name: wanted.pop(name)
            for name in ("kind", "close", "kept", "seconds")
            if name in wanted
        }
        if parts["kind"] not in KINDS:
            raise ValueError(f"kind is one of {KINDS}")
        with self.lock:
            self.rules.append(Rule(Fault(**parts), **wanted))

    def set_rates(self, seed: int, rates: dict[str, float], seconds: float = 0.05) -> None:
        """`after_write` answers a 500 or nothing, by halves."""
        unknown = set(rates) - set(KINDS)
        if unknown:
            raise ValueError(f"unknown kinds: {sorted(unknown)}")
        with self.lock:
            self.random, self.rates, self.seconds = Random(seed), dict(rates), seconds

    def clear(self) -> None:
        with self.lock:
            self.rules, self.rates = [], {}

    def next_for(self, method: str, path: str) -> Fault | None:
        with self.lock:
            for rule in self.rules:
                if rule.times and rule.fits(method, path):
                    if rule.skip:
                        rule.skip -= 1
                        continue
                    rule.times -= 1
                    return rule.fault
            drawn = self.random.random()
            for kind, rate in self.rates.items():
                if drawn < rate:
                    return Fault(kind, close=self.random.random() < 0.5, seconds=self.seconds)
                drawn -= rate
        return None
