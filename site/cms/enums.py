from django.db import models
from django.utils.translation import gettext_lazy as _


class Target(models.TextChoices):
    """Screens that are no page of the tree; the value is the name of their address."""

    CATALOGUE = "concierge:catalogue", _("Les objets à emprunter")
    PARTNERS = "marketplace:directory", _("Les partenaires")
    SIGN_UP = "account_signup", _("Devenir membre")
    SIGN_IN = "account_login", _("Se connecter")
    HOME = "portal:home", _("Mon espace")
    BOOKINGS = "portal:bookings", _("Mes réservations")
    SEARCH = "search", _("Chercher")
    DEFECT = "defect", _("Signaler un défaut d’accès")


class AlertLevel(models.TextChoices):
    INFORMATION = "info", _("à savoir")
    URGENT = "urgent", _("urgent")


class Conformity(models.TextChoices):
    """The three states that the law knows (RGAA 4.1)."""

    NONE = "none", _("non conforme")
    PARTIAL = "partial", _("partiellement conforme")
    FULL = "full", _("totalement conforme")
