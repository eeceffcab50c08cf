"""The payment provider. This module alone knows that it is Stripe.

It speaks in the house's own words: what is read comes back as the small classes below,
what goes wrong as one of three exceptions. Nothing here touches the database, and
nothing here may be called inside a transaction.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import stripe
from django.conf import settings
from django.db import connection

from club.enums import MandateStatus, Means
from club.kernel.recurring import Price

logger = logging.getLogger(__name__)

SECONDS = (3.05, 12.0)
"""To connect, and to answer: a page waits for it, a task has 60 seconds."""
RETRIES = 2
TOLERANCE = 300
"""Seconds that a message's stamp may lie in the past."""
AHEAD = 60
"""And in the future: clocks differ a little."""
PAGE = 100
OFFERED = ("card", "sepa_debit")
HOSTED = ("https://checkout.stripe.com", "https://billing.stripe.com")
DISPUTE_WITHOUT_MONEY = ("warning_needs_response", "warning_under_review", "warning_closed")
ENDED = ("canceled", "incomplete_expired")


LISTENED = (
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.failed",
    "charge.pending",
    "charge.refunded",
    "charge.succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.updated",
    "invoice.paid",
    "invoice.payment_failed",
    "mandate.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
)
"""The messages that are worth a reading: what the operator chooses on the provider's pages."""


class Unavailable(Exception):
    """No answer, or a fault of the provider's: the same call may be made again."""


class Declined(Exception):
    """The provider understood and said no: the same call will be refused again."""


class NotThere(Declined):
    """What was named does not exist there, or has ended."""


class Unsigned(Exception):
    """A message that the provider did not sign, or signed too long ago or too soon."""


class InsideTransaction(RuntimeError):
    """A call of the network while rows are locked: a fault in the code."""


# -- What is read ------------------------------------------------------------


@dataclass(frozen=True)
class MoneyBack:
    """A refund: `status` is pending, succeeded, failed …; `ours` is the key of our row."""

    id: str
    cents: int
    status: str
    at: datetime
    payment: str = ""
    ours: str = ""

    @property
    def failed(self) -> bool:
        return self.status in ("failed", "canceled")


@dataclass(frozen=True)
class Contest:
    """A payer who asked their bank for the money: it has left, until it is won."""

    id: str
    cents: int
    status: str
    at: datetime
    payment: str = ""

    @property
    def takes_money(self) -> bool:
        return self.status not in DISPUTE_WITHOUT_MONEY

    @property
    def won(self) -> bool:
        return self.status == "won"


@dataclass(frozen=True)
class Payment:
    """One payment, whatever number of tries it took; its `id` names its ledger row."""

    id: str
    cents: int
    means: str
    status: str
    at: datetime
    customer: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    subscription: str = ""
    invoice: str = ""
    mandate: str = ""
    last4: str = ""
    refunds: tuple[MoneyBack, ...] = ()
    contests: tuple[Contest, ...] = ()

    @property
    def succeeded(self) -> bool:
        return self.status == "succeeded"


@dataclass(frozen=True)
class Renewing:
    """A subscription at the provider; `told` is what we last told it of its end."""

    id: str
    status: str
    facts: dict[str, str]
    stops: bool
    told: bool
    item: str
    price: str
    lookup_key: str
    months: int
    period_start: datetime
    period_end: datetime
    created: datetime

    @property
    def lives(self) -> bool:
        return self.status not in ENDED


@dataclass(frozen=True)
class MandateSeen:
    id: str
    reference: str
    status: str
    accepted_on: datetime
    last4: str
    means: str


@dataclass(frozen=True)
class Found:
    """All that the provider knows of a customer's money, read in one go."""

    payments: tuple[Payment, ...]
    subscriptions: tuple[Renewing, ...]
    mandates: tuple[MandateSeen, ...]


@dataclass(frozen=True)
class Told:
    """A message of the provider: whom it is about, and nothing else that is believed."""

    id: str
    kind: str
    customer: str
    at: datetime


@dataclass(frozen=True)
class HostedPage:
    id: str
    url: str


# -- The way there ------------------------------------------------------------


@cache
def client_for(key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses={"api": base} if base else None,
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=SECONDS),
    )


