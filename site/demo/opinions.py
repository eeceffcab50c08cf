"""How it went in the past months, as people said it; two of them wait for a call."""

from datetime import datetime, time, timedelta
from random import Random

from club.domain.opinions import answer, ask_lately, give_reason, note_call
from club.enums import CallOutcome, Face, OpinionReason
from club.kernel.spans import at, local_day
from club.models import Opinion, Place, User

DAYS = 120
EVERY = 3
"""Days between two rounds: what ended in between is asked about."""
FACES = [Face.HAPPY] * 17 + [Face.SO_SO] * 3
UNHAPPY = 12
"""One answer of so many is of somebody who is not happy."""
WAITING = 2


def say_how_it_went(place: Place, desk: User, now: datetime, rng: Random) -> None:
    """Asked by the verb on days that are over; about half answered within a day."""
    today = local_day(now)
    for days in range(DAYS, 0, -EVERY):
        ask_lately(at(today - timedelta(days=days), time(10)))
    asked = list(Opinion.objects.filter(asked_at__lt=now).order_by("asked_at", "pk"))
    here = [one for one in asked if one.place_id == place.pk]
    last = {one.pk for one in here[-WAITING:]}
    for number, one in enumerate(asked):
        moment = min(one.asked_at + timedelta(minutes=rng.randrange(5, 1200)), now)
        if one.pk in last:
            answer_badly(one, moment, rng)
        elif rng.random() < 0.5:
            if number % UNHAPPY:
                answer(one, rng.choice(FACES), moment)
            else:
                answer_badly(one, moment, rng)
                outcome = rng.choice([CallOutcome.SETTLED, CallOutcome.PASSED_ON])
                note_call(one, outcome, by=desk, now=min(moment + timedelta(days=1), now))


def answer_badly(one: Opinion, moment: datetime, rng: Random) -> None:
    answer(one, Face.UNHAPPY, moment)
    give_reason(one, rng.choice([OpinionReason.WAIT, OpinionReason.UNCLEAR]), moment)
