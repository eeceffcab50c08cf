"""Checkout and portal sessions: what the hosted pages do, without the pages."""

from typing import Any

from . import billing, payments
from .clock import DAY, HOUR
from .errors import ApiError
from .state import Store, copied

Thing = dict[str, Any]


# What an answer shows as the parameters gave it, or so.
GIVEN: Thing = {
    "billing_address_collection": None,
    "origin_context": None,
    "payment_method_collection": "if_required",
    "submit_type": None,
}


def new_session(s: Store, mode: str, **fields: Any) -> Thing:
    """An open session; the caller gives what the parameters said."""
    key = s.new_id("checkout.session")
    offered = offered_methods(s, fields.pop("allowed"))
    if mode == "subscription":
        fields.setdefault("payment_method_collection", "always")
    made = s.add(
        "checkout.session",
        id=key,
        **{**GIVEN, **fields},
        adaptive_pricing={"enabled": False},
        after_expiration=None,
        allow_promotion_codes=None,
        automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        client_secret=None,
        collected_information=None,
        consent=None,
        consent_collection=None,
        currency="eur",
        currency_conversion=None,
        custom_fields=[],
        customer_creation=None,
        discounts=[],
        invoice=None,
        invoice_creation=None,
        mode=mode,
        payment_intent=None,
        payment_link=None,
        payment_method_configuration_details=None,
        payment_method_types=offered,
        payment_status="unpaid",
        permissions=None,
        phone_number_collection={"enabled": False},
        recovered_from=None,
        saved_payment_method_options=None,
        setup_intent=None,
        shipping_address_collection=None,
        shipping_cost=None,
        shipping_options=[],
        status="open",
        subscription=None,
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        ui_mode="hosted_page",
        url=f"{s.base}/c/pay/{key}",
        wallet_options=None,
    )
    s.hidden[key] = {"pending": False, "intent": None}
    s.clock.at(made["expires_at"], lambda: expire_when_due(s, made))
    return made


def offered_methods(s: Store, allowed: list[str] | None) -> list[str]:
    """What the account has switched on and the session allows: look at it, do not assume."""
    on = s.modes["offered_methods"]
    offered = [kind for kind in on if allowed is None or kind in allowed]
    if not offered:
        raise ApiError(
            400,
            "No valid payment method types for this Checkout Session. Please ensure that you have "
            "activated payment methods compatible with your chosen currency in your dashboard.",
            param="allowed_payment_method_types",
        )
    return offered


def expiry(s: Store, wanted: int | None) -> int:
    now = s.clock.now()
    if wanted is None:
        return now + DAY
    if not now + HOUR // 2 <= wanted <= now + DAY:
        raise ApiError(
            400,
            "The `expires_at` timestamp must be at least 30 minutes and less than 24 hours from "
            "Checkout Session creation.",
            param="expires_at",
        )
    return wanted


def expire_when_due(s: Store, session: Thing) -> None:
    if session["status"] == "open":
        expire(s, session)


def expire(s: Store, session: Thing) -> None:
    if session["status"] != "open":
        raise ApiError(
            400,
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of {session['status']}.",
        )
    s.change(session, status="expired", url=None)
    intent = s.find("payment_intent", s.hidden[session["id"]]["intent"])
    if intent:
        payments.cancel_intent(s, intent, "expired")
    s.emit("checkout.session.expired", session)


# Paying.


def pay(
    s: Store,
    session: Thing,
    kind: str,
    *,
    number: str | None = None,
    name: str | None = None,
    email: str | None = None,
    behaviour: str | None = None,
) -> str:
    """What « Payer » does. `complete`, or `declined` or `requires_action`: still open."""
    check_payable(s, session, kind)
    customer = customer_of(s, session, name, email)
    method = payments.new_method(
        s,
        kind,
        number=number,
        name=name or customer["name"],
        email=email or customer["email"],
        behaviour=behaviour,
        prefix=s.hidden[session["id"]]["prefix"],
    )
    if session["mode"] == "setup":
        payments.attach(s, method, customer)
        return finish_setup(s, session, method)
    intent = first_intent(s, session, customer)
    if not money_taken(s, session, intent, method):
        return "requires_action" if intent["status"] == "requires_action" else "declined"
    return complete(s, session, customer, intent, method)


