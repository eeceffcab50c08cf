"""Why somebody has to read an imported event before it is shown."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Review(models.TextChoices):
    """Kept as a list of codes on the event's page; its words are for the staff."""

    PAST = "past", _("toutes les dates sont passées")
    NO_DATE = "no_date", _("aucune date lisible")
    HOURS = "hours", _("heures à écrire")
    MANY = "many", _("trop de dates, les premières seulement")
    CANCELLED = "cancelled", _("annulé")
    POSTPONED = "postponed", _("reporté, nouvelle date à écrire")
    TENTATIVE = "tentative", _("pas encore confirmé")
    ONLINE = "online_only", _("en ligne seulement")
    FAR = "far", _("loin d’ici")
    NO_PLACE = "no_place", _("lieu à écrire")
    BOOKING = "booking", _("sur inscription, mais sans adresse sûre")
    RESERVED = "reserved", _("réservé à un public")
    DUPLICATE = "duplicate", _("ressemble à un événement déjà au programme")
    JUNK = "junk", _("publicité ou texte vide")


def words_for(codes: list[str]) -> list[str]:
    """In the order of the list above; a code that is no longer known stays as it is."""
    known = {str(one.value): str(one.label) for one in Review}
    order = list(known)
    found = sorted(codes, key=lambda code: order.index(code) if code in known else len(order))
    return [known.get(code, code) for code in found]
