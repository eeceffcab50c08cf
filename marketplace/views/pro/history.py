"""What a partner changed, in words: "Pain de campagne : il en reste 14"."""

from dataclasses import dataclass
from datetime import date, time
from typing import Any

from django.utils.translation import gettext as _

from club.kernel import words
from club.kernel.people import spoken_phone
from club.kernel.spans import local_day
from marketplace.enums import ChangeKind
from marketplace.models import Partner, PartnerChange
from marketplace.queries import hours
from marketplace.queries.changes import (
    Days,
    called_off,
    history_of,
    leaves_called_off,
    undoable_in,
)


@dataclass(frozen=True)
class Told:
    """One line of the history; `undo` is the change's number where it can be taken back, and
    `warning` what would not come back with it."""

    what: str
    when: str
    who: str
    saved: str
    undo: int | None
    warning: str = ""


def deliveries_stay() -> str:
    return _("Les livraisons annulées ne reviennent pas. Appelez l’accueil.")


def told(partner: Partner, today: date) -> list[Told]:
    rows = history_of(partner)
    undoable, gone = undoable_in(rows, today), called_off(partner, today)
    return [as_told(row, today, row.pk in undoable, gone) for row in rows]


def last_of(partner: Partner, kind: str, today: date) -> Told | None:
    row = history_of(partner, kind)[:1]
    return as_told(row[0], today, True, called_off(partner, today)) if row else None


def as_told(row: PartnerChange, today: date, is_undoable: bool, gone: list[Days]) -> Told:
    return Told(
        what=words_of(row, today),
        when=words.moment(row.at),
        who=row.by.first_name if row.by else "",
        saved=saved_words(row) if local_day(row.at) == today else "",
        undo=row.pk if is_undoable else None,
        warning=deliveries_stay() if is_undoable and leaves_called_off(row, gone) else "",
    )


def saved_words(row: PartnerChange) -> str:
    """ "Enregistré à 7 h 42"; by whom is said in the history."""
    return _("Enregistré à %(hour)s.") % {"hour": words.hour(row.at)}


def words_of(row: PartnerChange, today: date) -> str:
    match row.kind:
        case ChangeKind.STOCK:
            title = row.offer.title if row.offer else ""
            return _("%(title)s : %(what)s") % {"title": title, "what": stock_words(row)}
        case ChangeKind.HOURS:
            return _("Horaires : %(what)s") % {"what": hours_words(row.after)}
        case ChangeKind.PHONE:
            phone = row.after["phone"]
            return _("Téléphone : %(what)s") % {
                "what": spoken_phone(phone) if phone else _("aucun")
            }
        case ChangeKind.PICTURE:
            return _("Nouvelle photo") if row.after["picture"] else _("Photo retirée")
    return closure_words(row, today)


def stock_words(row: PartnerChange) -> str:
    if row.after["sold_out"] != row.before["sold_out"]:
        return _("épuisé") if row.after["sold_out"] else _("de nouveau disponible")
    if row.after["left"] == 0:
        return _("épuisé")
    if row.after["left"] is None:
        return _("de nouveau disponible")
    return _("il en reste %(number)s") % {"number": row.after["left"]}


def hours_words(state: dict[str, Any]) -> str:
    if state["note"]:
        return str(state["note"])
    rows = [
        (weekday, time.fromisoformat(opens), time.fromisoformat(closes))
        for weekday, opens, closes in state["hours"]
    ]
    return hours.week_said(rows) or _("aucune heure")


def closure_words(row: PartnerChange, today: date) -> str:
    """The days that were added, or that some were taken away."""
    before = {tuple(days) for days in row.before["closures"]}
    after = {tuple(days) for days in row.after["closures"]}
    if days_in(after) < days_in(before):
        return _("Fermeture annulée")
    first, last = (date.fromisoformat(day) for day in min(after - before))
    return _("Fermé %(days)s") % {"days": hours.days_of(first, last, today)}


def days_in(closures: set[tuple[str, ...]]) -> int:
    return sum(
        (date.fromisoformat(last) - date.fromisoformat(first)).days + 1 for first, last in closures
    )
