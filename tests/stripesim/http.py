"""Routing, the key, the version, idempotency, pages of lists: all that surrounds a method."""

import json
import re
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe

from . import control, hosted, resources, types
from .delivery import Delivery
from .errors import ApiError, InvalidParams, NotModelled, missing
from .faults import Fault, Faults
from .idempotency import Answer, Kept, Keys, What
from .state import Store

PAGING = ("limit", "starting_after", "ending_before", "expand")
MAX_BODY = 1_000_000


@dataclass
class Call:
    """One request of the API, as it came."""

    verb: str
    path: str
    pairs: list[tuple[str, str]]
    headers: Any
    id: str
    key: str | None

    @property
    def what(self) -> What:
        return self.verb, self.path, tuple(sorted(self.pairs))


@dataclass(frozen=True)
class Route:
    """A method that is served."""

    operation: types.Operation
    handler: resources.Handler
    pattern: re.Pattern[str]


class ClosedConnection(Exception):
    """The caller hears nothing."""


class App:
    def __init__(self, secret: str = "whsec_stripesim") -> None:
        self.store = Store()
        self.delivery = Delivery(self.store, secret)
        self.store.on_events = self.delivery.offer
        self.faults = Faults()
        routes = [
            Route(operation, handler, operation.pattern)
            for operation, handler in (
                (types.operation(name), handler) for name, handler in resources.SERVED.items()
            )
        ]
        # A path with a fixed last part goes before one with a key there.
        self.routes = sorted(routes, key=lambda route: route.operation.path.count("{"))
        self.reset()

    def reset(self, seed: int | None = None) -> None:
        self.delivery.quiet()  # without the lock: what is under way may ask something
        with self.store.lock:
            self.store.reset(seed)
            resources.includables(self.store)
            self.delivery.reset()
            self.faults.clear()
            self.keys = Keys(self.store.clock.exact)
            self.log: deque[dict[str, Any]] = deque(maxlen=20_000)
            self.own_faults: list[str] = []

    # The API.

    def answer(self, call: Call) -> Answer:
        entry: dict[str, Any] = {
            "id": call.id,
            "method": call.verb,
            "path": call.path,
            "params": dict(call.pairs),
            "idempotency_key": call.key,
            "status": None,
            "fault": None,
            "replayed": False,
        }
        self.log.append(entry)
        try:
            answer = self.answer_or_raise(call, entry)
        except ApiError as error:
            answer = refusal(error)
        entry["status"] = answer.status
        answer.headers.setdefault("Request-Id", call.id)
        answer.headers["Stripe-Version"] = stripe.api_version
        return answer

    def answer_or_raise(self, call: Call, entry: dict[str, Any]) -> Answer:
        check_caller(call)
        route, ids = self.route(call)
        fault = self.faults.next_for(call.verb, call.path)
        if fault:
            entry["fault"] = fault.kind
            before(fault)

        def work() -> Answer:
            if fault and fault.kind == "delay":
                time.sleep(fault.seconds)
            return self.perform(call, route, ids)

        if call.verb != "POST" or not call.key:
            return after(fault, work())
        kept = self.keys.claim(call.key, call.what)
        entry["replayed"] = kept.answer is not None
        answer = kept.answer.again(call.id) if kept.answer else self.first(call, kept, fault, work)
        return after(fault, answer)

    def route(self, call: Call) -> tuple[Route, tuple[str, ...]]:
        for route in self.routes:
            found = route.pattern.fullmatch(call.path)
            if found and route.operation.verb == call.verb:
                return route, found.groups()
        raise NotModelled(f"{call.verb} {call.path}")

    def first(
        self, call: Call, kept: Kept, fault: Fault | None, work: Callable[[], Answer]
    ) -> Answer:
        """Find the answer that the key will have; what never began leaves none."""
        try:
            answer = work()
        except (InvalidParams, NotModelled):
            self.keys.forget(call.key or "")
            raise
        except ApiError as error:
            answer = refusal(error)
        answer.headers.update({"Request-Id": call.id, "Idempotency-Key": call.key or ""})
        if fault and fault.kind == "after_write" and fault.kept:
            answer = server_error(answer.headers)
        kept.keep(answer)
        return answer

    def perform(self, call: Call, route: Route, ids: tuple[str, ...]) -> Answer:
        values = types.read_params(tree_of(call.pairs), route.operation.params)
        paging = {name: values.pop(name) for name in PAGING if name in values}
        params = resources.Params(values)
        cause = {"id": call.id, "idempotency_key": call.key}
        try:
            with self.store.work(cause):
                made = route.handler(self.store, params, *ids)
                params.refuse_unread()
                shown = self.shown(made, route.operation, paging, call)
        except ApiError:
            raise
        except Exception as error:  # a fault of ours: tell it, never hide it
            return self.own_fault(error)
        return Answer(200, json.dumps(shown, indent=2).encode())

    def shown(
        self, made: Any, operation: types.Operation, paging: dict[str, Any], call: Call
    ) -> dict[str, Any]:
        if not operation.is_list:
            return self.store.render(made, paging.get("expand"))
        page, more = cut(made, paging)
        expand = []
        for path in paging.get("expand", []):
            if not path.startswith("data."):
                raise ApiError(400, f"This property cannot be expanded ({path}).", param="expand")
            expand.append(path.removeprefix("data."))
        listed = {
            "object": "list",
            "data": [self.store.render(thing, expand) for thing in page],
            "has_more": more,
            "url": call.path,
        }
        types.check({**listed, "data": []}, operation.returns, operation.name)
        return listed

    def own_fault(self, error: Exception) -> Answer:
        text = "".join(traceback.format_exception(error))
        self.own_faults.append(text)
        sys.stderr.write(text)
        return refusal(
            ApiError(
                500,
                f"stripesim itself is wrong: {text.strip().splitlines()[-1]}",
                kind="api_error",
                code="stripesim_own_fault",
                headers={"Stripe-Should-Retry": "false"},
            )
        )


