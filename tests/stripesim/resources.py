"""The API's methods, each under the name that the SDK gives it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from . import billing, checkout, payments, types
from .clock import DAY
from .errors import ApiError, NotModelled, missing
from .state import Store, class_of

Thing = dict[str, Any]
Handler = Callable[..., Any]
SERVED: dict[str, Handler] = {}


class Params:
    """Parameters of a call; one that nobody looks at is told, never passed over."""

    def __init__(self, values: Thing, path: str = "") -> None:
        self.values = values
        self.path = path
        self.seen: set[str] = set()
        self.parts: list[Params] = []

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def take(self, name: str, default: Any = None) -> Any:
        self.seen.add(name)
        return self.values.get(name, default)

    def part(self, name: str) -> "Params":
        value = self.take(name, {})
        if value == "":
            value = {}
        return self.nested(value, name)

    def each(self, name: str) -> "list[Params]":
        values = self.take(name, [])
        return [self.nested(value, f"{name}[{i}]") for i, value in enumerate(values)]

    def nested(self, value: Thing, name: str) -> "Params":
        made = Params(value, f"{self.path}[{name}]" if self.path else name)
        self.parts.append(made)
        return made

    def refuse_unread(self) -> None:
        for name in self.values:
            if name not in self.seen:
                shown = f"{self.path}[{name}]" if self.path else name
                raise NotModelled(f"the parameter {shown}")
        for part in self.parts:
            part.refuse_unread()

    def metadata(self, old: Thing | None = None) -> Thing:
        """Given keys replace the old; an empty value removes one, an empty `metadata` all."""
        given = self.take("metadata")
        if given == "":
            return {}
        merged = {**(old or {}), **(given or {})}
        return {name: value for name, value in merged.items() if value != ""}


def serves(name: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        SERVED[name] = handler
        return handler

    return register


def retrieves(service: str, kind: str) -> None:
    @serves(f"{service}.retrieve")
    def retrieve(s: Store, p: Params, key: str) -> Thing:
        return s.need(kind, key)


def lists(
    service: str,
    kind: str,
    usual: Thing | None = None,
    **special: Callable[[Thing, Any], bool],
) -> None:
    """`usual` are the filters of a call that gives none; `special` those that are no field."""

    @serves(f"{service}.list")
    def listed(s: Store, p: Params) -> list[Thing]:
        return found_by(s, p, kind, usual or {}, special)


def found_by(
    s: Store,
    p: Params,
    kind: str,
    usual: Thing,
    special: dict[str, Callable[[Thing, Any], bool]],
) -> list[Thing]:
    wanted = {**usual, **{name: p.take(name) for name in p.values}}
    for name in wanted:
        if name not in special and name not in types.annotations_of(class_of(kind)):
            raise NotModelled(f"the filter {name} on {kind}")
    tests = [test_for(name, value, special) for name, value in wanted.items()]
    if "customer" in wanted:
        s.need("customer", wanted["customer"], "customer")
    return [
        thing
        for thing in s.all(kind)
        if not thing.get("deleted") and all(test(thing) for test in tests)
    ]


def test_for(
    name: str, value: Any, special: dict[str, Callable[[Thing, Any], bool]]
) -> Callable[[Thing], bool]:
    if name in special:
        return lambda thing: special[name](thing, value)
    if isinstance(value, dict):
        return lambda thing: in_range(thing[name], value)
    return lambda thing: thing.get(name) == value


def in_range(stamp: int, bounds: Thing) -> bool:
    return (
        stamp > bounds.get("gt", stamp - 1)
        and stamp >= bounds.get("gte", stamp)
        and stamp < bounds.get("lt", stamp + 1)
        and stamp <= bounds.get("lte", stamp)
    )


def euros_only(p: Params) -> None:
    currency = p.take("currency")
    if currency is not None and currency != "eur":
        raise NotModelled(f"the currency {currency}")


def check_url(value: str | None, param: str) -> str | None:
    if value is not None and (urlsplit(value).scheme not in ("http", "https") or " " in value):
        raise ApiError(400, "Not a valid URL", code="url_invalid", param=param)
    return value


# Customers.

CUSTOMER_FIELDS = ("description", "email", "name", "phone", "preferred_locales", "address")


def customer_fields(s: Store, p: Params, old: Thing | None = None) -> Thing:
    fields = {name: p.take(name) for name in CUSTOMER_FIELDS if name in p}
    fields = {name: None if value == "" else value for name, value in fields.items()}
    if fields.get("email") and "@" not in fields["email"]:
        raise ApiError(
            400, f"Invalid email address: {fields['email']}", code="email_invalid", param="email"
        )
    if fields.get("address"):
        names = ("city", "country", "line1", "line2", "postal_code", "state")
        fields["address"] = {**dict.fromkeys(names), **fields["address"]}
    if "metadata" in p:
        fields["metadata"] = p.metadata(old["metadata"] if old else None)
    return fields


@serves("customers.create")
def create_customer(s: Store, p: Params) -> Thing:
    made = checkout.new_customer(s, **customer_fields(s, p))
    s.emit("customer.created", made)
    return made


def standing(s: Store, key: str) -> Thing:
    customer = s.need("customer", key)
    if customer.get("deleted"):
        raise missing("customer", key)
    return customer


@serves("customers.update")
def update_customer(s: Store, p: Params, key: str) -> Thing:
    customer = standing(s, key)
    fields = customer_fields(s, p, customer)
    default = p.part("invoice_settings").take("default_payment_method")
    if default:
        method = s.need("payment_method", default, "invoice_settings[default_payment_method]")
        if method["customer"] != key:
            raise ApiError(
                400,
                f"The customer does not have a payment method with the ID {default}. The payment "
                "method must be attached to the customer.",
                code="resource_missing",
                param="invoice_settings[default_payment_method]",
            )
        settings = {**customer["invoice_settings"], "default_payment_method": default}
        fields["invoice_settings"] = settings
    s.change(customer, "customer.updated", **fields)
    return customer


@serves("customers.delete")
def delete_customer(s: Store, p: Params, key: str) -> Thing:
    """What is left is a stub; the payments stay."""
    customer = standing(s, key)
    for subscription in s.all("subscription"):
        if subscription["customer"] == key and subscription["status"] not in billing.ENDED:
            billing.end(s, subscription, "cancellation_requested")
    s.emit("customer.deleted", customer)
    stub = {"id": key, "object": "customer", "deleted": True}
    s.tables["customer"][key] = stub
    return stub


retrieves("customers", "customer")
lists("customers", "customer")


# Products and prices.


def new_product(s: Store, p: Params) -> Thing:
    key = p.take("id")
    made = s.add(
        "product",
        **({"id": key} if key else {}),
        active=p.take("active", True),
        default_price=None,
        description=p.take("description"),
        images=[],
        marketing_features=[],
        metadata=p.metadata(),
        name=p.take("name"),
        package_dimensions=None,
        shippable=None,
        statement_descriptor=p.take("statement_descriptor"),
        tax_code=None,
        type="service",
        unit_label=p.take("unit_label"),
        updated=s.clock.now(),
        url=None,
    )
    s.emit("product.created", made)
    return made


@serves("products.create")
def create_product(s: Store, p: Params) -> Thing:
    return new_product(s, p)


retrieves("products", "product")
lists("products", "product", ids=lambda thing, ids: thing["id"] in ids)


def new_price(s: Store, p: Params, *, active: bool = True) -> Thing:
    euros_only(p)
    amount = p.take("unit_amount")
    if amount is None:
        raise NotModelled("a price without unit_amount")
    if amount < 0:
        raise ApiError(400, "Invalid non-negative integer", param="unit_amount")
    product = p.take("product")
    if (product is None) == ("product_data" not in p):
        raise ApiError(
            400, "You must pass exactly one of `product` or `product_data`.", param="product"
        )
    owner = (
        s.need("product", product, "product") if product else new_product(s, p.part("product_data"))
    )
    recurring = p.part("recurring")
    period = None
    if recurring.values:
        period = {
            "interval": recurring.take("interval"),
            "interval_count": recurring.take("interval_count", 1),
            "meter": None,
            "trial_period_days": None,
            "usage_type": recurring.take("usage_type", "licensed"),
        }
        if period["usage_type"] != "licensed":
            raise NotModelled("metered prices")
    return s.add(
        "price",
        active=p.take("active", active),
        billing_scheme=p.take("billing_scheme", "per_unit"),
        currency="eur",
        custom_unit_amount=None,
        lookup_key=None,
        metadata=p.metadata(),
        nickname=p.take("nickname"),
        product=owner["id"],
        recurring=period,
        tax_behavior=p.take("tax_behavior", "unspecified"),
        tiers_mode=None,
        transform_quantity=None,
        type="recurring" if period else "one_time",
        unit_amount=amount,
        unit_amount_decimal=str(amount),
    )


def give_lookup_key(s: Store, p: Params, price: Thing) -> None:
    key, transfer = p.take("lookup_key"), p.take("transfer_lookup_key", False)
    if key is None or key == price["lookup_key"]:
        return
    for other in s.all("price"):
        if other["lookup_key"] == key:
            if not transfer:
                raise ApiError(
                    400,
                    f"A price (`{other['id']}`) already uses that lookup key.",
                    param="lookup_key",
                )
            s.change(other, "price.updated", lookup_key=None)
    price["lookup_key"] = key or None


@serves("prices.create")
def create_price(s: Store, p: Params) -> Thing:
    taken = p.values.get("lookup_key")
    if taken and not p.values.get("transfer_lookup_key"):
        give_lookup_key(s, p, {"lookup_key": None})  # refused before anything is made
    made = new_price(s, p)
    give_lookup_key(s, p, made)
    s.emit("price.created", made)
    return made


@serves("prices.update")
def update_price(s: Store, p: Params, key: str) -> Thing:
    price = s.need("price", key)
    give_lookup_key(s, p, price)
    fields = {name: p.take(name) for name in ("active", "nickname") if name in p}
    if "metadata" in p:
        fields["metadata"] = p.metadata(price["metadata"])
    s.change(price, "price.updated", **fields)
    return price


retrieves("prices", "price")
lists(
    "prices",
    "price",
    lookup_keys=lambda thing, keys: thing["lookup_key"] in keys,
    recurring=lambda thing, wanted: all(
        thing["recurring"] and thing["recurring"][k] == v for k, v in wanted.items()
    ),
)


# Checkout.

MINIMUM = 50  # cents, for euros
SHOWN_AS_GIVEN = (
    "billing_address_collection",
    "integration_identifier",
    "origin_context",
    "payment_method_collection",
    "submit_type",
)


def session_lines(s: Store, p: Params) -> list[tuple[Thing, int]]:
    lines = []
    for line in p.each("line_items"):
        quantity = line.take("quantity", 1)
        if quantity < 1:
            raise ApiError(400, "Invalid positive integer", param=f"{line.path}[quantity]")
        if ("price" in line) == ("price_data" in line):
            raise ApiError(
                400, "You must pass exactly one of `price` or `price_data`.", param=line.path
            )
        if "price" in line:
            price = s.need("price", line.take("price"), f"{line.path}[price]")
            if not price["active"]:
                raise ApiError(
                    400,
                    "The price specified is inactive. This field only accepts active prices.",
                    param=f"{line.path}[price]",
                )
        else:
            price = new_price(s, line.part("price_data"), active=False)
        lines.append((price, quantity))
    return lines


@serves("checkout.sessions.create")
def create_session(s: Store, p: Params) -> Thing:
    mode = p.take("mode")
    if mode is None:
        raise ApiError(400, "Missing required param: mode.", code="parameter_missing", param="mode")
    if p.take("ui_mode", "hosted_page") != "hosted_page":
        raise NotModelled("pages that are not hosted")
    if "success_url" not in p:
        raise ApiError(
            400,
            "Missing required param: success_url.",
            code="parameter_missing",
            param="success_url",
        )
    success, cancel = p.take("success_url"), p.take("cancel_url")
    check_url(success.replace("{CHECKOUT_SESSION_ID}", "x"), "success_url")
    check_url(cancel, "cancel_url")
    euros_only(p)
    customer = p.take("customer")
    email = p.take("customer_email")
    if customer:
        s.need("customer", customer, "customer")
        if email:
            raise ApiError(
                400, "You may only specify one of these parameters: customer, customer_email."
            )
    misplaced(p, mode)
    lines = session_lines(s, p)
    check_lines(lines, mode)
    total = sum(price["unit_amount"] * quantity for price, quantity in lines)
    if mode == "payment" and total < MINIMUM:
        raise ApiError(
            400,
            "The Checkout Session's total amount due must add up to at least €0.50 eur",
            code="amount_too_small",
        )
    allowed = p.take("allowed_payment_method_types")
    prefix = mandate_prefix(p)
    setup = None
    if mode == "setup":
        data = p.part("setup_intent_data")
        setup = checkout.new_setup_intent(
            s,
            customer,
            checkout.offered_methods(s, allowed),
            data.metadata(),
            data.take("description"),
        )
    p.take("customer_update")  # allows the page to change the customer: it never does here
    session = checkout.new_session(
        s,
        mode,
        allowed=allowed,
        **{name: p.take(name) for name in SHOWN_AS_GIVEN if name in p},
        **({"allowed_payment_method_types": allowed} if allowed else {}),
        amount_subtotal=total if lines else None,
        amount_total=total if lines else None,
        cancel_url=cancel,
        client_reference_id=short(p, "client_reference_id", 200),
        customer=customer,
        customer_email=email,
        customer_details=None,
        expires_at=checkout.expiry(s, p.take("expires_at")),
        locale=p.take("locale"),
        metadata=p.metadata(),
        success_url=success,
        custom_text=page_words(p.part("custom_text")),
        payment_method_options={"sepa_debit": {"mandate_options": {"reference_prefix": prefix}}}
        if prefix
        else {},
    )
    if setup:
        session["setup_intent"] = setup["id"]
    s.hidden[session["id"]].update(
        prefix=prefix,
        lines=[(price["id"], quantity) for price, quantity in lines],
        line_items=[checkout.new_line_item(s, price, quantity) for price, quantity in lines],
        subscription_data=read_data(p.part("subscription_data"), ("description",)),
        payment_intent_data=read_data(
            p.part("payment_intent_data"),
            ("description", "receipt_email", "setup_future_usage"),
        ),
    )
    return session


def short(p: Params, name: str, limit: int) -> str | None:
    value = p.take(name)
    if value and len(value) > limit:
        message = f"Invalid string: {value[:20]}…; must be at most {limit} characters"
        raise ApiError(400, message, param=name)
    return value


def page_words(p: Params) -> Thing:
    places = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    return {place: p.take(place) or None for place in places}


def mandate_prefix(p: Params) -> str:
    """All that is modelled of the options by means: how a mandate's reference begins."""
    options = p.part("payment_method_options").part("sepa_debit").part("mandate_options")
    return options.take("reference_prefix", "")