def api() -> Any:
    """Typed loosely: the SDK's parameters are typed dicts that only literals satisfy."""
    # A test's own transaction is none of ours.
    if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise InsideTransaction("The provider is asked inside a transaction.")
    return client_for(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE).v1


@contextmanager
def talking() -> Iterator[None]:
    """The provider's errors in our three words."""
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise Unavailable(type(error).__name__) from error
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing":
            raise NotThere(str(error)) from error
        raise Declined(str(error)) from error
    except (stripe.CardError, stripe.IdempotencyError) as error:
        # A call under way with the same key answers 409: it is worth another try.
        if error.http_status == 409:
            raise Unavailable(type(error).__name__) from error
        raise Declined(str(error)) from error
    except stripe.StripeError as error:
        raise Unavailable(type(error).__name__) from error


def moment(stamp: int) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)


def id_of(thing: Any) -> str:
    """Of what is given as an id, as an object or not at all."""
    if thing is None or isinstance(thing, str):
        return thing or ""
    return str(thing.id)


def words_of(metadata: Any) -> dict[str, str]:
    return metadata.to_dict() if metadata else {}


def hosted_origins() -> list[str]:
    """Where a form of ours may lead: the payment page and the page of the means."""
    if settings.STRIPE_API_BASE:
        parts = urlsplit(settings.STRIPE_API_BASE)
        return [f"{parts.scheme}://{parts.netloc}"]
    return list(HOSTED)


# -- Asking for money ------------------------------------------------------------


def make_customer(household_id: int, reference: str) -> str:
    """The household's identity there: no name, only our number; one for each reference."""
    with talking():
        made = api().customers.create(
            {"metadata": {"household": str(household_id)}, "preferred_locales": ["fr"]},
            {"idempotency_key": key_of("customer", reference)},
        )
    return str(made.id)


def key_of(kind: str, of: object) -> str:
    """A call is keyed by our row, so that whoever makes it again gets the first answer."""
    return f"{urlsplit(settings.BASE_URL).netloc}:{kind}-{of}"


def name_customer(customer: str, *, name: str, email: str) -> None:
    """So that the payment page asks for nothing that we know."""
    with talking():
        api().customers.update(customer, {"name": name, **({"email": email} if email else {})})


def forget_customer(customer: str) -> None:
    """Neither name nor address is left there; the payments stay, as the law wants."""
    with talking(), suppress(NotThere):
        for method in api().customers.payment_methods.list(customer, {"limit": PAGE}).data:
            api().payment_methods.detach(method.id)
        # The provider's address cannot be emptied, so it is nobody's.
        api().customers.update(customer, {"name": "-", "email": "efface@example.invalid"})


def price_id(price: Price) -> str:
    with talking():
        known = api().prices.list({"lookup_keys": [price.key], "active": True, "limit": 1}).data
        if known:
            return str(known[0].id)
        made = api().prices.create(
            {
                "currency": "eur",
                "unit_amount": price.cents,
                "recurring": {"interval": "month", "interval_count": price.months},
                "lookup_key": price.key,
                "product_data": {"name": price.name},
            },
            {"idempotency_key": key_of("price", price.key)},
        )
    return str(made.id)


def open_page(
    *,
    reference: str,
    customer: str,
    facts: dict[str, str],
    renews: Price | None,
    name: str,
    cents: int,
    expires_at: datetime,
    back: str,
    cancelled: str,
    by_debit: bool = True,
) -> HostedPage:
    """The payment page of one of our checkouts: asked for twice, it is the same page."""
    offered = OFFERED if by_debit else OFFERED[:1]
    if renews is not None:
        line: dict[str, Any] = {"price": price_id(renews), "quantity": 1}
        more: dict[str, Any] = {"mode": "subscription", "subscription_data": {"metadata": facts}}
    else:
        line = {
            "price_data": {
                "currency": "eur", "unit_amount": cents, "product_data": {"name": name},
            },
            "quantity": 1,
        }  # fmt: skip
        more = {"mode": "payment", "payment_intent_data": {"metadata": facts}}
    with talking():
        made = api().checkout.sessions.create(
            {
                "customer": customer,
                "client_reference_id": reference,
                "line_items": [line],
                "metadata": facts,
                "allowed_payment_method_types": list(offered),
                "locale": "fr",
                "expires_at": int(expires_at.timestamp()),
                "success_url": back,
                "cancel_url": cancelled,
                **more,
            },
            {"idempotency_key": key_of("checkout", reference)},
        )
    missing = set(offered) - set(made.payment_method_types or ())
    if missing:
        logger.warning("The payment page does not offer %s: is it switched on?", sorted(missing))
    return HostedPage(str(made.id), str(made.url or ""))


