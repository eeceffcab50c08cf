"""The state of a partner's papers: what is asked, what is there, what lapses when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from club.kernel import words
from marketplace.enums import DocumentKind, DocumentStatus, PartnerKind, PartnerStatus, Trade
from marketplace.models import Partner, PartnerDocument
from marketplace.models.compliance import WARN_DAYS
from marketplace.queries.shown import NAMES_TRADES, Need, needs_of

MISSING, TO_CHECK, LAPSED, SOON, GOOD = "missing", "to_check", "lapsed", "soon", "good"


@dataclass(frozen=True)
class Asked:
    """One paper that is asked of a partner, for one trade where it names trades."""

    need: Need
    trade: str
    state: str
    document: PartnerDocument | None

    @property
    def label(self) -> str:
        name = str(DocumentKind(self.need.document).label)
        return f"{name}, {Trade(self.trade).label}" if self.trade else name

    @property
    def said(self) -> str:
        day = words.day(self.document.ends_on) if self.document else ""
        return {
            MISSING: _("manque"),
            TO_CHECK: _("reçu, à vérifier"),
            LAPSED: _("expiré le %(day)s") % {"day": day},
            SOON: _("expire le %(day)s") % {"day": day},
            GOOD: _("valable jusqu’au %(day)s") % {"day": day},
        }[self.state]


def asked_of(partner: Partner, on: date) -> list[Asked]:
    """Reads the partner's trades, papers and their trades: prefetch them for a list."""
    documents = list(partner.documents.all())
    trades = [row.trade for row in partner.trades.all()]
    found: list[Asked] = []
    for need in needs_of(partner.landlord):
        if need.kind != partner.kind:
            continue
        named: Iterable[str] = [""]
        if partner.kind == PartnerKind.ARTISAN:
            wanted = [trade for trade in trades if need.is_for(trade)]
            by_trade = need.document in NAMES_TRADES or need.trades is not None
            named = wanted if by_trade else [""]
        found += [state_of(need, trade, documents, on) for trade in named]
    return found


def state_of(need: Need, trade: str, documents: list[PartnerDocument], on: date) -> Asked:
    """By the paper that holds longest; one that waits to be checked is told before a gap."""
    fitting = fitting_of(need, trade, documents)
    accepted = [one for one in fitting if one.status == DocumentStatus.ACCEPTED]
    valid = [one for one in accepted if one.starts_on <= on <= one.ends_on]
    waiting = [one for one in fitting if one.status == DocumentStatus.RECEIVED]
    if valid:
        last = max(valid, key=lambda one: one.ends_on)
        soon = last.ends_on - on < timedelta(days=WARN_DAYS) and not follows(accepted, last)
        return Asked(need, trade, SOON if soon else GOOD, last)
    if waiting:
        return Asked(need, trade, TO_CHECK, waiting[-1])
    if accepted:
        return Asked(need, trade, LAPSED, max(accepted, key=lambda one: one.ends_on))
    return Asked(need, trade, MISSING, None)


def fitting_of(need: Need, trade: str, documents: list[PartnerDocument]) -> list[PartnerDocument]:
    """The papers of that sort, in any state; insurances only where they name the trade."""
    return [
        document
        for document in documents
        if document.kind == need.document
        and (
            not trade
            or need.document not in NAMES_TRADES
            or trade in {row.trade for row in document.trades.all()}
        )
    ]


def follows(accepted: list[PartnerDocument], last: PartnerDocument) -> bool:
    """The next one is there already, and leaves no day between."""
    next_day = last.ends_on + timedelta(days=1)
    return any(one.starts_on <= next_day < one.ends_on for one in accepted if one != last)


def with_folder(partners: QuerySet[Partner]) -> QuerySet[Partner]:
    return partners.select_related("landlord").prefetch_related("trades", "documents__trades")


def lapsing(landlord_partners: QuerySet[Partner], on: date) -> list[tuple[Partner, list[Asked]]]:
    """Live partners whose papers are amber, lapsed, missing or to be checked; worst first."""
    found = []
    for partner in with_folder(landlord_partners.filter(status=PartnerStatus.LIVE)):
        wrong = [one for one in asked_of(partner, on) if one.state != GOOD]
        if wrong:
            found.append((partner, wrong))
    order = {LAPSED: 0, MISSING: 1, TO_CHECK: 2, SOON: 3}
    return sorted(
        found,
        key=lambda pair: (
            min(order[one.state] for one in pair[1]),
            min((one.document.ends_on for one in pair[1] if one.document), default=on),
            pair[0].name,
        ),
    )


def to_read(partners: QuerySet[Partner]) -> QuerySet[PartnerDocument]:
    """What came in and nobody has read yet, the oldest first."""
    waiting = PartnerDocument.objects.filter(
        partner__in=partners.exclude(status=PartnerStatus.ENDED).values("pk"),
        status=DocumentStatus.RECEIVED,
    )
    return waiting.select_related("partner").order_by("received_at", "pk")
