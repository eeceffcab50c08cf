from django.db import models
from django.utils.translation import gettext_lazy as _

from content.enums import Wall


class PartnerKind(models.TextChoices):
    MERCHANT = "merchant", _("commerçant")
    ARTISAN = "artisan", _("artisan")
    PRODUCER = "producer", _("producteur")
    INTERMEDIARY = "intermediary", _("intermédiaire en assurance")


class PartnerStatus(models.TextChoices):
    """Whether staff let it be shown; what lapsed papers hide is no status but a query."""

    DRAFT = "draft", _("en préparation")
    TO_CHECK = "to_check", _("à vérifier")
    LIVE = "live", _("en ligne")
    PAUSED = "paused", _("retiré")
    ENDED = "ended", _("convention terminée")


PARTNER_MOVES: dict[str, set[str]] = {
    PartnerStatus.DRAFT: {PartnerStatus.TO_CHECK, PartnerStatus.LIVE, PartnerStatus.ENDED},
    PartnerStatus.TO_CHECK: {PartnerStatus.LIVE, PartnerStatus.DRAFT, PartnerStatus.ENDED},
    PartnerStatus.LIVE: {PartnerStatus.TO_CHECK, PartnerStatus.PAUSED, PartnerStatus.ENDED},
    PartnerStatus.PAUSED: {PartnerStatus.LIVE, PartnerStatus.TO_CHECK, PartnerStatus.ENDED},
    PartnerStatus.ENDED: {PartnerStatus.DRAFT},
}


class Trade(models.TextChoices):
    """The closed list: what a resident looks for, and what an insurance names."""

    PLUMBING = "plumbing", _("plomberie")
    HEATING = "heating", _("chauffage")
    ELECTRICITY = "electricity", _("électricité")
    LOCKS = "locks", _("serrurerie")
    GLAZING = "glazing", _("vitrerie")
    JOINERY = "joinery", _("menuiserie")
    PAINTING = "painting", _("peinture")
    TILING = "tiling", _("carrelage et sols")
    MASONRY = "masonry", _("maçonnerie et plâtre")
    ROOFING = "roofing", _("couverture")
    GARDENING = "gardening", _("jardinage")
    CLEANING = "cleaning", _("ménage et vitres")
    REMOVALS = "removals", _("déménagement")
    REPAIRS = "repairs", _("dépannage d’appareils")
    COMPUTERS = "computers", _("dépannage informatique")


BUILDING = frozenset(
    {
        Trade.PLUMBING,
        Trade.HEATING,
        Trade.ELECTRICITY,
        Trade.LOCKS,
        Trade.GLAZING,
        Trade.JOINERY,
        Trade.PAINTING,
        Trade.TILING,
        Trade.MASONRY,
        Trade.ROOFING,
    }
)
"""Trades whose work the law wants insured for ten years (Code des assurances, L. 241-1)."""

TRADE_LOOK: dict[str, tuple[str, str]] = {
    Trade.PLUMBING: (Wall.WATER, "tools/deboucheur"),
    Trade.HEATING: (Wall.CLAY, "tools/radiateur"),
    Trade.ELECTRICITY: (Wall.BUTTER, "tools/visseuse"),
    Trade.LOCKS: (Wall.HONEY, "tools/caisse-a-outils"),
    Trade.GLAZING: (Wall.WATER, "tools/lave-vitres"),
    Trade.JOINERY: (Wall.HONEY, "tools/scie-sauteuse"),
    Trade.PAINTING: (Wall.ROSE, "tools/escabeau"),
    Trade.TILING: (Wall.CLAY, "tools/niveau-laser"),
    Trade.MASONRY: (Wall.BUTTER, "tools/perforateur"),
    Trade.ROOFING: (Wall.CLAY, "tools/echelle"),
    Trade.GARDENING: (Wall.LINDEN, "tools/taille-haie"),
    Trade.CLEANING: (Wall.WATER, "tools/aspirateur"),
    Trade.REMOVALS: (Wall.HONEY, "tools/diable"),
    Trade.REPAIRS: (Wall.LINDEN, "tools/fer-a-repasser"),
    Trade.COMPUTERS: (Wall.ROSE, "tools/videoprojecteur"),
}


class Shop(models.TextChoices):
    """What sort of shop or producer: a closed list too."""

    BAKERY = "bakery", _("boulangerie")
    BUTCHER = "butcher", _("boucherie")
    GROCER = "grocer", _("épicerie")
    GREENGROCER = "greengrocer", _("fruits et légumes")
    CHEESE = "cheese", _("fromagerie")
    FISH = "fish", _("poissonnerie")
    DRINKS = "drinks", _("boissons")
    CAFE = "cafe", _("café et restaurant")
    PHARMACY = "pharmacy", _("pharmacie et santé")
    OPTICIAN = "optician", _("opticien")
    HAIR = "hair", _("coiffure et beauté")
    CLOTHES = "clothes", _("vêtements et couture")
    LAUNDRY = "laundry", _("pressing et laverie")
    HOME = "home", _("maison et bricolage")
    COMPUTERS = "computers", _("informatique")
    BOOKS = "books", _("livres et papeterie")
    SPORT = "sport", _("sport et loisirs")
    CULTURE = "culture", _("culture et sorties")
    CARE = "care", _("services à la personne")
    FARM = "farm", _("ferme")
    OTHER = "other", _("autre commerce")