def close_page(session: str) -> None:
    """Nobody can pay there any more. Paid or expired before: nothing is left to do."""
    with talking():
        if api().checkout.sessions.retrieve(session).status == "open":
            api().checkout.sessions.expire(session)


def means_page(customer: str, back: str) -> str:
    """The provider's own page to change the card or the account."""
    with talking():
        made = api().billing_portal.sessions.create(
            {
                "customer": customer,
                "locale": "fr",
                "return_url": back,
                "flow_data": {
                    "type": "payment_method_update",
                    "after_completion": {"type": "redirect", "redirect": {"return_url": back}},
                },
            }
        )
    return str(made.url)


# -- Reading ------------------------------------------------------------


def read(customer: str) -> Found:
    """Payments before invoices before subscriptions: what the first name, the next know."""
    with talking():
        charges = list(
            api()
            .charges.list({"customer": customer, "limit": PAGE, "expand": ["data.refunds"]})
            .auto_paging_iter()
        )
        invoices = list(
            api()
            .invoices.list({"customer": customer, "limit": PAGE, "expand": ["data.payments"]})
            .auto_paging_iter()
        )
        subscriptions = [
            renewing(thing)
            for thing in api()
            .subscriptions.list({"customer": customer, "status": "all", "limit": PAGE})
            .auto_paging_iter()
        ]
        contests = {
            charge.id: [contest(x) for x in api().disputes.list({"charge": charge.id}).data]
            for charge in charges
            if charge.disputed
        }
        payments = payments_of(charges, invoices, contests)
        mandates = [mandate(key) for key in dict.fromkeys(x.mandate for x in payments) if key]
    return Found(tuple(payments), tuple(subscriptions), tuple(mandates))


def payments_of(
    charges: Iterable[Any], invoices: Iterable[Any], contests: dict[str, list[Contest]]
) -> list[Payment]:
    """The tries of one payment folded into one, the oldest payment first."""
    of_invoice: dict[str, tuple[str, str]] = {}
    for invoice in invoices:
        details = invoice.parent.subscription_details if invoice.parent else None
        subscription = id_of(details.subscription) if details else ""
        for paid in invoice.payments.data if invoice.payments else []:
            intent = id_of(getattr(paid.payment, "payment_intent", None))
            if intent:
                of_invoice[intent] = (invoice.id, subscription)
    tries: dict[str, list[Any]] = {}
    for charge in charges:
        tries.setdefault(id_of(charge.payment_intent) or charge.id, []).append(charge)
    found = []
    for key, made in tries.items():
        invoice_id, subscription = of_invoice.get(key, ("", ""))
        charge = deciding(made)
        found.append(payment_of(key, charge, invoice_id, subscription, contests.get(charge.id, [])))
    return sorted(found, key=lambda payment: (payment.at, payment.id))


def deciding(tries: list[Any]) -> Any:
    """The try that took the money, else the one under way, else the last."""
    rank = {"succeeded": 0, "pending": 1}
    return min(tries, key=lambda charge: (rank.get(charge.status, 2), -charge.created))


def payment_of(
    key: str, charge: Any, invoice: str, subscription: str, contests: list[Contest]
) -> Payment:
    details = charge.payment_method_details
    debit = getattr(details, "sepa_debit", None) if details else None
    card = getattr(details, "card", None) if details else None
    known = debit or card
    refunds = getattr(charge, "refunds", None)
    return Payment(
        id=key,
        cents=charge.amount,
        means=Means.SEPA if debit else Means.CARD,
        status=charge.status,
        at=moment(charge.created),
        customer=id_of(charge.customer),
        facts=words_of(charge.metadata),
        subscription=subscription,
        invoice=invoice,
        mandate=(getattr(debit, "mandate", "") or "") if debit else "",
        last4=(getattr(known, "last4", "") or "") if known else "",
        refunds=tuple(money_back(x) for x in refunds.auto_paging_iter()) if refunds else (),
        contests=tuple(contests),
    )