def check_payable(s: Store, session: Thing, kind: str) -> None:
    late = session["status"] == "expired" and s.modes["allow_pay_expired"]
    if session["status"] != "open" and not late:
        raise ApiError(400, f"This Checkout Session is {session['status']}.")
    if kind not in session["payment_method_types"]:
        raise ApiError(400, f"This Checkout Session does not offer {kind}.")


def customer_of(s: Store, session: Thing, name: str | None, email: str | None) -> Thing:
    customer = s.find("customer", session["customer"])
    if customer is None:
        customer = new_customer(s, name=name, email=email or session["customer_email"])
        s.emit("customer.created", customer)
        s.change(session, customer=customer["id"])
    return customer


def new_customer(s: Store, **fields: Any) -> Thing:
    return s.add(
        "customer",
        **{
            "address": None,
            "balance": 0,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": None,
            "discount": None,
            "email": None,
            "invoice_prefix": s.token(8).upper(),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "metadata": {},
            "name": None,
            "next_invoice_sequence": 1,
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
            **fields,
        },
    )


def first_intent(s: Store, session: Thing, customer: Thing) -> Thing:
    """One intent for all tries on the page; a subscription's is tied to its invoice after."""
    facts = s.hidden[session["id"]]
    intent = s.find("payment_intent", facts["intent"])
    if intent is None or intent["status"] == "canceled":
        data = facts.get("payment_intent_data") or {}
        subscription = session["mode"] == "subscription"
        intent = payments.new_intent(
            s,
            amount=session["amount_total"],
            customer=customer["id"],
            methods=session["payment_method_types"],
            metadata=data.get("metadata"),
            description="Subscription creation" if subscription else data.get("description"),
            receipt_email=data.get("receipt_email"),
            setup_future_usage="off_session" if subscription else data.get("setup_future_usage"),
        )
        facts["intent"] = intent["id"]
    return intent


def money_taken(s: Store, session: Thing, intent: Thing, method: Thing) -> bool:
    """A card that would refuse refuses before anything else is made."""
    if method["type"] == "sepa_debit":
        return True
    behaviour = s.hidden[method["id"]]["behaviour"]
    refused = s.modes["decline_next"] > 0 or behaviour in (
        "declined",
        "insufficient_funds",
        "expired",
        "authenticate",
    )
    if refused:
        payments.confirm(s, intent, method, on_session=True)
    s.hidden[session["id"]]["method"] = method["id"]
    return not refused


def authenticate(s: Store, session: Thing, passed: bool) -> str:
    """The bank's page came back."""
    facts = s.hidden[session["id"]]
    intent = s.need("payment_intent", facts["intent"])
    method = s.need("payment_method", facts["method"])
    if intent["status"] != "requires_action":
        raise ApiError(400, "No authentication is under way.")
    check_payable(s, session, method["type"])
    if not passed:
        charge = payments.new_charge(s, intent, method, "failed")
        message = "We are unable to authenticate your payment method."
        payments.fail(s, intent, charge, "payment_intent_authentication_failure", message, None)
        return "declined"
    s.change(intent, status="requires_confirmation", next_action=None)
    s.hidden[method["id"]]["behaviour"] = "ok"
    return complete(s, session, customer_of(s, session, None, None), intent, method)


def complete(s: Store, session: Thing, customer: Thing, intent: Thing, method: Thing) -> str:
    """The order of the real service: subscription, invoice, payment, then the session."""
    facts = s.hidden[session["id"]]
    payments.attach(s, method, customer)
    s.hidden[intent["id"]]["session"] = session["id"]
    if session["mode"] == "subscription":
        data = facts.get("subscription_data") or {}
        subscription = billing.new_subscription(
            s,
            customer=customer,
            items=[(s.need("price", p), q) for p, q in facts["lines"]],
            method=method,
            metadata=data.get("metadata") or {},
            description=data.get("description"),
        )
        invoice = billing.begin(s, subscription, intent)
        if invoice["status"] == "open":
            billing.collect(s, invoice, method, on_session=True)
        s.change(session, subscription=subscription["id"], invoice=invoice["id"])
        paid = invoice["status"] == "paid"
    else:
        paid = payments.confirm(s, intent, method, on_session=True) == "succeeded"
        s.change(session, payment_intent=intent["id"])
    facts["pending"] = not paid
    finish(s, session, customer, method, "paid" if paid else "unpaid")
    return "complete"


