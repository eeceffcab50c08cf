from marketplace.models.compliance import ComplianceRule, DocumentTrade, PartnerDocument
from marketplace.models.insurance import (
    CallbackRequest,
    Certificate,
    CertificateCall,
    InsurancePrice,
)
from marketplace.models.offers import (
    Offer,
    OfferStock,
    OfferUse,
    OfferUseCount,
    RefusalReport,
)
from marketplace.models.partners import Convention, Partner, PartnerHours, PartnerTrade
from marketplace.models.people import EntryLink, PartnerChange, PartnerClosure, PartnerPerson
from marketplace.models.suggestions import Suggestion, SuggestionVote
from marketplace.models.visits import VisitAsk, VisitPhoto, VisitRequest
from marketplace.models.workflow import OfficerApproval

__all__ = [
    "CallbackRequest",
    "Certificate",
    "CertificateCall",
    "ComplianceRule",
    "Convention",
    "DocumentTrade",
    "EntryLink",
    "InsurancePrice",
    "Offer",
    "OfferStock",
    "OfferUse",
    "OfferUseCount",
    "OfficerApproval",
    "Partner",
    "PartnerChange",
    "PartnerClosure",
    "PartnerDocument",
    "PartnerHours",
    "PartnerPerson",
    "PartnerTrade",
    "RefusalReport",
    "Suggestion",
    "SuggestionVote",
    "VisitAsk",
    "VisitPhoto",
    "VisitRequest",
]
