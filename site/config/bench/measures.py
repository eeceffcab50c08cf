"""The measures. Each gives rows: what, figure, ratio, goal; only ratios count.

Contenders take turns within each round and the median over rounds is told, so that
whatever else the machine does hits them alike.
"""

import itertools
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from datetime import time as clock_time
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.test import Client, override_settings
from django.utils import timezone

from club.kernel.spans import at, days_between, local_day
from club.models import Member, Place
from concierge.domain.lending import reserve_tool
from concierge.models import Loan, Tool
from concierge.queries.availability import free_by_day, lines, shelves
from config.bench import firms, load, town
from config.bench.bare import BARE_BOOKING
from config.bench.wire import wire
from events.models import EventIndex, Registration, Session

DAYS = 80


@dataclass(frozen=True)
class Plan:
    """How long and how often: `--quick` only shows that everything runs."""

    clients: int
    rounds: int
    seconds: float
    turns: int
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """One line of the table; `ok` is None where a figure has no goal of its own."""

    what: str
    figure: str
    ratio: float | None = None
    goal: str = ""
    ok: bool | None = None


def at_least(what: str, figure: str, ratio: float, goal: float) -> Row:
    return Row(what, figure, round(ratio, 3), f"≥ {goal}", ratio >= goal)


def at_most(what: str, figure: str, ratio: float, goal: float) -> Row:
    return Row(what, figure, round(ratio, 3), f"≤ {goal}", ratio <= goal)


def median_of(rounds: list[dict[str, float]], name: str) -> float:
    return statistics.median(figures[name] for figures in rounds)


def median_ratio(rounds: list[dict[str, float]], one: str, other: str) -> float:
    return statistics.median(figures[one] / figures[other] for figures in rounds)


# -- Bookings ------------------------------------------------------------------------


def booking_calls(seed: int) -> Iterator[bytes]:
    """Bookings by the API, each by another member, with a key of its own."""
    chance = random.Random(seed)  # noqa: S311
    today = local_day(timezone.now())
    for number in itertools.count():
        starts_on = today + timedelta(days=chance.randint(1, DAYS))
        body = {
            "kind": "loan",
            "tool": f"t{chance.randrange(town.TOOLS)}",
            "starts_on": starts_on.isoformat(),
            "ends_on": (starts_on + timedelta(days=2)).isoformat(),
        }
        yield load.request(
            "POST", "/api/v1/bookings", json.dumps(body).encode(),
            Authorization=f"Bearer {town.plain_token(number % town.MEMBERS)}",
            Idempotency_Key=f"bench-{seed}-{number}",
        )  # fmt: skip


def bare_calls(seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)  # noqa: S311
    first_tool = Tool.objects.earliest("pk").pk
    first_member = Member.objects.earliest("pk").pk
    while True:
        body = {
            "member": first_member + chance.randrange(town.MEMBERS),
            "tool": first_tool + chance.randrange(town.TOOLS),
            "day": chance.randint(1, DAYS),
        }
        yield load.request("POST", "/api/bare/booking", json.dumps(body).encode())


def pgbench(name: str, clients: int, seconds: float) -> float:
    """The bare booking by PostgreSQL's own load tool: transactions a second."""
    program = shutil.which("pgbench") or next(
        (str(path) for path in Path("/usr/lib/postgresql").glob("*/bin/pgbench")), None
    )
    if program is None:
        raise RuntimeError("pgbench is not installed: it comes with PostgreSQL.")
    first_tool = Tool.objects.earliest("pk").pk
    first_member = Member.objects.earliest("pk").pk
    script = "\n".join(
        [
            f"\\set tool random({first_tool}, {first_tool + town.TOOLS - 1})",
            f"\\set member random({first_member}, {first_member + town.MEMBERS - 1})",
            f"\\set day random(1, {DAYS})",
            "BEGIN;",
            " ".join(BARE_BOOKING.format(tool=":tool", member=":member", day=":day").split()) + ";",
            "COMMIT;",
        ]
    )
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(  # noqa: S603
            [
                program, "--no-vacuum", f"--client={clients}", f"--jobs={min(clients, 2)}",
                f"--time={max(1, round(seconds))}", f"--file={file.name}", town.url_for(name),
            ],
            capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None or done.returncode:
        raise RuntimeError(done.stderr)
    return float(found.group(1))


def overlaps() -> int:
    """Pairs of open claims on one copy at one instant: there must be none."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM concierge_loan a JOIN concierge_loan b
              ON a.copy_id = b.copy_id AND a.id < b.id
             AND a.starts_at < b.held_until AND b.starts_at < a.held_until
            WHERE a.status IN ('reserved', 'ready', 'out')
              AND b.status IN ('reserved', 'ready', 'out')
            """
        )
        number: int = cursor.fetchone()[0]
    return number


