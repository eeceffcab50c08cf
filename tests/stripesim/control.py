"""What a test does to the server, under /_sim/: JSON in and out, without a key."""

import json
import random
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from . import billing, checkout, payments
from .delivery import Endpoint
from .errors import ApiError
from .idempotency import Answer
from .state import MODE_CHOICES, MODES

if TYPE_CHECKING:
    from .http import App

Thing = dict[str, Any]
Verb = Callable[..., Any]
VERBS: dict[str, Verb] = {}


def control(name: str) -> Callable[[Verb], Verb]:
    def register(verb: Verb) -> Verb:
        VERBS[name] = verb
        return verb

    return register


def answer(app: "App", method: str, name: str, query: str, body: str) -> Answer:
    wanted = json.loads(body) if body else dict(parse_qsl(query))
    try:
        if name not in VERBS:
            raise ApiError(404, f"No control {name}: there are {', '.join(sorted(VERBS))}")
        made, status = VERBS[name](app, **wanted), 200
    except ApiError as error:
        made, status = {"error": error.body}, error.status
    except (TypeError, ValueError, KeyError) as error:
        made, status = {"error": {"message": f"{type(error).__name__}: {error}"}}, 400
    return Answer(status, json.dumps(made if made is not None else {}).encode())


@control("reset")
def reset(app: "App", seed: int | None = None) -> Thing:
    """Empty again; what was wrong with the server itself is not passed over."""
    own = list(app.own_faults)
    app.reset(seed)
    return {"own_faults": own}


@control("webhook")
def webhook(
    app: "App", url: str, secret: str | None = None, enabled_events: list[str] | None = None
) -> None:
    """Register an endpoint; the same address again replaces what it had."""
    if urlsplit(url).scheme != "http":
        raise ValueError("an endpoint is an http address")
    kept = [x for x in app.delivery.endpoints if x.url != url]
    made = Endpoint(url, secret or app.delivery.secret, tuple(enabled_events or ("*",)))
    app.delivery.endpoints = [*kept, made]


@control("clock")
def clock(
    app: "App",
    advance_seconds: float | None = None,
    set: float | None = None,
    freeze: bool = False,
) -> Thing:
    s = app.store
    with s.work():
        ran = 0
        if advance_seconds is not None:
            ran = s.clock.advance(advance_seconds)
        if set is not None:
            ran = s.clock.set(set, freeze)
        return {"now": s.clock.now(), "ran": ran}


@control("renew")
def renew(app: "App", subscription: str) -> Thing:
    """Bring the time to just after the renewal's invoice was collected."""
    s = app.store
    with s.work():
        found = s.need("subscription", subscription)
        due = billing.period_of(found)[1] + s.modes["draft_seconds"] + 1
        s.clock.advance(max(0, due - s.clock.exact()))
        return s.render(found)


@control("mode")
def mode(app: "App", **wanted: Any) -> Thing:
    unknown = set(wanted) - set(MODES)
    if unknown:
        raise ValueError(f"unknown modes {sorted(unknown)}: there are {sorted(MODES)}")
    for name, choices in MODE_CHOICES.items():
        if name in wanted and wanted[name] not in choices:
            raise ValueError(f"{name} is one of {choices}")
    with app.store.work():
        app.store.modes.update(wanted)
        return dict(app.store.modes)


@control("sepa")
def sepa(app: "App", payment_intent: str, outcome: str = "settle", code: str = "") -> Thing:
    """End one debit under way."""
    s = app.store
    if outcome not in ("settle", "fail"):
        raise ValueError("outcome is settle or fail")
    with s.work():
        intent = s.need("payment_intent", payment_intent)
        reason = code or "insufficient_funds"
        payments.settle_debit(s, intent, "ok" if outcome == "settle" else reason)
        return s.render(intent)


@control("sepa_all")
def sepa_all(app: "App", fail_rate: float = 0.0, seed: int = 1) -> Thing:
    """End every debit under way; a seeded part of them fails."""
    s = app.store
    drawn = random.Random(seed)
    ended = {"settled": 0, "failed": 0}
    with s.work():
        for intent in list(s.tables["payment_intent"].values()):
            if intent["status"] == "processing":
                fails = drawn.random() < fail_rate
                payments.settle_debit(s, intent, "insufficient_funds" if fails else "ok")
                ended["failed" if fails else "settled"] += 1
    return ended


