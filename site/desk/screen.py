"""What the counter shows: a person, a thing, the last result, a list to choose from."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from club.domain.household import adults_of
from club.enums import Activity, TenancyResult
from club.kernel import words
from club.kernel.people import spoken_phone
from club.kernel.purchases import Due, due_of
from club.kernel.spans import local_day
from club.models import Card, Member, Place, TenancyCheck
from club.queries.entitlement import Coverage, coverage
from club.queries.members import with_live_card
from concierge.domain.fees import held_of
from concierge.domain.lending import not_renewable
from concierge.enums import (
    HOLDING,
    ON_HOOK,
    REPAIR_MOVES,
    WATCHED,
    CopyStatus,
    LoanStatus,
    OrderStatus,
    ParcelStatus,
    PlanKind,
    RepairStatus,
    SubscriptionStatus,
)
from concierge.models import (
    Appointment,
    Copy,
    KeySet,
    Loan,
    Order,
    Parcel,
    Proxy,
    Repair,
    Stay,
    Subscription,
)
from concierge.queries.appointments import SHOWN, of_member
from concierge.queries.loans import open_of_copy, open_of_member
from concierge.queries.parcels import live_proxies, waiting_for_household
from concierge.queries.pickups import KEPT_AT_MOST, WAITING, is_here, of_household
from concierge.queries.plans import open_subscription
from events.domain.fees import label_of
from events.domain.fees import to_give_back as places_to_give_back
from events.enums import LIVE
from events.models import Registration

JUST_LENT = timedelta(minutes=30)
"""How long a hand-over stands under "Prêté à l’instant"."""


REPAIR_VERBS = {
    RepairStatus.RESOLVED: gettext_lazy("Remettre en service"),
    RepairStatus.REPAIRING: gettext_lazy("Réparer"),
    RepairStatus.PARTS: gettext_lazy("Commander une pièce"),
    RepairStatus.RETIRED: gettext_lazy("Retirer, irréparable"),
}


@dataclass(frozen=True)
class Result:
    """The last answer, one line: `kind` gives its colour, its mark and its sound."""

    kind: str
    word: str
    text: str = ""
    undo: str = ""
    receipt: int | None = None
    """The receipt that it made, to print."""
    door: str = ""
    """The address of the door where the places that were read are used today."""
    way: str = ""
    """The address of the page that goes on from here, with the verb of its key."""
    way_label: str = ""

    @property
    def undo_url(self) -> str | None:
        return f"{reverse('desk:undo')}?{urlencode({'acte': self.undo})}" if self.undo else None


@dataclass(frozen=True)
class Choice:
    """One line of a list numbered for the keys 1 to 8."""

    token: str
    name: str
    detail: str = ""
    picture: str = ""
    photo: object = None
    wall: str = ""

    @property
    def is_person(self) -> bool:
        return self.token.startswith("m")

    @property
    def reference(self) -> str:
        """The loan to renew, where the list asks which."""
        return self.token[1:] if self.token.startswith("p") else ""


@dataclass(frozen=True)
class Line:
    """A loan as a line of the counter."""

    loan: Loan
    days_late: int
    is_new: bool = False

    @property
    def late_text(self) -> str:
        return ngettext("En retard d’un jour", "En retard de %(days)d jours", self.days_late) % {
            "days": self.days_late
        }

    @property
    def can_be_renewed(self) -> bool:
        return not_renewable(self.loan, timezone.now()) is None

    @property
    def reach(self) -> str:
        """How to reach the borrower: the phone first, because the desk calls."""
        user = self.loan.member.user
        return spoken_phone(user.phone) if user.phone else user.email


@dataclass(frozen=True)
class UnpaidLine:
    """A subscription whose household is called: who, how, why."""

    subscription: Subscription

    @property
    def who(self) -> str:
        if self.subscription.member is not None:
            return str(self.subscription.member)
        return ", ".join(str(member) for member in self.subscription.household.members.all())

    @property
    def reach(self) -> str:
        users = [member.user for member in self.subscription.household.members.all()]
        phones = [spoken_phone(user.phone) for user in users if user.phone]
        return ", ".join(phones or [user.email for user in users if user.email])

    @property
    def why(self) -> str:
        one = self.subscription
        if one.payment_failed_at is not None:
            return _("Prélèvement refusé le %(day)s") % {"day": words.day(one.payment_failed_at)}
        if one.paid_until is None:
            return ""
        until = {"day": words.day(one.paid_until)}
        if one.status == SubscriptionStatus.LATE:
            return _("Fini le %(day)s, pas renouvelé") % until
        return _("Finit le %(day)s") % until


@dataclass(frozen=True)
class Deposit:
    """Money that is held for a loan, and whether its time to go back has come."""

    loan: Loan
    cents: int

    @property
    def can_go_back(self) -> bool:
        return self.loan.status != LoanStatus.OUT


@dataclass(frozen=True)
class MoneyBack:
    """What the house owes for places that were given back."""

    registration: Registration
    cents: int

    @property
    def label(self) -> str:
        return label_of(self.registration)


@dataclass(frozen=True)
class Shelf:
    """What waits here for one adult of the home, and who may take it along.

    `owner` comes first among `adults`, or whoever of the home stands at the counter.
    """

    owner: Member
    parcels: list[Parcel]
    adults: list[Member]
    proxies: list[Proxy]

    @property
    def called(self) -> str:
        return called(self.owner)


@dataclass(frozen=True)
class Basket:
    """What one adult of the home has ordered and can have now, and who may take it along."""

    owner: Member
    orders: list[Order]
    adults: list[Member]
    proxies: list[Proxy]

    @property
    def called(self) -> str:
        return called(self.owner)


@dataclass
class Person:
    """The member who stands at the counter, with all that is theirs here."""

    member: Member
    chip: tuple[str, str]
    is_tenant: bool
    card: Card | None
    due: list[Due] = field(default_factory=list)
    deposits: list[Deposit] = field(default_factory=list)
    to_give_back: list[MoneyBack] = field(default_factory=list)
    needs_right: bool = False
    """Without one nothing is lent."""
    aside: list[Line] = field(default_factory=list)
    just_lent: list[Line] = field(default_factory=list)
    at_home: list[Line] = field(default_factory=list)
    reserved: list[Line] = field(default_factory=list)
    parcels: list[Shelf] = field(default_factory=list)
    baskets: list[Basket] = field(default_factory=list)
    coming: list[Order] = field(default_factory=list)
    """What the member has ordered for another day."""
    appointments: list[Appointment] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    keys: list[KeySet] = field(default_factory=list)
    """Both for concierges alone: see `Counter.screen`."""

    @property
    def waiting(self) -> str:
        """All that waits here to be handed over, in one breath."""
        return f"{self.parcels_waiting} {self.orders_waiting}".strip()

    @property
    def orders_waiting(self) -> str:
        number = sum(len(basket.orders) for basket in self.baskets)
        if not number:
            return ""
        text = ngettext("Une commande à remettre.", "%(number)d commandes à remettre.", number)
        return text % {"number": number}

    @property
    def parcels_waiting(self) -> str:
        """ "2 colis à remettre."; empty where none waits."""
        number = sum(len(shelf.parcels) for shelf in self.parcels)
        if not number:
            return ""
        text = ngettext("Un colis à remettre.", "%(number)d colis à remettre.", number)
        return text % {"number": number}

    @property
    def out(self) -> list[Line]:
        return self.just_lent + self.at_home

    @property
    def to_pay(self) -> int:
        return sum(line.cents for line in self.due)

    @property
    def can_renew(self) -> bool:
        return any(line.can_be_renewed for line in self.out)

    @property
    def called(self) -> str:
        """ "Samira B.", as one says it at the counter."""
        return called(self.member)

    @property
    def greeting(self) -> Result:
        """What there is to know before anything happens."""
        late = sum(line.days_late > 0 for line in self.out)
        if late:
            text = ngettext("Un objet en retard.", "%(number)d objets en retard.", late)
            return self.greeted("attention", _("Attention."), text % {"number": late})
        if self.needs_right:
            return self.greeted("attention", _("Attention."), self.chip[1] + ".")
        number = len(self.out)
        text = _("Rien à rendre.")
        if number:
            text = ngettext("Un objet à la maison.", "%(number)d objets à la maison.", number) % {
                "number": number
            }
        return self.greeted("done", _("%(name)s.") % {"name": self.called.rstrip(".")}, text)

    def greeted(self, kind: str, word: str, text: str) -> Result:
        return Result(kind, word, f"{text} {self.waiting}".rstrip())

    @property
    def holds(self) -> str:
        """ "Samira B. a maintenant 2 objets."."""
        number = len(self.out)
        if number == 0:
            return _("%(name)s n’a plus rien à rendre.") % {"name": self.called}
        return ngettext(
            "%(name)s a maintenant %(number)d objet.",
            "%(name)s a maintenant %(number)d objets.",
            number,
        ) % {"name": self.called, "number": number}


@dataclass
class Thing:
    """A copy that lies on the counter: where it is, who is next, what is wrong."""

    copy: Copy
    holder: Line | None
    coming: list[Line]
    repair: Repair | None

    @property
    def where(self) -> str:
        return shelf_of(self.copy)

    @property
    def aside(self) -> Line | None:
        return next((line for line in self.coming if line.loan.status == LoanStatus.READY), None)

    @property
    def can_be_lent(self) -> bool:
        return self.holder is None and self.copy.status == CopyStatus.ACTIVE

    @property
    def steps(self) -> list[tuple[str, Promise]]:
        """The next steps of its repair, in the order of the states."""
        if self.repair is None:
            return []
        allowed = REPAIR_MOVES[self.repair.status]
        return [(step.value, verb) for step, verb in REPAIR_VERBS.items() if step in allowed]


@dataclass
class Screen:
    """Everything beside the box; its address holds what the next scan must know."""

    person: Person | None = None
    thing: Thing | None = None
    result: Result | None = None
    choices: list[Choice] = field(default_factory=list)
    question: str = ""
    returned: Copy | None = None
    marked: str = ""

    @property
    def url(self) -> str:
        state = {}
        if self.person is not None:
            state["membre"] = str(self.person.member.pk)
        if self.thing is not None:
            state["objet"] = self.thing.copy.label
        home = reverse("desk:home")
        return f"{home}?{urlencode(state)}" if state else home

    @property
    def tokens(self) -> str:
        return " ".join(choice.token for choice in self.choices)


def called(member: Member) -> str:
    if not member.first_name:
        return member.last_name
    initial = f" {member.last_name[:1]}." if member.last_name else ""
    return f"{member.first_name}{initial}"


def shelf_of(copy: Copy) -> str:
    if copy.status != CopyStatus.ACTIVE:
        return str(copy.get_status_display()).capitalize()
    return _("Étagère %(shelf)s") % {"shelf": copy.shelf} if copy.shelf else _("En rayon")


def members_at(place: Place) -> QuerySet[Member]:
    """Whom a place's staff may serve: its members, whoever has a booking or a parcel there."""
    booked = Loan.objects.filter(member=OuterRef("pk"), place=place, status__in=HOLDING)
    waited_for = Parcel.objects.filter(
        member=OuterRef("pk"), place=place, status=ParcelStatus.WAITING
    )
    registered = Registration.objects.filter(member=OuterRef("pk"), place=place, status__in=LIVE)
    left_keys = KeySet.objects.filter(member=OuterRef("pk"), place=place, status__in=ON_HOOK)
    watched = Stay.objects.filter(member=OuterRef("pk"), place=place, status__in=WATCHED)
    checks = TenancyCheck.objects.filter(member__household=OuterRef("household")).order_by(
        "-checked_on", "-pk"
    )
    seated = Appointment.objects.filter(member=OuterRef("pk"), place=place, status__in=SHOWN)
    fetched = Order.objects.filter(
        member=OuterRef("pk"),
        place=place,
        status__in=WAITING,
        delivery__day__gte=timezone.localdate() - KEPT_AT_MOST,
    )
    there = (
        Q(place=place)
        | Exists(left_keys)
        | Exists(watched)
        | Exists(booked)
        | Exists(registered)
        | Exists(fetched)
    )
    return (
        with_live_card(Member.objects.filter(there | Exists(waited_for) | Exists(seated)))
        .annotate(tenancy=Subquery(checks.values("result")[:1]))
        .prefetch_related("notes")
    )


