"""What always holds of partners, asked of the tables themselves."""

from club.domain.invariants import register_status_of
from marketplace.models import (
    Certificate,
    Partner,
    PartnerDocument,
    RefusalReport,
    Suggestion,
    VisitAsk,
    VisitRequest,
)


def register() -> None:
    register_status_of(
        Certificate, Partner, PartnerDocument, RefusalReport, Suggestion, VisitAsk, VisitRequest
    )
