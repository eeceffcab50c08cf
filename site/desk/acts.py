"""What a scan or a key does: one verb, once, and the words that tell it.

A scan carries a number that its page made up. The number is written to the log in
the transaction of the deed; a scan that comes again (its answer was lost on the
way) finds it and is told the same, without a second deed. What an act did is kept
as plain facts, from which its sentence, its undo and the answer to a repeat are made.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.core import signing
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from club.kernel import words
from club.kernel.bookings import Channel
from club.kernel.refusal import Refused, refuse
from club.kernel.transactions import in_one_transaction
from club.models import LogEntry, Member, Place, User
from concierge.domain import lending
from concierge.enums import Fault, LoanStatus, RepairStatus
from concierge.models import Copy, Loan, Order, Parcel, Repair
from concierge.queries.loans import WITH_NAMES
from concierge.queries.stays import keeps_watch, keys_of_member, of_member
from desk.screen import Result, Screen, called, members_at, person_of, shelf_of, thing_of

SCAN = "scan"
UNDO_SALT = "desk.undo"
UNDO_SECONDS = 12 * 3600
AT_THE_COUNTER = {"no_right": gettext_lazy("Il faut un abonnement actif.")}
"""Reasons that send a resident to the desk, as the desk reads them."""

Facts = dict[str, Any]


@dataclass(frozen=True)
class Counter:
    """Where, who and when; `member` is the person on the screen, `scan` the scan's number."""

    place: Place
    by: User
    now: datetime
    member: Member | None = None
    scan: int | None = None

    def screen(self, new: int | None = None, **parts: Any) -> Screen:
        person = person_of(self.member, self.place, self.now, new) if self.member else None
        if person is not None and keeps_watch(self.by, self.place):
            person.stays = list(of_member(person.member, self.place))
            person.keys = list(keys_of_member(person.member, self.place))
        return Screen(person=person, **parts)


@in_one_transaction
def once(counter: Counter, thing: Copy | Order | Parcel, work: Callable[[], Facts]) -> Facts:
    """Do `work` unless this scan has done it already; the thing's lock keeps two apart."""
    if counter.scan is None:
        return work()
    rows = type(thing)._default_manager.select_for_update(no_key=True)
    rows.order_by().values_list("pk").get(pk=thing.pk)
    seen = seen_of(counter.by, counter.scan).first()
    if seen is not None:
        facts: Facts = seen.facts
        if facts.get("place", counter.place.pk) != counter.place.pk:
            raise refuse("wrong_state", _("Cela s’est fait à un autre accueil."))
        return facts
    facts = {**work(), "place": counter.place.pk}
    if facts["did"] != "show":
        LogEntry.objects.create(
            subject_kind=SCAN,
            subject_id=counter.scan,
            verb=facts["did"],
            actor=counter.by,
            at=counter.now,
            channel=Channel.DESK,
            facts=facts,
        )
    return facts


def seen_of(by: User, scan: int) -> QuerySet[LogEntry]:
    return LogEntry.objects.filter(subject_kind=SCAN, subject_id=scan, actor=by)


def is_repeated(counter: Counter) -> bool:
    """Whether this scan has done something already, whose answer was lost on the way."""
    return counter.scan is not None and seen_of(counter.by, counter.scan).exists()


def perform(counter: Counter, thing: Copy | Order | Parcel, work: Callable[[], Facts]) -> Screen:
    """Do it once and tell it; a refusal is told with the person still on the screen."""
    try:
        facts = once(counter, thing, work)
    except Refused as refusal:
        return counter.screen(result=refused(refusal))
    return TELLERS[facts["did"]](counter, facts)


def refused(refusal: Refused) -> Result:
    """What is set aside for another person asks for attention; the rest is a plain no."""
    text = " ".join(str(AT_THE_COUNTER.get(reason.code, reason.text)) for reason in refusal.reasons)
    if {"set_aside", "other_copy_set_aside"} & set(refusal.codes):
        return Result("attention", _("Attention."), text)
    return Result("refused", _("Refusé."), text)


def undo_of(counter: Counter, facts: Facts) -> str:
    return signing.dumps({"place": counter.place.pk, **facts}, salt=UNDO_SALT)


def loan_of(counter: Counter, pk: int) -> Loan:
    return Loan.objects.select_related(*WITH_NAMES).get(pk=pk, place=counter.place)


