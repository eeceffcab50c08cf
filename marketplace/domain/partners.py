"""A partner from its first page to the end of its convention, and the papers it sends."""

from datetime import date, datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from club.domain.messages import SETTLING
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import User
from marketplace.domain.told import tell_partner
from marketplace.enums import (
    DocumentKind,
    DocumentStatus,
    PartnerKind,
    PartnerStatus,
    RefusedFor,
)
from marketplace.models import Convention, Partner, PartnerDocument
from marketplace.queries.folder import GOOD, SOON, asked_of
from marketplace.queries.shown import NAMES_TRADES


@in_one_transaction
def add_partner(partner: Partner, *, by: User | None, now: datetime) -> Partner:
    partner.created_at = now
    partner.save()
    log(partner, "add_partner", by=by, now=now, facts={"from": None, "to": partner.status})
    return partner


def faults_of(partner: Partner, on: date) -> list[Reason]:
    """What is missing before residents may see it; of an artisan one trade must be covered."""
    reasons = []
    if not partner.siret:
        reasons.append(Reason("siret_missing", _("Il manque le numéro SIRET."), "siret"))
    if not partner.phone and not partner.email:
        reasons.append(Reason("contact_missing", _("Il manque un téléphone ou un e-mail.")))
    running = Convention.objects.filter(partner=partner, starts_on__lte=on, ends_on__gte=on)
    if not running.exists():
        reasons.append(Reason("no_convention", _("Aucune convention signée ne court aujourd’hui.")))
    if partner.kind == PartnerKind.ARTISAN and not partner.trades.exists():
        reasons.append(Reason("no_trade", _("Choisissez au moins un métier."), "trades"))
    uncovered = [one for one in asked_of(partner, on) if one.state not in {GOOD, SOON}]
    trades = {row.trade for row in partner.trades.all()}
    left = trades - {one.trade for one in uncovered}
    for one in uncovered:
        if not one.trade or not left:
            text = _("Il manque un papier valable : %(paper)s.") % {"paper": one.label}
            reasons.append(Reason("paper_missing", text))
    return reasons


@in_one_transaction
def publish(partner: Partner, *, by: User, now: datetime) -> Partner:
    """Residents may see it, as long as its convention and its papers last."""
    hold(partner)
    partner = Partner.objects.select_related("landlord").get(pk=partner.pk)
    reasons = faults_of(partner, local_day(now))
    if reasons:
        raise Refused(reasons)
    today = local_day(now)
    move(
        partner,
        PartnerStatus.LIVE,
        by=by,
        now=now,
        verb="publish",
        checked_on=today,
        confirmed_on=today,
    )
    return partner


@in_one_transaction
def take_down(partner: Partner, *, by: User, now: datetime) -> Partner:
    move(partner, PartnerStatus.PAUSED, by=by, now=now, verb="take_down")
    return partner


@in_one_transaction
def end(partner: Partner, *, by: User, now: datetime) -> Partner:
    move(partner, PartnerStatus.ENDED, by=by, now=now, verb="end_convention")
    return partner


# -- Papers ----------------------------------------------------------------------------------


@in_one_transaction
def receive(document: PartnerDocument, *, by: User | None, now: datetime) -> PartnerDocument:
    """A paper comes in; it counts once somebody has read it."""
    if document.ends_on < document.starts_on:
        raise refuse("dates_in_disorder", _("La fin ne peut pas être avant le début."), "ends_on")
    document.received_at = now
    document.save()
    log(document, "receive", by=by, now=now, facts={"from": None, "to": document.status})
    return document


@in_one_transaction
def accept(document: PartnerDocument, *, by: User, now: datetime) -> PartnerDocument:
    """Staff have read it: from now on it counts on the days of its validity."""
    reasons = []
    is_artisan = document.partner.kind == PartnerKind.ARTISAN
    if is_artisan and document.kind in NAMES_TRADES and not document.trades.exists():
        text = _("Cochez les métiers que cette assurance nomme.")
        reasons.append(Reason("no_trade", text, "trades"))
    if document.kind == DocumentKind.DECENNIAL and not document.number:
        text = _("Écrivez le numéro du contrat.")
        reasons.append(Reason("number_missing", text, "number"))
    if document.ends_on < local_day(now):
        reasons.append(Reason("lapsed", _("Ce papier est déjà expiré."), "ends_on"))
    if reasons:
        raise Refused(reasons)
    move(document, DocumentStatus.ACCEPTED, by=by, now=now, verb="accept", refused_for="")
    partner = document.partner
    partner.checked_on = local_day(now)
    partner.save(update_fields=["checked_on"])
    tell_sender(document, "paper.accepted", now)
    return document


@in_one_transaction
def turn_away(
    document: PartnerDocument, *, refused_for: str, by: User, now: datetime
) -> PartnerDocument:
    """It does not count, or no longer: what hung on it is hidden at once."""
    if refused_for not in RefusedFor.values:
        raise refuse("reason_missing", _("Choisissez pourquoi."), "refused_for")
    move(document, DocumentStatus.REFUSED, by=by, now=now, verb="refuse", refused_for=refused_for)
    tell_sender(document, "paper.refused", now)
    return document


def tell_sender(document: PartnerDocument, event: str, now: datetime) -> None:
    """Once things have settled; what is put right meanwhile is told as it became."""
    tell_partner(
        document.partner,
        event,
        document,
        key=f"{event}:{document.pk}:{now.isoformat()}",
        now=now,
        due_at=now + SETTLING,
        following=reverse("pro:papers"),
        facts={"at": now.isoformat()},
    )
