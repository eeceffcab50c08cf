"""Paying on line: from the button to the provider's page, and back.

A household has at most one payment page open. A second press, a second tab or the back
button find the page that is open; another purchase closes it. The page is asked for
outside any transaction, under a key made from our row, so that asking again after no
answer gives the same page.
"""

import logging
from datetime import datetime, timedelta

from django.core.cache import cache
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from club import gateway
from club.enums import CheckoutStatus
from club.kernel import codes
from club.kernel.purchases import Due, purchase
from club.kernel.recurring import recurring
from club.kernel.refusal import Reason, refuse
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Checkout, Customer, Household, Member, User
from club.queries.paying import pays_online

logger = logging.getLogger(__name__)

LIFE = timedelta(minutes=60)
LEAST_LIFE = timedelta(minutes=31)
"""The provider takes no page that ends sooner than in half an hour."""


def due_of_subject(household: Household, kind: str, subject_id: int, now: datetime) -> Due | None:
    found = purchase(kind).due(household, now)
    return next((due for due in found if due.subject_id == subject_id), None)


def why_not(member: Member, kind: str, subject_id: int, now: datetime) -> Reason | None:
    """Why this cannot be paid on line now, if it cannot."""
    subject = purchase(kind).load(subject_id)
    if not pays_online(getattr(subject, "place", None) or member.place):
        return Reason("desk_only", _("Ici, on paie à l’accueil."))
    renews = recurring(kind)
    reason = renews.refusal(subject, now) if renews else None
    if reason is None and due_of_subject(member.household, kind, subject_id, now) is None:
        return Reason("nothing_due", _("Il n’y a rien à payer pour le moment."))
    return reason


@in_one_transaction
def open_checkout(
    member: Member, kind: str, subject_id: int, *, by: User, now: datetime
) -> Checkout:
    """Our row, before anybody is asked: the open one of the same purchase, or a new one."""
    hold(member.household)
    reason = why_not(member, kind, subject_id, now)
    if reason is not None:
        raise refuse(reason.code, reason.text, reason.field)
    due = due_of_subject(member.household, kind, subject_id, now)
    assert due is not None
    before = Checkout.objects.filter(household=member.household, status=CheckoutStatus.OPEN).first()
    if before is not None:
        same = (before.subject_kind, before.subject_id, before.cents) == (
            kind, subject_id, due.cents,
        )  # fmt: skip
        # Without its page yet, it must still have the time that the provider wants.
        least = now if before.url else now + LEAST_LIFE
        if same and before.expires_at > least:
            return before
        expire(before, by=by, now=now)
    subject = purchase(kind).load(subject_id)
    checkout = Checkout.objects.create(
        household=member.household,
        member=member,
        place=getattr(subject, "place", None) or member.place,
        subject_kind=kind,
        subject_id=subject_id,
        cents=due.cents,
        reference=codes.token(),
        expires_at=now + LIFE,
        created_at=now,
    )
    facts = {"from": None, "to": CheckoutStatus.OPEN, "cents": due.cents}
    log(checkout, "open_checkout", by=by, now=now, facts=facts)
    return checkout


def expire(checkout: Checkout, *, by: User | None, now: datetime) -> None:
    """It is closed here at once and there by the worker; paid meanwhile, it still counts."""
    move(checkout, CheckoutStatus.EXPIRED, by=by, now=now, verb="expire_checkout")
    if checkout.session_id:
        async_task("club.tasks.close_page", checkout.session_id, group="provider")


def begin_checkout(
    member: Member, kind: str, subject_id: int, *, origin: str, by: User, now: datetime
) -> str:
    """The address of the page on which the member pays.

    Raises `Refused`, or `gateway.Unavailable` and `gateway.Declined` where the provider
    gives none. Killed before the page is known, the next press finds it by its key.
    """
    checkout = open_checkout(member, kind, subject_id, by=by, now=now)
    if checkout.url:
        return checkout.url
    try:
        page = ask_page(checkout, origin=origin, now=now)
    except gateway.Unavailable:
        give_up(checkout, now=now)
        raise
    Checkout.objects.filter(pk=checkout.pk).update(session_id=page.id, url=page.url)
    return page.url