def expect(measured: load.Load, *statuses: int) -> load.Load:
    strange = {code: n for code, n in measured.statuses.items() if code not in statuses}
    if strange or not measured.latencies:
        raise RuntimeError(f"Answers that a measure does not expect: {strange or 'none at all'}.")
    return measured


def booking(name: str, plan: Plan) -> list[Row]:
    rounds: list[dict[str, float]] = []
    overlapping = 0
    with town.server(name) as port:
        for seed, calls in ((-2, booking_calls), (-1, bare_calls)):
            load.run(port, calls(seed), plan.clients, min(2, plan.seconds))
        for number in range(plan.rounds):
            figures: dict[str, float] = {}
            town.clear_bookings()
            figures["pgbench"] = pgbench(name, plan.clients, plan.seconds)
            town.clear_bookings()
            view = load.run(port, bare_calls(number), plan.clients, plan.seconds)
            figures["view"] = expect(view, 201, 409).rate
            town.clear_bookings()
            api = load.run(port, booking_calls(number), plan.clients, plan.seconds)
            figures["api"] = expect(api, 201, 409).rate
            figures["p95"] = api.percentile(0.95)
            overlapping += overlaps()
            rounds.append(figures)
    rate = median_of(rounds, "api")
    return [
        Row("pgbench, bare booking", f"{median_of(rounds, 'pgbench'):.0f}/s"),
        Row("Django view, bare booking", f"{median_of(rounds, 'view'):.0f}/s"),
        Row("API, full booking", f"{rate:.0f}/s, p95 {median_of(rounds, 'p95') * 1000:.0f} ms"),
        at_least("API against pgbench", "", median_ratio(rounds, "api", "pgbench"), 0.25),
        at_least("API against the bare view", "", median_ratio(rounds, "api", "view"), 0.65),
        at_least("bare view against pgbench", "", median_ratio(rounds, "view", "pgbench"), 0),
        Row("claims that overlap", str(overlapping), None, "0", overlapping == 0),
    ]


# -- Many clients on one copy ----------------------------------------------------------


def one_day_calls(seed: str, tools: Callable[[int], int]) -> Iterator[bytes]:
    """Loans of a day, each on another day: nothing is ever taken."""
    first = local_day(timezone.now()) + timedelta(days=1)
    for number in itertools.count():
        day = (first + timedelta(days=number)).isoformat()
        body = {"kind": "loan", "tool": f"t{tools(number)}", "starts_on": day, "ends_on": day}
        yield load.request(
            "POST", "/api/v1/bookings", json.dumps(body).encode(),
            Authorization=f"Bearer {town.plain_token(number % town.MEMBERS)}",
            Idempotency_Key=f"{seed}-{number}",
        )  # fmt: skip


def contention(name: str, plan: Plan) -> list[Row]:
    clients = 32
    kept = town.COPIES_OF_EACH
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM concierge_copy WHERE id %% %s <> 0", [kept])
    town.tidy()
    rounds: list[dict[str, float]] = []
    overlapping = refused = 0
    with town.server(name) as port:
        warm = one_day_calls("warm", lambda n: n % town.TOOLS)
        load.run(port, warm, clients, min(2, plan.seconds))
        for number in range(plan.rounds):
            figures: dict[str, float] = {}
            for which, tools in (("apart", lambda n: n % town.TOOLS), ("one", lambda n: 0)):
                town.clear_bookings()
                calls = one_day_calls(f"{which}-{number}", tools)
                seen = load.run(port, calls, clients, plan.seconds)
                expect(seen, 201, 409)
                refused += seen.statuses[409]
                overlapping += overlaps()
                figures[which] = seen.rate
                figures[which + " p95"] = seen.percentile(0.95)
            rounds.append(figures)
    return [
        Row("32 clients, each its own copy", told(rounds, "apart")),
        Row("32 clients on one copy", told(rounds, "one")),
        at_least("rate on one copy", "", median_ratio(rounds, "one", "apart"), 0.7),
        at_most("p95 on one copy", "", median_ratio(rounds, "one p95", "apart p95"), 2),
        Row("refused though free", str(refused), None, "0", refused == 0),
        Row("claims that overlap", str(overlapping), None, "0", overlapping == 0),
    ]