def finish(s: Store, session: Thing, customer: Thing, method: Thing, payment_status: str) -> None:
    billed = method["billing_details"]
    s.change(
        session,
        status="complete",
        payment_status=payment_status,
        url=None,
        customer_details={
            "address": None,
            "email": customer["email"] or billed["email"],
            "name": billed["name"] or customer["name"],
            "phone": customer["phone"],
            "tax_exempt": "none",
            "tax_ids": [],
        },
    )
    s.emit("checkout.session.completed", session)


def finish_setup(s: Store, session: Thing, method: Thing) -> str:
    """Mode setup keeps a means of payment and takes no money."""
    intent = s.need("setup_intent", session["setup_intent"])
    s.change(
        intent,
        status="succeeded",
        payment_method=method["id"],
        mandate=s.hidden[method["id"]].get("mandate"),
    )
    s.emit("setup_intent.succeeded", intent)
    customer = customer_of(s, session, None, None)
    finish(s, session, customer, method, "no_payment_required")
    return "complete"


def new_setup_intent(
    s: Store, customer: str | None, kinds: list[str], metadata: Thing, description: str | None
) -> Thing:
    key = s.new_id("setup_intent")
    made = s.add(
        "setup_intent",
        id=key,
        application=None,
        automatic_payment_methods=None,
        cancellation_reason=None,
        client_secret=f"{key}_secret_{s.token(24)}",
        customer=customer,
        description=description,
        flow_directions=None,
        last_setup_error=None,
        latest_attempt=None,
        mandate=None,
        metadata=metadata,
        next_action=None,
        on_behalf_of=None,
        payment_method=None,
        payment_method_options={},
        payment_method_types=kinds,
        single_use_mandate=None,
        status="requires_payment_method",
        usage="off_session",
    )
    s.emit("setup_intent.created", made)
    return made


def heard(s: Store, intent: Thing, ended: str) -> None:
    """A debit that a session left under way has ended."""
    session = s.find("checkout.session", s.hidden[intent["id"]].get("session"))
    if session is None or not s.hidden[session["id"]]["pending"]:
        return
    if ended == "succeeded":
        s.hidden[session["id"]]["pending"] = False
        s.change(session, payment_status="paid")
        s.emit("checkout.session.async_payment_succeeded", session)
    elif ended == "failed":
        s.hidden[session["id"]]["pending"] = False
        s.emit("checkout.session.async_payment_failed", session)


def line_items_of(s: Store, session: Thing) -> Thing:
    lines = s.hidden[session["id"]]["line_items"]
    return s.list_of(f"/v1/checkout/sessions/{session['id']}/line_items", lines)


def new_line_item(s: Store, price: Thing, quantity: int) -> Thing:
    amount = price["unit_amount"] * quantity
    return {
        "id": s.new_id("item"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": "eur",
        "description": s.need("product", price["product"])["name"],
        "price": copied(price),
        "quantity": quantity,
    }


# The portal.


def new_portal(
    s: Store,
    customer: Thing,
    return_url: str | None,
    flow: Thing | None,
    locale: str | None,
    configuration: str,
) -> Thing:
    key = s.new_id("billing_portal.session")
    made = s.add(
        "billing_portal.session",
        id=key,
        configuration=configuration,
        customer=customer["id"],
        flow=flow,
        locale=locale,
        on_behalf_of=None,
        return_url=return_url,
        url=f"{s.base}/p/session/{key}",
    )
    s.emit("billing_portal.session.created", made)
    return made


def change_method(
    s: Store,
    customer: Thing,
    kind: str,
    *,
    number: str | None = None,
    name: str | None = None,
    behaviour: str | None = None,
) -> Thing:
    """The portal's « change the means »: new method, the default from now on."""
    method = payments.new_method(
        s, kind, number=number, name=name, email=customer["email"], behaviour=behaviour
    )
    payments.attach(s, method, customer)
    make_default(s, customer, method)
    for subscription in s.all("subscription"):
        mine = subscription["customer"] == customer["id"]
        if mine and subscription["status"] not in billing.ENDED:
            s.change(
                subscription,
                "customer.subscription.updated",
                default_payment_method=method["id"],
            )
    return method


def make_default(s: Store, customer: Thing, method: Thing | None) -> None:
    settings = {
        **customer["invoice_settings"],
        "default_payment_method": method["id"] if method else None,
    }
    s.change(customer, "customer.updated", invoice_settings=settings)


payments.followers.append(heard)
