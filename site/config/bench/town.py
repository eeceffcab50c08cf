"""A database of its own for the bench, with people, objects and a server."""

import os
import shutil
import socket
import subprocess
import sys
import time as clock
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from psycopg import sql

from club.kernel import codes
from club.models import (
    ApiToken,
    Household,
    Landlord,
    Member,
    OpeningHours,
    Place,
    Right,
    User,
)
from concierge.models import Copy, Department, LendingPolicy, Loan, Tool
from events.domain.schedules import new_session
from events.models import EventIndex, EventPage, Session

MEMBERS = 2000
TOOLS = 1000
COPIES_OF_EACH = 4
FAR = date(2099, 12, 31)


def plain_token(number: int) -> str:
    return f"bench-{number:05d}-not-a-secret-and-only-in-this-database"


def url_for(name: str) -> str:
    parts = urlsplit(settings.DATABASE_URL)
    return urlunsplit(parts._replace(path="/" + name))


def server_command(*statements: sql.Composed) -> None:
    with psycopg.connect(url_for("postgres"), autocommit=True) as admin:
        for statement in statements:
            admin.execute(statement)


def use(name: str) -> None:
    """This process speaks with that database from now on."""
    connection.close()
    connection.settings_dict["NAME"] = name


@contextmanager
def database() -> Iterator[str]:
    """A fresh database with all tables; it is dropped at the end, whatever happens."""
    name = f"bench_{os.getpid()}"
    before = connection.settings_dict["NAME"]
    identifier = sql.Identifier(name)
    server_command(sql.SQL("CREATE DATABASE {}").format(identifier))
    try:
        use(name)
        call_command("migrate", verbosity=0)
        yield name
    finally:
        use(before)
        drop(name)


def drop(name: str) -> None:
    server_command(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def copies_of(name: str, suffixes: list[str]) -> Iterator[list[str]]:
    """As many databases as suffixes, each a copy of `name`."""
    connection.close()
    names = [f"{name}_{suffix}" for suffix in suffixes]
    try:
        for copy in names:
            server_command(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(copy), sql.Identifier(name)
                )
            )
        yield names
    finally:
        connection.close()
        for copy in names:
            drop(copy)


BITE = 20_000
"""How many past loans one statement adds."""


def fill() -> None:
    """Members with a token and a right, tools with copies; place 1 lends every day."""
    now = timezone.now()
    landlord = Landlord.objects.create(name="Bailleur du banc", slug="banc")
    place = Place.objects.create(
        pk=1, landlord=landlord, name="Accueil du banc", slug="banc", address="1, rue du Banc",
        postcode="80080", city="Amiens", phone="03 00 00 00 00", email="banc@example.org",
        closed_on_public_holidays=False,
    )  # fmt: skip
    for weekday in range(7):
        OpeningHours.objects.create(place=place, weekday=weekday, opens=time(8), closes=time(20))
    LendingPolicy.objects.create(
        place=place, loan_days=2, max_days=14, limit=30_000, lead_minutes=0, horizon_days=30_000
    )
    users = User.objects.bulk_create(
        User(username=f"m{n}", first_name="Membre", last_name=str(n), email=f"m{n}@example.org")
        for n in range(MEMBERS)
    )
    homes = Household.objects.bulk_create(Household(landlord=landlord) for _ in users)
    Member.objects.bulk_create(
        Member(user=user, household=home, place=place, search_name=user.last_name, joined_at=now)
        for user, home in zip(users, homes, strict=True)
    )
    Right.objects.bulk_create(
        Right(
            household=home, activity="lending", source="gift",
            starts_on=timezone.localdate() - timedelta(days=1), ends_on=FAR,
        )
        for home in homes
    )  # fmt: skip
    ApiToken.objects.bulk_create(
        ApiToken(
            user=user, name="banc", digest=codes.digest(plain_token(n)), scope="write",
            created_at=now,
        )
        for n, user in enumerate(users)
    )  # fmt: skip
    shelf = Department.objects.create(landlord=landlord, name="Bricoler", slug="bricoler")
    tools = Tool.objects.bulk_create(
        Tool(landlord=landlord, department=shelf, public_id=f"t{n}", name=f"Objet {n:04d}")
        for n in range(TOOLS)
    )
    Copy.objects.bulk_create(
        Copy(
            tool=tool, place=place, status="active",
            label=codes.label_code(n * COPIES_OF_EACH + copy),
        )
        for n, tool in enumerate(tools)
        for copy in range(COPIES_OF_EACH)
    )  # fmt: skip
    tidy()