@control("dispute")
def dispute(
    app: "App",
    payment_intent: str = "",
    amount: int | None = None,
    reason: str | None = None,
    inquiry: bool = False,
    dispute: str = "",
    outcome: str = "",
) -> Thing:
    """Open one on a payment, or end one with outcome won or lost."""
    s = app.store
    with s.work():
        if dispute:
            if outcome not in ("won", "lost"):
                raise ValueError("outcome is won or lost")
            found = s.need("dispute", dispute)
            payments.close_dispute(s, found, outcome)
            return s.render(found)
        intent = s.need("payment_intent", payment_intent)
        charge = s.need("charge", intent["latest_charge"] or "")
        return s.render(
            payments.open_dispute(s, charge, amount=amount, reason=reason, inquiry=inquiry)
        )


@control("refund")
def refund(app: "App", refund: str, outcome: str = "succeeded") -> Thing:
    """End a refund that is pending; a card's may fail later too."""
    s = app.store
    if outcome not in ("succeeded", "failed"):
        raise ValueError("outcome is succeeded or failed")
    with s.work():
        found = s.need("refund", refund)
        payments.settle_refund(s, found, outcome)
        return s.render(found)


@control("mandate")
def mandate(app: "App", mandate: str, status: str = "inactive") -> Thing:
    s = app.store
    with s.work():
        found = s.need("mandate", mandate)
        s.change(found, "mandate.updated", status=status)
        return s.render(found)


@control("pay_session")
def pay_session(
    app: "App",
    session: str,
    method: str = "card",
    outcome: str | None = None,
    number: str | None = None,
    name: str | None = None,
    email: str | None = None,
) -> Thing:
    """What the hosted page does. `outcome` is how the means behaves: ok, declined, …"""
    s = app.store
    check_behaviour(outcome)
    with s.work():
        found = s.need("checkout.session", session)
        ended = checkout.pay(
            s, found, method, number=number, name=name, email=email, behaviour=outcome
        )
        return {"ended": ended, "session": s.render(found)}


@control("authenticate")
def authenticate(app: "App", session: str, passed: bool = True) -> Thing:
    s = app.store
    with s.work():
        found = s.need("checkout.session", session)
        ended = checkout.authenticate(s, found, passed)
        return {"ended": ended, "session": s.render(found)}


@control("portal")
def portal(
    app: "App",
    customer: str,
    action: str,
    subscription: str = "",
    method: str = "card",
    number: str | None = None,
    outcome: str | None = None,
) -> Thing:
    """What the portal's page does: change, cancel or renew."""
    s = app.store
    check_behaviour(outcome)
    with s.work():
        owner = s.need("customer", customer)
        if action == "change":
            made = checkout.change_method(s, owner, method, number=number, behaviour=outcome)
            return s.render(made)
        if action not in ("cancel", "renew"):
            raise ValueError("action is change, cancel or renew")
        found = s.need("subscription", subscription)
        billing.cancel_at_end(s, found, action == "cancel")
        return s.render(found)


@control("means")
def means(app: "App", payment_method: str, behaviour: str) -> None:
    """From now on this card or account behaves so."""
    check_behaviour(behaviour)
    with app.store.work():
        app.store.need("payment_method", payment_method)
        app.store.hidden[payment_method]["behaviour"] = behaviour


def check_behaviour(name: str | None) -> None:
    if name is not None and name not in payments.BEHAVIOURS:
        raise ValueError(f"a means of payment is one of {sorted(payments.BEHAVIOURS)}")


@control("faults")
def faults(
    app: "App",
    rules: list[Thing] | None = None,
    seed: int = 1,
    rates: dict[str, float] | None = None,
    seconds: float = 0.05,
    clear: bool = False,
) -> None:
    if clear:
        app.faults.clear()
    for rule in rules or []:
        app.faults.add_rule(**rule)
    if rates is not None:
        app.faults.set_rates(seed, rates, seconds)