def misplaced(p: Params, mode: str) -> None:
    homes = {
        "subscription_data": "subscription",
        "payment_intent_data": "payment",
        "setup_intent_data": "setup",
    }
    for name, home in homes.items():
        if name in p and mode != home:
            raise ApiError(400, f"You can not pass `{name}` in `{mode}` mode.", param=name)


def check_lines(lines: list[tuple[Thing, int]], mode: str) -> None:
    if mode == "setup":
        if lines:
            raise ApiError(400, "`line_items` cannot be passed in `setup` mode.")
        return
    if not lines:
        raise ApiError(
            400,
            "Missing required param: line_items.",
            code="parameter_missing",
            param="line_items",
        )
    recurring = [price["recurring"] for price, _ in lines if price["recurring"]]
    if mode == "subscription":
        if not recurring:
            raise ApiError(
                400,
                "You must provide at least one recurring price in `subscription` mode when using "
                "prices.",
            )
        if len(recurring) != len(lines):
            raise NotModelled("one-time prices in a subscription")
        if len({(r["interval"], r["interval_count"]) for r in recurring}) > 1:
            raise NotModelled("several intervals in a subscription")
    elif recurring:
        raise ApiError(
            400,
            "You specified `payment` mode but passed a recurring price. Either switch to "
            "`subscription` mode or use only one-time prices.",
        )