def told(rounds: list[dict[str, float]], which: str) -> str:
    p95 = median_of(rounds, which + " p95") * 1000
    return f"{median_of(rounds, which):.0f}/s, p95 {p95:.0f} ms"


# -- Many clients on one session ---------------------------------------------------------


def place_calls(seed: str, sessions: Sequence[Session], most: int | None = None) -> Iterator[bytes]:
    """One place each: members take turns, and each next round of them another session."""
    numbers = itertools.count() if most is None else range(most)
    for number in numbers:
        turn = number // town.MEMBERS
        session = sessions[(number + turn) % len(sessions)]
        body = {"kind": "registration", "session": session.public_id}
        yield load.request(
            "POST", "/api/v1/bookings", json.dumps(body).encode(),
            Authorization=f"Bearer {town.plain_token(number % town.MEMBERS)}",
            Idempotency_Key=f"{seed}-{number}",
        )  # fmt: skip


def miscounted() -> int:
    """Sessions whose counter is not the places of their registrations."""
    held = Registration.objects.filter(session=OuterRef("pk"), status="confirmed").order_by()
    sums = held.values("session").annotate(n=Sum("quantity")).values("n")
    counted = Session.objects.annotate(rows=Coalesce(Subquery(sums), 0))
    return counted.exclude(booked=F("rows")).count()


def sessions(name: str, plan: Plan) -> list[Row]:
    """A session with room for all against many; then five hundred for two hundred places."""
    from cms.setup import build_site

    clients, wanted, places = 32, 500, 200
    build_site(Place.objects.get(pk=1))
    starts = [timezone.now() + timedelta(days=1 + n) for n in range(250)]
    many = list(town.add_event("Atelier du banc", starts, 5000).sessions.order_by("pk"))
    scarce = town.add_event("Grand bal", starts[: plan.rounds], places)
    town.tidy()
    rounds: list[dict[str, float]] = []
    wrong = too_many = 0
    with town.server(name) as port:
        load.run(port, place_calls("warm", many), clients, min(2, plan.seconds))
        for number, ball in enumerate(scarce.sessions.order_by("pk")):
            figures: dict[str, float] = {}
            for which, among in (("apart", many), ("one", many[:1])):
                town.clear_bookings()
                calls = place_calls(f"{which}-{number}", among, len(among) * town.MEMBERS)
                seen = expect(load.run(port, calls, clients, plan.seconds), 201)
                wrong += miscounted()
                figures[which], figures[which + " p95"] = seen.rate, seen.percentile(0.95)
            town.clear_bookings()
            seen = load.run(port, place_calls(f"ball-{number}", [ball], wanted), clients, 120)
            expect(seen, 201, 409)
            wrong += miscounted()
            too_many += seen.statuses[201] != places or seen.statuses[409] != wanted - places
            figures["ball"] = wanted / seen.seconds
            figures["ball p95"] = seen.percentile(0.95)
            rounds.append(figures)
    return [
        Row("32 clients, 250 sessions", told(rounds, "apart")),
        Row("32 clients, one session with room", told(rounds, "one")),
        Row("500 requests for 200 places", told(rounds, "ball")),
        at_least("rate at one session", "", median_ratio(rounds, "one", "apart"), 0.7),
        at_most("p95 at one session", "", median_ratio(rounds, "one p95", "apart p95"), 2),
        at_least("rate of answers, 500 for 200", "", median_ratio(rounds, "ball", "apart"), 0.7),
        at_most("p95, 500 for 200", "", median_ratio(rounds, "ball p95", "apart p95"), 2),
        Row("rounds with other than 200 places", str(too_many), None, "0", too_many == 0),
        Row("counters that are not their rows", str(wrong), None, "0", wrong == 0),
    ]


# -- The programme ------------------------------------------------------------------------


