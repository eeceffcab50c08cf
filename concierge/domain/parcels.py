"""Parcels on the shelf: received, told, collected by somebody who may, or sent back.

The rule
- A place takes parcels once its rule is written (`ParcelPolicy`). Where that rule keeps
  them for subscribers, the right is asked for on the day on which a parcel is received, or
  is given its name; a right that ends later takes no parcel away.
- A barcode waits here once. A second scan is told where the parcel lies. One that was
  collected or sent back may come again.
- A parcel whose name the desk does not know waits for nobody. Nobody is told, and nobody
  collects it, until it is given its name.
- It is kept for the days of the rule, counted from the local day, then until the next open
  day. After that the desk is asked to send it back; nothing goes back by itself.
- It is handed to the member, to another adult of the household, or to a person whom the
  member has named. A named person need not be a member: only their name is kept, and the
  desk asks for a proof of identity. They see nothing and are told nothing.
- What is told: that it has come, after some minutes, so that five that come at once are one
  message; a reminder after the days of the rule; a last one two days before the end; that
  it went back. No message names the carrier's number, and nothing that can be seen from
  outside says who is away.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from club.domain.household import adults_of
from club.domain.messages import SETTLING, tell
from club.enums import Activity, MessageStatus
from club.kernel import words
from club.kernel.refusal import Refused, refuse
from club.kernel.rows import flush
from club.kernel.spans import local_day
from club.kernel.transactions import Contended, hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import LogEntry, Member, Message, Place, User
from club.queries.calendar import calendar_of
from club.queries.entitlement import may
from concierge.domain.barcodes import as_barcode, carrier_of
from concierge.enums import Carrier, ParcelSize, ParcelStatus
from concierge.models import Parcel, ParcelPolicy, Proxy
from concierge.queries.parcels import WITH_NAMES, live_proxies, lying_here

MOST_PROXIES = 5
GROUP = "parcels"


MOST_SHELF = 12
"""Letters of a shelf; capitals may be more than what was typed."""


def locked(parcel: Parcel) -> Parcel:
    return (
        Parcel.objects.select_for_update(no_key=True, of=("self",))
        .select_related(*WITH_NAMES)
        .get(pk=parcel.pk)
    )


# -- Receiving -----------------------------------------------------------------------------------


@in_one_transaction
def receive_parcel(
    *,
    place: Place,
    member: Member | None,
    carrier: str = "",
    tracking: str = "",
    size: str = ParcelSize.SMALL,
    shelf: str = "",
    by: User | None,
    now: datetime,
    form_key: str = "",
) -> Parcel:
    """Put a parcel on the shelf; without `carrier` it is read off the barcode.

    What has no barcode is told apart by the page's own `form_key`: pressed twice, or sent
    again when the line drops, it is one parcel.
    """
    if form_key:
        hold(place)
        made = made_by(place, form_key, now)
        if made is not None:
            return made
    policy = policy_of(place)
    barcode = barcode_of(tracking)
    there = lying_here(place, barcode)
    if there is not None:
        raise is_here(there, now)
    if member is not None:
        check_addressee(member, policy, now)
    parcel = Parcel(
        place=place,
        member=member,
        carrier=carrier or carrier_of(barcode) or Carrier.OTHER,
        tracking=barcode,
        size=size,
        shelf=shelf.strip().upper()[:MOST_SHELF],
        received_at=now,
        received_by=by,
        keep_until=last_day(place, policy, now),
    )
    with once_here():
        parcel.save()
    facts = {"to": ParcelStatus.WAITING} | ({"form": form_key} if form_key else {})
    log(parcel, "receive", by=by, now=now, facts=facts)
    tell_received(parcel, now)
    return parcel


def policy_of(place: Place) -> ParcelPolicy:
    policy = ParcelPolicy.objects.filter(place=place).first()
    if policy is None:
        raise refuse("no_parcels", _("Ce point d’accueil ne prend pas de colis."))
    return policy


def made_by(place: Place, form_key: str, now: datetime) -> Parcel | None:
    """What one page has received already, of the last hour."""
    lately = Parcel.objects.filter(place=place, received_at__gt=now - timedelta(hours=1))
    step = LogEntry.objects.filter(
        subject_kind="parcel",
        subject_id__in=lately.values("pk"),
        verb="receive",
        facts__form=form_key,
    ).first()
    return lately.get(pk=step.subject_id) if step else None


def barcode_of(tracking: str) -> str:
    """A parcel without a label has none."""
    if not tracking.strip():
        return ""
    barcode = as_barcode(tracking)
    if barcode is None:
        text = _("Ce code-barres est mal lu. Scannez-le encore, ou laissez vide.")
        raise refuse("bad_barcode", text, "tracking")
    return barcode


@contextmanager
def once_here() -> Iterator[None]:
    """The unique key is the judge between two desks that scan one label at the same time."""
    try:
        yield
    except IntegrityError as error:
        raise Contended from error


def is_here(parcel: Parcel, now: datetime) -> Refused:
    facts = {
        "where": where_of(parcel),
        "who": parcel.member.short_name if parcel.member else _("personne encore"),
        "day": words.day(local_day(parcel.received_at), local_day(now)),
    }
    text = _("Ce colis est déjà là depuis %(day)s : %(where)s, pour %(who)s.")
    return refuse("is_here", text % facts, "tracking", reference=parcel.reference)


def where_of(parcel: Parcel) -> str:
    if not parcel.shelf:
        return str(_("sans étagère"))
    return str(_("étagère %(shelf)s") % {"shelf": parcel.shelf})


def check_addressee(member: Member, policy: ParcelPolicy, now: datetime) -> None:
    """Of this landlord, still a member, and with the right that the rule asks for."""
    place = policy.place
    if member.place.landlord_id != place.landlord_id or not member.user.is_active:
        raise refuse("unknown_member", _("Cette personne n’est pas membre ici."), "member")
    today = local_day(now)
    if policy.needs_right and may(member, Activity.SERVICES, today, today) is not None:
        text = _("Ici, les colis sont réservés aux abonnés. %(name)s n’a pas d’abonnement actif.")
        raise refuse("no_right", text % {"name": member}, "member")


def last_day(place: Place, policy: ParcelPolicy, now: datetime) -> date:
    day = local_day(now) + timedelta(days=policy.keep_days)
    return calendar_of(place).next_open_day(day) or day


@in_one_transaction
def undo_receive(parcel: Parcel, *, by: User, now: datetime) -> None:
    """Received by mistake: as if it had not been, as long as nobody was told."""
    parcel = locked(parcel)
    flush()
    told = Message.objects.filter(subject_kind="parcel", subject_id=parcel.pk)
    if parcel.status != ParcelStatus.WAITING or told.exclude(status=MessageStatus.PENDING).exists():
        raise refuse("wrong_state", _("Ce n’est plus possible : la personne est prévenue."))
    told.delete()
    log(parcel, "undo_receive", by=by, now=now)
    parcel.delete()


@in_one_transaction
def assign_parcel(parcel: Parcel, member: Member, *, by: User, now: datetime) -> Parcel:
    """Say whose it is; whoever was taken for its owner before is told no more."""
    parcel = locked(parcel)
    check_waits(parcel)
    if parcel.member_id == member.pk:
        return parcel
    check_addressee(member, policy_of(parcel.place), now)
    untell(parcel)
    parcel.member = member
    parcel.save(update_fields=["member"])
    log(parcel, "assign", by=by, now=now)
    tell_received(parcel, now)
    return parcel


@in_one_transaction
def move_shelf(parcel: Parcel, shelf: str, *, by: User, now: datetime) -> Parcel:
    parcel = locked(parcel)
    check_waits(parcel)
    parcel.shelf = shelf.strip().upper()[:MOST_SHELF]
    parcel.save(update_fields=["shelf"])
    log(parcel, "move_shelf", by=by, now=now, facts={"shelf": parcel.shelf})
    return parcel


def check_waits(parcel: Parcel) -> None:
    if parcel.status != ParcelStatus.WAITING:
        text = _("Ce n’est plus possible : c’est déjà « %(state)s ».")
        label = parcel.get_status_display()
        raise refuse("wrong_state", text % {"state": label}, state=parcel.status)


# -- Handing over --------------------------------------------------------------------------------


@in_one_transaction
def hand_over_parcel(parcel: Parcel, to: Member | Proxy, *, by: User, now: datetime) -> Parcel:
    """Into the hands of somebody who may collect it; their name is kept as it was shown."""
    parcel = locked(parcel)
    check_waits(parcel)
    if parcel.member is None:
        raise refuse("nobody", _("Dites d’abord pour qui est ce colis."))
    if not may_collect(parcel.member, to, local_day(now)):
        text = _("%(name)s ne peut pas retirer ce colis : cette personne n’est pas nommée.")
        raise refuse("not_named", text % {"name": to})
    move(parcel, ParcelStatus.COLLECTED, by=by, now=now, collected_by=str(to)[:140])
    return parcel


def may_collect(owner: Member, to: Member | Proxy, today: date) -> bool:
    if isinstance(to, Proxy):
        return live_proxies([owner], today).filter(pk=to.pk).exists()
    return to.pk == owner.pk or adults_of(owner.household).filter(pk=to.pk).exists()


@in_one_transaction
def undo_hand_over(parcel: Parcel, *, by: User, now: datetime) -> Parcel:
    parcel = locked(parcel)
    check_in_state(parcel, ParcelStatus.COLLECTED)
    return put_back(parcel, "undo_hand_over", by=by, now=now)


@in_one_transaction
def send_back(parcel: Parcel, *, by: User, now: datetime) -> Parcel:
    """The carrier has taken it along again."""
    parcel = locked(parcel)
    move(parcel, ParcelStatus.RETURNED, by=by, now=now)
    untell(parcel)
    if parcel.member is not None:
        key = f"parcel.returned:{parcel.reference}:{int(now.timestamp())}"
        tell(parcel.member, "parcel.returned", parcel, key=key, now=now, due_at=now + SETTLING)
    return parcel


@in_one_transaction
def undo_send_back(parcel: Parcel, *, by: User, now: datetime) -> Parcel:
    parcel = locked(parcel)
    check_in_state(parcel, ParcelStatus.RETURNED)
    untell(parcel)
    return put_back(parcel, "undo_send_back", by=by, now=now)


def check_in_state(parcel: Parcel, status: str) -> None:
    """What is forgotten by now has no name to go back to."""
    is_forgotten = status == ParcelStatus.COLLECTED and parcel.member_id is None
    if parcel.status != status or is_forgotten:
        raise refuse("wrong_state", _("Il n’y a plus rien à défaire."))


def put_back(parcel: Parcel, verb: str, *, by: User, now: datetime) -> Parcel:
    """On the shelf again, unless a parcel of the same barcode has come since."""
    there = lying_here(parcel.place, parcel.tracking)
    if there is not None:
        raise is_here(there, now)
    cleared: dict[str, Any] = {"collected_at": None, "collected_by": "", "returned_at": None}
    with once_here():
        move(parcel, ParcelStatus.WAITING, by=by, now=now, verb=verb, **cleared)
    return parcel


# -- Telling -------------------------------------------------------------------------------------


def tell_received(parcel: Parcel, now: datetime) -> None:
    if parcel.member is None:
        return
    key = f"parcel.received:{parcel.reference}:{parcel.member_id}:{int(now.timestamp())}"
    tell(
        parcel.member,
        "parcel.received",
        parcel,
        key=key,
        now=now,
        due_at=now + SETTLING,
        group=GROUP,
    )


def untell(parcel: Parcel) -> None:
    """Take back what has not left."""
    flush()
    Message.objects.filter(
        subject_kind="parcel", subject_id=parcel.pk, status=MessageStatus.PENDING
    ).delete()


# -- Who collects for me -------------------------------------------------------------------------


@in_one_transaction
def name_proxy(
    member: Member,
    first_name: str,
    last_name: str,
    *,
    until: date | None = None,
    by: User,
    now: datetime,
) -> Proxy:
    """Name somebody who collects, member or not: a first name and a name, five at most."""
    hold(member)
    today = local_day(now)
    first_name, last_name = " ".join(first_name.split()), " ".join(last_name.split())
    if until is not None and until < today:
        raise refuse("past", _("Choisissez un jour à venir."), "until")
    named = list(live_proxies([member], today))
    for one in named:
        if str(one).casefold() == f"{first_name} {last_name}".casefold():
            raise refuse(
                "named_already", _("Cette personne est déjà sur votre liste."), "last_name"
            )
    if len(named) >= MOST_PROXIES:
        text = _("Vous avez nommé cinq personnes. Retirez-en une d’abord.")
        raise refuse("too_many", text)
    proxy = Proxy.objects.create(
        member=member, first_name=first_name, last_name=last_name, until=until, named_at=now
    )
    log(proxy, "name", by=by, now=now)
    return proxy


@in_one_transaction
def remove_proxy(proxy: Proxy, *, by: User, now: datetime) -> None:
    """From now on they collect nothing; a second press changes nothing."""
    removed = Proxy.objects.filter(pk=proxy.pk, removed_at=None).update(removed_at=now)
    if removed:
        log(proxy, "remove", by=by, now=now)