def read_data(p: Params, names: tuple[str, ...]) -> Thing:
    return {"metadata": p.metadata(), **{name: p.take(name) for name in names}}


@serves("checkout.sessions.expire")
def expire_session(s: Store, p: Params, key: str) -> Thing:
    session = s.need("checkout.session", key)
    checkout.expire(s, session)
    return session


retrieves("checkout.sessions", "checkout.session")
lists(
    "checkout.sessions",
    "checkout.session",
    customer_details=lambda thing, wanted: (
        bool(thing["customer_details"]) and thing["customer_details"]["email"] == wanted["email"]
    ),
)


@serves("checkout.sessions.line_items.list")
def list_line_items(s: Store, p: Params, key: str) -> list[Thing]:
    return s.hidden[s.need("checkout.session", key)["id"]]["line_items"]


@serves("billing_portal.sessions.create")
def create_portal(s: Store, p: Params) -> Thing:
    key = p.take("customer")
    if key is None:
        raise ApiError(
            400, "Missing required param: customer.", code="parameter_missing", param="customer"
        )
    customer = s.need("customer", key, "customer")
    flow = read_flow(s, p.part("flow_data")) if "flow_data" in p else None
    return checkout.new_portal(
        s,
        customer,
        check_url(p.take("return_url"), "return_url"),
        flow,
        p.take("locale"),
        p.take("configuration", "bpc_stripesim"),
    )


