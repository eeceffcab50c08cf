from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a member of staff does at a place; each is a group of the same name."""

    OFFICER = "officer", _("chargée de mission du bailleur")
    CONCIERGE = "concierge", _("concierge")
    EDITOR = "editor", _("rédaction")


class Activity(models.TextChoices):
    """What a right opens."""

    LENDING = "lending", _("emprunter")
    SERVICES = "services", _("services")
    EVENTS = "events", _("événements")
    CLUB = "club", _("club et avantages")


class RightSource(models.TextChoices):
    """Where a right comes from: never from a status word."""

    GIFT = "gift", _("offert")
    SPONSOR = "sponsor", _("pris en charge par le bailleur")
    PAYMENT = "payment", _("payé")
    AWAITED = "awaited", _("paiement en cours")


class Operator(models.TextChoices):
    LANDLORD = "landlord", _("le bailleur")
    ASSOCIATION = "association", _("une association")


class Collector(models.TextChoices):
    """Who takes the money, which decides how it may be taken."""

    ASSOCIATION = "association", _("une association")
    COMMERCIAL = "commercial", _("un office en comptabilité commerciale")
    PUBLIC = "public", _("un office en comptabilité publique (pas de paiement en ligne)")


class Means(models.TextChoices):
    CASH = "cash", _("espèces")
    CHEQUE = "cheque", _("chèque")
    TRANSFER = "transfer", _("virement")
    CARD = "card", _("carte bancaire")
    SEPA = "sepa", _("prélèvement SEPA")


DESK_MEANS = (Means.CASH, Means.CHEQUE, Means.TRANSFER)
ONLINE_MEANS = (Means.CARD, Means.SEPA)


class EntryKind(models.TextChoices):
    """What an entry of the ledger is; a correction is a second entry of the same kind."""

    CHARGE = "charge", _("à payer")
    PAYMENT = "payment", _("payé")
    REFUND = "refund", _("remboursé")
    DISPUTE = "dispute", _("contesté")
    GAP = "gap", _("écart de caisse")


class Account(models.TextChoices):
    """What money is for; the accountant's numbers stand beside it in the export."""

    SUBSCRIPTION = "subscription", _("abonnements")
    FEE = "fee", _("participations aux prêts")
    DEPOSIT = "deposit", _("cautions")
    EVENT = "event", _("ateliers et événements")
    GOODS = "goods", _("pain et paniers")
    PARTNER = "partner", _("cotisations des partenaires")
    GAP = "gap", _("écarts de caisse")


class BookAccount(models.TextChoices):
    """The accounts of the double-entry journal; their numbers are the accountant's."""

    CASH = "cash", _("caisse")
    CHEQUE = "cheque", _("chèques à encaisser")
    BANK = "bank", _("banque")
    CARD = "card", _("cartes bancaires à encaisser")
    SEPA = "sepa", _("prélèvements à encaisser")
    INTERNAL = "internal", _("virements internes")
    HOUSEHOLDS = "households", _("adhérents")
    SUBSCRIPTION = "subscription", _("cotisations")
    FEE = "fee", _("prestations")
    EVENT = "event", _("ateliers et événements")
    GOODS = "goods", _("pain et paniers")
    PARTNER = "partner", _("cotisations des partenaires")
    DEPOSIT = "deposit", _("dépôts et cautions reçus")
    LOSS = "loss", _("écarts de caisse, manque")
    GAIN = "gain", _("écarts de caisse, surplus")


class MovementKind(models.TextChoices):
    BANKED = "banked", _("remise à la banque")
    ADDED = "added", _("apport de monnaie")


class CheckoutStatus(models.TextChoices):
    OPEN = "open", _("en attente de paiement")
    PAID = "paid", _("payé")
    EXPIRED = "expired", _("expiré")


# A page that expired here can have been paid there a moment before.
CHECKOUT_MOVES: dict[str, set[str]] = {
    CheckoutStatus.OPEN: {CheckoutStatus.PAID, CheckoutStatus.EXPIRED},
    CheckoutStatus.EXPIRED: {CheckoutStatus.PAID},
    CheckoutStatus.PAID: set(),
}


class MandateStatus(models.TextChoices):
    PENDING = "pending", _("en attente")
    ACTIVE = "active", _("actif")
    BOUNCED = "bounced", _("rejeté")
    RESCINDED = "rescinded", _("révoqué")
    VOID = "void", _("caduc")


# A means that was given again wakes its mandate; one that is void is over.
MANDATE_MOVES: dict[str, set[str]] = {
    MandateStatus.PENDING: {
        MandateStatus.ACTIVE,
        MandateStatus.BOUNCED,
        MandateStatus.RESCINDED,
        MandateStatus.VOID,
    },
    MandateStatus.ACTIVE: {
        MandateStatus.PENDING,
        MandateStatus.BOUNCED,
        MandateStatus.RESCINDED,
        MandateStatus.VOID,
    },
    MandateStatus.BOUNCED: {
        MandateStatus.ACTIVE,
        MandateStatus.RESCINDED,
        MandateStatus.VOID,
    },
    MandateStatus.RESCINDED: {
        MandateStatus.ACTIVE,
        MandateStatus.BOUNCED,
        MandateStatus.VOID,
    },
    MandateStatus.VOID: set(),
}


