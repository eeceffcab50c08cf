"""A request to artisans: each rule, through the verbs and the worker's rounds."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

import pytest

from club.domain.erasure import erase_member
from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.kernel.spans import at
from club.models import LogEntry, Member, Message, Opinion, Place
from marketplace.domain import asks, visits
from marketplace.domain.visits import Work
from marketplace.enums import AskStatus, PartnerStatus, Trade, VisitStatus
from marketplace.models import Partner, PartnerDocument, VisitAsk, VisitRequest
from marketplace.queries.visits import artisans_for, windows_offered
from marketplace.tasks import follow_visits, look_after_asks
from tests.factories.club import MemberFactory, PlaceFactory, UserFactory
from tests.factories.marketplace import ArtisanFactory, PersonFactory, insured
from tests.factories.opinions import OpinionFactory

TOMORROW = date(2027, 3, 10)
NINE = at(TOMORROW, time(9))
CHECKED = {"visitrequest-log", "visitask-log", "messages", "subjects"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def an_artisan(place: Place, **more: Any) -> Partner:
    partner = ArtisanFactory(landlord=place.landlord, **more)
    insured(partner, Trade.PLUMBING)
    PersonFactory(partner=partner)
    return partner


@pytest.fixture
def artisans(place: Place, now: datetime) -> list[Partner]:
    """Five plumbers, in the order of the day."""
    for _ in range(5):
        an_artisan(place)
    return list(artisans_for(place.landlord, place, Trade.PLUMBING, now.date()))


def work(**more: Any) -> Work:
    said: dict[str, Any] = {
        "trade": Trade.PLUMBING,
        "what": "Le robinet de la cuisine fuit.",
        "address": "3, allée des Tilleuls",
        "town": "Amiens",
        "phone": "06 12 34 56 78",
        "windows": ((TOMORROW, "morning"),),
    }
    return Work(**(said | more))


@pytest.fixture
def ask(member: Member, artisans: list[Partner], now: datetime) -> Callable[..., VisitRequest]:
    def made(number: int = 3, at: datetime = now, whom: Any = None, **more: Any) -> VisitRequest:
        chosen = artisans[:number] if whom is None else whom
        return visits.ask_for_visit(
            member=member, work=work(**more), artisans=chosen, by=member.user, now=at
        )

    return made


def of(visit: VisitRequest, number: int) -> VisitAsk:
    return visit.asks.get(rank=number)


def user_of(ask: VisitAsk) -> Any:
    return ask.partner.people.get().user


def states(visit: VisitRequest) -> tuple[str, list[str]]:
    visit.refresh_from_db()
    return visit.status, list(visit.asks.order_by("rank").values_list("status", flat=True))


def told(event: str) -> int:
    return Message.objects.filter(event=event).count()


def refused(call: Callable[[], Any]) -> list[str]:
    with pytest.raises(Refused) as found:
        call()
    return found.value.codes


def accept(ask: VisitAsk, now: datetime, moment: datetime = NINE) -> VisitAsk:
    return asks.accept(ask, moment, by=user_of(ask), now=now)


def propose(ask: VisitAsk, now: datetime, moment: datetime) -> VisitAsk:
    return asks.propose(ask, moment, by=user_of(ask), now=now)


def decline(ask: VisitAsk, now: datetime) -> VisitAsk:
    return asks.decline(ask, by=user_of(ask), now=now)


def give_back(ask: VisitAsk, now: datetime) -> VisitAsk:
    return asks.give_back(ask, by=user_of(ask), now=now)


@pytest.fixture(autouse=True)
def nothing_is_broken(db: None) -> Any:
    """Partners of the factories have no log of their own: what is asked is of visits."""
    yield
    asked = [one for one in all_invariants() if one.name in CHECKED]
    assert len(asked) == len(CHECKED)
    assert [line for one in asked for line in one.violations()] == []


# -- Asking ----------------------------------------------------------------------------------


def test_a_member_asks_three_and_each_is_told(ask: Any, artisans: list[Partner]) -> None:
    visit = ask()
    assert states(visit) == ("asking", ["asked"] * 3)
    assert [one.partner for one in visit.asks.order_by("rank")] == artisans[:3]
    assert (visit.phone, visit.windows) == ("+33612345678", [["2027-03-10", "morning"]])
    assert told("visit.asked") == 3


def test_no_subscription_is_needed(place: Place, artisans: list[Partner], now: datetime) -> None:
    newcomer = MemberFactory(place=place)
    made = visits.ask_for_visit(
        member=newcomer, work=work(), artisans=artisans[:1], by=newcomer.user, now=now
    )
    assert made.status == VisitStatus.ASKING


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"what": " "}, "what_missing"),
        ({"address": ""}, "address_missing"),
        ({"town": ""}, "town_missing"),
        ({"phone": "12"}, "phone_wrong"),
        ({"trade": "magic", "whom": []}, "trade_wrong"),
        ({"whom": []}, "nobody_chosen"),
        ({"number": 4}, "too_many_asked"),
        ({"windows": [(date(2027, 3, 9 + n), "morning") for n in range(1, 5)]}, "too_many_windows"),
        ({"windows": [(date(2027, 3, 8), "morning")]}, "window_gone"),
        ({"windows": [(date(2027, 3, 14), "morning")]}, "window_gone"),
        ({"windows": [(date(2027, 3, 19), "morning")]}, "window_gone"),
    ],
)
def test_what_is_wrong_is_said(ask: Any, more: dict[str, Any], code: str) -> None:
    assert code in refused(lambda: ask(**more))
    assert not VisitRequest.objects.exists()


def test_times_offered_are_of_ten_days_without_sunday_and_without_what_is_over(
    now: datetime,
) -> None:
    offered = windows_offered(now)
    assert offered[0] == (date(2027, 3, 9), "morning")
    assert offered[-1] == (date(2027, 3, 18), "evening")
    assert len(offered) == 27
    assert (date(2027, 3, 14), "morning") not in offered
    assert windows_offered(now.replace(hour=11, minute=1))[0] == (date(2027, 3, 9), "afternoon")


def test_three_at_once_and_ten_a_month(ask: Any, member: Member, now: datetime) -> None:
    for _ in range(3):
        made = ask(1)
    assert refused(lambda: ask(1)) == ["too_many_open"]
    for number in range(7):
        visits.cancel(made, by=member.user, now=now)
        made = ask(1, at=now + number * HOUR)
    visits.cancel(made, by=member.user, now=now)
    assert refused(lambda: ask(1)) == ["too_many_this_month"]
    april = at(date(2027, 4, 1), time(9))
    assert ask(1, at=april, windows=()).status == VisitStatus.ASKING


def test_a_visit_whose_hour_has_passed_leaves_room_for_another(
    ask: Any, member: Member, now: datetime
) -> None:
    for _ in range(3):
        accept(of(ask(1), 1), now)
    assert refused(lambda: ask(1, windows=())) == ["too_many_open"]
    assert ask(1, at=NINE + HOUR, windows=()).status == VisitStatus.ASKING


def test_who_is_not_shown_today_cannot_be_asked(
    ask: Any, place: Place, artisans: list[Partner], now: datetime
) -> None:
    silent = ArtisanFactory(landlord=place.landlord)
    insured(silent, Trade.PLUMBING)
    far = an_artisan(place)
    far.places.set([PlaceFactory(landlord=place.landlord)])
    far.save()
    bare = ArtisanFactory(landlord=place.landlord)
    PersonFactory(partner=bare)
    for partner in (silent, far, bare):
        assert refused(lambda partner=partner: ask(whom=[partner])) == ["not_shown"]
    assert refused(lambda: ask(whom=[artisans[0], artisans[0]])) == ["not_shown"]


def test_one_page_asks_once(member: Member, artisans: list[Partner], now: datetime) -> None:
    def press(key: str) -> VisitRequest:
        return visits.ask_once(
            form_key=key, member=member, work=work(), artisans=artisans[:1], photos=[],
            by=member.user, now=now,
        )  # fmt: skip

    first = press("k" * 43)
    assert press("k" * 43) == first
    assert press("l" * 43) != first
    assert told("visit.asked") == 2
    assert len(first.public_id) == 12


# -- Answers ---------------------------------------------------------------------------------


def test_the_first_to_accept_gets_it_and_the_others_are_told(ask: Any, now: datetime) -> None:
    visit = ask()
    accept(of(visit, 2), now)
    assert states(visit) == ("agreed", ["closed", "accepted", "closed"])
    assert visit.visit_at == NINE
    assert (told("visit.taken"), told("visit.closed"), told("visit.agreed")) == (1, 2, 1)
    assert refused(lambda: accept(of(visit, 1), now)) == ["taken"]
    assert refused(lambda: accept(of(visit, 2), now)) == ["yours"]


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (at(TOMORROW, time(12)), "not_wished"),
        (at(TOMORROW, time(7, 59)), "not_wished"),
        (at(date(2027, 3, 11), time(9)), "not_wished"),
        (at(date(2027, 3, 9), time(9)), "in_the_past"),
        (at(date(2027, 6, 9), time(9)), "too_far"),
    ],
)
def test_an_hour_that_was_not_wished_cannot_be_accepted(
    ask: Any, now: datetime, moment: datetime, code: str
) -> None:
    visit = ask()
    assert refused(lambda: accept(of(visit, 1), now, moment)) == [code]
    assert states(visit) == ("asking", ["asked"] * 3)


@pytest.mark.parametrize(
    ("hour", "is_night"),
    [
        (time(3), True),
        (time(6, 59), True),
        (time(7), False),
        (time(21), False),
        (time(21, 1), True),
    ],
)
def test_nobody_comes_at_night(ask: Any, now: datetime, hour: time, is_night: bool) -> None:
    visit = ask(windows=())
    moment = at(TOMORROW, hour)
    if is_night:
        for verb in (asks.accept, asks.propose):
            with pytest.raises(Refused) as caught:
                verb(of(visit, 1), moment, by=UserFactory(), now=now)
            assert [(one.code, one.field) for one in caught.value.reasons] == [("at_night", "at")]
        assert states(visit)[0] == "asking"
    else:
        accept(of(visit, 1), now, moment)
        assert states(visit)[0] == "agreed"


def test_any_hour_of_the_part_of_the_day_can(ask: Any, now: datetime) -> None:
    visit = ask()
    accept(of(visit, 1), now, at(TOMORROW, time(11, 45)))
    assert visit.status == VisitStatus.ASKING
    assert states(visit)[0] == "agreed"


def test_as_soon_as_possible_is_within_three_days(ask: Any, now: datetime) -> None:
    visit = ask(windows=())
    later = at(date(2027, 3, 13), time(9))
    assert refused(lambda: accept(of(visit, 1), now, later)) == ["not_wished"]
    accept(of(visit, 1), now, at(date(2027, 3, 12), time(20)))
    assert states(visit)[0] == "agreed"


def test_several_proposals_wait_and_the_member_takes_one(
    ask: Any, member: Member, now: datetime
) -> None:
    visit = ask()
    for number in (1, 2):
        propose(of(visit, number), now, NINE + number * DAY)
    assert states(visit) == ("asking", ["proposed", "proposed", "asked"])
    assert told("visit.proposed") == 2
    asks.agree(of(visit, 2), NINE + 2 * DAY, by=member.user, now=now)
    assert states(visit) == ("agreed", ["closed", "accepted", "closed"])
    assert visit.visit_at == NINE + 2 * DAY


def test_a_proposal_that_changed_is_read_again_before_yes(
    ask: Any, member: Member, now: datetime
) -> None:
    visit = ask(1, widen=False)
    propose(of(visit, 1), now, NINE + DAY)
    assert refused(lambda: propose(of(visit, 1), now, NINE + DAY)) == ["same"]
    propose(of(visit, 1), now + HOUR, NINE + 2 * DAY)

    def yes(moment: datetime, at: datetime = now) -> Any:
        return asks.agree(of(visit, 1), moment, by=member.user, now=at)

    assert refused(lambda: yes(NINE + DAY)) == ["changed"]
    assert refused(lambda: yes(NINE + 2 * DAY, NINE + 3 * DAY)) == ["in_the_past"]
    yes(NINE + 2 * DAY)
    assert refused(lambda: yes(NINE + 2 * DAY)) == ["agreed"]


def test_a_proposal_turned_down_brings_the_next(ask: Any, member: Member, now: datetime) -> None:
    visit = ask(1)
    propose(of(visit, 1), now, NINE + DAY)
    no = partial(asks.turn_down, of(visit, 1), by=member.user, now=now)
    assert refused(lambda: no(NINE)) == ["changed"]
    no(NINE + DAY)
    assert states(visit) == ("asking", ["declined", "asked"])
    assert told("visit.turned_down") == 1
    assert refused(lambda: no(NINE + DAY)) == ["no_proposal"]


def test_a_proposal_without_an_answer_ends_with_its_hour(ask: Any, now: datetime) -> None:
    visit = ask(1, widen=False)
    propose(of(visit, 1), now, NINE)
    look_after_asks(NINE - HOUR)
    assert states(visit) == ("asking", ["proposed"])
    look_after_asks(NINE)
    assert states(visit) == ("unanswered", ["declined"])


def test_who_declines_is_replaced_until_nobody_is_left(ask: Any, now: datetime) -> None:
    visit = ask()
    for number in range(1, 6):
        decline(of(visit, number), now)
    assert states(visit) == ("unanswered", ["declined"] * 5)
    assert told("visit.unanswered") == 1
    assert refused(lambda: decline(of(visit, 1), now)) == ["over"]


def test_without_leave_to_widen_nobody_else_is_asked(
    ask: Any, member: Member, now: datetime
) -> None:
    visit = ask(2, widen=False)
    decline(of(visit, 1), now)
    assert states(visit) == ("asking", ["declined", "asked"])
    assert refused(lambda: decline(of(visit, 1), now)) == ["answered"]
    decline(of(visit, 2), now)
    assert states(visit) == ("unanswered", ["declined"] * 2)
    visits.ask_others(visit, by=member.user, now=now)
    assert states(visit) == ("asking", ["declined", "declined", "asked", "asked", "asked"])
    assert refused(lambda: visits.ask_others(visit, by=member.user, now=now)) == ["nobody_left"]


def test_the_next_is_the_next_in_the_order_of_that_day(
    ask: Any, place: Place, artisans: list[Partner], now: datetime
) -> None:
    visit = ask()
    later = now + DAY
    decline(of(visit, 1), later)
    order = list(artisans_for(place.landlord, place, Trade.PLUMBING, later.date()))
    expected = next(one for one in order if one not in artisans[:3])
    assert of(visit, 4).partner == expected


# -- Papers ----------------------------------------------------------------------------------


def lapse(partner: Partner) -> None:
    PartnerDocument.objects.filter(partner=partner).update(ends_on=date(2027, 3, 8))


def test_lapsed_papers_take_no_visit_and_are_passed_over(
    ask: Any, member: Member, now: datetime
) -> None:
    visit = ask(2, widen=False)
    propose(of(visit, 2), now, NINE + 5 * DAY)
    for one in visit.asks.all():
        lapse(one.partner)
    assert refused(lambda: accept(of(visit, 1), now)) == ["not_covered"]
    assert refused(lambda: propose(of(visit, 1), now, NINE)) == ["not_covered"]

    def yes() -> Any:
        return asks.agree(of(visit, 2), NINE + 5 * DAY, by=member.user, now=now)

    assert refused(yes) == ["not_covered"]
    look_after_asks(now + 48 * HOUR)
    assert states(visit) == ("asking", ["silent", "proposed"])
    assert told("visit.chased") == 0


def test_who_left_the_club_is_not_asked_in_turn(
    ask: Any, artisans: list[Partner], now: datetime
) -> None:
    visit = ask()
    Partner.objects.filter(pk=artisans[3].pk).update(status=PartnerStatus.PAUSED)
    lapse(artisans[4])
    decline(of(visit, 1), now)
    assert states(visit) == ("asking", ["declined", "asked", "asked"])


# -- Silence ---------------------------------------------------------------------------------


def test_silence_is_chased_once_then_the_next_is_asked(ask: Any, now: datetime) -> None:
    visit = ask(2)
    look_after_asks(now + 48 * HOUR - timedelta(minutes=1))
    assert told("visit.chased") == 0
    chased = now + 48 * HOUR
    look_after_asks(chased)
    look_after_asks(chased + HOUR)
    assert told("visit.chased") == 2
    look_after_asks(chased + 23 * HOUR)
    assert states(visit) == ("asking", ["asked", "asked"])
    look_after_asks(chased + 24 * HOUR)
    assert states(visit) == ("asking", ["silent", "silent", "asked", "asked"])


def test_nobody_is_woken_at_night_or_on_a_sunday(ask: Any, now: datetime) -> None:
    friday = at(date(2027, 3, 12), time(21))
    visit = ask(1, at=friday, windows=())
    for moment in (
        at(date(2027, 3, 14), time(21)),
        at(date(2027, 3, 14), time(12)),
        at(date(2027, 3, 15), time(7, 59)),
    ):
        look_after_asks(moment)
    assert told("visit.chased") == 0
    look_after_asks(at(date(2027, 3, 15), time(8)))
    assert told("visit.chased") == 1
    look_after_asks(at(date(2027, 3, 16), time(20)))
    assert states(visit)[1] == ["asked"]
    look_after_asks(at(date(2027, 3, 17), time(8)))
    assert states(visit)[1] == ["silent", "asked"]


def test_forty_eight_hours_are_elapsed_hours_over_the_change_of_clocks(ask: Any) -> None:
    """On 28 March 2027 a day has 23 hours: two days later on the wall is too early."""
    friday = at(date(2027, 3, 26), time(19, 30))
    ask(1, at=friday, windows=())
    assert at(date(2027, 3, 28), time(20, 30)) - friday == 48 * HOUR
    look_after_asks(at(date(2027, 3, 29), time(8)))
    assert told("visit.chased") == 1


def test_who_was_silent_may_still_answer_while_it_is_open(ask: Any, now: datetime) -> None:
    visit = ask(1, windows=())
    look_after_asks(now + 48 * HOUR)
    look_after_asks(now + 72 * HOUR)
    assert states(visit) == ("asking", ["silent", "asked"])
    accept(of(visit, 1), now + 73 * HOUR, now + 80 * HOUR)
    assert states(visit) == ("agreed", ["accepted", "closed"])


def test_silent_to_the_end_the_member_is_told_what_to_do(ask: Any, now: datetime) -> None:
    visit = ask(1, widen=False)
    look_after_asks(now + 48 * HOUR)
    look_after_asks(now + 72 * HOUR)
    assert states(visit) == ("unanswered", ["silent"])
    assert told("visit.unanswered") == 1
    assert refused(lambda: accept(of(visit, 1), now + 73 * HOUR)) == ["over"]


# -- Calling off -----------------------------------------------------------------------------


def test_a_member_cancels_what_waits(ask: Any, member: Member, now: datetime) -> None:
    visit = ask()
    decline(of(visit, 1), now)
    visits.cancel(visit, by=member.user, now=now)
    assert states(visit) == ("cancelled", ["declined", "closed", "closed", "closed"])
    assert (told("visit.called_off"), told("visit.cancelled")) == (3, 0)
    assert refused(lambda: accept(of(visit, 2), now)) == ["called_off"]
    assert refused(lambda: visits.cancel(visit, by=member.user, now=now)) == ["wrong_state"]


def test_a_member_cancels_a_visit_and_both_agendas_are_told(
    ask: Any, member: Member, now: datetime
) -> None:
    visit = ask()
    accept(of(visit, 1), now)
    visits.cancel(visit, by=member.user, now=now)
    assert states(visit) == ("cancelled", ["closed", "closed", "closed"])
    assert (told("visit.called_off"), told("visit.cancelled")) == (1, 1)


def test_an_artisan_gives_a_visit_back_and_those_too_late_are_asked_again(
    ask: Any, now: datetime
) -> None:
    visit = ask()
    accept(of(visit, 1), now)
    assert refused(lambda: decline(of(visit, 1), now + HOUR)) == ["yours"]
    assert refused(lambda: give_back(of(visit, 2), now + HOUR)) == ["not_yours"]
    give_back(of(visit, 1), now + HOUR)
    assert states(visit) == ("asking", ["declined", "asked", "asked", "asked"])
    assert (visit.visit_at, visit.agreed_at) == (None, None)
    assert of(visit, 2).asked_at == now + HOUR
    assert told("visit.given_back") == 1
    accept(of(visit, 2), now + 2 * HOUR)
    assert states(visit) == ("agreed", ["declined", "accepted", "closed", "closed"])


def test_given_back_with_nobody_else_it_is_unanswered(ask: Any, now: datetime) -> None:
    visit = ask(1, widen=False)
    accept(of(visit, 1), now)
    give_back(of(visit, 1), now)
    assert states(visit) == ("unanswered", ["declined"])


def test_a_visit_is_not_given_back_once_its_hour_has_come(ask: Any, now: datetime) -> None:
    visit = ask()
    accept(of(visit, 1), now)
    assert refused(lambda: give_back(of(visit, 1), NINE)) == ["too_late"]


def test_erased_the_member_calls_off_and_the_artisan_is_told(
    ask: Any, member: Member, concierge_user: Any, now: datetime
) -> None:
    visit = ask()
    accept(of(visit, 1), now)
    erase_member(member, by=concierge_user, now=now)
    assert states(visit) == ("cancelled", ["closed", "closed", "closed"])
    assert (visit.what, visit.address, visit.phone) == ("", "", "")
    assert told("visit.called_off") == 1


# -- After the visit -------------------------------------------------------------------------


def test_the_morning_after_the_member_is_asked_once(
    ask: Any, member: Member, now: datetime
) -> None:
    visit = ask()
    accept(of(visit, 1), now)
    follow_visits(at(TOMORROW, time(20)))
    assert told("visit.happened") == 0
    for _ in range(2):
        follow_visits(at(date(2027, 3, 11), time(8)))
    follow_visits(at(date(2027, 3, 12), time(8)))
    assert told("visit.happened") == 1
    assert refused(lambda: visits.take_place(visit, by=member.user, now=NINE - HOUR)) == [
        "too_early"
    ]
    visits.take_place(visit, by=member.user, now=NINE + DAY)
    assert states(visit)[0] == "done"


def test_who_was_asked_about_something_else_this_week_is_left_alone(
    ask: Any, member: Member, now: datetime
) -> None:
    visit = ask()
    accept(of(visit, 1), now)
    other = OpinionFactory(member=member, asked_at=at(date(2027, 3, 5), time(10)))
    morning = at(date(2027, 3, 11), time(8))
    follow_visits(morning)
    visits.ask_whether_it_took_place(visit, now=morning)
    assert told("visit.happened") == 0
    Opinion.objects.filter(pk=other.pk).update(asked_at=at(date(2027, 3, 4), time(10)))
    follow_visits(morning)
    assert told("visit.happened") == 1


def test_a_worker_that_was_down_asks_later_and_not_after_three_days(
    ask: Any, now: datetime
) -> None:
    visit = ask()
    accept(of(visit, 1), now)
    follow_visits(at(date(2027, 3, 14), time(8)))
    assert told("visit.happened") == 0
    follow_visits(at(date(2027, 3, 13), time(8)))
    assert told("visit.happened") == 1


def test_how_it_went_is_said_once_and_stays_out_of_the_log(
    ask: Any, member: Member, now: datetime
) -> None:
    visit = ask()
    accept(of(visit, 1), now)

    def say(satisfaction: str, reason: str = "") -> Any:
        return visits.say_how_it_went(visit, satisfaction, reason, by=member.user, now=now)

    assert refused(lambda: say("happy")) == ["not_done"]
    visits.take_place(visit, by=member.user, now=NINE + HOUR)
    assert refused(lambda: say("")) == ["missing"]
    assert refused(lambda: say("happy", "late")) == ["reason_wrong"]
    assert refused(lambda: say("unhappy", "ugly")) == ["reason_wrong"]
    say("unhappy", "late")
    visit.refresh_from_db()
    assert (visit.satisfaction, visit.unhappy_for) == ("unhappy", "late")
    assert refused(lambda: say("happy")) == ["said"]
    facts = [str(line.facts) for line in LogEntry.objects.filter(subject_kind="visitrequest")]
    assert not [fact for fact in facts if "late" in fact or "unhappy" in fact]


def test_a_visit_that_did_not_take_place_ends_without_a_message(
    ask: Any, member: Member, now: datetime
) -> None:
    visit = ask()
    accept(of(visit, 1), now)
    before = Message.objects.count()
    visits.cancel(visit, by=member.user, now=NINE + DAY)
    assert states(visit)[0] == "cancelled"
    assert Message.objects.count() == before


def test_after_fourteen_days_without_a_word_it_is_done(ask: Any, now: datetime) -> None:
    visit = ask()
    accept(of(visit, 1), now)
    follow_visits(NINE + 14 * DAY - HOUR)
    assert states(visit)[0] == "agreed"
    follow_visits(NINE + 14 * DAY)
    assert states(visit)[0] == "done"
    assert (visit.satisfaction, visit.asks.get(rank=1).status) == ("", AskStatus.ACCEPTED)
