"""What is done over the counter: counted at once, charged where it costs."""

from datetime import datetime

from django.db import IntegrityError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from club.enums import Activity
from club.kernel.bookings import Channel
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import local_day
from club.kernel.transactions import Contended, hold, in_one_transaction
from club.kernel.transitions import log
from club.models import Member, User
from club.queries.entitlement import may
from concierge.domain import appointment_fees as fees
from concierge.domain.appointments import MOST_SERVED
from concierge.enums import ServiceKind
from concierge.models import CounterUse, Service


@in_one_transaction
def count_use(
    service: Service,
    quantity: int = 1,
    *,
    member: Member | None = None,
    by: User,
    now: datetime,
    form_key: str | None = None,
) -> CounterUse:
    """So many pages, or one code. What costs, or is for subscribers, needs to know whose."""
    if member is not None:
        hold(member.household)
    if form_key:
        before = CounterUse.objects.filter(form_key=form_key).first()
        if before is not None:
            return before
    reasons = reasons_against(service, quantity, member, now)
    if reasons:
        raise Refused(reasons)
    try:
        use = CounterUse.objects.create(
            service=service,
            place=service.place,
            member=member,
            quantity=quantity,
            unit_cents=service.unit_cents,
            at=now,
            by=by,
            form_key=form_key,
        )
    except IntegrityError as error:
        raise Contended from error
    log(use, "count_use", by=by, now=now, channel=Channel.DESK, facts={"quantity": quantity})
    if member is not None:
        cents = use.unit_cents * quantity
        label = fees.label_of_use(use)
        fees.charge(fees.COUNTER, use, member, cents, label, by=by, now=now)
    return use


def reasons_against(
    service: Service, quantity: int, member: Member | None, now: datetime
) -> list[Reason]:
    if service.kind != ServiceKind.COUNTER:
        return [Reason("by_appointment", _("Ce service se fait sur rendez-vous."))]
    reasons: list[Reason] = []
    text: str | Promise
    if not 1 <= quantity <= MOST_SERVED:
        text = _("Écrivez un nombre de 1 à %(most)s.") % {"most": MOST_SERVED}
        reasons.append(Reason("quantity_wrong", text, "quantity"))
    if member is None and (service.unit_cents or service.needs_right):
        text = _("Scannez d’abord la carte de la personne.")
        reasons.append(Reason("person_needed", text))
    elif member is not None and service.needs_right:
        today = local_day(now)
        reason = may(member, Activity.SERVICES, today, today)
        reasons += [reason] if reason is not None else []
    return reasons


@in_one_transaction
def undo_use(use: CounterUse, *, by: User, now: datetime) -> CounterUse:
    """It was a mistake, as long as nothing is paid."""
    use = (
        CounterUse.objects.select_for_update(no_key=True, of=("self",))
        .select_related("member__household", "service", "place")
        .get(pk=use.pk)
    )
    if use.undone_at is not None:
        raise refuse("wrong_state", _("Il n’y a plus rien à défaire."))
    if use.member is not None:
        hold(use.member.household)
    fees.uncharge(fees.COUNTER, use.pk, by=by, now=now)
    use.undone_at = now
    use.save(update_fields=["undone_at"])
    log(use, "undo_use", by=by, now=now, channel=Channel.DESK)
    return use