def read_flow(s: Store, p: Params) -> Thing:
    kind = p.take("type")
    if kind not in ("payment_method_update", "subscription_cancel"):
        raise NotModelled(f"the portal's flow {kind}")
    after = p.part("after_completion")
    redirect = after.part("redirect").take("return_url")
    confirmation = after.part("hosted_confirmation").take("custom_message")
    flow: Thing = {
        "type": kind,
        "after_completion": {
            "hosted_confirmation": {"custom_message": confirmation} if confirmation else None,
            "redirect": {"return_url": redirect} if redirect else None,
            "type": after.take("type", "portal_homepage"),
        },
    }
    if kind == "subscription_cancel":
        wanted = p.part("subscription_cancel").take("subscription")
        s.need("subscription", wanted or "", "flow_data[subscription_cancel][subscription]")
        flow["subscription_cancel"] = {"retention": None, "subscription": wanted}
    return flow


# Subscriptions.

retrieves("subscriptions", "subscription")
lists(
    "subscriptions",
    "subscription",
    {"status": "kept"},
    price=lambda thing, key: any(x["price"]["id"] == key for x in billing.items_of(thing)),
    status=lambda thing, wanted: status_fits(thing["status"], wanted),
)


def status_fits(status: str, wanted: str) -> bool:
    if wanted in ("all", "kept"):
        return wanted == "all" or status != "canceled"
    return status in billing.ENDED if wanted == "ended" else status == wanted


