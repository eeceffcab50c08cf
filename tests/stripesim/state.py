"""All objects in memory under one lock, the events of their changes, and their rendering."""

import json
import random
import string
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import stripe
from stripe._object_classes import get_object_class

from . import types
from .clock import DAY, Clock
from .errors import ApiError, missing

LETTERS = string.ascii_letters + string.digits
PREFIXES = {
    "balance_transaction": "txn",
    "billing_portal.session": "bps",
    "charge": "ch",
    "checkout.session": "cs_test",
    "customer": "cus",
    "dispute": "du",
    "event": "evt",
    "invoice": "in",
    "invoice_payment": "inpay",
    "item": "li",
    "line_item": "il",
    "mandate": "mandate",
    "payment_intent": "pi",
    "payment_method": "pm",
    "price": "price",
    "product": "prod",
    "refund": "re",
    "setup_intent": "seti",
    "subscription": "sub",
    "subscription_item": "si",
}
# What differs between sources, or between accounts, is a switch and not an opinion.
MODES: dict[str, Any] = {
    "sepa_pending_status": "active",  # or "incomplete": the subscription meanwhile
    "sepa_settle_seconds": 5 * DAY,  # by the server's clock; None waits for control
    "refund_settle_seconds": 5 * DAY,  # a SEPA refund is pending until then
    "allow_pay_expired": False,
    "decline_next": 0,
    "offered_methods": ["card", "sepa_debit"],  # what the account has switched on
    "upcoming_days": 7,  # a renewal is announced so long before
    "draft_seconds": 3_600,  # a renewal's invoice is a draft for an hour
    "retry_days": [3, 5, 7],
    "after_retries": "cancel",  # or "unpaid", "past_due"
    "incomplete_seconds": 23 * 3_600,
    "fees": "plausible",  # or "none"
    "event_days": 30,  # older events are gone from the API; None keeps them
    "signature_clock": "real",  # or "sim": the stamp of a webhook
}
MODE_CHOICES = {
    "sepa_pending_status": ("active", "incomplete"),
    "after_retries": ("cancel", "unpaid", "past_due"),
    "fees": ("plausible", "none"),
    "signature_clock": ("real", "sim"),
}


