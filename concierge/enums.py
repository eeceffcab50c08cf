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


class ServiceKind(models.TextChoices):
    SLOT = "slot", _("sur rendez-vous")
    STAY = "stay", _("pendant une absence, du … au …")
    COUNTER = "counter", _("au comptoir, sans rendez-vous")


class ServiceUnit(models.TextChoices):
    ONCE = "once", _("la fois")
    HOUR = "hour", _("l’heure")
    PAGE = "page", _("la page")
    KILO = "kilo", _("le kilo")
    DAY = "day", _("le jour")


class AppointmentStatus(models.TextChoices):
    OFFERED = "offered", _("proposé")
    BOOKED = "booked", _("réservé")
    DONE = "done", _("venu")
    ABSENT = "absent", _("pas venu")
    CANCELLED = "cancelled", _("annulé")
    LAPSED = "lapsed", _("proposition passée")


APPOINTMENT_MOVES: dict[str, set[str]] = {
    AppointmentStatus.OFFERED: {
        AppointmentStatus.BOOKED,
        AppointmentStatus.CANCELLED,
        AppointmentStatus.LAPSED,
    },
    AppointmentStatus.BOOKED: {
        AppointmentStatus.DONE,
        AppointmentStatus.ABSENT,
        AppointmentStatus.CANCELLED,
    },
    AppointmentStatus.DONE: {AppointmentStatus.BOOKED},
    AppointmentStatus.ABSENT: {AppointmentStatus.BOOKED, AppointmentStatus.DONE},
    AppointmentStatus.CANCELLED: set(),
    AppointmentStatus.LAPSED: set(),
}

SEATED = (AppointmentStatus.OFFERED, AppointmentStatus.BOOKED)
"""While an appointment is in one of these, its seat is taken for its whole time."""


class WishStatus(models.TextChoices):
    """A turn on the waiting list of a service."""

    WAITING = "waiting", _("en attente")
    OFFERED = "offered", _("proposé")
    TAKEN = "taken", _("créneau pris")
    LAPSED = "lapsed", _("terminé")
    CANCELLED = "cancelled", _("annulé")


WISH_MOVES: dict[str, set[str]] = {
    WishStatus.WAITING: {WishStatus.OFFERED, WishStatus.LAPSED, WishStatus.CANCELLED},
    WishStatus.OFFERED: {
        WishStatus.WAITING,
        WishStatus.TAKEN,
        WishStatus.LAPSED,
        WishStatus.CANCELLED,
    },
    WishStatus.TAKEN: set(),
    WishStatus.LAPSED: set(),
    WishStatus.CANCELLED: set(),
}


class ParcelStatus(models.TextChoices):
    WAITING = "waiting", _("à retirer")
    COLLECTED = "collected", _("remis")
    RETURNED = "returned", _("rendu au transporteur")


# Two steps go back: undone at the desk.
PARCEL_MOVES: dict[str, set[str]] = {
    ParcelStatus.WAITING: {ParcelStatus.COLLECTED, ParcelStatus.RETURNED},
    ParcelStatus.COLLECTED: {ParcelStatus.WAITING},
    ParcelStatus.RETURNED: {ParcelStatus.WAITING},
}


class Carrier(models.TextChoices):
    COLISSIMO = "colissimo", _("La Poste, Colissimo")
    CHRONOPOST = "chronopost", _("Chronopost")
    MONDIAL_RELAY = "mondial", _("Mondial Relay")
    DPD = "dpd", _("DPD")
    GLS = "gls", _("GLS")
    UPS = "ups", _("UPS")
    DHL = "dhl", _("DHL")
    FEDEX = "fedex", _("FedEx")
    AMAZON = "amazon", _("Amazon")
    OTHER = "other", _("autre transporteur")


class ParcelSize(models.TextChoices):
    LETTER = "letter", _("pli ou sachet")
    SMALL = "small", _("petit carton")
    LARGE = "large", _("grand carton")
    HEAVY = "heavy", _("lourd ou encombrant")


# -- Stays and keys --------------------------------------------------------------------------


class StayStatus(models.TextChoices):
    """Running: the keys are at the desk, or none are needed and the first day has come."""

    BOOKED = "booked", _("réservée")
    RUNNING = "running", _("en cours")
    ENDED = "ended", _("terminée")
    CANCELLED = "cancelled", _("annulée")


STAY_MOVES: dict[str, set[str]] = {
    StayStatus.BOOKED: {StayStatus.RUNNING, StayStatus.CANCELLED},
    StayStatus.RUNNING: {StayStatus.BOOKED, StayStatus.ENDED, StayStatus.CANCELLED},
    StayStatus.ENDED: {StayStatus.RUNNING},
    StayStatus.CANCELLED: set(),
}

WATCHED = (StayStatus.BOOKED, StayStatus.RUNNING)
"""While a stay is in one of these, its seat is taken from its first to its last day."""