def alive(s: Store, key: str) -> Thing:
    subscription = s.need("subscription", key)
    if subscription["status"] in billing.ENDED:
        raise ApiError(404, f"No such subscription: '{key}'", code="resource_missing", param="id")
    return subscription


@serves("subscriptions.update")
def update_subscription(s: Store, p: Params, key: str) -> Thing:
    subscription = s.need("subscription", key)
    ended = subscription["status"] in billing.ENDED
    if ended and set(p.values) - {"metadata", "cancellation_details", "expand"}:
        raise ApiError(
            400,
            "A canceled subscription can only update its cancellation_details and metadata.",
        )
    if subscription["status"] == "incomplete" and set(p.values) - {
        "metadata",
        "default_payment_method",
        "default_source",
        "expand",
    }:
        raise ApiError(400, "An incomplete subscription can only update its metadata and means.")
    fields: Thing = {}
    if "metadata" in p:
        fields["metadata"] = p.metadata(subscription["metadata"])
    if "description" in p:
        fields["description"] = p.take("description") or None
    if "default_payment_method" in p:
        method = p.take("default_payment_method")
        if (
            s.need("payment_method", method, "default_payment_method")["customer"]
            != (subscription["customer"])
        ):
            raise ApiError(
                400,
                f"The customer does not have a payment method with the ID {method}.",
                code="resource_missing",
                param="default_payment_method",
            )
        fields["default_payment_method"] = method
    if "pause_collection" in p:
        pause = p.part("pause_collection")
        fields["pause_collection"] = (
            {"behavior": pause.take("behavior"), "resumes_at": None} if pause.values else None
        )
    if "items" in p:
        fields["items"] = changed_items(s, p, subscription)
    details = cancellation(p)
    s.change(subscription, "customer.subscription.updated", **fields)
    if "cancel_at_period_end" in p:
        billing.cancel_at_end(s, subscription, p.take("cancel_at_period_end"), details)
    elif details:
        known = {**subscription["cancellation_details"], **details}
        s.change(subscription, "customer.subscription.updated", cancellation_details=known)
    return subscription