def chip_of(held: Coverage, subscription: Subscription | None, today: date) -> tuple[str, str]:
    """How the subscription stands: what the right says, and why where it is not plain."""
    status = subscription.status if subscription else None
    if held.starts_on is None or held.ends_on is None or held.ends_on < today:
        if status == SubscriptionStatus.PAUSED:
            return "aside", _("Abonnement en pause")
        if status == SubscriptionStatus.PENDING:
            return "late", _("Abonnement à payer")
        if held.ends_on is not None:
            ended = {"day": words.day(held.ends_on, today)}
            return "late", _("Abonnement fini le %(day)s") % ended
        return "late", _("Pas d’abonnement")
    until = {"day": words.day(held.ends_on, today)}
    if today < held.starts_on:
        return "aside", _("Abonné dès le %(day)s") % {"day": words.day(held.starts_on, today)}
    if status == SubscriptionStatus.LATE:
        return "late", _("En retard, emprunte jusqu’au %(day)s") % until
    if held.ends_on - today <= timedelta(days=30):
        return "aside", _("Abonné jusqu’au %(day)s") % until
    return "ok", _("À jour jusqu’au %(day)s") % until


def deposits_held(member: Member) -> list[Deposit]:
    held = held_of(member.household)
    loans = Loan.objects.filter(pk__in=held).select_related("tool") if held else []
    return [Deposit(loan, held[loan.pk]) for loan in loans]


