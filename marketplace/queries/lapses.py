"""Which papers lapse soon or have lapsed, for which trades, and what is to be told of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet

from marketplace.enums import DocumentStatus, PartnerStatus
from marketplace.models import Partner, PartnerDocument
from marketplace.models.compliance import WARN_DAYS
from marketplace.queries.folder import (
    LAPSED,
    SOON,
    TO_CHECK,
    Asked,
    asked_of,
    fitting_of,
    with_folder,
)

TERMS = (0, 7, 30, WARN_DAYS)
"""Days before the day on which a paper counts no more; nought is that day itself."""
TOLD_LATE = timedelta(days=WARN_DAYS)
"""Of what lapsed longer ago nobody is told any more."""


@dataclass(frozen=True)
class Lapse:
    """A paper that ends, with the trades that hang on it (none: the whole firm does)."""

    document: PartnerDocument
    trades: tuple[str, ...]
    left: int
    is_renewed: bool
    """The next one has come in and waits to be read."""

    @property
    def term(self) -> int:
        """The last term that has come: of those that were missed, only this one is told."""
        return next(term for term in TERMS if self.left <= term)


def lapses_of(partner: Partner, on: date) -> list[Lapse]:
    """Reads what `asked_of` reads. Whoever has sent the next paper is not warned beforehand."""
    found: dict[int, tuple[PartnerDocument, list[str], bool]] = {}
    for asked in asked_of(partner, on):
        for document, is_renewed in ending(partner, asked, on):
            trades = found.setdefault(document.pk, (document, [], is_renewed))[1]
            trades += [asked.trade] if asked.trade else []
    return [
        Lapse(document, tuple(trades), (document.ends_on - on).days + 1, is_renewed)
        for document, trades, is_renewed in found.values()
    ]


def ending(partner: Partner, asked: Asked, on: date) -> Iterator[tuple[PartnerDocument, bool]]:
    """The paper of one need that ends or has ended, and whether the next one is there."""
    if asked.state not in {SOON, LAPSED, TO_CHECK}:
        return
    fitting = fitting_of(asked.need, asked.trade, list(partner.documents.all()))
    waiting = [one.ends_on for one in fitting if one.status == DocumentStatus.RECEIVED]
    if asked.state == SOON and asked.document is not None:
        if not any(end > asked.document.ends_on for end in waiting):
            yield asked.document, False
        return
    over = [
        one
        for one in fitting
        if one.status == DocumentStatus.ACCEPTED and on - TOLD_LATE <= one.ends_on < on
    ]
    if over:
        yield max(over, key=lambda one: one.ends_on), bool(waiting)


def with_lapses(on: date) -> QuerySet[Partner]:
    """The live partners of whom some paper ends in these days; the others are not looked at."""
    ending_now = PartnerDocument.objects.filter(
        status=DocumentStatus.ACCEPTED,
        ends_on__range=(on - TOLD_LATE, on + timedelta(days=WARN_DAYS)),
    )
    partners = Partner.objects.filter(
        status=PartnerStatus.LIVE, pk__in=ending_now.values("partner")
    )
    return with_folder(partners).order_by("pk")