@control("delivery")
def delivery(app: "App", **wanted: Any) -> None:
    app.delivery.configure(**wanted)


@control("deliver")
def deliver(
    app: "App",
    event: str | None = None,
    type: str | None = None,
    body: Thing | None = None,
    times: int = 1,
    corrupt: str | None = None,
    stale_timestamp: bool = False,
    future_timestamp: bool = False,
    secret: str | None = None,
) -> Thing:
    """Send by hand, at once: one event by id, the newest of a type, a body, or all held."""
    events = chosen_events(app, event, type, body)
    skew = -3_600 if stale_timestamp else 3_600 if future_timestamp else 0
    statuses = []
    for one in events:
        for endpoint in app.delivery.endpoints:
            for _ in range(times):
                status = app.delivery.post(endpoint, one, corrupt=corrupt, skew=skew, secret=secret)
                statuses.append({"event": one["id"], "type": one["type"], "status": status})
    return {"sent": statuses}


def chosen_events(
    app: "App", event: str | None, type: str | None, body: Thing | None
) -> list[Thing]:
    if body:
        return [body]
    with app.store.work():
        if event:
            found = [app.store.need("event", event)]
        elif type:
            found = [x for x in app.store.all("event") if x["type"] == type][:1]
            if not found:
                raise ApiError(404, f"No event of the type {type}")
        else:
            found, app.delivery.held = app.delivery.held, []
            return found
    ids = {x["id"] for x in found}
    app.delivery.held = [x for x in app.delivery.held if x["id"] not in ids]
    return found


@control("wait")
def wait(app: "App", timeout: float = 10) -> Thing:
    return {"idle": app.delivery.wait_idle(timeout)}


@control("held")
def held(app: "App") -> list[Thing]:
    return [{"id": x["id"], "type": x["type"]} for x in app.delivery.held]


@control("deliveries")
def deliveries(app: "App") -> list[Thing]:
    return list(app.delivery.sent)


@control("log")
def log(app: "App") -> list[Thing]:
    return list(app.log)


@control("state")
def state(app: "App") -> Thing:
    """Cents by customer, as the money is, and how many there are of each thing."""
    s = app.store
    with s.work():
        totals: dict[str, dict[str, int]] = defaultdict(
            lambda: {"received": 0, "refunded": 0, "disputed": 0, "pending": 0}
        )
        for charge in s.all("charge"):
            mine = totals[charge["customer"] or ""]
            if charge["status"] == "succeeded":
                mine["received"] += charge["amount"]
                mine["refunded"] += charge["amount_refunded"]
            elif charge["status"] == "pending":
                mine["pending"] += charge["amount"]
        for found in s.all("dispute"):
            if found["balance_transactions"] and found["status"] != "won":
                charge = s.need("charge", found["charge"])
                totals[charge["customer"] or ""]["disputed"] += found["amount"]
        names = ("received", "refunded", "disputed", "pending")
        return {
            "now": s.clock.now(),
            "customers": dict(totals),
            "total": {name: sum(x[name] for x in totals.values()) for name in names},
            "counts": {kind: len(table) for kind, table in s.tables.items() if table},
            "statuses": {
                kind: by_status(s.tables[kind]) for kind in ("subscription", "invoice", "charge")
            },
            "paid_periods": paid_periods(app),
            "queued": len(app.delivery.queue) + app.delivery.busy,
            "held": len(app.delivery.held),
            "lost": list(app.delivery.lost),
            "own_faults": list(app.own_faults),
        }


def paid_periods(app: "App") -> dict[str, list[Thing]]:
    """By customer, in order: what each paid invoice paid for."""
    periods: dict[str, list[Thing]] = defaultdict(list)
    for invoice in app.store.tables["invoice"].values():
        if invoice["status"] == "paid":
            period = invoice["lines"]["data"][0]["period"]
            paid = {"invoice": invoice["id"], "cents": invoice["amount_paid"], **period}
            periods[invoice["customer"]].append(paid)
    return dict(periods)


def by_status(table: dict[str, Thing]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for thing in table.values():
        counts[thing["status"]] += 1
    return dict(counts)
