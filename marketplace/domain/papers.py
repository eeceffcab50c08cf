"""Papers from the partner's side: sent from a phone, warned of before they lapse."""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from dateutil.relativedelta import relativedelta
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import at, local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import LogEntry, User
from marketplace.domain.partners import receive
from marketplace.domain.told import tell_partner
from marketplace.enums import DocumentKind, DocumentStatus, PartnerKind
from marketplace.models import DocumentTrade, Partner, PartnerDocument
from marketplace.queries.lapses import lapses_of, with_lapses
from marketplace.queries.shown import NAMES_TRADES

MOST_WAITING = 10
LONGEST = relativedelta(years=15)
WARNED = "warn_partner"
HOUR = time(8)
"""From when on a warning leaves."""


@in_one_transaction
def send_paper(
    partner: Partner,
    *,
    kind: str,
    issuer: str,
    starts_on: date,
    ends_on: date,
    file: Any,
    number: str = "",
    trades: Iterable[str] = (),
    by: User,
    now: datetime,
) -> PartnerDocument:
    """A paper from the partner itself: staff read it before it counts."""
    named = set(trades) & {row.trade for row in partner.trades.all()}
    reasons = []
    if kind not in DocumentKind.values:
        reasons.append(Reason("kind_missing", _("Choisissez le papier."), "kind"))
    if kind in NAMES_TRADES and partner.kind == PartnerKind.ARTISAN and not named:
        text = _("Cochez les métiers que cette assurance nomme.")
        reasons.append(Reason("no_trade", text, "trades"))
    if kind == DocumentKind.DECENNIAL and not number.strip():
        reasons.append(Reason("number_missing", _("Écrivez le numéro du contrat."), "number"))
    if ends_on < local_day(now):
        text = _("Ce papier est déjà expiré. Envoyez le nouveau.")
        reasons.append(Reason("lapsed", text, "ends_on"))
    elif ends_on > local_day(now) + LONGEST:
        reasons.append(Reason("too_long", _("Relisez l’année de la fin."), "ends_on"))
    elif ends_on < starts_on:
        text = _("La fin ne peut pas être avant le début.")
        reasons.append(Reason("dates_in_disorder", text, "ends_on"))
    if not file:
        reasons.append(Reason("file_missing", _("Ajoutez une photo ou un PDF du papier."), "file"))
    if reasons:
        raise Refused(reasons)
    hold(partner)
    waiting = PartnerDocument.objects.filter(partner=partner, status=DocumentStatus.RECEIVED)
    if waiting.count() >= MOST_WAITING:
        text = _("Dix papiers attendent déjà d’être lus. Appelez l’accueil.")
        raise refuse("too_many", text)
    document = PartnerDocument(
        partner=partner,
        kind=kind,
        issuer=issuer.strip(),
        number=number.strip(),
        starts_on=starts_on,
        ends_on=ends_on,
        file=file,
    )
    document.trades = [DocumentTrade(trade=trade) for trade in sorted(named)]
    return receive(document, by=by, now=now)


# -- Before they lapse -------------------------------------------------------------------------


@in_one_transaction
def warn(partner: Partner, *, now: datetime) -> None:
    """Each paper's term once. What was missed while nothing ran is not told afterwards."""
    for lapse in lapses_of(partner, local_day(now)):
        document, term = lapse.document, lapse.term
        hold(document)
        warned = LogEntry.objects.filter(
            subject_kind="partnerdocument", subject_id=document.pk, verb=WARNED
        )
        if term in {facts["term"] for facts in warned.values_list("facts", flat=True)}:
            continue
        told = tell_partner(
            partner,
            "paper.lapses",
            document,
            key=f"paper.lapses:{document.pk}:{term}",
            now=now,
            due_at=max(now, at(local_day(now), HOUR)),
            following=reverse("pro:papers"),
            facts={"term": term},
        )
        if told:
            log(document, WARNED, by=None, now=now, facts={"term": term})


def warn_of_lapses(now: datetime) -> None:
    """Each morning."""
    for partner in with_lapses(local_day(now)):
        warn(partner, now=now)
