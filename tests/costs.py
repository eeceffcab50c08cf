"""What the same page costs elsewhere: literal budgets hold on each database and cache."""

from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from django.db import connection


def session() -> int:
    """Reading the session is a statement where the cache is a table, none with Redis."""
    return 0 if isinstance(caches["default"], RedisCache) else 1


def row_lock() -> int:
    """SQLite locks the whole file as a write begins; elsewhere a row's lock is a statement."""
    return 0 if connection.vendor == "sqlite" else 1
