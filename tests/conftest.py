import os
import re
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.db import connection

from club.guards import ENTRIES_STAY, RECEIPTS_STAY
from club.kernel import guards
from club.models import Member, Place, User
from concierge.models import Copy, Tool
from tests.factories.club import (
    NOW,
    AssignmentFactory,
    MemberFactory,
    PlaceFactory,
    RightFactory,
)
from tests.factories.concierge import CopyFactory, ToolFactory

# Parallel workers (pytest -n) have a database each; clearing a shared Redis would empty
# the other's limits, so each takes a Redis database of its own too.
WORKER = re.search(r"\d+", os.environ.get("PYTEST_XDIST_WORKER", ""))
SHARED = configured.CACHES["default"]
if WORKER and "Redis" in SHARED["BACKEND"]:
    server, _, number = SHARED["LOCATION"].rpartition("/")
    SHARED["LOCATION"] = f"{server}/{int(number) + 1 + int(WORKER[0])}"


@pytest.fixture(autouse=True)
def files_of_its_own(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    # A test's transaction never commits, so nothing would void a kept page.
    settings.PAGE_CACHE_SECONDS = 0
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def empty_cache(request: Any) -> None:
    """Rate limits and pages live in the shared cache: each test begins with none."""
    for name in ("transactional_db", "db"):
        if name in request.fixturenames:
            request.getfixturevalue(name)
            cache.clear()
            break


@pytest.fixture(autouse=True)
def flushable(request: Any) -> Any:
    """Emptying SQLite after a test with real commits deletes rows, which ledgers refuse."""
    yield
    marker = request.node.get_closest_marker("django_db")
    commits = {"transactional_db", "live_server"} & set(request.fixturenames)
    if (commits or (marker and marker.kwargs.get("transaction"))) and is_sqlite():
        for guard in (ENTRIES_STAY, RECEIPTS_STAY):
            guards.remove(guard)


def is_sqlite() -> bool:
    return bool(connection.vendor == "sqlite")


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def place(db: None) -> Place:
    return PlaceFactory(slug="tilleuls", name="Conciergerie des Tilleuls")


@pytest.fixture
def member(place: Place) -> Member:
    member = MemberFactory(place=place)
    RightFactory(household=member.household)
    return member


@pytest.fixture
def other_member(place: Place) -> Member:
    member = MemberFactory(place=place, user__first_name="Aline", user__last_name="Roussel")
    RightFactory(household=member.household)
    return member


@pytest.fixture
def concierge_user(place: Place) -> User:
    return AssignmentFactory(place=place).user


@pytest.fixture
def tool(place: Place) -> Tool:
    return ToolFactory(landlord=place.landlord)


@pytest.fixture
def copy(tool: Tool, place: Place) -> Copy:
    return CopyFactory(tool=tool, place=place)
