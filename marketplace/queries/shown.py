"""Which partners are shown on a day, and for which trades: the papers decide, each day anew.

Nothing is taken down by hand and nothing runs at midnight: what is shown is a question
asked of the papers as they are on the day of the asking.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from club.models import Landlord
from marketplace.enums import (
    BUILDING,
    DocumentKind,
    DocumentStatus,
    PartnerKind,
    PartnerStatus,
)
from marketplace.models import (
    ComplianceRule,
    Convention,
    DocumentTrade,
    Partner,
    PartnerDocument,
    PartnerTrade,
)

NAMES_TRADES = frozenset({DocumentKind.DECENNIAL, DocumentKind.LIABILITY})
"""Insurances name the activities that they cover; other papers are of the whole firm."""


@dataclass(frozen=True)
class Need:
    """A paper that partners of one kind must have; with `trades`, for these trades alone."""

    kind: str
    document: str
    trades: frozenset[str] | None = None

    def is_for(self, trade: str) -> bool:
        return self.trades is None or trade in self.trades


LAW = (
    Need(PartnerKind.ARTISAN, DocumentKind.DECENNIAL, frozenset(BUILDING)),
    Need(PartnerKind.INTERMEDIARY, DocumentKind.ORIAS),
)
"""What the law asks for; a landlord's own rules add to it and take nothing away."""


def needs_of(landlord: Landlord) -> list[Need]:
    rules = ComplianceRule.objects.filter(landlord=landlord).order_by("pk")
    own = [
        Need(rule.kind, rule.document, frozenset({rule.trade}) if rule.trade else None)
        for rule in rules
    ]
    return list(dict.fromkeys([*LAW, *own]))


def valid_on(on: date) -> QuerySet[PartnerDocument]:
    return PartnerDocument.objects.filter(
        status=DocumentStatus.ACCEPTED, starts_on__lte=on, ends_on__gte=on
    )


def has_paper(need: Need, on: date, *, partner: str, trade: str | None) -> Exists:
    """Whether a row's partner has that paper on that day, for the row's trade."""
    papers = valid_on(on).filter(partner=OuterRef(partner), kind=need.document)
    if trade is not None and need.document in NAMES_TRADES:
        named = DocumentTrade.objects.filter(
            document=OuterRef("pk"), trade=OuterRef(OuterRef(trade))
        )
        papers = papers.filter(Exists(named))
    return Exists(papers)


def has_convention(on: date, partner: str) -> Exists:
    return Exists(
        Convention.objects.filter(partner=OuterRef(partner), starts_on__lte=on, ends_on__gte=on)
    )


def trades_shown(
    landlord: Landlord, on: date, needs: list[Need] | None = None
) -> QuerySet[PartnerTrade]:
    """Each (artisan, trade) that a resident may see on that day. `needs` where it is read."""
    rows = PartnerTrade.objects.filter(
        has_convention(on, "partner"),
        partner__landlord=landlord,
        partner__kind=PartnerKind.ARTISAN,
        partner__status=PartnerStatus.LIVE,
    )
    for need in needs_of(landlord) if needs is None else needs:
        if need.kind != PartnerKind.ARTISAN:
            continue
        has = has_paper(need, on, partner="partner", trade="trade")
        rows = rows.filter(Q(has) if need.trades is None else ~Q(trade__in=need.trades) | Q(has))
    return rows


def partners_shown(
    landlord: Landlord,
    on: date,
    kinds: Iterable[str] = tuple(PartnerKind.values),
    needs: list[Need] | None = None,
) -> QuerySet[Partner]:
    """An artisan is shown for a trade that is; any other with all that is asked of its kind."""
    needs = needs_of(landlord) if needs is None else needs
    trades = trades_shown(landlord, on, needs).order_by()
    artisans = Q(kind=PartnerKind.ARTISAN, pk__in=trades.values("partner"))
    others = Q()
    for need in needs:
        if need.kind != PartnerKind.ARTISAN:
            others &= ~Q(kind=need.kind) | Q(has_paper(need, on, partner="pk", trade=None))
    wanted = artisans | (~Q(kind=PartnerKind.ARTISAN) & others)
    return Partner.objects.filter(
        wanted,
        has_convention(on, "pk"),
        landlord=landlord,
        status=PartnerStatus.LIVE,
        kind__in=list(kinds),
    )
