"""What a producer brings, in words: for its first page and for the page of its orders."""

from datetime import date, datetime, timedelta

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.kernel import words
from club.kernel.producers import Line
from club.kernel.spans import local_day
from club.models import Producer
from concierge.queries.pickups import MOST_DAYS, Round, days_of, delivers

NEXT = timedelta(days=MOST_DAYS)


def ahead(producer: Producer, now: datetime) -> list[Round]:
    """The days on which it still has something to bring."""
    today = local_day(now)
    days = days_of(producer, today, today + NEXT)
    return [one for one in days if any(stop.delivery.collect_until > now for stop in one.stops)]


def day_words(day: date, today: date) -> str:
    if day == today:
        return _("Aujourd’hui")
    if day == today + timedelta(days=1):
        return _("Demain")
    return capfirst(words.day(day, today))


def pieces_words(one: Round) -> str:
    """ "23 Pain de campagne" where it is one product only, else "23 produits"."""
    if len(one.totals) == 1:
        [(name, number)] = one.totals
        return f"{number}{words.NBSP}× {name}"
    return ngettext("%(number)d produit", "%(number)d produits", one.pieces) % {
        "number": one.pieces
    }


def closing_words(one: Round, today: date) -> str:
    """Whether anything can still be added."""
    closes = one.closes_at
    is_today = local_day(closes) == today
    said = {"moment": words.hour(closes) if is_today else words.moment(closes)}
    if one.is_final:
        return _("Liste close depuis %(moment)s") % said
    if is_today:
        return _("Jusqu’ici, liste close à %(moment)s") % said
    return _("Jusqu’ici, liste close %(moment)s") % said


def lines_of(producer: Producer, now: datetime) -> list[Line]:
    if not delivers(producer):
        return []
    today, url = local_day(now), reverse("pro-orders:orders")
    days = ahead(producer, now)
    if not days:
        return [Line(_("Mes commandes"), _("Rien à livrer pour l’instant"), url)]
    first = days[0]
    said = {"day": day_words(first.day, today), "pieces": pieces_words(first)}
    return [Line(_("%(day)s : %(pieces)s à livrer") % said, closing_words(first, today), url)]