class DocumentKind(models.TextChoices):
    DECENNIAL = "decennial", _("assurance décennale")
    LIABILITY = "liability", _("assurance responsabilité civile")
    REGISTRATION = "registration", _("extrait d’immatriculation")
    VIGILANCE = "vigilance", _("attestation de vigilance URSSAF")
    ORIAS = "orias", _("inscription ORIAS")
    HYGIENE = "hygiene", _("formation à l’hygiène")


class DocumentStatus(models.TextChoices):
    """Whether it has lapsed is no status: its dates say so."""

    RECEIVED = "received", _("à vérifier")
    ACCEPTED = "accepted", _("accepté")
    REFUSED = "refused", _("refusé")


DOCUMENT_MOVES: dict[str, set[str]] = {
    DocumentStatus.RECEIVED: {DocumentStatus.ACCEPTED, DocumentStatus.REFUSED},
    DocumentStatus.ACCEPTED: {DocumentStatus.REFUSED},
    DocumentStatus.REFUSED: {DocumentStatus.ACCEPTED},
}


class RefusedFor(models.TextChoices):
    UNREADABLE = "unreadable", _("illisible")
    OTHER_FIRM = "other_firm", _("au nom d’une autre entreprise")
    DATES = "dates", _("dates non valables")
    ACTIVITIES = "activities", _("activité non couverte")
    INCOMPLETE = "incomplete", _("incomplet")


class Spoken(models.TextChoices):
    FRENCH = "fr", _("français")
    ARABIC = "ar", _("arabe")
    BERBER = "ber", _("berbère")
    ENGLISH = "en", _("anglais")
    SPANISH = "es", _("espagnol")
    PORTUGUESE = "pt", _("portugais")
    TURKISH = "tr", _("turc")
    ROMANIAN = "ro", _("roumain")
    RUSSIAN = "ru", _("russe")
    TAMIL = "ta", _("tamoul")
    CHINESE = "zh", _("chinois")
    SIGNS = "fsl", _("langue des signes")


class OfferKind(models.TextChoices):
    """What a card gives; each has fields of its own (`models.offers.NEEDED`)."""

    PERCENT = "percent", _("remise en pourcentage")
    AMOUNT = "amount", _("remise en euros")
    PRICE = "price", _("prix réservé aux membres")
    GIFT = "gift", _("cadeau")


class LimitPer(models.TextChoices):
    """Over which time the uses of one member are counted."""

    DAY = "day", _("par jour")
    WEEK = "week", _("par semaine")
    MONTH = "month", _("par mois")
    YEAR = "year", _("par an")
    EVER = "ever", _("en tout")


class ChangeKind(models.TextChoices):
    """What a partner changes without asking; each can be undone."""

    STOCK = "stock", _("quantité du jour")
    HOURS = "hours", _("horaires")
    CLOSURE = "closure", _("fermeture")
    PICTURE = "picture", _("photo")
    PHONE = "phone", _("téléphone")


class HappenedAtTill(models.TextChoices):
    """Why a member did not get what the card gives."""

    REFUSED = "refused", _("on m’a dit non")
    UNKNOWN = "unknown", _("on ne connaissait pas la carte")
    OTHER_TERMS = "other_terms", _("les conditions étaient autres")
    SHUT = "shut", _("c’était fermé ou épuisé")


class ReportStatus(models.TextChoices):
    OPEN = "open", _("à traiter")
    SETTLED = "settled", _("réglé avec le partenaire")
    UNFOUNDED = "unfounded", _("les conditions n’étaient pas remplies")
    WITHDRAWN = "withdrawn", _("avantage retiré")


REPORT_MOVES: dict[str, set[str]] = {
    ReportStatus.OPEN: {ReportStatus.SETTLED, ReportStatus.UNFOUNDED, ReportStatus.WITHDRAWN},
    ReportStatus.SETTLED: set(),
    ReportStatus.UNFOUNDED: set(),
    ReportStatus.WITHDRAWN: set(),
}


class SuggestionStatus(models.TextChoices):
    RECEIVED = "received", _("à lire")
    OPEN = "open", _("au vote")
    TALKING = "talking", _("en discussion avec lui")
    JOINED = "joined", _("partenaire du club")
    DECLINED = "declined", _("n’a pas donné suite")