class StayTask(models.TextChoices):
    """What may be asked for: a closed list, because nothing is written about a home."""

    LOOK = "look", _("vérifier que tout va bien")
    POST = "post", _("relever le courrier")
    PLANTS = "plants", _("arroser les plantes")
    SHUTTERS = "shutters", _("ouvrir et fermer les volets")
    AIR = "air", _("aérer")
    LIGHTS = "lights", _("allumer une lampe")
    BINS = "bins", _("sortir les poubelles")
    CAT = "cat", _("nourrir le chat")
    FISH = "fish", _("nourrir les poissons")
    SMALL_PET = "small_pet", _("nourrir un petit animal en cage")
    LITTER = "litter", _("changer la litière")


class Incident(models.TextChoices):
    """What a visit found; each calls for a call."""

    WATER = "water", _("fuite d’eau")
    BREAK_IN = "break_in", _("porte ou fenêtre forcée")
    POWER = "power", _("plus de courant")
    SMELL = "smell", _("odeur de gaz ou de fumée")
    PET = "pet", _("animal malade")
    NO_ENTRY = "no_entry", _("impossible d’entrer")
    OTHER = "other", _("autre chose, à dire au téléphone")


class KeyReason(models.TextChoices):
    STAY = "stay", _("pour une garde")
    SPARE = "spare", _("double gardé")
    WORKS = "works", _("pour des travaux")


class KeyStatus(models.TextChoices):
    HELD = "held", _("au crochet")
    OUT = "out", _("sortie par l’accueil")
    RETURNED = "returned", _("rendue")
    LOST = "lost", _("perdue")


KEY_MOVES: dict[str, set[str]] = {
    KeyStatus.HELD: {KeyStatus.OUT, KeyStatus.RETURNED, KeyStatus.LOST},
    KeyStatus.OUT: {KeyStatus.HELD, KeyStatus.LOST},
    KeyStatus.RETURNED: {KeyStatus.HELD},
    KeyStatus.LOST: {KeyStatus.HELD},
}

ON_HOOK = (KeyStatus.HELD, KeyStatus.OUT)
"""While a set of keys is in one of these, its hook is taken."""


# -- Bread and baskets -----------------------------------------------------------------------


class Allergen(models.TextChoices):
    """The fourteen of regulation (EU) 1169/2011, annex II."""

    GLUTEN = "gluten", _("gluten")
    CRUSTACEANS = "crustaceans", _("crustacés")
    EGGS = "eggs", _("œufs")
    FISH = "fish", _("poisson")
    PEANUTS = "peanuts", _("arachides")
    SOYA = "soya", _("soja")
    MILK = "milk", _("lait")
    NUTS = "nuts", _("fruits à coque")
    CELERY = "celery", _("céleri")
    MUSTARD = "mustard", _("moutarde")
    SESAME = "sesame", _("sésame")
    SULPHITES = "sulphites", _("sulfites")
    LUPIN = "lupin", _("lupin")
    MOLLUSCS = "molluscs", _("mollusques")


class OnClosed(models.TextChoices):
    """What becomes of a delivery whose day the place is closed on."""

    SKIP = "skip", _("pas de livraison")
    AFTER = "after", _("le jour ouvert suivant")
    BEFORE = "before", _("le jour ouvert d’avant")


class Leftover(models.TextChoices):
    """What becomes of what nobody collected."""

    KEPT = "kept", _("gardé jusqu’au jour ouvert suivant")
    GIVEN = "given", _("donné à une association")
    SHARED = "shared", _("partagé entre ceux qui passent")


class DeliveryStatus(models.TextChoices):
    OPEN = "open", _("ouverte aux commandes")
    SENT = "sent", _("commande passée")
    DONE = "done", _("terminée")
    CANCELLED = "cancelled", _("annulée")


DELIVERY_MOVES: dict[str, set[str]] = {
    DeliveryStatus.OPEN: {DeliveryStatus.SENT, DeliveryStatus.CANCELLED},
    DeliveryStatus.SENT: {DeliveryStatus.DONE, DeliveryStatus.CANCELLED},
    DeliveryStatus.DONE: {DeliveryStatus.SENT},
    DeliveryStatus.CANCELLED: {DeliveryStatus.OPEN},
}


class CancelledFor(models.TextChoices):
    """Why a delivery does not come."""

    PRODUCER = "producer", _("le producteur ne vient pas")
    CLOSED = "closed", _("l’accueil est fermé")
    TOO_FEW = "too_few", _("pas assez de commandes")


class OrderStatus(models.TextChoices):
    ORDERED = "ordered", _("commandé")
    COLLECTED = "collected", _("remis")
    MISSED = "missed", _("non retiré")
    CANCELLED = "cancelled", _("annulé")
    FAILED = "failed", _("livraison annulée")


# What was handed over, or noted as not collected, by mistake goes back.
ORDER_MOVES: dict[str, set[str]] = {
    OrderStatus.ORDERED: {
        OrderStatus.COLLECTED,
        OrderStatus.MISSED,
        OrderStatus.CANCELLED,
        OrderStatus.FAILED,
    },
    OrderStatus.COLLECTED: {OrderStatus.ORDERED},
    OrderStatus.MISSED: {OrderStatus.ORDERED, OrderStatus.COLLECTED},
    OrderStatus.CANCELLED: set(),
    OrderStatus.FAILED: set(),
}

BAKED_FOR = (OrderStatus.ORDERED, OrderStatus.COLLECTED, OrderStatus.MISSED)
"""What the producer makes, and what is paid: everything but the cancelled."""
