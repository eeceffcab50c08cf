from django.db import models
from django.utils.translation import gettext_lazy as _

from content.enums import Wall


class Theme(models.TextChoices):
    """The departments of the programme, named by verbs as those of the tool library are."""

    MEET = "meet", _("Se rencontrer")
    COOK = "cook", _("Cuisiner")
    MEND = "mend", _("Bricoler")
    GROW = "grow", _("Jardiner")
    MOVE = "move", _("Bouger")
    LEARN = "learn", _("Apprendre")
    MANAGE = "manage", _("Faire ses démarches")
    PARTY = "party", _("Faire la fête")
    OUT = "out", _("Sortir")


THEME_LOOK: dict[str, tuple[str, str]] = {
    Theme.MEET: (Wall.ROSE, "tiles/evenements"),
    Theme.COOK: (Wall.CLAY, "tools/marmite"),
    Theme.MEND: (Wall.BUTTER, "tools/caisse-a-outils"),
    Theme.GROW: (Wall.LINDEN, "tiles/jardiner-pot"),
    Theme.MOVE: (Wall.LINDEN, "tiles/gym"),
    Theme.LEARN: (Wall.WATER, "tiles/devoirs"),
    Theme.MANAGE: (Wall.WATER, "tiles/rendez-vous"),
    Theme.PARTY: (Wall.ROSE, "tiles/guirlande-fanions"),
    Theme.OUT: (Wall.HONEY, "tools/valise"),
}
"""The wall and the drawing of an event that has no photo."""


class Audience(models.TextChoices):
    ALL = "all", _("pour tous")
    FAMILIES = "families", _("en famille")
    CHILDREN = "children", _("pour les enfants")
    TEENS = "teens", _("pour les jeunes")
    ADULTS = "adults", _("pour les adultes")
    SENIORS = "seniors", _("pour les aînés")


WITH_CHILDREN = (Audience.ALL, Audience.FAMILIES, Audience.CHILDREN)


class Entry(models.TextChoices):
    """How one gets in."""

    FREE = "free", _("entrée libre, sans inscription")
    LISTED = "listed", _("sur inscription ici")
    ELSEWHERE = "elsewhere", _("sur inscription ailleurs")


class Frequency(models.TextChoices):
    ONCE = "once", _("une seule fois")
    DAILY = "daily", _("chaque jour")
    WEEKLY = "weekly", _("chaque semaine")
    FORTNIGHTLY = "fortnightly", _("une semaine sur deux")
    MONTHLY = "monthly", _("chaque mois, le même jour de semaine")


class Holidays(models.TextChoices):
    ANY = "any", _("aussi pendant les vacances scolaires")
    SKIP = "skip", _("pas pendant les vacances scolaires")
    ONLY = "only", _("seulement pendant les vacances scolaires")


class AnswerKind(models.TextChoices):
    """Nobody is asked for free text: what is written about a person is chosen from a list."""

    YES_NO = "yes_no", _("oui ou non")
    CHOICE = "choice", _("un choix")
    NUMBER = "number", _("un nombre")


class SessionStatus(models.TextChoices):
    SCHEDULED = "scheduled", _("prévue")
    CANCELLED = "cancelled", _("annulée")


SESSION_MOVES: dict[str, set[str]] = {
    SessionStatus.SCHEDULED: {SessionStatus.CANCELLED},
    SessionStatus.CANCELLED: set(),
}


class CancelReason(models.TextChoices):
    """Why a session does not take place, as people are told."""

    ILLNESS = "illness", _("l’animateur est absent")
    WEATHER = "weather", _("à cause du temps")
    FEW = "few", _("pas assez d’inscrits")
    CLOSED = "closed", _("l’accueil est fermé")
    OTHER = "other", _("un imprévu")


class RegistrationStatus(models.TextChoices):
    ASKED = "asked", _("à confirmer par l’accueil")
    WAITING = "waiting", _("en liste d’attente")
    OFFERED = "offered", _("place proposée")
    PENDING = "pending", _("à payer")
    CONFIRMED = "confirmed", _("inscrit")
    PRESENT = "present", _("présent")
    ABSENT = "absent", _("absent")
    LAPSED = "lapsed", _("expiré")
    CANCELLED = "cancelled", _("annulé")
    REFUSED = "refused", _("non retenu")


# What was undone at the door goes back: present or absent to confirmed. An offer that
# staff withdraw goes back to waiting, and keeps its turn.
REGISTRATION_MOVES: dict[str, set[str]] = {
    RegistrationStatus.ASKED: {
        RegistrationStatus.PENDING,
        RegistrationStatus.CONFIRMED,
        RegistrationStatus.REFUSED,
        RegistrationStatus.CANCELLED,
        RegistrationStatus.LAPSED,
    },
    RegistrationStatus.WAITING: {
        RegistrationStatus.OFFERED,
        RegistrationStatus.CANCELLED,
        RegistrationStatus.LAPSED,
    },
    RegistrationStatus.OFFERED: {
        RegistrationStatus.WAITING,
        RegistrationStatus.PENDING,
        RegistrationStatus.CONFIRMED,
        RegistrationStatus.CANCELLED,
        RegistrationStatus.LAPSED,
    },
    RegistrationStatus.PENDING: {
        RegistrationStatus.CONFIRMED,
        RegistrationStatus.PRESENT,
        RegistrationStatus.CANCELLED,
        RegistrationStatus.LAPSED,
    },
    RegistrationStatus.CONFIRMED: {
        RegistrationStatus.PENDING,
        RegistrationStatus.PRESENT,
        RegistrationStatus.ABSENT,
        RegistrationStatus.CANCELLED,
    },
    RegistrationStatus.PRESENT: {RegistrationStatus.CONFIRMED, RegistrationStatus.ABSENT},
    RegistrationStatus.ABSENT: {RegistrationStatus.CONFIRMED, RegistrationStatus.PRESENT},
    RegistrationStatus.LAPSED: set(),
    RegistrationStatus.CANCELLED: set(),
    RegistrationStatus.REFUSED: set(),
}

HOLDING = (
    RegistrationStatus.ASKED,
    RegistrationStatus.OFFERED,
    RegistrationStatus.PENDING,
    RegistrationStatus.CONFIRMED,
    RegistrationStatus.PRESENT,
)
"""In one of these a registration holds its places; an absent one's are free again."""

OPEN = (
    RegistrationStatus.ASKED,
    RegistrationStatus.WAITING,
    RegistrationStatus.OFFERED,
    RegistrationStatus.PENDING,
    RegistrationStatus.CONFIRMED,
)
"""Before the door: what the member still can change or give back."""

LIVE = (*OPEN, RegistrationStatus.PRESENT, RegistrationStatus.ABSENT)
"""A member has one of these at most for a session."""

EXPECTED = (RegistrationStatus.CONFIRMED, RegistrationStatus.PENDING)
"""Who may stand at the door."""


class ScanOutcome(models.TextChoices):
    """What the door said; each has its own colour, word and sound."""

    IN = "in", _("Entré")
    ALREADY = "already", _("Déjà entré")
    FORCED = "forced", _("Entré deux fois")
    WRONG = "wrong", _("Autre séance")
    CANCELLED = "cancelled", _("Annulé")
    WAITING = "waiting", _("En attente")
    UNPAID = "unpaid", _("À payer")
    UNKNOWN = "unknown", _("Inconnu")
    FULL = "full", _("Complet")
    WALK_IN = "walk_in", _("Entré sans inscription")
    OUT = "out", _("Entrée annulée")
