"""Requests to artisans: what each side is told. Who asks is told to who accepts alone."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from club.emails import letter_of
from club.kernel import letters
from club.kernel.calendars import ics_of
from club.kernel.letters import Attachment, Letter, Sort
from club.kernel.people import spoken_phone
from club.models import Message
from marketplace import visit_words as said
from marketplace.emails.letters import partner_letter
from marketplace.enums import AskStatus, VisitStatus
from marketplace.models import VisitAsk, VisitRequest
from marketplace.queries import visits

Facts = list[tuple[str, str]]


@dataclass
class Words:
    """The fact with its date, the sentences, what stands in a table below, the button."""

    subject: str
    lines: list[str]
    facts: Facts = field(default_factory=list)
    button: str = ""
    attached: tuple[Attachment, ...] = ()

    def context(self) -> dict[str, object]:
        return {"subject": self.subject, "lines": self.lines, "facts": self.facts}


def agenda(ask: VisitAsk, moment: datetime, link: str, **what: bool) -> tuple[Attachment, ...]:
    at = said.entry(ask, moment, **what)
    return (Attachment("visite.ics", ics_of([at], links={at.uid: link}), "text/calendar"),)


# -- To an artisan ---------------------------------------------------------------------------


def load_asks(ids: Iterable[int]) -> dict[int, VisitAsk]:
    asks = VisitAsk.objects.select_related("visit__member__user", "partner")
    return asks.in_bulk(list(ids))


def waits(message: Message, ask: VisitAsk, now: datetime) -> bool:
    return ask.status == AskStatus.ASKED and ask.visit.status == VisitStatus.ASKING


def is_theirs(message: Message, ask: VisitAsk, now: datetime) -> bool:
    return visits.is_theirs(ask)


def was_too_late(message: Message, ask: VisitAsk, now: datetime) -> bool:
    return ask.status == AskStatus.CLOSED and ask.visit.status != VisitStatus.CANCELLED


def was_turned_down(message: Message, ask: VisitAsk, now: datetime) -> bool:
    return ask.status == AskStatus.DECLINED


def was_called_off(message: Message, ask: VisitAsk, now: datetime) -> bool:
    visit_at = ask.visit.visit_at
    is_past = visit_at is not None and visit_at <= now
    return ask.visit.status == VisitStatus.CANCELLED and not is_past


def wanted(ask: VisitAsk, now: datetime) -> Facts:
    """What is told before anybody accepts."""
    visit = ask.visit
    return [
        (_("Métier"), capfirst(str(visit.get_trade_display()))),
        (_("Le problème"), visit.what),
        (_("Commune"), visit.town),
        (_("Moments souhaités"), " ; ".join(said.wishes(visit, now))),
    ]


def asked(ask: VisitAsk, now: datetime) -> Words:
    return Words(
        _("Demande de visite : %(title)s") % {"title": said.title_of(ask.visit)},
        [
            _("Un habitant demande une visite. Le premier qui accepte la fait."),
            _("Son nom et son adresse vous sont donnés quand vous acceptez."),
        ],
        wanted(ask, now),
        _("Répondre à la demande"),
    )


def chased(ask: VisitAsk, now: datetime) -> Words:
    return Words(
        _("Une demande vous attend : %(title)s") % {"title": said.title_of(ask.visit)},
        [
            _("Un habitant attend votre réponse depuis deux jours."),
            _("Sans réponse demain, nous demandons à un autre artisan."),
        ],
        wanted(ask, now),
        _("Répondre à la demande"),
    )


def taken(ask: VisitAsk, now: datetime) -> Words:
    visit = ask.visit
    assert visit.visit_at is not None
    moment = said.moment_words(visit.visit_at, now)
    return Words(
        _("Visite convenue %(moment)s : %(title)s")
        % {"moment": moment, "title": said.title_of(visit)},
        [_("C’est convenu. Voici qui vous attend, et où.")],
        [
            (_("Quand"), moment),
            (_("Nom"), str(visit.member)),
            (_("Téléphone"), spoken_phone(visit.phone)),
            (_("Adresse"), f"{visit.address}, {visit.town}"),
            (_("Le problème"), visit.what),
        ],
        _("Voir la visite"),
        agenda(ask, visit.visit_at, "", for_artisan=True, is_off=False),
    )


def closed(ask: VisitAsk, now: datetime) -> Words:
    return Words(
        _("Un autre artisan a accepté : %(title)s") % {"title": said.title_of(ask.visit)},
        [_("Un autre artisan a accepté avant vous. Vous n’avez rien à faire.")],
        button=_("Voir mes demandes"),
    )


def turned_down(ask: VisitAsk, now: datetime) -> Words:
    return Words(
        _("Heure non retenue : %(title)s") % {"title": said.title_of(ask.visit)},
        [_("L’heure que vous proposez ne convient pas. Vous n’avez rien à faire.")],
        button=_("Voir mes demandes"),
    )


def called_off(ask: VisitAsk, now: datetime) -> Words:
    visit, words = ask.visit, Words("", [], button=_("Voir mes demandes"))
    if ask.accepted_at is None or visit.visit_at is None:
        words.subject = _("Demande annulée : %(title)s") % {"title": said.title_of(visit)}
        words.lines = [_("L’habitant a annulé sa demande. Vous n’avez rien à faire.")]
        return words
    moment = said.moment_words(visit.visit_at, now)
    words.subject = _("Visite annulée, %(moment)s : %(title)s") % {
        "moment": moment,
        "title": said.title_of(visit),
    }
    words.lines = [_("L’habitant a annulé la visite. Ne vous déplacez pas.")]
    words.attached = agenda(ask, visit.visit_at, "", for_artisan=True, is_off=True)
    return words


def to_artisan(words_of: Callable[[VisitAsk, datetime], Words]) -> Callable[..., Letter]:
    def write(message: Message, ask: VisitAsk, now: datetime) -> Letter:
        words = words_of(ask, now)
        return partner_letter(
            "marketplace/email/visit",
            words.context(),
            message,
            button=words.button,
            attachments=words.attached,
        )

    return write


# -- To the member ---------------------------------------------------------------------------


def load_visits(ids: Iterable[int]) -> dict[int, VisitRequest]:
    visits = VisitRequest.objects.select_related("member__user", "member__place")
    return visits.in_bulk(list(ids))


def ask_of(message: Message, visit: VisitRequest) -> VisitAsk:
    """The artisan that the message is about."""
    asks = VisitAsk.objects.select_related("visit__member__user", "partner")
    return asks.get(pk=message.facts["ask"], visit=visit)


def in_status(*statuses: str) -> Callable[[Message, VisitRequest, datetime], bool]:
    return lambda message, visit, now: visit.status in statuses


def is_proposed(message: Message, visit: VisitRequest, now: datetime) -> bool:
    """The newest proposal alone is told: an older message finds its own hour gone."""
    ask = ask_of(message, visit)
    waits = ask.status == AskStatus.PROPOSED and visit.status == VisitStatus.ASKING
    return waits and ask.proposes_at is not None and ask.proposes_at > now


def whom(ask: VisitAsk) -> Facts:
    facts = [(_("Artisan"), ask.partner.name)]
    if ask.partner.phone:
        facts.append((_("Téléphone"), said.phone_of(ask)))
    return facts


def proposed(message: Message, visit: VisitRequest, now: datetime) -> Words:
    ask = ask_of(message, visit)
    assert ask.proposes_at is not None
    moment = said.moment_words(ask.proposes_at, now)
    return Words(
        _("%(name)s propose %(moment)s") % {"name": ask.partner.name, "moment": moment},
        [_("Cette heure vous va ? Dites oui, et la visite est convenue.")],
        [(_("Artisan"), ask.partner.name), (_("Heure proposée"), moment)],
        _("Répondre à la proposition"),
    )


def agreed(message: Message, visit: VisitRequest, now: datetime) -> Words:
    ask = said.accepted(visit)
    assert ask is not None and visit.visit_at is not None
    moment = said.moment_words(visit.visit_at, now)
    return Words(
        _("Visite convenue %(moment)s : %(name)s") % {"moment": moment, "name": ask.partner.name},
        [
            _("C’est convenu. L’artisan a maintenant votre nom, votre adresse, votre téléphone."),
            _("Demandez un devis avant les travaux."),
        ],
        [(_("Quand"), moment), *whom(ask), (_("Où"), f"{visit.address}, {visit.town}")],
        _("Voir ma demande"),
        agenda(ask, visit.visit_at, link_to(visit), for_artisan=False, is_off=False),
    )


def given_back(message: Message, visit: VisitRequest, now: datetime) -> Words:
    ask = ask_of(message, visit)
    was = datetime.fromisoformat(message.facts["was"])
    lines = [_("L’artisan ne peut plus venir. La visite est annulée.")]
    if visit.status == VisitStatus.ASKING:
        lines.append(_("Nous avons demandé à d’autres artisans. Vous n’avez rien à faire."))
    return Words(
        _("%(name)s ne peut plus venir %(moment)s")
        % {"name": ask.partner.name, "moment": said.moment_words(was, now)},
        lines,
        button=_("Voir ma demande"),
        attached=agenda(ask, was, link_to(visit), for_artisan=False, is_off=True),
    )


def cancelled(message: Message, visit: VisitRequest, now: datetime) -> Words:
    assert visit.visit_at is not None
    words = Words(
        _("Visite annulée, %(moment)s : %(trade)s")
        % {
            "moment": said.moment_words(visit.visit_at, now),
            "trade": visit.get_trade_display(),
        },
        [_("La visite est annulée. L’artisan est prévenu.")],
        button=_("Voir ma demande"),
    )
    for ask in visit.asks.select_related("partner").filter(accepted_at__isnull=False):
        if ask.status == AskStatus.CLOSED:
            link = link_to(visit)
            words.attached = agenda(ask, visit.visit_at, link, for_artisan=False, is_off=True)
    return words


def unanswered(message: Message, visit: VisitRequest, now: datetime) -> Words:
    return Words(
        _("Personne n’est disponible : %(title)s") % {"title": said.title_of(visit)},
        [
            _("Aucun des artisans demandés ne peut venir."),
            _("Demandez à d’autres artisans, ou appelez-en un de la liste."),
            _("L’accueil vous aide au %(phone)s.") % {"phone": visit.member.place.phone},
        ],
        button=_("Voir ma demande"),
    )


def happened(message: Message, visit: VisitRequest, now: datetime) -> Words:
    assert visit.visit_at is not None
    said_when = said.moment_words(visit.visit_at, now)
    return Words(
        _("La visite a-t-elle eu lieu ? %(moment)s") % {"moment": capfirst(said_when)},
        [
            _("Dites si l’artisan est venu, et si vous êtes content."),
            _("Votre avis reste privé : ni l’artisan ni les voisins ne le voient."),
        ],
        button=_("Donner ma réponse"),
    )


def link_to(visit: VisitRequest) -> str:
    return settings.BASE_URL + reverse("marketplace:visit", args=[visit.public_id])


def to_member(
    words_of: Callable[[Message, VisitRequest, datetime], Words],
) -> Callable[..., Letter]:
    def write(message: Message, visit: VisitRequest, now: datetime) -> Letter:
        words = words_of(message, visit, now)
        return letter_of(
            "marketplace/email/visit",
            words.context(),
            button=words.button,
            link=link_to(visit),
            attachments=words.attached,
        )

    return write


TO_ARTISANS = {
    "visit.asked": (waits, asked),
    "visit.chased": (waits, chased),
    "visit.taken": (is_theirs, taken),
    "visit.closed": (was_too_late, closed),
    "visit.turned_down": (was_turned_down, turned_down),
    "visit.called_off": (was_called_off, called_off),
}
TO_MEMBERS = {
    "visit.proposed": (is_proposed, proposed),
    "visit.agreed": (in_status(VisitStatus.AGREED), agreed),
    "visit.given_back": (
        in_status(VisitStatus.ASKING, VisitStatus.UNANSWERED, VisitStatus.AGREED),
        given_back,
    ),
    "visit.cancelled": (in_status(VisitStatus.CANCELLED), cancelled),
    "visit.unanswered": (in_status(VisitStatus.UNANSWERED), unanswered),
    "visit.happened": (in_status(VisitStatus.AGREED), happened),
}


def register() -> None:
    for event, (is_wanted, words_of) in TO_ARTISANS.items():
        letters.register(Sort(event, VisitAsk, load_asks, is_wanted, to_artisan(words_of)))
    for event, (is_wanted_by, said_of) in TO_MEMBERS.items():
        letters.register(Sort(event, VisitRequest, load_visits, is_wanted_by, to_member(said_of)))