class Store:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.on_events: Callable[[list[dict[str, Any]]], None] = lambda events: None
        self.base = ""
        self.reset()

    def reset(self, seed: int | None = None) -> None:
        """Ids differ from one life to the next, unless the seed is given."""
        self.random = random.Random(seed)
        self.clock = Clock()
        self.modes = json.loads(json.dumps(MODES))
        self.tables: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        self.hidden: dict[str, dict[str, Any]] = defaultdict(dict)
        self.includable: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {}
        self.fresh: list[dict[str, Any]] = []
        self.cause: dict[str, Any] = {"id": None, "idempotency_key": None}

    @contextmanager
    def work(self, cause: dict[str, Any] | None = None) -> Iterator[None]:
        """Hold the lock, run what is due, then hand over the events after letting go."""
        fresh: list[dict[str, Any]] = []
        try:
            with self.lock:
                try:
                    self.clock.run_due()
                    self.cause = cause or {"id": None, "idempotency_key": None}
                    yield
                finally:
                    fresh, self.fresh = self.fresh, []
                    self.cause = {"id": None, "idempotency_key": None}
        finally:
            if fresh:
                self.on_events(fresh)

    # Identities and objects.

    def new_id(self, kind: str) -> str:
        length = 58 if kind == "checkout.session" else 24
        return f"{PREFIXES[kind]}_" + "".join(self.random.choices(LETTERS, k=length))

    def token(self, length: int = 32) -> str:
        return "".join(self.random.choices(LETTERS, k=length))

    def add(self, kind: str, /, **fields: Any) -> dict[str, Any]:
        made = self.make(kind, **fields)
        self.tables[kind][made["id"]] = made
        return made

    def make(self, kind: str, /, **fields: Any) -> dict[str, Any]:
        """An object as the service would show it, kept nowhere."""
        fields.setdefault("id", self.new_id(kind))
        made = {"id": fields["id"], "object": kind, **fields}
        known = types.annotations_of(class_of(kind))
        for name, value in (("livemode", False), ("created", self.clock.now())):
            if name in known:
                made.setdefault(name, value)
        types.check_resource(made, class_of(kind))
        return made

    def find(self, kind: str, key: str | None) -> dict[str, Any] | None:
        return self.tables[kind].get(key) if key else None

    def need(self, kind: str, key: str, param: str = "id") -> dict[str, Any]:
        found = self.tables[kind].get(key)
        if found is None or (found.get("deleted") and param != "id"):
            raise missing(kind, key, param)
        return found

    def all(self, kind: str) -> Iterator[dict[str, Any]]:
        """Newest first, as the service lists."""
        return reversed(list(self.tables[kind].values()))

    # Events.

    def emit(
        self, name: str, thing: dict[str, Any], previous: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        data: dict[str, Any] = {"object": self.render(thing)}
        if previous is not None:
            data["previous_attributes"] = previous
        event = self.add(
            "event",
            type=name,
            api_version=stripe.api_version,
            data=data,
            pending_webhooks=0,
            request=dict(self.cause),
        )
        self.fresh.append(event)
        return event

    def change(
        self, thing: dict[str, Any], event: str | None = None, /, **fields: Any
    ) -> dict[str, Any]:
        """Set fields and tell, if anything changed; the event carries what was there."""
        before = {k: copied(thing.get(k)) for k, v in fields.items() if thing.get(k) != v}
        thing.update(fields)
        if event and before:
            self.emit(event, thing, before)
        return before

    # Rendering.

    def render(self, thing: dict[str, Any], expand: list[str] | None = None) -> dict[str, Any]:
        shown = copied(thing)
        cls = class_of(thing["object"])
        for path in expand or []:
            if path.count(".") > 3:
                raise ApiError(400, f"You cannot expand more than 4 levels: {path}", param="expand")
            self.expand(shown, cls, path.split("."), path)
        types.check_resource(shown, cls)
        return shown

    def expand(self, shown: Any, hint: Any, parts: list[str], path: str) -> Any:
        """Follow one path of `expand` through what the annotations allow."""
        choices = types.choices_of(hint)
        if shown is None:
            return None
        if isinstance(shown, str):
            if not choices.resources:
                raise unexpandable(path)
            return self.expand_id(shown, choices.resources, parts, path)
        if isinstance(shown, list):
            for i, item in enumerate(shown):
                shown[i] = self.expand(item, choices.lists[0], parts, path)
            return shown
        if not parts:
            return shown
        if choices.list_objects:
            if parts[0] != "data":
                raise unexpandable(path)
            item_hint = choices.list_objects[0]
            shown["data"] = [self.expand(x, item_hint, parts[1:], path) for x in shown["data"]]
            return shown
        if not choices.resources:
            raise unexpandable(path)
        cls = types.chosen(shown, choices.resources, path)
        self.expand_field(shown, cls, parts, path)
        return shown

    def expand_field(self, shown: dict[str, Any], cls: type, parts: list[str], path: str) -> None:
        name, *rest = parts
        if name not in types.annotations_of(cls):
            raise unexpandable(path)
        make = self.includable.get((shown.get("object", ""), name))
        if make and name not in shown:
            shown[name] = make(shown)
        hint = types.hint_of(cls, name)
        choices = types.choices_of(hint)
        if not (choices.resources or choices.list_objects or choices.lists):
            raise unexpandable(path)
        if name in shown:
            shown[name] = self.expand(shown[name], hint, rest, path)

    def expand_id(
        self, key: str, classes: tuple[type, ...], parts: list[str], path: str
    ) -> dict[str, Any]:
        for cls in classes:
            kind = getattr(cls, "OBJECT_NAME", "")
            found = self.find(kind, key)
            if found:
                shown = copied(found)
                if parts:
                    self.expand_field(shown, cls, parts, path)
                return shown
        raise RuntimeError(f"{path}: nothing has the id {key}")

    def list_of(self, url: str, things: list[dict[str, Any]]) -> dict[str, Any]:
        """A list inside an object: the first ten, and where the rest is."""
        return {
            "object": "list",
            "data": [copied(thing) for thing in things[:10]],
            "has_more": len(things) > 10,
            "url": url,
        }


def unexpandable(path: str) -> ApiError:
    return ApiError(400, f"This property cannot be expanded ({path}).", param="expand")


def class_of(kind: str) -> type:
    return get_object_class("V1", kind)


def copied(value: Any) -> Any:
    return json.loads(json.dumps(value))