# -- Lend, take back ----------------------------------------------------------------


def scan_copy(counter: Counter, copy: Copy) -> Screen:
    """The label on the thing: back if it is out, lent if somebody stands here, else shown."""

    def work() -> Facts:
        if Loan.objects.filter(copy=copy, status=LoanStatus.OUT).exists():
            return take_back(counter, copy)
        if counter.member is not None:
            return hand_over(counter, copy, counter.member)
        return {"did": "show", "copy": copy.pk}

    return perform(counter, copy, work)


def hand_over(counter: Counter, copy: Copy, member: Member) -> Facts:
    """Lend it; what still needs its deposit is kept for the person until that is paid."""
    try:
        loan = lending.hand_over(copy=copy, member=member, by=counter.by, now=counter.now)
    except Refused as refusal:
        # Nothing is written yet when a deposit is asked for, so that this may go on.
        asked = {reason.code: reason.facts for reason in refusal.reasons}.get("deposit_due")
        if asked is None or not asked["walk_in"]:
            raise
        kept = lending.keep_for(copy=copy, member=member, by=counter.by, now=counter.now)
        return {"did": "keep_for", "loan": kept.pk, "cents": asked["cents"]}
    return {"did": "hand_over", "loan": loan.pk}


def take_back(counter: Counter, copy: Copy) -> Facts:
    back = lending.take_back(copy=copy, by=counter.by, now=counter.now)
    return {
        "did": "take_back",
        "loan": back.loan.pk,
        "days_late": back.days_late,
        "aside_for": back.aside_for.pk if back.aside_for else None,
    }


def tell_keep_for(counter: Counter, facts: Facts) -> Screen:
    loan = loan_of(counter, facts["loan"])
    screen = borrower_of(counter, loan).screen(new=loan.pk)
    word = _("Caution : %(cents)s.") % {"cents": words.money(facts["cents"])}
    text = _("%(tool)s est mis de côté. Encaissez, puis scannez-le encore.")
    screen.result = Result("attention", word, text % {"tool": loan.tool.name})
    return screen


def borrower_of(counter: Counter, loan: Loan) -> Counter:
    """With the borrower on the screen, unless they are another place's by now."""
    if counter.member is not None and counter.member.pk == loan.member_id:
        return counter
    return replace(counter, member=members_at(counter.place).filter(pk=loan.member_id).first())


def tell_hand_over(counter: Counter, facts: Facts) -> Screen:
    loan = loan_of(counter, facts["loan"])
    screen = borrower_of(counter, loan).screen(new=loan.pk)
    word = _("Prêté : %(tool)s.") % {"tool": loan.tool.name}
    text = screen.person.holds if screen.person else ""
    screen.result = Result("done", word, text, undo_of(counter, facts))
    return screen


def tell_take_back(counter: Counter, facts: Facts) -> Screen:
    loan = loan_of(counter, facts["loan"])
    said = [_("%(name)s l’avait.") % {"name": called(loan.member)}]
    if days := facts["days_late"]:
        said.append(
            ngettext("Un jour de retard.", "%(days)d jours de retard.", days) % {"days": days}
        )
    if facts["aside_for"]:
        following = loan_of(counter, facts["aside_for"])
        said.append(
            _("À mettre de côté pour %(name)s, %(moment)s.")
            % {"name": following.member.short_name, "moment": words.moment(following.starts_at)}
        )
    else:
        said.append(shelf_of(loan.copy) + ".")
    word = _("Rendu : %(tool)s.") % {"tool": loan.tool.name}
    result = Result("returned", word, " ".join(said), undo_of(counter, facts))
    loan.copy.tool = loan.tool
    return counter.screen(result=result, returned=loan.copy)


def tell_show(counter: Counter, facts: Facts) -> Screen:
    copy = Copy.objects.select_related("tool__department", "tool__photo", "place").get(
        pk=facts["copy"]
    )
    thing = thing_of(copy, counter.now)
    if thing.aside is not None:
        text = _("Mis de côté pour %(name)s.") % {"name": thing.aside.loan.member.short_name}
        return counter.screen(thing=thing, result=Result("attention", _("Attention."), text))
    kind = "done" if thing.can_be_lent else "attention"
    word = _("%(tool)s.") % {"tool": copy.tool.name}
    return counter.screen(thing=thing, result=Result(kind, word, thing.where + "."))


