"""The closed lists in the words of those who look: addresses, and what a trade is for."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rapidfuzz import fuzz

from club.kernel.people import folded
from marketplace.enums import PartnerKind, Shop, Trade

CLOSE_ENOUGH = 80


@dataclass(frozen=True)
class TradeWords:
    """The address of its list, who comes, and the worries that they are called for."""

    slug: str
    who: Promise | str
    about: Promise | str


TRADES: dict[str, TradeWords] = {
    Trade.PLUMBING: TradeWords("plomberie", _("plombier"), _("Fuite, évier bouché, chasse d’eau.")),
    Trade.HEATING: TradeWords(
        "chauffage", _("chauffagiste"), _("Radiateur froid, chaudière en panne, eau tiède.")
    ),
    Trade.ELECTRICITY: TradeWords(
        "electricite", _("électricien"), _("Prise en panne, disjoncteur qui saute, luminaire.")
    ),
    Trade.LOCKS: TradeWords(
        "serrurerie", _("serrurier"), _("Porte claquée, clé cassée, serrure à changer.")
    ),
    Trade.GLAZING: TradeWords("vitrerie", _("vitrier"), _("Vitre cassée, fenêtre fêlée, miroir.")),
    Trade.JOINERY: TradeWords(
        "menuiserie", _("menuisier"), _("Porte qui frotte, volet bloqué, étagère.")
    ),
    Trade.PAINTING: TradeWords("peinture", _("peintre"), _("Murs, plafonds, papier peint.")),
    Trade.TILING: TradeWords("carrelage-et-sols", _("carreleur"), _("Carrelage, lino, parquet.")),
    Trade.MASONRY: TradeWords(
        "maconnerie-et-platre", _("maçon"), _("Mur fissuré, cloison, plâtre.")
    ),
    Trade.ROOFING: TradeWords(
        "couverture", _("couvreur"), _("Tuile, gouttière, eau qui vient du toit.")
    ),
    Trade.GARDENING: TradeWords("jardinage", _("jardinier"), _("Haie, pelouse, balcon fleuri.")),
    Trade.CLEANING: TradeWords(
        "menage-et-vitres", _("professionnel du ménage"), _("Grand ménage, vitres, débarras.")
    ),
    Trade.REMOVALS: TradeWords(
        "demenagement", _("déménageur"), _("Cartons, meubles lourds, camion.")
    ),
    Trade.REPAIRS: TradeWords(
        "depannage-d-appareils",
        _("réparateur d’appareils"),
        _("Lave-linge, réfrigérateur, four en panne."),
    ),
    Trade.COMPUTERS: TradeWords(
        "depannage-informatique",
        _("dépanneur informatique"),
        _("Ordinateur lent, box, téléphone, imprimante."),
    ),
}
KINDS: dict[str, str] = {
    PartnerKind.ARTISAN: "artisans",
    PartnerKind.MERCHANT: "commercants",
    PartnerKind.PRODUCER: "producteurs",
    PartnerKind.INTERMEDIARY: "assurance",
}
SHOPS: dict[str, str] = {
    Shop.BAKERY: "boulangerie",
    Shop.BUTCHER: "boucherie",
    Shop.GROCER: "epicerie",
    Shop.GREENGROCER: "fruits-et-legumes",
    Shop.CHEESE: "fromagerie",
    Shop.FISH: "poissonnerie",
    Shop.DRINKS: "boissons",
    Shop.CAFE: "cafe-et-restaurant",
    Shop.PHARMACY: "pharmacie-et-sante",
    Shop.OPTICIAN: "opticien",
    Shop.HAIR: "coiffure-et-beaute",
    Shop.CLOTHES: "vetements-et-couture",
    Shop.LAUNDRY: "pressing-et-laverie",
    Shop.HOME: "maison-et-bricolage",
    Shop.COMPUTERS: "informatique",
    Shop.BOOKS: "livres-et-papeterie",
    Shop.SPORT: "sport-et-loisirs",
    Shop.CULTURE: "culture-et-sorties",
    Shop.CARE: "services-a-la-personne",
    Shop.FARM: "ferme",
    Shop.OTHER: "autre-commerce",
}
"""Addresses stay when the words on the screen change."""

TRADE_OF = {words.slug: trade for trade, words in TRADES.items()}
KIND_OF = {slug: kind for kind, slug in KINDS.items()}
SHOP_OF = {slug: shop for shop, slug in SHOPS.items()}


def trades_meant(word: str) -> set[str]:
    """The trades that a folded word speaks of: "fuite", "plombier", "plombrie"."""
    return {trade for trade in TRADES if means(word, trade)}


def means(word: str, trade: str) -> bool:
    said = TRADES[trade]
    names = folded(f"{Trade(trade).label} {said.who} {said.about}").split()
    return any(
        name.startswith(word)
        or (min(len(name), len(word)) > 3 and fuzz.ratio(word, name) >= CLOSE_ENOUGH)
        for name in names
    )
