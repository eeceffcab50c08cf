"""pytest fixtures. In a test file: `from tests.stripesim.fixtures import *  # noqa: F403`."""

from collections.abc import Iterator

import pytest

from .process import StripeSim


@pytest.fixture(scope="session")
def stripesim_process() -> Iterator[StripeSim]:
    """One process for each pytest worker, on a port of its own."""
    with StripeSim() as sim:
        yield sim


@pytest.fixture
def stripesim(stripesim_process: StripeSim) -> Iterator[StripeSim]:
    """Empty at first and quiet after; it must not have been wrong itself."""
    stripesim_process.reset()
    yield stripesim_process
    stripesim_process.reset()


__all__ = ["stripesim", "stripesim_process"]
