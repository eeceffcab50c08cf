"""Races in threads and processes, on whichever database the suite runs on.

Each test first shows that the fault happens with the guard off, then that it
cannot with the guard on. The seed is printed; `RACE_SEED` repeats a run.
"""

import os
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, connections

from club.kernel.refusal import Refused


@pytest.fixture
def seed(capsys: pytest.CaptureFixture[str]) -> int:
    value = int(os.environ.get("RACE_SEED", random.SystemRandom().randrange(10**6)))
    with capsys.disabled():
        print(f"\nRACE_SEED={value}", end=" ")
    random.seed(value)
    return value


@pytest.fixture
def race() -> Iterator[Callable[..., list[Any]]]:
    """Run one call per argument at the same time; answers in the arguments' order.

    An answer is what the call returned or the exception that it raised.
    """

    def run(call: Callable[[Any], Any], arguments: list[Any]) -> list[Any]:
        answers: list[Any] = [None] * len(arguments)
        gate = threading.Barrier(len(arguments))

        def work(position: int) -> None:
            try:
                gate.wait(timeout=20)
                answers[position] = call(arguments[position])
            except Exception as error:
                answers[position] = error
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work, args=(n,)) for n in range(len(arguments))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        return answers

    yield run
    connection.close()


def accepted(answers: list[Any]) -> list[Any]:
    return [answer for answer in answers if not isinstance(answer, Exception)]


def unexpected(answers: list[Any]) -> list[Any]:
    """Answers that are neither a result nor a refusal in words."""
    return [
        answer
        for answer in answers
        if isinstance(answer, Exception) and not isinstance(answer, Refused)
    ]