def cancellation(p: Params) -> Thing:
    details = p.part("cancellation_details")
    found = {name: details.take(name) for name in ("comment", "feedback") if name in details}
    return {name: value or None for name, value in found.items()}


def changed_items(s: Store, p: Params, subscription: Thing) -> Thing:
    """Another price for an item, from the next period on: somebody moved in, or out."""
    if p.take("proration_behavior", "create_prorations") != "none":
        raise NotModelled("prorations: pass proration_behavior=none")
    items = [dict(item) for item in billing.items_of(subscription)]
    for given in p.each("items"):
        found = [item for item in items if item["id"] == given.take("id")]
        if not found:
            raise NotModelled("items added to a subscription")
        item = found[0]
        price = s.need("price", given.take("price", item["price"]["id"]), f"{given.path}[price]")
        old = item["price"]["recurring"]
        if not price["recurring"] or any(
            price["recurring"][name] != old[name] for name in ("interval", "interval_count")
        ):
            raise NotModelled("a change of interval")
        item.update(
            price=price,
            plan=billing.plan_of(price),
            quantity=given.take("quantity", item["quantity"]),
        )
    return s.list_of(subscription["items"]["url"], items)


@serves("subscriptions.cancel")
def cancel_subscription(s: Store, p: Params, key: str) -> Thing:
    subscription = alive(s, key)
    for name in ("invoice_now", "prorate"):
        if p.take(name):
            raise NotModelled(name)
    details = cancellation(p)
    if details:
        known = {**subscription["cancellation_details"], **details}
        subscription["cancellation_details"] = known
    billing.end(s, subscription, "cancellation_requested")
    return subscription


# Invoices.

retrieves("invoices", "invoice")
lists("invoices", "invoice", subscription=lambda x, key: billing.subscription_id(x) == key)
retrieves("invoice_payments", "invoice_payment")
lists(
    "invoice_payments",
    "invoice_payment",
    payment=lambda x, wanted: x["payment"].get("payment_intent") == wanted.get("payment_intent"),
)


