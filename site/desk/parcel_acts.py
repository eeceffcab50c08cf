"""What a scan or a key does with parcels: opened, handed over, taken back; the words for it.

The barcode on the parcel is in the hand of whoever gives it: with its owner on the screen
it is handed over. The reference is a code that anybody may read out: it only opens.
"""

from collections.abc import Iterable
from dataclasses import replace

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.kernel import codes, words
from club.kernel.refusal import refuse
from club.models import Member
from concierge.domain.barcodes import as_barcode, carrier_of
from concierge.domain.parcels import hand_over_parcel, undo_hand_over, where_of
from concierge.enums import ParcelStatus
from concierge.models import Parcel, Proxy
from concierge.queries.parcels import found_by, takes_parcels
from desk import acts
from desk.acts import TELLERS, UNDOERS, Counter, Facts, perform, undo_of, with_owner
from desk.screen import Result, Screen, members_at


def number_words(number: int) -> str:
    return ngettext("un colis", "%(number)d colis", number) % {"number": number}


def shelf_words(parcel: Parcel) -> str:
    where = where_of(parcel)
    return f"{where[:1].upper()}{where[1:]}."


# -- Scanned ---------------------------------------------------------------------------------


def by_reference(counter: Counter, code: str) -> Screen | None:
    """The code of the message, scanned from a phone or read aloud."""
    parcel = found_by(counter.place, code)
    return opened(counter, parcel) if parcel is not None else None


def by_barcode(counter: Counter, text: str) -> Screen | None:
    """A carrier's label: the parcel that waits, else what became of it; None: no label."""
    barcode = as_barcode(text)
    if barcode is None or not any(character.isdigit() for character in barcode):
        return None
    parcel = found_by(counter.place, barcode)
    if parcel is None:
        return to_receive(counter, barcode) if carrier_of(barcode) else None
    is_theirs = counter.member is not None and counter.member.pk == parcel.member_id
    if is_theirs and (parcel.status == ParcelStatus.WAITING or acts.is_repeated(counter)):
        assert counter.member is not None
        return hand_over(counter, [parcel], counter.member)
    return opened(counter, parcel)


def to_receive(counter: Counter, barcode: str) -> Screen | None:
    if not takes_parcels(counter.place):
        return None
    url = f"{reverse('desk:parcel-receive')}?{urlencode({'code': barcode})}"
    said = _("Ce colis n’est pas encore reçu.")
    way = _("Recevoir ce colis")
    return counter.screen(result=Result("attention", _("Nouveau."), said, way=url, way_label=way))


def opened(counter: Counter, parcel: Parcel) -> Screen:
    """Its person with all that waits for them; what waits for nobody, or is gone, its page."""
    member = members_at(counter.place).filter(parcels=parcel).first()
    counter = replace(counter, member=member)
    if parcel.status != ParcelStatus.WAITING:
        return counter.screen(result=read_out("attention", parcel, state_of(parcel)))
    if parcel.member is None:
        said = _("Personne n’est noté dessus. %(where)s") % {"where": shelf_words(parcel)}
        return counter.screen(result=read_out("attention", parcel, said))
    result = read_out("done", parcel, shelf_words(parcel))
    return counter.screen(marked=parcel.reference, result=result)


def read_out(kind: str, parcel: Parcel, text: str) -> Result:
    """The parcel's code, what there is to know, and the way to its page."""
    word = _("Colis %(code)s.") % {"code": codes.spoken(parcel.reference)}
    url = reverse("desk:parcel", args=[parcel.reference])
    return Result(kind, word, text, way=url, way_label=_("Ouvrir le colis"))


def state_of(parcel: Parcel) -> str:
    if parcel.collected_at is not None:
        facts = {"name": parcel.collected_by, "day": words.moment(parcel.collected_at)}
        return _("Remis à %(name)s, %(day)s.") % facts
    if parcel.returned_at is not None:
        return _("Rendu au transporteur, %(day)s.") % {"day": words.moment(parcel.returned_at)}
    return shelf_words(parcel)


# -- Handed over, and taken back ---------------------------------------------------------------


def hand_over(counter: Counter, parcels: list[Parcel], to: Member | Proxy) -> Screen:
    """All of them at once, or none: a scan that comes again hands nothing over twice."""

    def work() -> Facts:
        for parcel in parcels:
            hand_over_parcel(parcel, to, by=counter.by, now=counter.now)
        return {
            "did": "parcels",
            "parcels": [parcel.pk for parcel in parcels],
            "owner": parcels[0].member_id,
        }

    return perform(counter, parcels[0], work)


def tell_handed_over(counter: Counter, facts: Facts) -> Screen:
    screen = with_owner(counter, facts).screen()
    number = number_words(len(facts["parcels"]))
    word = _("Remis : %(parcels)s.") % {"parcels": number}
    handed = Parcel.objects.filter(pk__in=facts["parcels"])
    to = handed.values_list("collected_by", flat=True).first() or ""
    said = _("À %(name)s.") % {"name": to}
    if screen.person is not None and (left := screen.person.parcels_waiting):
        said = f"{said} {left}"
    screen.result = Result("done", word, said, undo_of(counter, facts))
    return screen


def undo_parcels(counter: Counter, facts: Facts) -> Screen:
    parcels = parcels_of(counter, facts["parcels"])

    def work() -> Facts:
        for parcel in parcels:
            undo_hand_over(parcel, by=counter.by, now=counter.now)
        return {"did": "parcels_undone", "parcels": facts["parcels"], "owner": facts["owner"]}

    if not parcels:
        said = _("Il n’y a plus rien à défaire.")
        return counter.screen(result=Result("refused", _("Refusé."), said))
    return perform(counter, parcels[0], work)


def tell_undone(counter: Counter, facts: Facts) -> Screen:
    screen = with_owner(counter, facts).screen()
    word = _("Défait : %(parcels)s.") % {"parcels": number_words(len(facts["parcels"]))}
    screen.result = Result("returned", word, _("De nouveau sur l’étagère."))
    return screen


def parcels_of(counter: Counter, pks: Iterable[int]) -> list[Parcel]:
    here = Parcel.objects.filter(place=counter.place, pk__in=list(pks))
    return list(here.select_related("member__user", "place").order_by("pk"))


def chosen(counter: Counter, references: Iterable[str]) -> list[Parcel]:
    """The parcels that are ticked, all of one owner."""
    here = Parcel.objects.filter(place=counter.place, reference__in=list(references))
    parcels = list(here.select_related("member__user", "member__household").order_by("pk"))
    if not parcels or len({parcel.member_id for parcel in parcels}) > 1:
        raise refuse("none", _("Cochez au moins un colis."))
    return parcels


TELLERS["parcels"] = tell_handed_over
TELLERS["parcels_undone"] = tell_undone
UNDOERS["parcels"] = undo_parcels
