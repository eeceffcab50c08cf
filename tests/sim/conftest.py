from collections.abc import Iterator

import pytest

from tests.sim.receiver import Receiver
from tests.sim.shop import Shop
from tests.stripesim.fixtures import stripesim, stripesim_process
from tests.stripesim.process import StripeSim

__all__ = ["receiver", "shop", "stripesim", "stripesim_process"]


@pytest.fixture
def shop(stripesim: StripeSim) -> Shop:
    return Shop(stripesim)


@pytest.fixture
def receiver(stripesim: StripeSim) -> Iterator[Receiver]:
    with Receiver() as receiving:
        yield receiving