SUGGESTION_MOVES: dict[str, set[str]] = {
    SuggestionStatus.RECEIVED: {SuggestionStatus.OPEN, SuggestionStatus.DECLINED},
    SuggestionStatus.OPEN: {
        SuggestionStatus.TALKING,
        SuggestionStatus.JOINED,
        SuggestionStatus.DECLINED,
    },
    SuggestionStatus.TALKING: {
        SuggestionStatus.OPEN,
        SuggestionStatus.JOINED,
        SuggestionStatus.DECLINED,
    },
    SuggestionStatus.JOINED: set(),
    SuggestionStatus.DECLINED: {SuggestionStatus.OPEN},
}


class DeclinedFor(models.TextChoices):
    """Why nothing came of a suggestion: the person who made it is told so."""

    NOT_INTERESTED = "not_interested", _("le commerce n’est pas intéressé")
    TWICE = "twice", _("déjà proposé")
    TOO_FAR = "too_far", _("trop loin du quartier")
    CLOSED = "closed", _("le commerce a fermé")
    NOT_SUITED = "not_suited", _("cela ne convient pas au club")


class VisitStatus(models.TextChoices):
    """A request to artisans, as the resident sees it."""

    ASKING = "asking", _("en attente de réponse")
    AGREED = "agreed", _("visite convenue")
    DONE = "done", _("terminé")
    UNANSWERED = "unanswered", _("personne n’est disponible")
    CANCELLED = "cancelled", _("annulé")


VISIT_MOVES: dict[str, set[str]] = {
    VisitStatus.ASKING: {VisitStatus.AGREED, VisitStatus.UNANSWERED, VisitStatus.CANCELLED},
    VisitStatus.AGREED: {VisitStatus.DONE, VisitStatus.CANCELLED, VisitStatus.ASKING},
    VisitStatus.UNANSWERED: {VisitStatus.ASKING, VisitStatus.CANCELLED},
    VisitStatus.DONE: set(),
    VisitStatus.CANCELLED: set(),
}
"""An artisan who gives an agreed visit back leaves the resident asking again."""


class AskStatus(models.TextChoices):
    """One artisan's part in a request."""

    ASKED = "asked", _("attend une réponse")
    PROPOSED = "proposed", _("propose une autre heure")
    ACCEPTED = "accepted", _("accepté")
    DECLINED = "declined", _("pas disponible")
    SILENT = "silent", _("sans réponse")
    CLOSED = "closed", _("pris par un autre")


ASK_MOVES: dict[str, set[str]] = {
    AskStatus.ASKED: {
        AskStatus.PROPOSED,
        AskStatus.ACCEPTED,
        AskStatus.DECLINED,
        AskStatus.SILENT,
        AskStatus.CLOSED,
    },
    AskStatus.PROPOSED: {
        AskStatus.PROPOSED,
        AskStatus.ACCEPTED,
        AskStatus.DECLINED,
        AskStatus.CLOSED,
    },
    AskStatus.SILENT: {
        AskStatus.PROPOSED,
        AskStatus.ACCEPTED,
        AskStatus.DECLINED,
        AskStatus.CLOSED,
    },
    AskStatus.ACCEPTED: {AskStatus.DECLINED, AskStatus.CLOSED},
    AskStatus.DECLINED: set(),
    AskStatus.CLOSED: {AskStatus.ASKED},
}
"""Who was too late is asked again when the one who took the visit gives it back."""


class DayPart(models.TextChoices):
    """When somebody is at home for an artisan: hours on the wall are in `DAY_PARTS`."""

    MORNING = "morning", _("le matin")
    AFTERNOON = "afternoon", _("l’après-midi")
    EVENING = "evening", _("en fin de journée")


DAY_PARTS: dict[str, tuple[int, int]] = {
    DayPart.MORNING: (8, 12),
    DayPart.AFTERNOON: (13, 17),
    DayPart.EVENING: (17, 20),
}


class Satisfaction(models.TextChoices):
    HAPPY = "happy", _("content")
    SO_SO = "so_so", _("moyen")
    UNHAPPY = "unhappy", _("pas content")


class UnhappyFor(models.TextChoices):
    LATE = "late", _("en retard ou absent")
    PRICE = "price", _("plus cher que prévu")
    WORK = "work", _("travail mal fait")
    MANNER = "manner", _("mal reçu")
    OTHER = "other", _("autre chose")


class CertificateStatus(models.TextChoices):
    """Whether it has expired is no status: its dates say so."""

    RECEIVED = "received", _("à vérifier")
    ACCEPTED = "accepted", _("reçue et vérifiée")
    REFUSED = "refused", _("à renvoyer")


CERTIFICATE_MOVES: dict[str, set[str]] = {
    CertificateStatus.RECEIVED: {CertificateStatus.ACCEPTED, CertificateStatus.REFUSED},
    CertificateStatus.ACCEPTED: {CertificateStatus.REFUSED},
    CertificateStatus.REFUSED: {CertificateStatus.ACCEPTED},
}


class CertificateRefusedFor(models.TextChoices):
    UNREADABLE = "unreadable", _("illisible")
    OTHER_HOME = "other_home", _("pour un autre logement")
    DATES = "dates", _("dates non valables")
    NOT_ONE = "not_one", _("ce n’est pas une attestation")