# -- Set aside, put back, renew, lost ---------------------------------------------------


def on_loan(verb: Callable[..., Any], did: str) -> Callable[[Counter, Loan], Facts]:
    def work(counter: Counter, loan: Loan) -> Facts:
        verb(loan, by=counter.by, now=counter.now)
        return {"did": did, "loan": loan.pk}

    return work


LOAN_ACTS: dict[str, Callable[[Counter, Loan], Facts]] = {
    "preter": lambda counter, loan: hand_over(counter, loan.copy, loan.member),
    "rendre": lambda counter, loan: take_back(counter, loan.copy),
    "mettre-de-cote": on_loan(lending.set_aside, "set_aside"),
    "remettre-en-rayon": on_loan(lending.put_back, "put_back"),
    "prolonger": on_loan(lending.renew_loan, "renew"),
    "annuler": on_loan(lending.cancel_loan, "cancel"),
    "perdu": on_loan(lending.declare_lost, "lost"),
}
"""What the counter does with a loan, by the word in the address."""


def act_on_loan(counter: Counter, loan: Loan, act: str) -> Screen:
    return perform(counter, loan.copy, lambda: LOAN_ACTS[act](counter, loan))


def tell_loan(
    kind: str, word: Promise, sentence: Callable[[Loan], str], undoable: bool = False
) -> Callable[[Counter, Facts], Screen]:
    def tell(counter: Counter, facts: Facts) -> Screen:
        loan = loan_of(counter, facts["loan"])
        undo = undo_of(counter, facts) if undoable else ""
        said = Result(kind, str(word) % {"tool": loan.tool.name}, sentence(loan), undo)
        return counter.screen(result=said, new=loan.pk)

    return tell


def due_sentence(loan: Loan) -> str:
    return _("À rendre %(day)s.") % {"day": words.day(loan.due_on)}


def fetch_sentence(loan: Loan) -> str:
    return _("%(name)s vient %(moment)s.") % {
        "name": called(loan.member),
        "moment": words.moment(loan.starts_at),
    }


def shelf_sentence(loan: Loan) -> str:
    return shelf_of(loan.copy) + "."


def told_sentence(loan: Loan) -> str:
    return _("%(name)s ne viendra pas le chercher.") % {"name": called(loan.member)}


def lost_sentence(loan: Loan) -> str:
    return _("%(name)s ne l’a plus à rendre. L’exemplaire est noté introuvable.") % {
        "name": called(loan.member)
    }


# -- Something is wrong with it ---------------------------------------------------------


def report_fault(counter: Counter, copy: Copy, fault: str) -> Screen:
    def work() -> Facts:
        stranded = lending.report_fault(copy=copy, fault=fault, by=counter.by, now=counter.now)
        return {
            "did": "fault",
            "copy": copy.pk,
            "fault": fault,
            "stranded": [loan.pk for loan in stranded],
        }

    return perform(counter, copy, work)


def tell_fault(counter: Counter, facts: Facts) -> Screen:
    copy = Copy.objects.select_related("tool").get(pk=facts["copy"], place=counter.place)
    said = [
        _("%(fault)s. Posez-le à la réparation.")
        % {"fault": str(Fault(facts["fault"]).label).capitalize()}
    ]
    for loan in Loan.objects.filter(pk__in=facts["stranded"]).select_related("member__user"):
        said.append(
            _("Plus d’exemplaire pour %(name)s, %(day)s : appelez.")
            % {"name": called(loan.member), "day": words.day(loan.pickup_on)}
        )
    word = _("À réparer : %(tool)s.") % {"tool": copy.tool.name}
    return counter.screen(result=Result("attention", word, " ".join(said), undo_of(counter, facts)))


def step_repair(counter: Counter, repair: Repair, to: str) -> Screen:
    def work() -> Facts:
        lending.step_repair(repair, to, by=counter.by, now=counter.now)
        return {"did": "repair", "copy": repair.copy_id, "to": to}

    return perform(counter, repair.copy, work)


