"""The process: its address first, quickly; it ends with who started it."""

import os
import subprocess
import sys
import time

from tests.stripesim.process import ROOT, StripeSim


def test_it_starts_quickly_and_resets_at_once() -> None:
    began = time.monotonic()
    with StripeSim() as sim:
        assert time.monotonic() - began < 5  # seen: 0.4 s alone on the machine
        assert sim.base.startswith("http://127.0.0.1:")
        began = time.monotonic()
        sim.reset()
        assert time.monotonic() - began < 1  # seen: 2 ms


def test_it_ends_when_its_parent_does() -> None:
    script = (
        "import time; from tests.stripesim.process import StripeSim; "
        "print(StripeSim().start().process.pid, flush=True); import os; os._exit(1)"
    )
    parent = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    child = int(parent.stdout)
    for _ in range(100):
        if not running(child):
            return
        time.sleep(0.05)
    raise AssertionError("it outlives its parent")


def running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().split()[2] != "Z"
    except FileNotFoundError:
        return False
    finally:
        os.sched_yield()