def ask_page(checkout: Checkout, *, origin: str, now: datetime) -> gateway.HostedPage:
    """The same page however often it is asked for: it is keyed by the row's reference."""
    kind, subject_id = checkout.subject_kind, checkout.subject_id
    customer = customer_of(checkout, now=now)
    renews = recurring(kind)
    sold = purchase(kind)
    subject = sold.load(subject_id)
    return gateway.open_page(
        reference=checkout.reference,
        customer=customer.provider_id,
        facts=facts_of(checkout),
        renews=renews.price(subject) if renews else None,
        name=str(sold.label(subject)),
        cents=checkout.cents,
        by_debit=not sold.at_once,
        expires_at=checkout.expires_at,
        back=f"{origin}/mon-espace/payer/retour/{checkout.reference}/",
        cancelled=f"{origin}/mon-espace/payer/{kind}/{subject_id}/",
    )


@in_one_transaction
def give_up(checkout: Checkout, *, now: datetime) -> None:
    """The provider may keep a fault under its key for a day: the next press has another.

    What it may have made meanwhile is a page whose address nobody has.
    """
    hold(checkout.household)
    if Checkout.objects.filter(pk=checkout.pk, status=CheckoutStatus.OPEN, url="").exists():
        move(checkout, CheckoutStatus.EXPIRED, by=None, now=now, verb="give_up")


def facts_of(checkout: Checkout) -> dict[str, str]:
    """What the provider keeps beside the payment, so that each payment tells what it is."""
    return {
        "household": str(checkout.household_id),
        "kind": checkout.subject_kind,
        "subject": str(checkout.subject_id),
        "checkout": checkout.reference,
    }


def customer_of(checkout: Checkout, *, now: datetime) -> Customer:
    """The household's customer there, made at its first payment."""
    known = Customer.objects.filter(household=checkout.household_id).first()
    if known is None:
        provider_id = gateway.make_customer(checkout.household_id, checkout.reference)
        known, made = Customer.objects.get_or_create(
            household=checkout.household,
            defaults={"provider_id": provider_id, "payer": checkout.member, "created_at": now},
        )
        if made:
            introduce(known, checkout.member)
    return known


@in_one_transaction
def forget_payer(member: Member) -> None:
    """Whoever is erased here is nameless at the provider too, after this transaction."""
    for pk in Customer.objects.filter(payer=member).values_list("pk", flat=True):
        async_task("club.tasks.forget_customer", pk, group="provider")


def introduce(customer: Customer, member: Member) -> None:
    """Name and address for the payment page: without them it asks, and that is all."""
    try:
        gateway.name_customer(
            customer.provider_id, name=member.user.get_full_name(), email=member.user.email
        )
    except (gateway.Unavailable, gateway.Declined) as error:
        logger.warning("The customer was not named at the provider: %s", error)


# -- Coming back -------------------------------------------------------------------------------


PATIENCE = 20
"""Seconds. A page that is loaded again and again has the provider read no oftener."""


def asked_lately(customer: Customer, what: str) -> bool:
    return not cache.add(f"payments:{what}:{customer.pk}", True, PATIENCE)


@in_one_transaction
def came_back(checkout: Checkout) -> None:
    """A return page proves nothing: it only has the provider read."""
    customer = Customer.objects.filter(household=checkout.household_id).first()
    if customer is None or checkout.status == CheckoutStatus.PAID:
        return
    if not asked_lately(customer, "back"):
        async_task("club.tasks.sync_customer", customer.pk, group="provider")


@in_one_transaction
def means_changed(customer: Customer) -> None:
    """With another card or account, what was refused is debited once more."""
    if not asked_lately(customer, "means"):
        async_task("club.tasks.try_debit_again", customer.pk, group="provider")


def expire_old(now: datetime) -> None:
    """Pages whose hour is over; what was paid on them is read once more."""
    over = Checkout.objects.filter(status=CheckoutStatus.OPEN, expires_at__lte=now)
    for checkout in over.order_by("pk")[:200]:
        expire_one(checkout, now=now)


@in_one_transaction
def expire_one(checkout: Checkout, *, now: datetime) -> None:
    hold(checkout.household)
    checkout.refresh_from_db()
    if checkout.status != CheckoutStatus.OPEN:
        return
    move(checkout, CheckoutStatus.EXPIRED, by=None, now=now, verb="expire_checkout")
    customer = Customer.objects.filter(household=checkout.household_id).first()
    if customer is not None and checkout.session_id:
        async_task("club.tasks.sync_customer", customer.pk, group="provider")