def tell_repair(counter: Counter, facts: Facts) -> Screen:
    screen = tell_show(counter, facts)
    if screen.thing is not None and screen.thing.aside is None:
        step = str(RepairStatus(facts["to"]).label).capitalize()
        word = _("%(step)s : %(tool)s.") % {"step": step, "tool": screen.thing.copy.tool.name}
        screen.result = Result("done", word, screen.thing.where + ".")
    return screen


# -- Undo ---------------------------------------------------------------------------------


def undo(counter: Counter, signed: str) -> Screen:
    """Take the last act back, as it is signed in the page."""
    try:
        facts = signing.loads(signed, salt=UNDO_SALT, max_age=UNDO_SECONDS)
    except signing.BadSignature:
        said = _("Il n’y a plus rien à défaire.")
        return counter.screen(result=Result("refused", _("Refusé."), said))
    if facts["place"] != counter.place.pk:
        said = _("Cela s’est fait à un autre accueil.")
        return counter.screen(result=Result("refused", _("Refusé."), said))
    if facts["did"] in UNDOERS:
        return UNDOERS[facts["did"]](counter, facts)
    if facts["did"] == "fault":
        copy = Copy.objects.get(pk=facts["copy"])
    else:
        copy = loan_of(counter, facts["loan"]).copy
    return perform(counter, copy, lambda: undone(counter, facts))


def undone(counter: Counter, facts: Facts) -> Facts:
    if facts["did"] == "fault":
        repair = Repair.objects.filter(copy=facts["copy"], closed_at=None).first()
        if repair is None:
            raise refuse("wrong_state", _("Cet objet n’est plus à réparer."))
        lending.step_repair(repair, RepairStatus.RESOLVED, by=counter.by, now=counter.now)
        return {"did": "undone", "what": "fault", "copy": facts["copy"]}
    loan = loan_of(counter, facts["loan"])
    verb: Callable[..., Loan] = {
        "hand_over": lending.undo_hand_over,
        "take_back": lending.undo_take_back,
        "set_aside": lending.put_back,
        "put_back": lending.set_aside,
    }[facts["did"]]
    verb(loan, by=counter.by, now=counter.now)
    return {"did": "undone", "what": facts["did"], "loan": loan.pk}


def tell_undone(counter: Counter, facts: Facts) -> Screen:
    if facts["what"] == "fault":
        copy = Copy.objects.select_related("tool").get(pk=facts["copy"])
        name, said = copy.tool.name, _("Il est de nouveau en service.")
    else:
        loan = loan_of(counter, facts["loan"])
        who = called(loan.member)
        name = loan.tool.name
        said = {
            "hand_over": _("%(name)s ne l’a pas emprunté."),
            "take_back": _("%(name)s l’a toujours."),
            "set_aside": _("Il n’est plus mis de côté pour %(name)s."),
            "put_back": _("Il est de nouveau mis de côté pour %(name)s."),
        }[facts["what"]] % {"name": who}
    word = _("Défait : %(tool)s.") % {"tool": name}
    return counter.screen(result=Result("returned", word, said))


TELLERS: dict[str, Callable[[Counter, Facts], Screen]] = {
    "hand_over": tell_hand_over,
    "keep_for": tell_keep_for,
    "take_back": tell_take_back,
    "show": tell_show,
    "set_aside": tell_loan(
        "done", gettext_lazy("Mis de côté : %(tool)s."), fetch_sentence, undoable=True
    ),
    "put_back": tell_loan(
        "returned", gettext_lazy("En rayon : %(tool)s."), shelf_sentence, undoable=True
    ),
    "renew": tell_loan("done", gettext_lazy("Prolongé : %(tool)s."), due_sentence),
    "cancel": tell_loan("returned", gettext_lazy("Annulé : %(tool)s."), told_sentence),
    "lost": tell_loan("attention", gettext_lazy("Perdu : %(tool)s."), lost_sentence),
    "fault": tell_fault,
    "repair": tell_repair,
    "undone": tell_undone,
}
UNDOERS: dict[str, Callable[[Counter, Facts], Screen]] = {}
"""How what other modules of the counter did is taken back: they enter it here."""


def with_owner(counter: Counter, facts: Facts) -> Counter:
    """With a person on the screen: who stood there, else whose thing it was."""
    if counter.member is not None:
        return counter
    return replace(counter, member=members_at(counter.place).filter(pk=facts["owner"]).first())