@serves("invoices.pay")
def pay_invoice(s: Store, p: Params, key: str) -> Thing:
    invoice = s.need("invoice", key)
    if invoice["status"] == "draft":
        billing.finalize(s, invoice)
    if invoice["status"] == "paid":
        raise ApiError(400, "Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] not in ("open", "uncollectible"):
        raise ApiError(400, f"This invoice is {invoice['status']} and cannot be paid.")
    if p.take("paid_out_of_band"):
        billing.mark_paid(s, invoice, out_of_band=True)
        return invoice
    method = p.take("payment_method")
    on_session = not p.take("off_session", True)
    if billing.under_way(s, invoice):
        raise ApiError(
            400,
            "This invoice has a payment under way.",
            code="invoice_payment_intent_requires_action",
        )
    means = s.need("payment_method", method, "payment_method") if method else None
    if means is None and billing.method_for(s, invoice) is None:
        raise ApiError(
            400,
            "There is no `default_payment_method` set on this Customer or Invoice.",
            code="invoice_no_payment_method_types",
        )
    billing.collect(s, invoice, means, on_session=on_session)
    intent = billing.intent_of(s, invoice)
    if intent and intent["status"] == "requires_payment_method":
        raise payments.error_of(intent)
    return invoice


@serves("invoices.finalize_invoice")
def finalize_invoice(s: Store, p: Params, key: str) -> Thing:
    invoice = s.need("invoice", key)
    p.take("auto_advance")
    if invoice["status"] != "draft":
        raise ApiError(400, "This invoice is already finalized.", code="invoice_not_editable")
    billing.finalize(s, invoice)
    return invoice


@serves("invoices.void_invoice")
def void_invoice(s: Store, p: Params, key: str) -> Thing:
    invoice = s.need("invoice", key)
    billing.void(s, invoice)
    return invoice


@serves("invoices.mark_uncollectible")
def mark_uncollectible(s: Store, p: Params, key: str) -> Thing:
    invoice = s.need("invoice", key)
    billing.mark_uncollectible(s, invoice)
    return invoice


# Payments.

for service, kind in (
    ("payment_intents", "payment_intent"),
    ("charges", "charge"),
    ("disputes", "dispute"),
    ("setup_intents", "setup_intent"),
    ("balance_transactions", "balance_transaction"),
):
    retrieves(service, kind)
    lists(service, kind)
retrieves("refunds", "refund")
lists("refunds", "refund")
retrieves("mandates", "mandate")
retrieves("payment_methods", "payment_method")


@serves("refunds.create")
def create_refund(s: Store, p: Params) -> Thing:
    intent_key, charge_key = p.take("payment_intent"), p.take("charge")
    if not intent_key and not charge_key:
        raise ApiError(
            400,
            "One of the following params should be provided for this request: payment_intent or "
            "charge.",
        )
    euros_only(p)
    if intent_key:
        intent = s.need("payment_intent", intent_key, "payment_intent")
        charge_key = charge_key or intent["latest_charge"]
    charge = s.find("charge", charge_key)
    if charge is None or charge["status"] != "succeeded":
        raise ApiError(
            400,
            f"This PaymentIntent ({intent_key}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
        )
    return payments.refund(
        s, charge, p.take("amount"), metadata=p.metadata(), reason=p.take("reason")
    )


@serves("Charge.list_refunds")
def list_refunds_of_charge(s: Store, p: Params, key: str) -> list[Thing]:
    s.need("charge", key)
    return [refund for refund in s.all("refund") if refund["charge"] == key]


@serves("refunds.update")
def update_refund(s: Store, p: Params, key: str) -> Thing:
    found = s.need("refund", key)
    s.change(found, "refund.updated", metadata=p.metadata(found["metadata"]))
    return found


lists("payment_methods", "payment_method")


@serves("payment_methods.attach")
def attach_method(s: Store, p: Params, key: str) -> Thing:
    method = s.need("payment_method", key)
    customer = p.take("customer")
    if not customer:
        raise ApiError(
            400, "Missing required param: customer.", code="parameter_missing", param="customer"
        )
    payments.attach(s, method, s.need("customer", customer, "customer"))
    return method


@serves("payment_methods.detach")
def detach_method(s: Store, p: Params, key: str) -> Thing:
    method = s.need("payment_method", key)
    payments.detach(s, method)
    return method


@serves("customers.payment_methods.list")
def list_customer_methods(s: Store, p: Params, key: str) -> list[Thing]:
    s.need("customer", key, "customer")
    kind = p.take("type")
    return [
        x
        for x in s.all("payment_method")
        if x["customer"] == key and (kind is None or x["type"] == kind)
    ]


# Events.


@serves("events.retrieve")
def retrieve_event(s: Store, p: Params, key: str) -> Thing:
    event = s.need("event", key)
    if event["created"] < oldest(s):
        raise missing("event", key)
    return event


def oldest(s: Store) -> int:
    days = s.modes["event_days"]
    return 0 if days is None else s.clock.now() - days * DAY


def kind_fits(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


EVENT_FILTERS: dict[str, Callable[[Thing, Any], bool]] = {
    "type": lambda event, wanted: kind_fits(event["type"], wanted),
    "types": lambda event, wanted: any(kind_fits(event["type"], x) for x in wanted),
    "delivery_success": lambda event, wanted: (event["pending_webhooks"] == 0) == wanted,
}


@serves("events.list")
def list_events(s: Store, p: Params) -> list[Thing]:
    since = oldest(s)
    found = found_by(s, p, "event", {}, EVENT_FILTERS)
    return [event for event in found if event["created"] >= since]


def includables(s: Store) -> None:
    """Fields that the service adds only when asked with `expand`."""
    s.includable.update(
        {
            ("invoice", "payments"): lambda x: billing.payments_of(s, x),
            ("checkout.session", "line_items"): lambda x: checkout.line_items_of(s, x),
            ("customer", "subscriptions"): lambda x: s.list_of(
                f"/v1/customers/{x['id']}/subscriptions",
                [
                    sub
                    for sub in s.all("subscription")
                    if sub["customer"] == x["id"] and sub["status"] not in billing.ENDED
                ],
            ),
            ("charge", "refunds"): lambda x: s.list_of(
                f"/v1/charges/{x['id']}/refunds",
                [refund for refund in s.all("refund") if refund["charge"] == x["id"]],
            ),
        }
    )