def events(name: str, plan: Plan) -> list[Row]:
    """The programme's pages with few sessions and with many, each in its own database."""
    from cms.setup import build_site

    build_site(Place.objects.get(pk=1))
    first = local_day(timezone.now()).replace(day=1)
    month = (first + timedelta(days=70)).replace(day=1)
    sizes = {"few": (10, 10), "many": (500, 176)}
    seen: dict[str, dict[str, int]] = {}
    rounds: list[dict[str, float]] = []
    with (
        town.copies_of(name, list(sizes)) as databases,
        override_settings(PAGE_CACHE_SECONDS=0),
    ):
        paths: dict[str, dict[str, str]] = {}
        for which, database in zip(sizes, databases, strict=True):
            town.use(database)
            paths[which] = programme(month, *sizes[which])
        for number in range(plan.rounds + 1):
            figures: dict[str, float] = {}
            for which, database in zip(sizes, databases, strict=True):
                town.use(database)
                for what, path in paths[which].items():
                    get(path)
                    with wire() as sent:
                        get(path)
                    seen.setdefault(what, {})[which] = len(sent)
                    figures[f"{what} {which}"] = timed(plan.turns // 4 + 1, partial(visit, path))
            if number:
                rounds.append(figures)
        town.use(name)
    rows = []
    for what, counted in seen.items():
        both = f"{counted['few']} and {counted['many']}"
        equal = counted["few"] == counted["many"]
        rows.append(Row(f"{what}: statements", both, None, "equal", equal))
        figure = f"{median_of(rounds, what + ' many'):.1f} ms"
        ratio = median_ratio(rounds, f"{what} many", f"{what} few")
        rows.append(Row(f"{what}: time, many against few", figure, round(ratio, 2)))
    return rows


def programme(month: date, in_month: int, of_one: int) -> dict[str, str]:
    """Fifty events at most with so many sessions in the month, and one with its own."""
    titles = min(50, in_month)
    for number in range(titles):
        share = [n for n in range(in_month) if n % titles == number]
        starts = [at(month + timedelta(days=n % 28), time_of(n)) for n in share]
        town.add_event(f"Atelier {number}", starts, 12)
    days = days_between(month, month + timedelta(days=of_one - 1))
    long = town.add_event("Gym douce", [at(day, time_of(2)) for day in days], 12)
    town.tidy()
    index = EventIndex.objects.get(place=1)
    last = month + timedelta(days=27)
    return {
        "list": str(index.get_url()),
        "month": f"{index.get_url()}?mois={month:%Y-%m}",
        "event page": str(long.get_url()),
        "API, a month": f"/api/v1/events?from={month}&to={last}&limit=100",
    }


def time_of(number: int) -> clock_time:
    return clock_time(9 + number % 10)


def visit(path: str, turn: int) -> object:
    return get(path)


def get(path: str) -> object:
    headers = {}
    if path.startswith("/api/"):
        headers["Authorization"] = f"Bearer {town.plain_token(0)}"
    answer = Client(headers=headers).get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answers {answer.status_code}.")
    return answer


# -- Past loans -------------------------------------------------------------------------


def timed(turns: int, act: Callable[[int], object]) -> float:
    """The median of some turns, in milliseconds."""
    seen = []
    for turn in range(turns):
        began = time.perf_counter()
        act(turn)
        seen.append(time.perf_counter() - began)
    return statistics.median(seen) * 1000


def reserve(turn: int, members: list[Member], tools: list[Tool], first: date) -> None:
    member = members[turn % len(members)]
    reserve_tool(
        member=member, tool=tools[turn * 13 % len(tools)], place=member.place,
        starts_on=first + timedelta(days=turn % DAYS), by=member.user, now=timezone.now(),
    )  # fmt: skip


def scale(name: str, plan: Plan) -> list[Row]:
    """Each size is a database of its own, and the sizes take turns."""
    names = {size: f"{size:.0e}".replace("+", "") for size in plan.sizes}
    rounds: list[dict[str, float]] = []
    with town.copies_of(name, list(names.values())) as databases:
        for size, database in zip(plan.sizes, databases, strict=True):
            town.use(database)
            town.add_past_loans(size)
        for number in range(plan.rounds + 1):
            figures: dict[str, float] = {}
            for size, database in zip(plan.sizes, databases, strict=True):
                town.use(database)
                figures |= {f"{what} {size}": ms for what, ms in one_size(plan, number).items()}
            rounds.append(figures)
        town.use(name)
    rounds = rounds[1:]
    small = plan.sizes[0]
    rows = []
    for what in ("booking", "calendar of a tool", "list of 50 tools"):
        for size in plan.sizes:
            label, figure = f"{what}, {size:,} past loans", median_of(rounds, f"{what} {size}")
            ratio = median_ratio(rounds, f"{what} {size}", f"{what} {small}")
            rows.append(at_most(label, f"{figure:.2f} ms", ratio, 1.2))
    return rows


def one_size(plan: Plan, number: int) -> dict[str, float]:
    now = timezone.now()
    place = Place.objects.select_related("landlord").get(pk=1)
    tools = list(Tool.objects.select_related("department").order_by("pk"))
    members = list(Member.objects.select_related("user", "place__landlord").order_by("pk")[:200])
    days = days_between(local_day(now), local_day(now) + timedelta(days=59))
    first = local_day(now) + timedelta(days=1 + number * 100)

    def calendar(turn: int) -> object:
        tool = tools[turn * 7 % len(tools)]
        return free_by_day(shelves([tool], place, now)[tool.pk], days, now)

    def listed(turn: int) -> object:
        start = turn * 50 % len(tools)
        return lines(tools[start : start + 50], place, now)

    acts: dict[str, Callable[[int], object]] = {
        "booking": lambda turn: reserve(turn, members, tools, first),
        "calendar of a tool": calendar,
        "list of 50 tools": listed,
    }
    figures = {}
    for what, act in acts.items():
        for turn in range(3):
            act(turn + plan.turns)
        figures[what] = timed(plan.turns, act)
    Loan.objects.filter(created_at__gte=now).delete()
    return figures


# -- Statements --------------------------------------------------------------------------


def statements(name: str, plan: Plan) -> list[Row]:
    """What each kind of call sends to the database, by a process that has served before."""
    day = (local_day(timezone.now()) + timedelta(days=3)).isoformat()
    client = Client(headers={"Authorization": f"Bearer {town.plain_token(0)}"})

    def post(path: str, key: str, body: object = None) -> Any:
        return client.post(
            path, body, content_type="application/json", headers={"Idempotency-Key": key}
        )

    def book(key: str) -> Any:
        body = {"kind": "loan", "tool": "t1", "starts_on": day}
        return post("/api/v1/bookings", key, body)

    from cms.setup import build_site

    build_site(Place.objects.get(pk=1))
    starts = [timezone.now() + timedelta(days=1 + n) for n in range(3)]
    dates = list(town.add_event("Atelier du banc", starts, 12).sessions.order_by("pk"))

    def take(number: int) -> Any:
        body = {"kind": "registration", "session": dates[number].public_id, "quantity": 3}
        return post("/api/v1/bookings", f"places-{number}", body)

    take(0)
    reference = book("first").json()["reference"]
    own = f"/api/v1/bookings/{reference}"
    later = (local_day(timezone.now()) + timedelta(days=9)).isoformat()
    calls: list[tuple[str, int | None, Callable[[], Any]]] = [
        ("POST /bookings", 8, lambda: book("second")),
        ("POST /bookings, replayed", None, lambda: book("second")),
        ("POST /bookings, places", 8, lambda: take(1)),
        ("GET /events", None, lambda: client.get("/api/v1/events")),
        ("GET /me", None, lambda: client.get("/api/v1/me")),
        ("GET /places", None, lambda: client.get("/api/v1/places")),
        ("GET /tools, 10 rows", None, lambda: client.get("/api/v1/tools?limit=10")),
        ("GET /tools, 100 rows", None, lambda: client.get("/api/v1/tools?limit=100")),
        ("GET /tools/{id}", None, lambda: client.get("/api/v1/tools/t1")),
        ("GET availability", None, lambda: client.get("/api/v1/tools/t1/availability")),
        ("GET /bookings", None, lambda: client.get("/api/v1/bookings")),
        ("GET /bookings/{reference}", None, lambda: client.get(own)),
        (
            "PATCH /bookings/{reference}", None,
            lambda: client.patch(own, {"starts_on": later}, content_type="application/json"),
        ),
        ("POST cancel", None, lambda: post(own + "/cancel", "third")),
        ("catalogue page, visitor", None, lambda: Client().get("/emprunter/?page=1")),
        ("home page, visitor, not kept", 6, lambda: Client().get("/?fresh=1")),
    ]  # fmt: skip
    rows = []
    for what, goal, call in calls:
        with wire() as sent:
            status = call().status_code
        figure = f"{len(sent)} (status {status})"
        if goal is None:
            rows.append(Row(what, figure))
        else:
            rows.append(Row(what, figure, None, f"≤ {goal}", len(sent) <= goal and status < 300))
    return rows


# -- The home page -----------------------------------------------------------------------


def home(name: str, plan: Plan) -> list[Row]:
    """A visitor's home page, kept and not kept, against bare views of the same server."""
    from cms.setup import build_site

    build_site(Place.objects.get(pk=1))
    paths = {
        "bare": "/api/bare/page",
        "behind": "/healthz/bare",
        "statement": "/api/bare/statement",
        "kept": "/",
        "fresh": "/?fresh=1",
    }
    rounds: list[dict[str, float]] = []
    with town.server(name) as port:
        for path in paths.values():
            load.run(port, itertools.repeat(load.request("GET", path)), plan.clients, 1)
        for _ in range(plan.rounds):
            figures = {}
            for which, path in paths.items():
                calls = itertools.repeat(load.request("GET", path))
                seen = load.run(port, calls, plan.clients, plan.seconds)
                figures[which] = expect(seen, 200).rate
            rounds.append(figures)
    return [
        Row("bare Django view, no middleware", f"{median_of(rounds, 'bare'):.0f}/s"),
        Row("bare view behind the middleware", f"{median_of(rounds, 'behind'):.0f}/s"),
        Row("view with one statement", f"{median_of(rounds, 'statement'):.0f}/s"),
        Row("home, kept", f"{median_of(rounds, 'kept'):.0f}/s"),
        Row("home, not kept", f"{median_of(rounds, 'fresh'):.0f}/s"),
        at_least("kept against no middleware", "", median_ratio(rounds, "kept", "bare"), 0),
        at_least(
            "kept against behind the middleware", "", median_ratio(rounds, "kept", "behind"), 0.8
        ),
        at_least("kept against not kept", "", median_ratio(rounds, "kept", "fresh"), 1),
    ]


# -- The directory of partners ---------------------------------------------------------------

PARTNERS_FEW, PARTNERS_MANY = 20, 2_000


def reading(path: str) -> Callable[[int], object]:
    client = Client()
    return lambda _turn: client.get(path)


def partners(name: str, plan: Plan) -> list[Row]:
    """A directory of 2 000 against one of 20: each is a database, and they take turns."""
    paths = {
        "windows": "/avantages/?a=1",
        "artisans": "/avantages/artisans/?a=1",
        "a trade": "/avantages/artisans/plomberie/?a=1",
        "a search": "/avantages/?q=maison",
        "one partner": "/avantages/partenaire/p0/?a=1",
    }
    sizes = (PARTNERS_FEW, PARTNERS_MANY)
    rounds: list[dict[str, float]] = []
    sent: dict[str, int] = {}
    weight: dict[str, int] = {}
    with town.copies_of(name, [str(size) for size in sizes]) as databases:
        for size, database in zip(sizes, databases, strict=True):
            town.use(database)
            firms.add_partners(Place.objects.get(pk=1).landlord, size)
        for _ in range(plan.rounds + 1):
            figures: dict[str, float] = {}
            for size, database in zip(sizes, databases, strict=True):
                town.use(database)
                for what, path in paths.items():
                    with wire() as seen:
                        page = Client().get(path)
                    sent[f"{what} {size}"] = len(seen)
                    weight[f"{what} {size}"] = len(page.content)
                    figures[f"{what} {size}"] = timed(max(5, plan.turns // 4), reading(path))
            rounds.append(figures)
        town.use(name)
    rounds = rounds[1:]
    rows = []
    for what in paths:
        for size in sizes:
            which = f"{what} {size}"
            figure = f"{median_of(rounds, which):.1f} ms, {sent[which]} statements"
            rows.append(
                Row(f"{what}, {size:,} partners", f"{figure}, {weight[which] / 1024:.0f} KB")
            )
        few, many = f"{what} {PARTNERS_FEW}", f"{what} {PARTNERS_MANY}"
        rows.append(
            Row(
                f"{what}, 2 000 against 20", "", round(median_ratio(rounds, many, few), 2),
                "same sent", sent[many] == sent[few],
            )
        )  # fmt: skip
    return rows


# -- Start and memory ----------------------------------------------------------------------


def memory(name: str, plan: Plan) -> list[Row]:
    """`check`, and what its process needed: no goal without an empty project beside it."""
    seen, peaks = [], []
    for _ in range(min(3, plan.rounds)):
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "manage.py", "check"],
            cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seen.append(time.perf_counter() - began)
        peaks.append(usage.ru_maxrss / 1024)
    return [
        Row("manage.py check", f"{statistics.median(seen):.1f} s"),
        Row("its memory at most", f"{statistics.median(peaks):.0f} MiB"),
    ]


MEASURES: dict[str, Callable[[str, Plan], list[Row]]] = {
    "booking": booking,
    "contention": contention,
    "sessions": sessions,
    "events": events,
    "scale": scale,
    "statements": statements,
    "home": home,
    "partners": partners,
    "memory": memory,
}