class RefundReason(models.TextChoices):
    TWICE = "twice", _("payé deux fois")
    MISTAKE = "mistake", _("erreur")
    CANCELLED = "cancelled", _("annulation")
    GESTURE = "gesture", _("geste de l’accueil")


class RefundStatus(models.TextChoices):
    ASKED = "asked", _("à contresigner")
    SENDING = "sending", _("en cours")
    DONE = "done", _("remboursé")
    FAILED = "failed", _("échoué")
    REFUSED = "refused", _("refusé")


REFUND_MOVES: dict[str, set[str]] = {
    RefundStatus.ASKED: {RefundStatus.SENDING, RefundStatus.REFUSED},
    RefundStatus.SENDING: {RefundStatus.DONE, RefundStatus.FAILED},
    RefundStatus.FAILED: {RefundStatus.SENDING, RefundStatus.DONE, RefundStatus.REFUSED},
    RefundStatus.DONE: {RefundStatus.FAILED},
    RefundStatus.REFUSED: set(),
}


class DifferenceKind(models.TextChoices):
    MISSING = "missing", _("absent de nos comptes")
    UNKNOWN = "unknown", _("inconnu du prestataire")
    AMOUNT = "amount", _("montants différents")


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("lundi")
    TUESDAY = 1, _("mardi")
    WEDNESDAY = 2, _("mercredi")
    THURSDAY = 3, _("jeudi")
    FRIDAY = 4, _("vendredi")
    SATURDAY = 5, _("samedi")
    SUNDAY = 6, _("dimanche")


class Period(models.TextChoices):
    """When a line of opening hours applies."""

    ALWAYS = "always", _("toute l’année")
    TERM = "term", _("hors vacances scolaires")
    SCHOOL_HOLIDAYS = "holidays", _("pendant les vacances scolaires")


class SchoolZone(models.TextChoices):
    A = "A", _("zone A")
    B = "B", _("zone B")
    C = "C", _("zone C")


class ClosureReason(models.TextChoices):
    HOLIDAYS = "holidays", _("congés")
    TRAINING = "training", _("formation")
    WORKS = "works", _("travaux")
    ILLNESS = "illness", _("absence imprévue")
    OTHER = "other", _("autre")


class NoteCode(models.TextChoices):
    """No free text about a person: these and nothing else."""

    CALL_FIRST = "call_first", _("préfère le téléphone")
    READS_LITTLE = "reads_little", _("lire avec la personne")
    LARGE_PRINT = "large_print", _("gros caractères")
    STEP_FREE = "step_free", _("accès de plain-pied")
    INTERPRETER = "interpreter", _("vient avec un interprète")


class ConsentKind(models.TextChoices):
    CLUB_NEWS = "club_news", _("nouvelles du club")
    PARTNER_OFFERS = "partner_offers", _("avantages des partenaires")
    SMS = "sms", _("rappels par SMS")
    NO_QUESTIONS = "no_questions", _("pas de question sur votre avis")


OBJECTIONS = (ConsentKind.NO_QUESTIONS,)
"""What is done unless somebody says no: a live tick of these is that no."""


class TenancyResult(models.TextChoices):
    YES = "yes", _("locataire vérifié")
    NO = "no", _("non trouvé")


class TenancyMethod(models.TextChoices):
    DIGEST = "digest", _("réponse du bailleur")
    PAPER = "paper", _("justificatif vu à l’accueil")


class MessageStatus(models.TextChoices):
    PENDING = "pending", _("à envoyer")
    SENDING = "sending", _("en cours d’envoi")
    SENT = "sent", _("envoyé")
    DROPPED = "dropped", _("sans objet")
    FAILED = "failed", _("échec")


class MessageChannel(models.TextChoices):
    EMAIL = "email", _("e-mail")
    SMS = "sms", _("SMS")


class Scope(models.TextChoices):
    READ = "read", _("lire")
    WRITE = "write", _("lire et réserver")


class Face(models.TextChoices):
    """One tap: no stars, and nothing that is shown in public."""

    HAPPY = "happy", _("content")
    SO_SO = "so_so", _("moyen")
    UNHAPPY = "unhappy", _("pas content")


class OpinionReason(models.TextChoices):
    """Why somebody was not happy, in one optional tap; no free text about a person."""

    WAIT = "wait", _("trop d’attente")
    QUALITY = "quality", _("ce n’était pas bien fait, ou abîmé")
    MISSING = "missing", _("il manquait quelque chose")
    UNCLEAR = "unclear", _("je n’ai pas compris comment faire")
    MANNER = "manner", _("mal reçu")
    PRICE = "price", _("trop cher")
    OTHER = "other", _("autre chose")


class CallOutcome(models.TextChoices):
    """What became of the call to somebody who was not happy."""

    SETTLED = "settled", _("réglé")
    NO_ANSWER = "no_answer", _("pas de réponse")
    PASSED_ON = "passed_on", _("transmis au bailleur")
