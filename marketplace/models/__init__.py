from marketplace.models.compliance import ComplianceRule, DocumentTrade, PartnerDocument
from marketplace.models.partners import Convention, Partner, PartnerHours, PartnerTrade

__all__ = [
    "ComplianceRule",
    "Convention",
    "DocumentTrade",
    "Partner",
    "PartnerDocument",
    "PartnerHours",
    "PartnerTrade",
]