def to_give_back(member: Member) -> list[MoneyBack]:
    return [MoneyBack(*pair) for pair in places_to_give_back(member.household)]


def person_of(member: Member, place: Place, now: datetime, new: int | None = None) -> Person:
    """`member` comes from `members_at`; `new` is the loan to light up."""
    today = local_day(now)
    cards = member.live_cards  # type: ignore[attr-defined]
    held = coverage(member, Activity.LENDING, today)
    person = Person(
        member,
        chip_of(held, open_subscription(member, PlanKind.SUBSCRIPTION), today),
        member.tenancy == TenancyResult.YES,  # type: ignore[attr-defined]
        cards[0] if cards else None,
        due_of(member.household, now),
        deposits_held(member),
        to_give_back(member),
        needs_right=held.ends_on is None or held.ends_on < today,
    )
    for loan in open_of_member(member, place):
        line = Line(loan, loan.days_late(today), loan.pk == new)
        if loan.status == LoanStatus.READY:
            person.aside.append(line)
        elif loan.status == LoanStatus.RESERVED:
            person.reserved.append(line)
        elif loan.out_at is not None and now - loan.out_at <= JUST_LENT:
            person.just_lent.append(line)
        else:
            person.at_home.append(line)
    person.just_lent.sort(key=lambda line: (line.loan.out_at, line.loan.pk))
    person.reserved.sort(key=lambda line: line.loan.starts_at)
    fill_with_goods(person, place, now)
    person.appointments = list(of_member(member, place, now))
    return person


