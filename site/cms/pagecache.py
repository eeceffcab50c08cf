"""Whole pages for visitors, kept in the shared cache and thrown away by generation.

An entry carries the generations it was made under: one of all hosts, one of its own
host. A change gives a fresh random value to the one that it concerns, after its commit,
so that each entry made before it is void at once, in every process, without a search.
The generations are read before the page is made: a page that was overtaken by a change
while it was made is void from the start. If the process dies between the commit and the
change of generation, an entry lives `PAGE_CACHE_SECONDS` at most.
"""

import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from redis.exceptions import RedisError

from club.kernel import codes
from club.kernel.spans import end_of, local_day
from club.queries.calendar import calendar_of
from cms.furnishing import frame_of
from concierge.queries.policies import policies_of

logger = logging.getLogger(__name__)

ALL_HOSTS = "page-generation"
CACHE_FAULTS = (RedisError, DatabaseError, OSError)

Generation = tuple[str, str]


@dataclass(frozen=True)
class Entry:
    generation: Generation
    expires_at: float
    body: bytes
    headers: dict[str, str]

    def holds(self, generation: Generation) -> bool:
        return self.generation == generation and time.time() < self.expires_at


def generation_key(host: str) -> str:
    return f"{ALL_HOSTS}:{host}"


def page_key(request: HttpRequest, language: str) -> str:
    parts = "\n".join([request.scheme or "", request.get_host(), language, request.path])
    return "page:" + sha256(parts.encode()).hexdigest()


class NearEntries:
    """The entries that this process answered last: their bytes need not come again.

    Only the generations are asked of the shared cache then, so that a change voids them
    here as everywhere. At most `MOST` of them, the oldest use goes first.
    """

    MOST = 64

    def __init__(self) -> None:
        self.entries: OrderedDict[str, Entry] = OrderedDict()
        self.lock = Lock()

    def get(self, key: str) -> Entry | None:
        with self.lock:
            entry = self.entries.get(key)
            if entry is not None:
                self.entries.move_to_end(key)
            return entry

    def put(self, key: str, entry: Entry) -> None:
        with self.lock:
            self.entries[key] = entry
            self.entries.move_to_end(key)
            while len(self.entries) > self.MOST:
                self.entries.popitem(last=False)


near = NearEntries()


def look_up(request: HttpRequest, key: str) -> tuple[Generation, Entry | None]:
    """The generations of now, and the entry if it was made under them: one round trip."""
    host_key = generation_key(hostname(request))
    entry = near.get(key)
    found = cache.get_many([ALL_HOSTS, host_key] if entry else [ALL_HOSTS, host_key, key])
    generation = (
        found.get(ALL_HOSTS) or begun(ALL_HOSTS),
        found.get(host_key) or begun(host_key),
    )
    if entry is None or not entry.holds(generation):
        stored = found.get(key) if entry is None else cache.get(key)
        entry = Entry(*stored) if stored else None
        if entry is None or not entry.holds(generation):
            return generation, None
        near.put(key, entry)
    return generation, entry


def begun(key: str) -> str:
    """A generation where none is known: the first, or after the cache was emptied."""
    cache.add(key, codes.token(), None)
    held: str = cache.get(key) or codes.token()
    return held


def hostname(request: HttpRequest) -> str:
    return request.get_host().split(":")[0]


def store(key: str, generation: Generation, response: HttpResponse, seconds: int) -> None:
    headers = {name: value for name, value in response.items() if name != "Content-Length"}
    entry = (generation, time.time() + seconds, response.content, headers)
    cache.set(key, entry, seconds)
    near.put(key, Entry(*entry))


def answer(entry: Entry, request: HttpRequest) -> Any:
    response = HttpResponse(entry.body, headers=entry.headers)
    response["Content-Length"] = str(len(entry.body))
    answered = get_conditional_response(request, etag=entry.headers["ETag"], response=response)
    if request.method == "HEAD" and answered is response:
        response.content = b""
        response["Content-Length"] = str(len(entry.body))
    return answered


def seconds_to_keep(request: HttpRequest, now: datetime) -> int:
    """Until the next moment at which the page would say something else by itself.

    That is when the place opens or closes, when it is too late to fetch something
    before it closes, when the day ends, and when a banner comes or goes. A view that
    shows what opens, closes or begins by itself leaves those moments on the request.
    """
    moments = [end_of(local_day(now)), *getattr(request, "_changes_at", [])]
    place = getattr(request, "_place", None)
    if place is not None:
        leads = {timedelta(minutes=policy.lead_minutes) for policy in policies_of(place).values()}
        for span in calendar_of(place).spans(local_day(now)):
            moments += [span.starts_at, span.ends_at, *(span.ends_at - lead for lead in leads)]
    alert = frame_of(request).alert
    if alert is not None:
        moments += [moment for moment in (alert.starts_at, alert.ends_at) if moment]
    nearest = min((moment - now).total_seconds() for moment in moments if moment > now)
    return int(min(settings.PAGE_CACHE_SECONDS, nearest))


@dataclass(frozen=True)
class NewGeneration:
    """Voids the pages of a host (of all hosts where it is empty)."""

    host: str

    def __call__(self) -> None:
        key = generation_key(self.host) if self.host else ALL_HOSTS
        try:
            cache.set(key, codes.token(), None)
        except CACHE_FAULTS:
            logger.exception("Kept pages could not be voided; they go by themselves.")


def void(host: str = "") -> None:
    """Void kept pages once the transaction under way is committed, once a transaction."""
    connection = transaction.get_connection()
    wanted = NewGeneration(host)
    # Only what was asked for outside of a savepoint, or in one of those still open, is
    # sure to run if this transaction commits.
    still_open = set(connection.savepoint_ids)
    for sids, waiting, *_rest in connection.run_on_commit:
        if waiting == wanted and set(sids) <= still_open:
            return
    transaction.on_commit(wanted)
