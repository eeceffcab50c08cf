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
