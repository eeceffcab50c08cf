"""Django's Redis cache with one client instead of a new one for each call.

Making a client of redis-py costs more than the call itself (it builds its table of 170
answers anew); a client is safe in threads, since each call takes a connection of the
pool.
"""

from functools import cached_property
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class OneClient(RedisCacheClient):
    @cached_property
    def clients(self) -> dict[int, Any]:
        return {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        index = self._get_connection_pool_index(write)  # type: ignore[attr-defined]
        if index not in self.clients:
            self.clients[index] = super().get_client(key, write=write)
        return self.clients[index]


class OneClientRedisCache(RedisCache):
    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = OneClient