def tidy() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def clear_bookings() -> None:
    """As after `fill`: each round begins on the same tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE concierge_loan, events_registration, club_logentry, club_message,"
            " club_idempotentanswer CASCADE"
        )
        cursor.execute("UPDATE events_session SET booked = 0 WHERE booked > 0")


def add_past_loans(number: int) -> None:
    """Loans that are over, spread evenly over members, copies and the last ten years.

    Some at a time: no statement may last longer than the site's `statement_timeout`.
    """
    for first in range(1, number + 1, BITE):
        add_some_past_loans(number, first, min(first + BITE - 1, number))
    tidy()


def add_some_past_loans(number: int, first: int, last: int) -> None:
    loan = Loan._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {loan} (
                reference, member_id, place_id, tool_id, copy_id, starts_at, pickup_ends_at,
                ends_at, held_until, due_on, created_at, status, channel, quantity, renewals,
                sequence, out_at, returned_at)
            SELECT 'P' || lpad(past.n::text, 11, '0'), m.id, 1, c.tool_id, c.id,
                began, began + interval '1 hour', began + interval '2 days',
                began + interval '2 days', (began + interval '2 days')::date, began, 'returned',
                'web', 1, 0, 0, began, began + interval '2 days'
            FROM (
                SELECT n, now() - interval '3 days' - (n * 3650.0 / %s) * interval '1 day' AS began
                FROM generate_series(%s::bigint, %s::bigint) AS n) AS past
            JOIN (SELECT id, row_number() OVER (ORDER BY id) AS r, count(*) OVER () AS n
                FROM club_member) AS m ON m.r = past.n %% m.n + 1
            JOIN (SELECT id, tool_id, row_number() OVER (ORDER BY id) AS r, count(*) OVER () AS n
                FROM concierge_copy) AS c ON c.r = past.n * 7 %% c.n + 1
            """,  # noqa: S608
            [number, first, last],
        )


def add_event(title: str, starts: Sequence[datetime], capacity: int) -> EventPage:
    """A live event of place 1, whose site is built, on at each of these instants."""
    place = Place.objects.get(pk=1)
    event = EventPage(title=title, live=True, capacity=capacity)
    EventIndex.objects.get(place=place).add_child(instance=event)
    sessions = [new_session(event, place, at, at + timedelta(hours=2)) for at in starts]
    for number, session in enumerate(sessions):
        session.public_id = f"{event.public_id[:6]}{number:05d}"
    Session.objects.bulk_create(sessions)
    return event


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def server(name: str, **environment: str) -> Iterator[int]:
    """The site under granian as in production: 2 workers with 4 threads; yields its port."""
    port = free_port()
    granian = shutil.which("granian", path=os.path.dirname(sys.executable)) or "granian"
    process = subprocess.Popen(  # noqa: S603
        [
            granian, "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
            "--workers", "2", "--blocking-threads", "4", "--no-access-log",
            "--log-level", "error", "config.bench.site:application",
        ],
        env={
            **os.environ,
            "DATABASE_URL": url_for(name),
            "CACHE_PREFIX": name,
            "API_REQUESTS_PER_MINUTE": "1000000",
            **environment,
        },
        cwd=settings.BASE_DIR,
    )  # fmt: skip
    try:
        wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError("The server did not start.")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            clock.sleep(0.1)
        else:
            return
    raise RuntimeError("The server did not answer within a minute.")
