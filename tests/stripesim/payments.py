"""Payment methods, mandates, intents, charges, refunds, disputes and the balance."""

from collections.abc import Callable
from typing import Any

from .clock import DAY
from .errors import ApiError, declined
from .state import Store, copied

Thing = dict[str, Any]

# Test numbers with the same meaning as at the real service.
CARDS = {
    "4242424242424242": "ok",
    "4000000000000002": "declined",
    "4000000000009995": "insufficient_funds",
    "4000000000000069": "expired",
    "4000000000000341": "declined_later",
    "4000002760003184": "authenticate",
    "4000000000000259": "dispute",
}
IBANS = {
    "FR1420041010050500013M02606": "ok",
    "FR8420041010050500013M02607": "insufficient_funds",
    "FR5720041010050500013M02608": "dispute",
}
DEFAULT_NUMBER = {"card": "4242424242424242", "sepa_debit": "FR1420041010050500013M02606"}
REFUSALS = {
    "declined": ("card_declined", "generic_decline", "Your card was declined."),
    "insufficient_funds": (
        "card_declined",
        "insufficient_funds",
        "Your card has insufficient funds.",
    ),
    "expired": ("expired_card", "expired_card", "Your card has expired."),
    "authenticate": (
        "authentication_required",
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
}
SEPA_REFUSALS = {
    "insufficient_funds": "The customer's account has insufficient funds to cover this payment.",
    "debit_not_authorized": "The customer has notified their bank that this payment was "
    "unauthorized.",
    "account_closed": "The customer's bank account has been closed.",
    "bank_account_restricted": "The customer's account cannot be used with the payment method.",
    "generic_could_not_process": "The payment could not be processed.",
}
ENDS_MANDATE = {"debit_not_authorized", "account_closed", "bank_account_restricted"}
# `…_later`: all goes well while the payer is there, and so at a renewal.
BEHAVIOURS = {
    "ok",
    "dispute",
    *REFUSALS,
    *(f"{name}_later" for name in REFUSALS),
    *SEPA_REFUSALS,
}

# Who hears how a payment ended: billing first, then checkout.
Follower = Callable[[Store, Thing, str], None]
followers: list[Follower] = []


def tell(s: Store, intent: Thing, ended: str) -> None:
    for follower in followers:
        follower(s, intent, ended)


# Payment methods and mandates.


def valid_iban(number: str) -> bool:
    moved = number[4:] + number[:4]
    if not moved.isalnum() or not 15 <= len(number) <= 34:
        return False
    return int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1


def behaviour_of(kind: str, number: str) -> str:
    known = CARDS if kind == "card" else IBANS
    return known.get(number.replace(" ", "").upper(), "ok")


def new_method(
    s: Store,
    kind: str,
    *,
    number: str | None = None,
    name: str | None = None,
    email: str | None = None,
    behaviour: str | None = None,
    prefix: str = "",
) -> Thing:
    number = (number or DEFAULT_NUMBER[kind]).replace(" ", "").upper()
    if kind == "sepa_debit" and not valid_iban(number):
        raise ApiError(400, "The IBAN you provided is invalid.", code="invalid_bank_account_iban")
    if kind == "card" and not number.isdigit():
        raise ApiError(402, "Your card number is incorrect.", code="incorrect_number")
    details = card_details(number) if kind == "card" else sepa_details(number)
    made = s.add(
        "payment_method",
        type=kind,
        billing_details={
            "address": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state")),
            "email": email,
            "name": name,
            "phone": None,
            "tax_id": None,
        },
        customer=None,
        allow_redisplay="limited",
        metadata={},
        **{kind: details},
    )
    s.hidden[made["id"]] = {"behaviour": behaviour or behaviour_of(kind, number)}
    if kind == "sepa_debit":
        s.hidden[made["id"]]["mandate"] = new_mandate(s, made, prefix)["id"]
    return made


def card_details(number: str) -> Thing:
    return {
        "brand": "visa",
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": "FR",
        "display_brand": "visa",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": f"card{number[-4:]}",
        "funding": "credit",
        "generated_from": None,
        "last4": number[-4:],
        "networks": {"available": ["visa"], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def sepa_details(iban: str) -> Thing:
    return {
        "bank_code": iban[4:9],
        "branch_code": iban[9:14],
        "country": iban[:2],
        "fingerprint": f"sepa{iban[-4:]}",
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": iban[-4:],
    }


def new_mandate(s: Store, method: Thing, prefix: str) -> Thing:
    return s.add(
        "mandate",
        customer_acceptance={
            "accepted_at": s.clock.now(),
            "online": {"ip_address": "127.0.0.1", "user_agent": "stripesim"},
            "type": "online",
        },
        multi_use={},
        payment_method=method["id"],
        payment_method_details={
            "sepa_debit": {
                "reference": prefix + s.token(16).upper(),
                "url": f"{s.base}/mandate/{method['id']}",
            },
            "type": "sepa_debit",
        },
        status="active",
        type="multi_use",
    )


def attach(s: Store, method: Thing, customer: Thing) -> None:
    if method["customer"] == customer["id"]:
        return
    if method["customer"]:
        raise ApiError(
            400,
            "The payment method you provided has already been attached to a customer.",
            code="payment_method_unexpected_state",
        )
    method["customer"] = customer["id"]
    s.emit("payment_method.attached", method)


def detach(s: Store, method: Thing) -> None:
    if not method["customer"]:
        raise ApiError(
            400,
            "The payment method you provided is not attached to a customer so detachment "
            "is impossible.",
            param="payment_method",
        )
    owner = s.need("customer", method["customer"])
    if owner["invoice_settings"]["default_payment_method"] == method["id"]:
        settings = {**owner["invoice_settings"], "default_payment_method": None}
        s.change(owner, "customer.updated", invoice_settings=settings)
    for subscription in s.all("subscription"):
        if subscription["default_payment_method"] == method["id"]:
            s.change(subscription, "customer.subscription.updated", default_payment_method=None)
    s.change(method, "payment_method.detached", customer=None)


def end_mandate(s: Store, method: Thing, status: str = "inactive") -> None:
    key = s.hidden[method["id"]].get("mandate")
    mandate = s.find("mandate", key)
    if mandate:
        s.change(mandate, "mandate.updated", status=status)


# Intents and charges.


def new_intent(
    s: Store,
    *,
    amount: int,
    customer: str | None,
    methods: list[str],
    metadata: Thing | None = None,
    description: str | None = None,
    receipt_email: str | None = None,
    setup_future_usage: str | None = None,
) -> Thing:
    key = s.new_id("payment_intent")
    made = s.add(
        "payment_intent",
        id=key,
        amount=amount,
        amount_capturable=0,
        amount_received=0,
        application=None,
        application_fee_amount=None,
        automatic_payment_methods=None,
        canceled_at=None,
        cancellation_reason=None,
        capture_method="automatic",
        client_secret=f"{key}_secret_{s.token(24)}",
        confirmation_method="automatic",
        currency="eur",
        customer=customer,
        description=description,
        last_payment_error=None,
        latest_charge=None,
        metadata=metadata or {},
        next_action=None,
        on_behalf_of=None,
        payment_method=None,
        payment_method_options={},
        payment_method_types=methods,
        processing=None,
        receipt_email=receipt_email,
        review=None,
        setup_future_usage=setup_future_usage,
        shipping=None,
        source=None,
        statement_descriptor=None,
        statement_descriptor_suffix=None,
        status="requires_payment_method",
        transfer_data=None,
        transfer_group=None,
    )
    s.emit("payment_intent.created", made)
    return made


def confirm(
    s: Store, intent: Thing, method: Thing, *, on_session: bool, behaviour: str | None = None
) -> str:
    """Try to take the money; the answer is the intent's new status."""
    if intent["status"] in ("succeeded", "processing", "canceled"):
        raise ApiError(
            400,
            f"This PaymentIntent has a status of {intent['status']} and cannot be confirmed.",
            code="payment_intent_unexpected_state",
        )
    facts = s.hidden[method["id"]]
    behaviour = behaviour or facts["behaviour"]
    if behaviour.endswith("_later"):
        behaviour = "ok" if on_session else behaviour.removesuffix("_later")
    if s.modes["decline_next"] > 0:
        s.modes["decline_next"] -= 1
        behaviour = "insufficient_funds"
    if method["type"] == "sepa_debit":
        begin_debit(s, intent, method, behaviour)
    elif behaviour == "authenticate" and on_session:
        ask_for_authentication(s, intent, method)
    elif behaviour in ("ok", "dispute"):
        succeed(s, intent, new_charge(s, intent, method, "succeeded"), behaviour)
    else:
        code, decline_code, message = REFUSALS.get(behaviour, REFUSALS["declined"])
        charge = new_charge(s, intent, method, "failed")
        s.change(charge, failure_code=code, failure_message=message)
        fail(s, intent, charge, code, message, decline_code)
    return intent["status"]


def ask_for_authentication(s: Store, intent: Thing, method: Thing) -> None:
    s.change(
        intent,
        status="requires_action",
        payment_method=method["id"],
        next_action={
            "redirect_to_url": {"return_url": None, "url": f"{s.base}/3ds/{intent['id']}"},
            "type": "redirect_to_url",
        },
    )
    s.emit("payment_intent.requires_action", intent)
    tell(s, intent, "requires_action")


def begin_debit(s: Store, intent: Thing, method: Thing, behaviour: str) -> None:
    """A SEPA debit is under way for days: charge pending, intent processing."""
    mandate = s.need("mandate", s.hidden[method["id"]]["mandate"])
    if mandate["status"] != "active":
        charge = new_charge(s, intent, method, "failed")
        message = SEPA_REFUSALS["debit_not_authorized"]
        s.change(charge, failure_code="debit_not_authorized", failure_message=message)
        fail(s, intent, charge, "debit_not_authorized", message, None)
        return
    charge = new_charge(s, intent, method, "pending")
    s.change(
        intent,
        status="processing",
        payment_method=method["id"],
        latest_charge=charge["id"],
        last_payment_error=None,
    )
    s.hidden[intent["id"]]["planned"] = behaviour
    s.emit("charge.pending", charge)
    s.emit("payment_intent.processing", intent)
    tell(s, intent, "processing")
    seconds = s.modes["sepa_settle_seconds"]
    if seconds is not None:
        s.clock.after(seconds, lambda: settle_as_planned(s, intent, charge))


def settle_as_planned(s: Store, intent: Thing, charge: Thing) -> None:
    if charge["status"] == "pending":
        planned = s.hidden[intent["id"]]["planned"]
        settle_debit(s, intent, "ok" if planned in ("ok", "dispute") else planned)


def settle_debit(s: Store, intent: Thing, outcome: str) -> None:
    """`ok`, or the code of why the bank returned the debit."""
    charge = s.find("charge", intent["latest_charge"])
    if charge is None or charge["status"] != "pending":
        raise ApiError(400, f"No debit is under way for {intent['id']}.")
    if outcome == "ok":
        s.change(charge, status="succeeded", paid=True)
        succeed(s, intent, charge, s.hidden[intent["id"]]["planned"])
        return
    code = outcome if outcome in SEPA_REFUSALS else "generic_could_not_process"
    message = SEPA_REFUSALS[code]
    s.change(charge, status="failed", failure_code=code, failure_message=message)
    if code in ENDS_MANDATE:
        end_mandate(s, s.need("payment_method", charge["payment_method"]))
    fail(s, intent, charge, code, message, None)


def new_charge(s: Store, intent: Thing, method: Thing, status: str) -> Thing:
    return s.add(
        "charge",
        # Debits are `py_` and their refunds `pyr_` at the real service.
        id=("py" if method["type"] == "sepa_debit" else "ch") + f"_{s.token(24)}",
        amount=intent["amount"],
        amount_captured=intent["amount"] if status != "failed" else 0,
        amount_refunded=0,
        application=None,
        application_fee=None,
        application_fee_amount=None,
        balance_transaction=None,
        billing_details=copied(method["billing_details"]),
        calculated_statement_descriptor="STRIPESIM",
        captured=status != "failed",
        currency="eur",
        customer=intent["customer"],
        description=intent["description"],
        disputed=False,
        failure_balance_transaction=None,
        failure_code=None,
        failure_message=None,
        fraud_details={},
        metadata=dict(intent["metadata"]),
        on_behalf_of=None,
        outcome=None,
        paid=status == "succeeded",
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details=charge_details(s, method),
        receipt_email=intent["receipt_email"],
        receipt_number=None,
        receipt_url=f"{s.base}/receipt/{intent['id']}",
        refunded=False,
        review=None,
        shipping=None,
        source=None,
        source_transfer=None,
        statement_descriptor=None,
        statement_descriptor_suffix=None,
        status=status,
        transfer_data=None,
        transfer_group=None,
    )


def charge_details(s: Store, method: Thing) -> Thing:
    if method["type"] == "sepa_debit":
        known = {k: v for k, v in method["sepa_debit"].items() if k != "generated_from"}
        known["mandate"] = s.hidden[method["id"]]["mandate"]
        return {"sepa_debit": known, "type": "sepa_debit"}
    card = method["card"]
    kept = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding")
    return {
        "card": {
            **{name: copied(card[name]) for name in kept},
            "installments": None,
            "last4": card["last4"],
            "mandate": None,
            "network": "visa",
            "three_d_secure": None,
            "wallet": None,
        },
        "type": "card",
    }


def succeed(s: Store, intent: Thing, charge: Thing, behaviour: str) -> None:
    sepa = charge["payment_method_details"]["type"] == "sepa_debit"
    entry = book(
        s,
        kind="payment" if sepa else "charge",
        category="charge",
        amount=charge["amount"],
        fee=fee_of(s, charge["amount"], sepa),
        source=charge["id"],
    )
    s.change(charge, balance_transaction=entry["id"])
    s.change(
        intent,
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=charge["id"],
        payment_method=charge["payment_method"],
        last_payment_error=None,
        next_action=None,
    )
    s.emit("charge.succeeded", charge)
    s.emit("payment_intent.succeeded", intent)
    tell(s, intent, "succeeded")
    if behaviour == "dispute":
        open_dispute(s, charge)


def fail(
    s: Store, intent: Thing, charge: Thing, code: str, message: str, decline_code: str | None
) -> None:
    method = s.need("payment_method", charge["payment_method"])
    error: Thing = {
        "charge": charge["id"],
        "code": "payment_intent_payment_attempt_failed" if code.startswith("generic") else code,
        "message": message,
        "payment_method": s.render(method),
        "payment_method_type": method["type"],
        "type": "card_error" if method["type"] == "card" else "invalid_request_error",
    }
    if decline_code:
        error["decline_code"] = decline_code
    s.change(
        intent,
        status="requires_payment_method",
        latest_charge=charge["id"],
        last_payment_error=error,
        payment_method=None,
        next_action=None,
    )
    s.emit("charge.failed", charge)
    s.emit("payment_intent.payment_failed", intent)
    tell(s, intent, "failed")


def error_of(intent: Thing) -> ApiError:
    """What a call answers whose payment was refused."""
    error = intent["last_payment_error"]
    return declined(
        error["code"],
        error.get("decline_code"),
        error["message"],
        charge=error["charge"],
        payment_intent=intent,
    )


def cancel_intent(s: Store, intent: Thing, reason: str) -> None:
    if intent["status"] in ("succeeded", "canceled", "processing"):
        return
    s.change(intent, status="canceled", canceled_at=s.clock.now(), cancellation_reason=reason)
    s.emit("payment_intent.canceled", intent)


# The balance.


def fee_of(s: Store, amount: int, sepa: bool) -> int:
    if s.modes["fees"] == "none":
        return 0
    return 35 if sepa else 25 + round(amount * 0.015)


def book(s: Store, *, kind: str, category: str, amount: int, fee: int, source: str) -> Thing:
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": "eur",
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]
    return s.add(
        "balance_transaction",
        amount=amount,
        available_on=s.clock.now() + 2 * DAY,
        balance_type="payments",
        currency="eur",
        description=None,
        exchange_rate=None,
        fee=fee,
        fee_details=details if fee else [],
        net=amount - fee,
        reporting_category=category,
        source=source,
        status="pending",
        type=kind,
    )


# Refunds.


def refund(
    s: Store, charge: Thing, amount: int | None, *, metadata: Thing, reason: str | None
) -> Thing:
    left = charge["amount"] - charge["amount_refunded"]
    if charge["disputed"]:
        raise ApiError(
            400,
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    if left == 0:
        raise ApiError(
            400,
            f"Charge {charge['id']} has already been refunded.",
            code="charge_already_refunded",
        )
    amount = left if amount is None else amount
    if amount < 1:
        raise ApiError(400, "Invalid positive integer", param="amount")
    if amount > left:
        raise ApiError(
            400,
            f"Refund amount ({euros(amount)}) is greater than unrefunded amount on charge "
            f"({euros(left)})",
            param="amount",
        )
    sepa = charge["payment_method_details"]["type"] == "sepa_debit"
    made = s.add(
        "refund",
        id=("pyr" if sepa else "re") + f"_{s.token(24)}",
        amount=amount,
        balance_transaction=None,
        charge=charge["id"],
        currency="eur",
        metadata=metadata,
        payment_intent=charge["payment_intent"],
        reason=reason,
        receipt_number=None,
        source_transfer_reversal=None,
        status="pending" if sepa else "succeeded",
        transfer_reversal=None,
        **({"pending_reason": "processing"} if sepa else {"destination_details": CARD_REFUND}),
    )
    entry = book(
        s,
        kind="payment_refund" if sepa else "refund",
        category="refund",
        amount=-amount,
        fee=0,
        source=made["id"],
    )
    made["balance_transaction"] = entry["id"]
    s.emit("refund.created", made)
    total = charge["amount_refunded"] + amount
    s.change(charge, "charge.refunded", amount_refunded=total, refunded=total == charge["amount"])
    seconds = s.modes["refund_settle_seconds"]
    if sepa and seconds is not None:
        s.clock.after(seconds, lambda: settle_when_due(s, made))
    return made


def settle_when_due(s: Store, refunded: Thing) -> None:
    if refunded["status"] == "pending":
        settle_refund(s, refunded)


CARD_REFUND = {"card": {"reference_status": "pending", "type": "refund"}, "type": "card"}


def euros(cents: int) -> str:
    return f"€{cents / 100:.2f}"


def settle_refund(s: Store, refunded: Thing, outcome: str = "succeeded") -> None:
    if refunded["status"] not in ("pending", "succeeded"):
        raise ApiError(400, f"Refund {refunded['id']} has already ended.")
    refunded.pop("pending_reason", None)
    if outcome == "succeeded":
        s.change(refunded, status="succeeded")
        s.emit("refund.updated", refunded)
        s.emit("charge.refund.updated", refunded)
        return
    entry = book(
        s,
        kind="refund_failure",
        category="refund_failure",
        amount=refunded["amount"],
        fee=0,
        source=refunded["id"],
    )
    s.change(
        refunded,
        status="failed",
        failure_reason="declined",
        failure_balance_transaction=entry["id"],
    )
    charge = s.need("charge", refunded["charge"])
    left = charge["amount_refunded"] - refunded["amount"]
    s.change(charge, "charge.updated", amount_refunded=left, refunded=False)
    s.emit("refund.updated", refunded)
    s.emit("refund.failed", refunded)
    s.emit("charge.refund.updated", refunded)


# Disputes.


def open_dispute(
    s: Store,
    charge: Thing,
    *,
    amount: int | None = None,
    reason: str | None = None,
    inquiry: bool = False,
) -> Thing:
    """An inquiry only asks: it takes no money yet."""
    if charge["status"] != "succeeded":
        raise ApiError(400, f"Charge {charge['id']} took no money, so nobody disputes it.")
    if charge["disputed"]:
        raise ApiError(400, f"Charge {charge['id']} is disputed already.")
    sepa = charge["payment_method_details"]["type"] == "sepa_debit"
    amount = amount or charge["amount"]
    if inquiry and sepa:
        raise ApiError(400, "A bank takes a debit back, it does not inquire.")
    fee = 0 if s.modes["fees"] == "none" else (750 if sepa else 2_000)
    key = s.new_id("dispute")
    taken = (
        []
        if inquiry
        else [book(s, kind="adjustment", category="dispute", amount=-amount, fee=fee, source=key)]
    )
    made = s.add(
        "dispute",
        id=key,
        amount=amount,
        balance_transactions=copied(taken),
        charge=charge["id"],
        currency="eur",
        enhanced_eligibility_types=[],
        evidence={"enhanced_evidence": {}},
        evidence_details={
            "due_by": None if sepa else s.clock.now() + 9 * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        is_charge_refundable=inquiry,
        metadata={},
        payment_intent=charge["payment_intent"],
        reason=reason or ("debit_not_authorized" if sepa else "fraudulent"),
        # A payer's bank takes a SEPA debit back without a hearing.
        status="warning_needs_response" if inquiry else "lost" if sepa else "needs_response",
    )
    s.change(charge, "charge.updated", disputed=not inquiry)
    s.emit("charge.dispute.created", made)
    if not inquiry:
        s.emit("charge.dispute.funds_withdrawn", made)
    if sepa:
        end_mandate(s, s.need("payment_method", charge["payment_method"]))
        s.emit("charge.dispute.closed", made)
    return made


def close_dispute(s: Store, dispute: Thing, outcome: str) -> None:
    if dispute["status"] in ("won", "lost", "warning_closed"):
        raise ApiError(400, f"Dispute {dispute['id']} is closed already.")
    if dispute["status"].startswith("warning"):
        outcome = "warning_closed"
    s.change(dispute, status=outcome)
    if outcome == "won":
        entry = book(
            s,
            kind="adjustment",
            category="dispute_reversal",
            amount=dispute["amount"],
            fee=0,
            source=dispute["id"],
        )
        dispute["balance_transactions"].append(copied(entry))
        s.emit("charge.dispute.funds_reinstated", dispute)
    s.emit("charge.dispute.closed", dispute)