def money_back(thing: Any) -> MoneyBack:
    return MoneyBack(
        id=thing.id,
        cents=thing.amount,
        status=thing.status or "succeeded",
        at=moment(thing.created),
        payment=id_of(thing.payment_intent) or id_of(thing.charge),
        ours=words_of(thing.metadata).get("refund", ""),
    )


def contest(thing: Any) -> Contest:
    return Contest(
        id=thing.id,
        cents=thing.amount,
        status=thing.status,
        at=moment(thing.created),
        payment=id_of(thing.payment_intent) or id_of(thing.charge),
    )


def renewing(thing: Any) -> Renewing:
    item = thing["items"].data[0]
    facts = words_of(thing.metadata)
    return Renewing(
        id=thing.id,
        status=thing.status,
        facts=facts,
        stops=bool(thing.cancel_at_period_end),
        told=facts.get("stops") == "yes",
        item=item.id,
        price=item.price.id,
        lookup_key=item.price.lookup_key or "",
        months=months_of(item.price.recurring),
        period_start=moment(item.current_period_start),
        period_end=moment(item.current_period_end),
        created=moment(thing.created),
    )


def months_of(interval: Any) -> int:
    each = {"month": 1, "year": 12}.get(interval.interval, 0)
    return int(each * interval.interval_count)


def mandate(key: str) -> MandateSeen:
    thing = api().mandates.retrieve(key)
    debit = getattr(thing.payment_method_details, "sepa_debit", None)
    statuses = {"active": MandateStatus.ACTIVE, "pending": MandateStatus.PENDING}
    accepted = getattr(thing.customer_acceptance, "accepted_at", None)
    return MandateSeen(
        id=thing.id,
        reference=(getattr(debit, "reference", "") or "") if debit else "",
        status=statuses.get(thing.status, MandateStatus.RESCINDED),
        accepted_on=moment(accepted or 0),
        last4="",
        means=id_of(thing.payment_method),
    )


# -- Telling ------------------------------------------------------------


def subscription(key: str) -> Renewing:
    with talking():
        return renewing(api().subscriptions.retrieve(key))


def stop_renewing(key: str, *, stops: bool) -> None:
    """At the period's end, or not after all; what we said is noted beside it."""
    with talking():
        api().subscriptions.update(
            key,
            {"cancel_at_period_end": stops, "metadata": {"stops": "yes" if stops else "no"}},
        )


def change_price(renews: Renewing, price: Price) -> None:
    """From the next period on."""
    wanted = price_id(price)
    with talking():
        api().subscriptions.update(
            renews.id,
            {
                "items": [{"id": renews.item, "price": wanted}],
                "proration_behavior": "none",
            },
        )


def end_now(key: str) -> None:
    """No further period and no further try; what was debited is another matter."""
    with talking():
        if api().subscriptions.retrieve(key).status not in ENDED:
            api().subscriptions.cancel(key)


def drop_open_invoices(key: str) -> None:
    """What is still asked for was paid another way: nobody is to be debited for it."""
    with talking():
        for invoice in api().invoices.list({"subscription": key, "status": "open"}).data:
            # Not where a debit is under way: if it succeeds, it is refunded.
            with suppress(stripe.InvalidRequestError):
                api().invoices.void_invoice(invoice.id)


def try_again(customer: str) -> int:
    """Debit what is open once more, by the means that the person has just given."""
    with talking():
        default = id_of(api().customers.retrieve(customer).invoice_settings.default_payment_method)
        tried = 0
        for invoice in api().invoices.list({"customer": customer, "status": "open"}).data:
            # Refused or under way: the next reading tells which.
            with suppress(stripe.CardError, stripe.InvalidRequestError):
                api().invoices.pay(
                    invoice.id,
                    {"payment_method": default} if default else {},
                    {"idempotency_key": key_of("pay", f"{invoice.id}-{default}")},
                )
            tried += 1
    return tried


def forget_mandate(key: str) -> None:
    """A void mandate's account may not be debited any more."""
    with talking():
        means = id_of(api().mandates.retrieve(key).payment_method)
        if means and api().payment_methods.retrieve(means).customer:
            api().payment_methods.detach(means)