def fill_with_goods(person: Person, place: Place, now: datetime) -> None:
    """Whose card is scanned sees what waits for the whole home, their own first."""
    member, today = person.member, local_day(now)
    parcels: dict[Member, list[Parcel]] = {}
    for parcel in waiting_for_household(member, place):
        if parcel.member is not None:
            parcels.setdefault(parcel.member, []).append(parcel)
    orders: dict[Member, list[Order]] = {}
    for order in of_household(member, place, now):
        if is_here(order, today):
            orders.setdefault(order.member, []).append(order)
        elif order.member_id == member.pk and order.status == OrderStatus.ORDERED:
            person.coming.append(order)
    owners = {*parcels, *orders}
    if not owners:
        return
    adults = sorted(adults_of(member.household), key=lambda adult: adult.pk != member.pk)
    named: dict[int, list[Proxy]] = {}
    for proxy in live_proxies(owners, today):
        named.setdefault(proxy.member_id, []).append(proxy)
    for owner in sorted(owners, key=lambda one: (one.pk != member.pk, one.pk)):
        who = (adults, named.get(owner.pk, []))
        if owner in parcels:
            person.parcels.append(Shelf(owner, parcels[owner], *who))
        if owner in orders:
            person.baskets.append(Basket(owner, orders[owner], *who))


def thing_of(copy: Copy, now: datetime) -> Thing:
    today = local_day(now)
    lines = [Line(loan, loan.days_late(today)) for loan in open_of_copy(copy)]
    holder = next((line for line in lines if line.loan.status == LoanStatus.OUT), None)
    repair = copy.repairs.filter(closed_at=None).first()
    return Thing(copy, holder, [line for line in lines if line is not holder], repair)


def member_url(member_id: int) -> str:
    """The counter with somebody on its screen."""
    return f"{reverse('desk:home')}?{urlencode({'membre': member_id})}"
