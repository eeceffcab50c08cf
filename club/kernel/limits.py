"""How often a key may be used: a counter of a fixed window, shared by all processes.

On Redis it costs one command and no SQL. Where the cache is the database, Django's
own counters are a read and a write that two processes can interleave, so the count
is one upsert of a small table instead.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.apps import apps
from django.core.cache import cache, caches
from django.core.cache.backends.redis import RedisCache
from django.db import connection
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

UPSERT = """
    INSERT INTO {table} AS held (key, count, ends_at) VALUES (%s, 1, %s)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN held.ends_at = excluded.ends_at THEN held.count + 1 ELSE 1 END,
        ends_at = excluded.ends_at
    RETURNING count
"""


@dataclass(frozen=True)
class Allowance:
    """What is left of a limit, and how many seconds until it is whole again."""

    limit: int
    window_seconds: int
    used: int
    resets_in: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def is_spent(self) -> bool:
        return self.used > self.limit


def hit(key: str, limit: int, window_seconds: int, now: datetime) -> Allowance:
    """Count one use of `key` in the window that `now` lies in."""
    moment = int(now.timestamp())
    window = moment // window_seconds
    resets_in = (window + 1) * window_seconds - moment
    if isinstance(caches["default"], RedisCache):
        used = count_in_redis(f"limits:{window_seconds}:{window}", key, resets_in)
    else:
        used = count_in_table(key, now + timedelta(seconds=resets_in))
    return Allowance(limit, window_seconds, used, resets_in)


def count_in_redis(window: str, key: str, resets_in: int) -> int:
    """One HINCRBY; whoever is the first of a key also sets when the window's counts go.

    A cache that is away must not close the house: then nothing is counted.
    """
    name = cache.make_key(window)
    try:
        redis = caches["default"]._cache.get_client(write=True)  # type: ignore[attr-defined]
        used: int = redis.hincrby(name, key, 1)
        if name != _window_seen.name:
            redis.expire(name, resets_in + 1)
            _window_seen.name = name
    except RedisError:
        logger.warning("Uses are not counted: the cache does not answer.")
        return 0
    return used


class WindowSeen:
    """The last window whose end this process has set."""

    name = ""


_window_seen = WindowSeen()


def count_in_table(key: str, ends_at: datetime) -> int:
    ends_at = ends_at.replace(microsecond=0)
    counts = apps.get_model("club", "UsageCount")._meta
    field = counts.get_field("ends_at")
    with connection.cursor() as cursor:
        cursor.execute(
            UPSERT.format(table=counts.db_table),
            [key, field.get_db_prep_value(ends_at, connection)],
        )
        used: int = cursor.fetchone()[0]
    return used
