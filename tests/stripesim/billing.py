"""Subscriptions and their invoices: the first one, renewals, retries, the end."""

from typing import Any

from . import payments
from .clock import DAY, add_interval
from .errors import ApiError
from .state import Store, copied

Thing = dict[str, Any]
ENDED = ("canceled", "incomplete_expired")
NO_TAX = {
    "disabled_reason": None,
    "enabled": False,
    "liability": None,
}


# Subscriptions.


def new_subscription(
    s: Store,
    *,
    customer: Thing,
    items: list[tuple[Thing, int]],
    method: Thing,
    metadata: Thing,
    description: str | None,
) -> Thing:
    """Made incomplete; the first invoice's payment makes it active."""
    now = s.clock.now()
    key = s.new_id("subscription")
    interval = items[0][0]["recurring"]
    end = add_interval(now, interval["interval"], interval["interval_count"])
    made = s.add(
        "subscription",
        id=key,
        application=None,
        application_fee_percent=None,
        automatic_tax=copied(NO_TAX),
        billing_cycle_anchor=now,
        billing_cycle_anchor_config=None,
        billing_mode={"flexible": {"proration_discounts": "included"}, "type": "flexible"},
        billing_schedules=[],
        billing_thresholds=None,
        cancel_at=None,
        cancel_at_period_end=False,
        canceled_at=None,
        cancellation_details={"comment": None, "feedback": None, "reason": None},
        collection_method="charge_automatically",
        currency="eur",
        customer=customer["id"],
        days_until_due=None,
        default_payment_method=method["id"],
        default_source=None,
        default_tax_rates=[],
        description=description,
        discounts=[],
        ended_at=None,
        invoice_settings={"account_tax_ids": None, "issuer": {"type": "self"}},
        items=s.list_of(
            f"/v1/subscription_items?subscription={key}",
            [new_item(s, key, price, quantity, now, end) for price, quantity in items],
        ),
        latest_invoice=None,
        metadata=metadata,
        next_pending_invoice_item_invoice=None,
        on_behalf_of=None,
        pause_collection=None,
        payment_settings={
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        pending_invoice_item_interval=None,
        pending_setup_intent=None,
        pending_update=None,
        schedule=None,
        start_date=now,
        status="incomplete",
        test_clock=None,
        transfer_data=None,
        trial_end=None,
        trial_settings={"end_behavior": {"missing_payment_method": "create_invoice"}},
        trial_start=None,
    )
    s.hidden[key] = {"cycle": 1, "tries": 0}
    customer["currency"] = "eur"
    return made


def new_item(
    s: Store, subscription: str, price: Thing, quantity: int, start: int, end: int
) -> Thing:
    return {
        "id": s.new_id("subscription_item"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": s.clock.now(),
        "current_period_end": end,
        "current_period_start": start,
        "discounts": [],
        "metadata": {},
        "plan": plan_of(price),
        "price": copied(price),
        "quantity": quantity,
        "subscription": subscription,
        "tax_rates": [],
    }


def plan_of(price: Thing) -> Thing:
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": "eur",
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": {},
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def items_of(subscription: Thing) -> list[Thing]:
    return subscription["items"]["data"]


def period_of(subscription: Thing) -> tuple[int, int]:
    item = items_of(subscription)[0]
    return item["current_period_start"], item["current_period_end"]


def begin(s: Store, subscription: Thing, intent: Thing | None) -> Thing:
    """The first invoice, finalized at once and waiting to be paid."""
    s.emit("customer.subscription.created", subscription)
    now = s.clock.now()
    invoice = new_invoice(s, subscription, "subscription_create", (now, now))
    finalize(s, invoice, intent)
    s.clock.after(s.modes["incomplete_seconds"], lambda: expire_incomplete(s, subscription))
    plan_cycle(s, subscription)
    return invoice


def update_status(s: Store, subscription: Thing, status: str, **more: Any) -> None:
    s.change(subscription, "customer.subscription.updated", status=status, **more)


def expire_incomplete(s: Store, subscription: Thing) -> None:
    if subscription["status"] != "incomplete":
        return
    invoice = s.need("invoice", subscription["latest_invoice"])
    intent = intent_of(s, invoice)
    if intent and intent["status"] == "processing":
        return  # a debit under way decides later
    if invoice["status"] == "open":
        void(s, invoice)
    update_status(s, subscription, "incomplete_expired", ended_at=s.clock.now())


def end(s: Store, subscription: Thing, reason: str) -> None:
    now = s.clock.now()
    if subscription["status"] == "incomplete":
        s.change(subscription, status="incomplete_expired", ended_at=now)
        s.emit("customer.subscription.updated", subscription, {"status": "incomplete"})
        invoice = s.need("invoice", subscription["latest_invoice"])
        if invoice["status"] == "open" and not under_way(s, invoice):
            void(s, invoice)
        return
    s.change(
        subscription,
        status="canceled",
        canceled_at=subscription["canceled_at"] or now,
        ended_at=now,
        cancellation_details={
            **subscription["cancellation_details"],
            "reason": subscription["cancellation_details"]["reason"] or reason,
        },
    )
    for invoice in s.all("invoice"):
        if subscription_id(invoice) == subscription["id"] and invoice["status"] in (
            "draft",
            "open",
        ):
            s.change(invoice, "invoice.updated", auto_advance=False, next_payment_attempt=None)
    s.emit("customer.subscription.deleted", subscription)


def cancel_at_end(
    s: Store, subscription: Thing, wanted: bool, details: Thing | None = None
) -> None:
    now = s.clock.now()
    known = {**subscription["cancellation_details"], **(details or {})}
    if wanted:
        known["reason"] = "cancellation_requested"
        stamp: Thing = {"cancel_at": period_of(subscription)[1], "canceled_at": now}
    else:
        known["reason"] = None
        stamp = {"cancel_at": None, "canceled_at": None}
    s.change(
        subscription,
        "customer.subscription.updated",
        cancel_at_period_end=wanted,
        cancellation_details=known,
        **stamp,
    )


def plan_cycle(s: Store, subscription: Thing) -> None:
    due = period_of(subscription)[1]
    s.clock.at(due, lambda: cycle(s, subscription, due))
    early = s.modes["upcoming_days"]
    if early is not None and due - early * DAY > s.clock.now():
        s.clock.at(due - early * DAY, lambda: announce(s, subscription, due))


def renews(subscription: Thing, due: int) -> bool:
    alive = subscription["status"] not in (*ENDED, "incomplete")
    return alive and period_of(subscription)[1] == due


def announce(s: Store, subscription: Thing, due: int) -> None:
    """What will be charged, some days before: an invoice that is not one yet."""
    if not renews(subscription, due) or subscription["cancel_at_period_end"]:
        return
    period = (period_of(subscription)[0], due)
    items = copied(items_of(subscription))
    for item in items:
        move_on(subscription, item, due, s.hidden[subscription["id"]]["cycle"] + 1)
    key = f"upcoming_{s.new_id('invoice')}"
    s.emit("invoice.upcoming", draft(s, subscription, key, "upcoming", period, items))


def move_on(subscription: Thing, item: Thing, due: int, cycle: int) -> None:
    recurring = item["price"]["recurring"]
    item["current_period_start"] = due
    item["current_period_end"] = add_interval(
        subscription["billing_cycle_anchor"],
        recurring["interval"],
        cycle * recurring["interval_count"],
    )


def cycle_late(s: Store, subscription: Thing) -> None:
    """A first debit that took longer than the period: the next one begins now."""
    due = period_of(subscription)[1]
    if due < s.clock.now():
        cycle(s, subscription, due)


def cycle(s: Store, subscription: Thing, due: int) -> None:
    """A period ends: the next begins with a draft invoice, or the subscription ends."""
    if not renews(subscription, due):
        return
    if subscription["cancel_at_period_end"]:
        end(s, subscription, "cancellation_requested")
        return
    before = {"items": copied(subscription["items"])}
    facts = s.hidden[subscription["id"]]
    facts["cycle"] += 1
    facts["tries"] = 0
    for item in items_of(subscription):
        move_on(subscription, item, due, facts["cycle"])
    s.emit("customer.subscription.updated", subscription, before)
    last = s.need("invoice", subscription["latest_invoice"])
    start = last["lines"]["data"][0]["period"]["start"]
    invoice = new_invoice(s, subscription, "subscription_cycle", (start, due))
    s.clock.after(s.modes["draft_seconds"], lambda: finalize_and_collect(s, invoice))
    plan_cycle(s, subscription)


# Invoices.


def new_invoice(s: Store, subscription: Thing, reason: str, period: tuple[int, int]) -> Thing:
    made = draft(s, subscription, s.new_id("invoice"), reason, period, items_of(subscription))
    s.tables["invoice"][made["id"]] = made
    s.hidden[made["id"]] = {"intent": None, "payment": None}
    s.emit("invoice.created", made)
    s.change(subscription, "customer.subscription.updated", latest_invoice=made["id"])
    return made


def draft(
    s: Store,
    subscription: Thing,
    key: str,
    reason: str,
    period: tuple[int, int],
    items: list[Thing],
) -> Thing:
    customer = s.need("customer", subscription["customer"])
    lines = [new_line(s, key, subscription, item) for item in items]
    total = sum(line["amount"] for line in lines)
    return s.make(
        "invoice",
        id=key,
        account_country="FR",
        account_name="stripesim",
        account_tax_ids=None,
        amount_due=total,
        amount_overpaid=0,
        amount_paid=0,
        amount_remaining=total,
        amount_shipping=0,
        application=None,
        attempt_count=0,
        attempted=False,
        auto_advance=True,
        automatic_tax={**NO_TAX, "provider": None, "status": None},
        automatically_finalizes_at=s.clock.now() + s.modes["draft_seconds"],
        billing_reason=reason,
        collection_method="charge_automatically",
        currency="eur",
        custom_fields=None,
        customer=customer["id"],
        customer_address=None,
        customer_email=customer["email"],
        customer_name=customer["name"],
        customer_phone=customer["phone"],
        customer_shipping=None,
        customer_tax_exempt="none",
        customer_tax_ids=[],
        default_payment_method=None,
        default_source=None,
        default_tax_rates=[],
        description=None,
        discounts=[],
        due_date=None,
        effective_at=None,
        ending_balance=None,
        footer=None,
        from_invoice=None,
        hosted_invoice_url=None,
        invoice_pdf=None,
        issuer={"type": "self"},
        last_finalization_error=None,
        latest_revision=None,
        lines=s.list_of(f"/v1/invoices/{key}/lines", lines),
        metadata={},
        next_payment_attempt=s.clock.now() + s.modes["draft_seconds"],
        number=None,
        on_behalf_of=None,
        parent={
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(subscription["metadata"]),
                "subscription": subscription["id"],
            },
            "type": "subscription_details",
        },
        payment_settings={
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        period_end=period[1],
        period_start=period[0],
        post_payment_credit_notes_amount=0,
        pre_payment_credit_notes_amount=0,
        receipt_number=None,
        rendering=None,
        shipping_cost=None,
        shipping_details=None,
        starting_balance=0,
        statement_descriptor=None,
        status="draft",
        status_transitions={
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        subtotal=total,
        subtotal_excluding_tax=total,
        test_clock=None,
        total=total,
        total_discount_amounts=[],
        total_excluding_tax=total,
        total_pretax_credit_amounts=[],
        total_taxes=[],
        webhooks_delivered_at=None,
    )


def new_line(s: Store, invoice: str, subscription: Thing, item: Thing) -> Thing:
    price, quantity = item["price"], item["quantity"]
    product = s.need("product", price["product"])
    amount = price["unit_amount"] * quantity
    return {
        "id": s.new_id("line_item"),
        "object": "line_item",
        "amount": amount,
        "currency": "eur",
        "description": f"{quantity} × {product['name']}",
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": dict(subscription["metadata"]),
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": subscription["id"],
                "subscription_item": item["id"],
            },
            "type": "subscription_item_details",
        },
        "period": {"end": item["current_period_end"], "start": item["current_period_start"]},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": quantity,
        "subtotal": amount,
        "taxes": [],
    }


def subscription_id(invoice: Thing) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details")
    return details["subscription"] if details else None


def subscription_of(s: Store, invoice: Thing) -> Thing:
    return s.need("subscription", subscription_id(invoice) or "")


def intent_of(s: Store, invoice: Thing) -> Thing | None:
    return s.find("payment_intent", s.hidden[invoice["id"]]["intent"])


def under_way(s: Store, invoice: Thing) -> bool:
    intent = intent_of(s, invoice)
    return bool(intent and intent["status"] == "processing")


def finalize(s: Store, invoice: Thing, intent: Thing | None = None) -> None:
    now = s.clock.now()
    customer = s.need("customer", invoice["customer"])
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    customer["next_invoice_sequence"] += 1
    s.change(
        invoice,
        status="open",
        number=number,
        effective_at=now,
        ending_balance=0,
        automatically_finalizes_at=None,
        hosted_invoice_url=f"{s.base}/invoice/{invoice['id']}",
        invoice_pdf=f"{s.base}/invoice/{invoice['id']}/pdf",
        status_transitions={**invoice["status_transitions"], "finalized_at": now},
    )
    s.emit("invoice.finalized", invoice)
    if invoice["amount_due"] == 0:
        mark_paid(s, invoice)
        return
    intent = intent or payments.new_intent(
        s,
        amount=invoice["amount_due"],
        customer=invoice["customer"],
        methods=s.modes["offered_methods"],
        description="Subscription creation"
        if invoice["billing_reason"] == "subscription_create"
        else "Subscription update",
        setup_future_usage="off_session",
    )
    tie(s, invoice, intent)


def tie(s: Store, invoice: Thing, intent: Thing) -> None:
    payment = s.add(
        "invoice_payment",
        amount_paid=None,
        amount_requested=invoice["amount_due"],
        currency="eur",
        invoice=invoice["id"],
        is_default=True,
        payment={"payment_intent": intent["id"], "type": "payment_intent"},
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
    )
    s.hidden[invoice["id"]].update(intent=intent["id"], payment=payment["id"])
    s.hidden[intent["id"]]["invoice"] = invoice["id"]


def finalize_and_collect(s: Store, invoice: Thing) -> None:
    subscription = subscription_of(s, invoice)
    if invoice["status"] != "draft" or not invoice["auto_advance"]:
        return
    if subscription["status"] in (*ENDED, "unpaid"):
        s.change(invoice, "invoice.updated", auto_advance=False, next_payment_attempt=None)
        return
    pause = subscription["pause_collection"]
    if pause and pause["behavior"] == "keep_as_draft":
        s.change(invoice, "invoice.updated", auto_advance=False, next_payment_attempt=None)
        return
    finalize(s, invoice)
    if pause and pause["behavior"] == "void":
        void(s, invoice)
    elif pause:
        mark_uncollectible(s, invoice)
    elif invoice["status"] == "open":
        collect(s, invoice)


def method_for(s: Store, invoice: Thing) -> Thing | None:
    subscription = subscription_of(s, invoice)
    customer = s.need("customer", invoice["customer"])
    settings = customer.get("invoice_settings") or {}
    return s.find("payment_method", subscription["default_payment_method"]) or s.find(
        "payment_method", settings.get("default_payment_method")
    )


def collect(
    s: Store,
    invoice: Thing,
    method: Thing | None = None,
    *,
    on_session: bool = False,
    behaviour: str | None = None,
) -> None:
    """One attempt to be paid; what follows comes from how the intent ends."""
    method = method or method_for(s, invoice)
    s.change(
        invoice,
        attempted=True,
        attempt_count=invoice["attempt_count"] + 1,
        next_payment_attempt=None,
    )
    intent = intent_of(s, invoice)
    if method is None or intent is None:
        payment_failed(s, invoice)
        return
    payments.confirm(s, intent, method, on_session=on_session, behaviour=behaviour)


def retry(s: Store, invoice: Thing, due: int) -> None:
    if invoice["status"] == "open" and invoice["next_payment_attempt"] == due:
        collect(s, invoice)


def heard(s: Store, intent: Thing, ended: str) -> None:
    """How an invoice's payment ended."""
    invoice = s.find("invoice", s.hidden[intent["id"]].get("invoice"))
    if invoice is None:
        return
    if ended == "succeeded":
        mark_paid(s, invoice)
    elif ended == "failed":
        if intent["last_payment_error"]["code"] == "authentication_required":
            s.emit("invoice.payment_action_required", invoice)
        payment_failed(s, invoice)
    elif ended == "requires_action":
        s.emit("invoice.payment_action_required", invoice)
    else:
        subscription = subscription_of(s, invoice)
        s.emit("invoice.updated", invoice)
        if subscription["status"] == "incomplete":
            update_status(s, subscription, s.modes["sepa_pending_status"])


def mark_paid(s: Store, invoice: Thing, *, out_of_band: bool = False) -> None:
    now = s.clock.now()
    s.change(
        invoice,
        status="paid",
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        attempted=True,
        auto_advance=False,
        next_payment_attempt=None,
        status_transitions={**invoice["status_transitions"], "paid_at": now},
    )
    payment = s.find("invoice_payment", s.hidden[invoice["id"]]["payment"])
    if payment and not out_of_band:
        s.change(
            payment,
            status="paid",
            amount_paid=invoice["amount_paid"],
            status_transitions={"canceled_at": None, "paid_at": now},
        )
        s.emit("invoice_payment.paid", payment)
    s.emit("invoice.paid", invoice)
    s.emit("invoice.payment_succeeded", invoice)
    subscription = subscription_of(s, invoice)
    newest = subscription["latest_invoice"] == invoice["id"]
    if subscription["status"] == "incomplete" or (
        newest and subscription["status"] in ("past_due", "unpaid")
    ):
        update_status(s, subscription, "active")
        cycle_late(s, subscription)
    note_debt(s, invoice, subscription["status"] in ("past_due", "unpaid"))


def note_debt(s: Store, invoice: Thing, owing: bool) -> None:
    customer = s.need("customer", invoice["customer"])
    if not customer.get("deleted"):
        s.change(customer, delinquent=owing)


def payment_failed(s: Store, invoice: Thing) -> None:
    subscription = subscription_of(s, invoice)
    if subscription["status"] == "incomplete":
        s.emit("invoice.payment_failed", invoice)
        limit = subscription["created"] + s.modes["incomplete_seconds"]
        if s.clock.now() >= limit:
            expire_incomplete(s, subscription)
        return
    facts = s.hidden[subscription["id"]]
    days = s.modes["retry_days"]
    alive = subscription["status"] not in ENDED
    again = facts["tries"] < len(days) and alive
    if again:
        due = s.clock.now() + days[facts["tries"]] * DAY
        facts["tries"] += 1
        s.change(invoice, next_payment_attempt=due)
        s.clock.at(due, lambda: retry(s, invoice, due))
    s.emit("invoice.updated", invoice)
    s.emit("invoice.payment_failed", invoice)
    note_debt(s, invoice, True)
    if not alive or subscription["latest_invoice"] != invoice["id"]:
        return
    if again or s.modes["after_retries"] == "past_due":
        update_status(s, subscription, "past_due")
    elif s.modes["after_retries"] == "unpaid":
        update_status(s, subscription, "unpaid")
    else:
        end(s, subscription, "payment_failed")


def void(s: Store, invoice: Thing) -> None:
    stamped = {**invoice["status_transitions"], "voided_at": s.clock.now()}
    close(s, invoice, "void", stamped, "invoice.voided")


def mark_uncollectible(s: Store, invoice: Thing) -> None:
    stamped = {**invoice["status_transitions"], "marked_uncollectible_at": s.clock.now()}
    close(s, invoice, "uncollectible", stamped, "invoice.marked_uncollectible")


def close(s: Store, invoice: Thing, status: str, stamped: Thing, event: str) -> None:
    if invoice["status"] not in ("open", "uncollectible"):
        raise ApiError(
            400,
            f"You can only pass in open invoices. This invoice isn't open ({invoice['status']}).",
        )
    if under_way(s, invoice):
        raise ApiError(400, "This invoice has a payment under way.", code="invoice_not_editable")
    s.change(
        invoice,
        status=status,
        auto_advance=False,
        next_payment_attempt=None,
        status_transitions=stamped,
    )
    intent = intent_of(s, invoice)
    if intent and status == "void":
        payments.cancel_intent(s, intent, "void_invoice")
    s.emit(event, invoice)


def payments_of(s: Store, invoice: Thing) -> Thing:
    payment = s.find("invoice_payment", s.hidden[invoice["id"]]["payment"])
    url = f"/v1/invoice_payments?invoice={invoice['id']}"
    return s.list_of(url, [payment] if payment else [])


payments.followers.append(heard)
