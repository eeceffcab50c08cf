from django.db import models
from django.utils.translation import gettext_lazy as _


class ValueClass(models.TextChoices):
    """What an object is worth: limits and deposits follow it."""

    LIGHT = "light", _("moins de 50 €")
    MIDDLE = "middle", _("de 50 à 150 €")
    VALUABLE = "valuable", _("plus de 150 €")


class PriceClass(models.TextChoices):
    FREE = "free", _("gratuit")
    SMALL = "small", _("1 €")
    MEDIUM = "medium", _("3 €")
    LARGE = "large", _("5 €")


class KeptReason(models.TextChoices):
    """Why part of a deposit is kept."""

    LOST = "lost", _("non rendu")
    BROKEN = "broken", _("cassé")
    INCOMPLETE = "incomplete", _("incomplet")
    DIRTY = "dirty", _("à nettoyer")


class CopyStatus(models.TextChoices):
    PENDING = "pending", _("à préparer")
    ACTIVE = "active", _("en service")
    REPAIR = "repair", _("en réparation")
    MISSING = "missing", _("introuvable")
    RETIRED = "retired", _("retiré")


COPY_MOVES: dict[str, set[str]] = {
    CopyStatus.PENDING: {CopyStatus.ACTIVE, CopyStatus.RETIRED},
    CopyStatus.ACTIVE: {CopyStatus.REPAIR, CopyStatus.MISSING, CopyStatus.RETIRED},
    CopyStatus.REPAIR: {CopyStatus.ACTIVE, CopyStatus.MISSING, CopyStatus.RETIRED},
    CopyStatus.MISSING: {CopyStatus.ACTIVE, CopyStatus.RETIRED},
    CopyStatus.RETIRED: set(),
}


class RetiredReason(models.TextChoices):
    NOT_RETURNED = "not_returned", _("non rendu")
    BROKEN = "broken", _("cassé")
    USED_UP = "used_up", _("usé")
    REPLACED = "replaced", _("remplacé")


class Condition(models.TextChoices):
    NEW = "new", _("neuf")
    GOOD = "good", _("bon état")
    WORN = "worn", _("usé")


class LoanStatus(models.TextChoices):
    RESERVED = "reserved", _("réservé")
    READY = "ready", _("mis de côté")
    OUT = "out", _("prêté")
    RETURNED = "returned", _("rendu")
    LOST = "lost", _("perdu")
    CANCELLED = "cancelled", _("annulé")
    LAPSED = "lapsed", _("non retiré")


# Late is no status: it is what `out` and a due day that has passed say together.
# Three steps go back: `ready` to `reserved` (put back on the shelf), `out` to
# `reserved` and `returned` to `out` (undone at the desk).
LOAN_MOVES: dict[str, set[str]] = {
    LoanStatus.RESERVED: {
        LoanStatus.READY,
        LoanStatus.OUT,
        LoanStatus.CANCELLED,
        LoanStatus.LAPSED,
    },
    LoanStatus.READY: {
        LoanStatus.RESERVED,
        LoanStatus.OUT,
        LoanStatus.CANCELLED,
        LoanStatus.LAPSED,
    },
    LoanStatus.OUT: {
        LoanStatus.RETURNED,
        LoanStatus.LOST,
        LoanStatus.RESERVED,
        LoanStatus.CANCELLED,
    },
    LoanStatus.RETURNED: {LoanStatus.OUT},
    LoanStatus.LOST: {LoanStatus.RETURNED},
    LoanStatus.CANCELLED: set(),
    LoanStatus.LAPSED: set(),
}

HOLDING = (LoanStatus.RESERVED, LoanStatus.READY, LoanStatus.OUT)
"""While a loan is in one of these, its copy is claimed for its whole period."""

BEFORE_HANDOVER = (LoanStatus.RESERVED, LoanStatus.READY)


class RepairStatus(models.TextChoices):
    ASSESS = "assess", _("à examiner")
    PARTS = "parts", _("pièces commandées")
    REPAIRING = "repairing", _("en réparation")
    RESOLVED = "resolved", _("réparé")
    RETIRED = "retired", _("irréparable")


REPAIR_MOVES: dict[str, set[str]] = {
    RepairStatus.ASSESS: {
        RepairStatus.PARTS,
        RepairStatus.REPAIRING,
        RepairStatus.RESOLVED,
        RepairStatus.RETIRED,
    },
    RepairStatus.PARTS: {RepairStatus.REPAIRING, RepairStatus.RESOLVED, RepairStatus.RETIRED},
    RepairStatus.REPAIRING: {RepairStatus.PARTS, RepairStatus.RESOLVED, RepairStatus.RETIRED},
    RepairStatus.RESOLVED: set(),
    RepairStatus.RETIRED: set(),
}


class Fault(models.TextChoices):
    INCOMPLETE = "incomplete", _("incomplet")
    DIRTY = "dirty", _("à nettoyer")
    BROKEN = "broken", _("ne marche pas")


class PlanKind(models.TextChoices):
    """Two things to belong to; a household has at most one open of each."""

    MEMBERSHIP = "membership", _("adhésion au club")
    SUBSCRIPTION = "subscription", _("abonnement à la conciergerie")


class Audience(models.TextChoices):
    TENANT = "tenant", _("locataires du bailleur")
    ANYBODY = "anybody", _("tout le monde")
    LISTED = "listed", _("personnes d’une liste")


class Renewal(models.TextChoices):
    """How the next period is paid."""

    BY_HAND = "by_hand", _("à l’accueil ou en ligne, à la main")
    ONLINE = "online", _("prélevé en ligne")
    FREE = "free", _("gratuit, tout seul")


class SubscriptionStatus(models.TextChoices):
    PENDING = "pending", _("en attente de paiement")
    ACTIVE = "active", _("actif")
    LATE = "late", _("paiement en retard")
    PAUSED = "paused", _("en pause")
    ENDED = "ended", _("terminé")
    CANCELLED = "cancelled", _("résilié")


# Money that comes late still counts: what ended can become active again.
SUBSCRIPTION_MOVES: dict[str, set[str]] = {
    SubscriptionStatus.PENDING: {
        SubscriptionStatus.ACTIVE,
        SubscriptionStatus.ENDED,
        SubscriptionStatus.CANCELLED,
    },
    SubscriptionStatus.ACTIVE: {
        SubscriptionStatus.LATE,
        SubscriptionStatus.PAUSED,
        SubscriptionStatus.ENDED,
        SubscriptionStatus.CANCELLED,
    },
    SubscriptionStatus.LATE: {
        SubscriptionStatus.ACTIVE,
        SubscriptionStatus.ENDED,
        SubscriptionStatus.CANCELLED,
    },
    SubscriptionStatus.PAUSED: {
        SubscriptionStatus.ACTIVE,
        SubscriptionStatus.ENDED,
        SubscriptionStatus.CANCELLED,
    },
    SubscriptionStatus.ENDED: {SubscriptionStatus.ACTIVE},
    SubscriptionStatus.CANCELLED: {SubscriptionStatus.ACTIVE},
}

OPEN_SUBSCRIPTIONS = (
    SubscriptionStatus.PENDING,
    SubscriptionStatus.ACTIVE,
    SubscriptionStatus.LATE,
    SubscriptionStatus.PAUSED,
)