def give_back(payment: str, cents: int, *, ours: int) -> MoneyBack:
    """Give money back, once for our row: the provider is asked first what it did before.

    Its memory of keys ends after a day; its list of refunds does not.
    """
    with talking():
        made = api().refunds.list({"payment_intent": payment, "limit": PAGE})
        for thing in made.auto_paging_iter():
            if words_of(thing.metadata).get("refund") == str(ours):
                return money_back(thing)
        return money_back(
            api().refunds.create(
                {
                    "payment_intent": payment,
                    "amount": cents,
                    "metadata": {"refund": str(ours)},
                },
                {"idempotency_key": key_of("refund", ours)},
            )
        )


# -- Messages of the provider ------------------------------------------------------------


def open_message(body: bytes, signature: str) -> Told:
    """A webhook's message, once its signature and its stamp were found good."""
    try:
        event = stripe.Webhook.construct_event(
            body, signature, settings.STRIPE_WEBHOOK_SECRET, TOLERANCE
        )
        stamp = int(dict(part.split("=", 1) for part in signature.split(","))["t"])
        message = told(event)
    except (
        ValueError, KeyError, TypeError, AttributeError, stripe.SignatureVerificationError,
    ) as error:  # fmt: skip
        raise Unsigned(type(error).__name__) from error
    if stamp > datetime.now(UTC).timestamp() + AHEAD:
        raise Unsigned("from the future")
    return message


def told(event: Any) -> Told:
    thing = event.data.object
    own = thing.id if getattr(thing, "object", "") == "customer" else None
    customer = id_of(own or getattr(thing, "customer", None))
    return Told(event.id, event.type, customer, moment(event.created))


def customer_of(event_id: str) -> str:
    """Whom a message is about that does not name its customer: a dispute, a mandate …"""
    with talking():
        thing = api().events.retrieve(event_id).data.object
        named = id_of(getattr(thing, "customer", None))
        if named:
            return named
        for name, service in (
            ("charge", "charges"), ("payment_intent", "payment_intents"),
            ("invoice", "invoices"), ("payment_method", "payment_methods"),
        ):  # fmt: skip
            key = id_of(getattr(thing, name, None))
            if key:
                return id_of(getattr(api(), service).retrieve(key).customer)
    return ""


def messages_since(moment_: datetime) -> list[Told]:
    with talking():
        since = {"created": {"gte": int(moment_.timestamp())}, "limit": PAGE}
        events = api().events.list({**since, "types": list(LISTENED)})
        return [told(event) for event in events.auto_paging_iter()]


# -- The report ------------------------------------------------------------


@dataclass(frozen=True)
class Moved:
    """An amount that moved at the provider: what came is positive."""

    id: str
    cents: int
    customer: str = ""
    payment: str = ""


def moved_since(start: datetime) -> list[Moved]:
    """Every payment, refund and dispute that began since then, of all customers."""
    since = {"created": {"gte": int(start.timestamp())}, "limit": PAGE}
    with talking():
        found = [
            Moved(id_of(x.payment_intent) or x.id, x.amount, id_of(x.customer))
            for x in api().charges.list(dict(since)).auto_paging_iter()
            if x.status == "succeeded"
        ]
        found += [
            Moved(x.id, -x.amount, payment=money_back(x).payment)
            for x in api().refunds.list(dict(since)).auto_paging_iter()
            if not money_back(x).failed
        ]
        found += [
            Moved(x.id, -x.amount, payment=contest(x).payment)
            for x in api().disputes.list(dict(since)).auto_paging_iter()
            if contest(x).takes_money and not contest(x).won
        ]
    return found


def moved_one(key: str) -> Moved | None:
    """One amount by its id, however old; None where it did not move or is not there."""
    services = {"pi": "payment_intents", "re": "refunds", "pyr": "refunds", "du": "disputes"}
    service = services.get(key.partition("_")[0])
    if service is None:
        return None
    with talking():
        try:
            thing = getattr(api(), service).retrieve(key)
        except stripe.InvalidRequestError as error:
            if error.code == "resource_missing":
                return None
            raise
        if service == "payment_intents":
            came = thing.amount_received
            return Moved(key, came, id_of(thing.customer)) if came else None
        if service == "refunds":
            return None if money_back(thing).failed else Moved(key, -thing.amount)
        stands = contest(thing).takes_money and not contest(thing).won
        return Moved(key, -thing.amount) if stands else None