def check_caller(call: Call) -> None:
    token = call.headers.get("Authorization", "").removeprefix("Bearer ")
    if not token:
        raise ApiError(401, "You did not provide an API key.")
    if not re.fullmatch(r"sk_test_\w+", token):
        hidden = token[:8] + "*" * max(0, len(token) - 8)
        raise ApiError(401, f"Invalid API Key provided: {hidden}")
    version = call.headers.get("Stripe-Version")
    if version != stripe.api_version:
        raise ApiError(400, f"Invalid Stripe API version: {version}, not {stripe.api_version}")
    kind = call.headers.get("Content-Type", "application/x-www-form-urlencoded")
    if call.verb == "POST" and not kind.startswith("application/x-www-form-urlencoded"):
        raise ApiError(400, f"Invalid request: v1 takes forms, not {kind}.")
    if call.key and len(call.key) > 255:
        raise ApiError(400, "Idempotency keys have at most 255 characters.")
    for name in ("Stripe-Account", "Stripe-Context"):
        if call.headers.get(name):
            raise NotModelled(f"the header {name}")


def before(fault: Fault) -> None:
    if fault.kind == "before_write":
        raise ApiError(500, "An unknown error occurred", kind="api_error")
    if fault.kind == "close_before":
        raise ClosedConnection
    if fault.kind == "rate_limit":
        raise ApiError(429, "Request rate limit exceeded.", code="rate_limit")


def after(fault: Fault | None, answer: Answer) -> Answer:
    if fault is None:
        return answer
    if fault.kind == "after_write":
        if fault.close:
            raise ClosedConnection
        return server_error(answer.headers)
    return answer


def server_error(headers: dict[str, str]) -> Answer:
    return refusal(ApiError(500, "An unknown error occurred", kind="api_error", headers=headers))


def refusal(error: ApiError) -> Answer:
    return Answer(
        error.status, json.dumps({"error": error.body}, indent=2).encode(), dict(error.headers)
    )


def cut(things: list[Any], paging: dict[str, Any]) -> tuple[list[Any], bool]:
    limit = paging.get("limit", 10)
    if not 1 <= limit <= 100:
        raise ApiError(
            400,
            "This value must be between 1 and 100 (inclusive).",
            code="parameter_invalid_integer",
            param="limit",
        )
    start, end = paging.get("starting_after"), paging.get("ending_before")
    if start and end:
        raise ApiError(
            400, "You may only specify one of these parameters: ending_before, starting_after."
        )
    if start:
        things = things[place_of(things, start, "starting_after") + 1 :]
    if end:
        things = things[: place_of(things, end, "ending_before")]
        return things[-limit:], len(things) > limit
    return things[:limit], len(things) > limit


def place_of(things: list[Any], key: str, param: str) -> int:
    for i, thing in enumerate(things):
        if thing["id"] == key:
            return i
    raise missing("object", key, param)


def tree_of(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """`a[b][0]=c` as nested dicts of text."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        if not re.fullmatch(r"[^\[\]]+(\[[^\[\]]*\])*", name):
            raise InvalidParams(f"Invalid parameter name: {name}", name)
        parts = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        branch = tree
        for part in parts[:-1]:
            branch = branch.setdefault(part or str(len(branch)), {})
            if not isinstance(branch, dict):
                raise InvalidParams(f"Invalid parameters: {name}", name)
        last = parts[-1] or str(len(branch))
        if last in branch:
            raise InvalidParams(f"Duplicate parameter: {name}", name)
        branch[last] = value
    return tree


# The socket.


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    app: App

    def log_message(self, *args: Any) -> None:
        """The log is kept for /_sim/log."""

    def handle_any(self) -> None:
        where = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self.send(Answer(413, b"{}"))
            return
        body = self.rfile.read(length).decode("utf-8", "replace")
        try:
            made = self.answer(where.path, where.query, body)
        except ClosedConnection:
            self.close_connection = True
            return
        except Exception as error:  # a page or a control of ours is wrong
            made = self.app.own_fault(error)
        self.send(made)

    def answer(self, path: str, query: str, body: str) -> Answer:
        app = self.app
        if path.startswith("/v1/"):
            return app.answer(self.call(path, query, body))
        if path.startswith("/_sim/"):
            return control.answer(app, self.command, path.removeprefix("/_sim/"), query, body)
        fields = dict(parse_qsl(body, keep_blank_values=True))
        return hosted.answer(app, self.command, path, fields)

    def call(self, path: str, query: str, body: str) -> Call:
        text = body if self.command == "POST" else query
        return Call(
            verb=self.command,
            path=path,
            pairs=parse_qsl(text, keep_blank_values=True),
            headers=self.headers,
            id="req_" + self.app.store.token(14),
            key=self.headers.get("Idempotency-Key"),
        )

    def send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    do_GET = do_POST = do_DELETE = do_HEAD = do_PUT = handle_any


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def serve(port: int, secret: str) -> tuple[Server, App]:
    app = App(secret)
    handler = type("BoundHandler", (Handler,), {"app": app})
    server = Server(("127.0.0.1", port), handler)
    app.store.base = f"http://127.0.0.1:{server.server_address[1]}"
    return server, app
