"""What lending tells the screens that mix kinds of bookings."""

from datetime import date, datetime
from typing import Any, Literal

from django.utils.translation import gettext as _
from pydantic import BaseModel

from club.kernel import codes, words
from club.kernel.bookings import CalendarEntry, Channel, Kind
from club.kernel.inputs import Day, Identifier, Request
from club.kernel.refusal import refuse
from club.kernel.spans import local_day
from club.models import Member, Place, User
from concierge.domain.lending import cancel_loan, move_loan, renew_loan, reserve_tool
from concierge.enums import LoanStatus
from concierge.models import Loan
from concierge.queries.loans import visible_to


def card(loan: Loan, now: datetime) -> dict[str, Any]:
    """One line of "Mes réservations": what, which day counts now, in which state."""
    today = local_day(now)
    late = loan.days_late(today)
    if loan.status in {LoanStatus.OUT, LoanStatus.LOST}:
        label, day = _("À rendre"), loan.due_on
    elif loan.returned_at:
        label, day = _("Rendu"), local_day(loan.returned_at)
    elif loan.status in {LoanStatus.CANCELLED, LoanStatus.LAPSED}:
        label, day = _("Retrait prévu"), loan.pickup_on
    else:
        label, day = _("À retirer"), loan.pickup_on
    if late:
        chip = ("late", _("En retard"))
    elif loan.status == LoanStatus.READY:
        chip = ("aside", _("Mis de côté"))
    elif loan.status in {LoanStatus.OUT, LoanStatus.RETURNED}:
        chip = ("ok", str(loan.get_status_display()).capitalize())
    else:
        chip = ("info", str(loan.get_status_display()).capitalize())
    return {
        "title": loan.tool.name,
        "picture": loan.tool.picture,
        "photo": loan.tool.photo,
        "wall": loan.tool.department.wall,
        "reference": codes.spoken(loan.reference),
        "label": label,
        "day": words.day(day, today),
        "date": day,
        "chip": {"kind": chip[0], "text": chip[1]},
    }


def entry(loan: Loan) -> CalendarEntry:
    is_out = loan.status == LoanStatus.OUT
    place = loan.place
    return CalendarEntry(
        uid=f"{loan.reference}@conciergerie",
        sequence=loan.sequence,
        title=(_("Rendre : %(tool)s") if is_out else _("Retirer : %(tool)s"))
        % {"tool": loan.tool.name},
        starts_at=loan.ends_at if is_out else loan.starts_at,
        ends_at=loan.ends_at if is_out else loan.pickup_ends_at,
        where=f"{place.name}, {place.address}, {place.postcode} {place.city}",
        description=_("Réservation %(reference)s. Retour le %(day)s.")
        % {"reference": codes.spoken(loan.reference), "day": words.day(loan.due_on)},
        cancelled=loan.status in {LoanStatus.CANCELLED, LoanStatus.LAPSED},
        changed_at=loan.cancelled_at or loan.created_at,
    )


def as_json(loan: Loan) -> dict[str, Any]:
    return {
        "kind": "loan",
        "reference": loan.reference,
        "status": loan.status,
        "place": loan.place.slug,
        "tool": loan.tool.public_id,
        "title": loan.tool.name,
        "starts_on": loan.pickup_on,
        "ends_on": loan.due_on,
        "starts_at": loan.starts_at,
        "ends_at": loan.ends_at,
        "quantity": loan.quantity,
        "renewals": loan.renewals,
        "created_at": loan.created_at,
    }


class LoanRequest(Request):
    """Without `ends_on` the loan lasts as long as the place usually lends."""

    kind: Literal["loan"]
    tool: Identifier
    starts_on: Day
    ends_on: Day | None = None
    place: Identifier | None = None


class LoanChanges(Request):
    starts_on: Day
    ends_on: Day | None = None


class LoanAnswer(BaseModel):
    kind: Literal["loan"]
    reference: str
    status: LoanStatus
    place: str
    tool: str
    title: str
    starts_on: date
    ends_on: date
    starts_at: datetime
    ends_at: datetime
    quantity: int
    renewals: int
    created_at: datetime


def create(body: LoanRequest, *, member: Member, now: datetime) -> Loan:
    place = member.place
    if body.place not in {None, place.slug}:
        place = Place.objects.filter(
            slug=body.place, landlord_id=place.landlord_id, is_public=True
        ).first()
        if place is None:
            raise refuse("unknown_place", _("Ce point d’accueil est inconnu."), "place")
    return reserve_tool(
        member=member,
        tool=body.tool,
        place=place,
        starts_on=body.starts_on,
        ends_on=body.ends_on,
        by=member.user,
        now=now,
        channel=Channel.API,
    )


def change(loan: Loan, body: LoanChanges, *, by: User, now: datetime) -> Loan:
    return move_loan(
        loan, starts_on=body.starts_on, ends_on=body.ends_on, by=by, now=now, channel=Channel.API
    )


LOAN = Kind(
    name="loan",
    model=Loan,
    visible_to=visible_to,
    card=card,
    entry=entry,
    cancel=cancel_loan,
    as_json=as_json,
    request=LoanRequest,
    changes=LoanChanges,
    answer=LoanAnswer,
    create=create,
    move=change,
    renew=renew_loan,
)
