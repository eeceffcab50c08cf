"""The supervisor of the queue's cluster.

django-q2's cluster has a fault upstream: when one of its idle processes is killed
while it waits on the queue, it takes the queue's lock along, and no task ever runs
again. Nothing inside the cluster sees it. So it runs as a child in a process group
of its own: each task that begins leaves a heartbeat in the database, the supervisor
puts the recurring tasks on the queue (so that there is always one to run), and where
the heartbeat stands still it ends the whole group and starts another.

What recurs is written here and registered in `club.kernel.jobs`, not in django-q2's
table of schedules, where one malformed row stops all of them.
"""

import logging
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django import db
from django.conf import settings
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.models import OrmQ
from django_q.tasks import async_task

from club.models import Heartbeat

logger = logging.getLogger(__name__)

STALLED_AFTER = 120
"""Seconds. Longer than a task may take (`timeout`), since a task beats when it begins."""
PATIENCE = 20
"""Seconds that a cluster has to end its tasks when it is told to stop."""


@dataclass
class Recurring:
    task: str
    seconds: int
    next_at: float = 0
    waiting: int = 0
    enqueued_at: float = 0


def recurring() -> list[Recurring]:
    return [
        Recurring("club.tasks.send_messages", 10),
        Recurring("club.tasks.run_daily_jobs", 60),
        Recurring("club.tasks.run_minute_jobs", 60),
        Recurring("club.tasks.sweep_payments", 60),
        Recurring("club.tasks.fetch_lost_events", 3600),
    ]


# -- In the cluster -----------------------------------------------------------------

_last_beat = 0.0


def cluster_name() -> str:
    return "cluster:" + os.environ.get("WORKER_NAME", socket.gethostname()[:28])


def beat(**kwargs: Any) -> None:
    """A task begins or has ended: this cluster is alive. At most once in five seconds."""
    global _last_beat
    if time.monotonic() - _last_beat < 5:
        return
    try:
        Heartbeat.objects.update_or_create(
            name=cluster_name(), defaults={"beat_at": timezone.now()}
        )
    except db.Error as error:
        logger.warning("The heartbeat was not written: %s", error)
    else:
        _last_beat = time.monotonic()


def run_cluster() -> int:
    """The child: a cluster that ends when its supervisor does."""
    from django_q.cluster import Cluster

    supervisor = os.getppid()
    cluster = Cluster()
    cluster.start()
    while cluster.sentinel.is_alive():
        time.sleep(0.5)
        if os.getppid() != supervisor:
            logger.error("The supervisor is gone: the cluster ends.")
            end = threading.Timer(PATIENCE, os.killpg, [os.getpgrp(), signal.SIGKILL])
            end.daemon = True
            end.start()
            cluster.stop()
    return 0


# -- The supervisor -----------------------------------------------------------------


class Noting(ORM):
    """The broker, noting the row of the task that it enqueued."""

    row = 0

    def enqueue(self, task: str) -> int:
        self.row = super().enqueue(task)
        return self.row


class Supervisor:
    def __init__(self, stalled_after: float = STALLED_AFTER) -> None:
        self.stalled_after = stalled_after
        self.name = f"{socket.gethostname()[:20]}-{os.getpid()}"
        self.jobs = recurring()
        self.child: subprocess.Popen[bytes] | None = None
        self.started_at = timezone.now()
        self.starts = 0
        self.start_after = 0.0
        self.stop_asked = threading.Event()

    def run(self) -> None:
        """Until SIGTERM or SIGINT: keep one live cluster and its recurring tasks."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop_asked.set())
        try:
            while not self.stop_asked.is_set():
                self.look()
                self.stop_asked.wait(1)
        finally:
            self.end_child(PATIENCE)
            self.forget()

    def look(self) -> None:
        if self.child is not None and self.child.poll() is not None:
            logger.error("The cluster ended with code %s.", self.child.returncode)
            self.end_child(0)
        if self.child is None:
            if time.monotonic() >= self.start_after:
                self.start_child()
            return
        try:
            self.put_recurring()
            stalled = self.is_stalled()
        except db.Error as error:
            # Without its database no cluster beats: that is no fault of the cluster.
            logger.error("The database does not answer: %s", error)
            db.connections.close_all()
            self.started_at = timezone.now()
            return
        if stalled:
            logger.error("The cluster stands still: it is ended and started again.")
            self.end_child(5)

    def start_child(self) -> None:
        db.connections.close_all()
        self.child = subprocess.Popen(  # noqa: S603
            [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "worker", "--cluster"],
            env=os.environ | {"WORKER_NAME": self.name},
            start_new_session=True,
        )
        self.started_at = timezone.now()
        self.starts += 1
        # A cluster that cannot start is not started all the time.
        self.start_after = time.monotonic() + min(30, 2**self.starts)

    def end_child(self, patience: float) -> None:
        """Ask the cluster to finish its tasks; end what is left of its group after that."""
        child, self.child = self.child, None
        if child is None:
            return
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(patience)
            except subprocess.TimeoutExpired:
                logger.error("The cluster did not stop in %d s: it is killed.", patience)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def is_stalled(self) -> bool:
        seen = (
            Heartbeat.objects.filter(name="cluster:" + self.name)
            .values_list("beat_at", flat=True)
            .first()
        )
        if seen is not None and seen > self.started_at:
            self.starts = 0
        latest = max(self.started_at, seen or self.started_at)
        return (timezone.now() - latest).total_seconds() > self.stalled_after

    def put_recurring(self) -> None:
        """Put each recurring task on the queue in its turn, unless one still waits there."""
        moment = time.monotonic()
        for job in self.jobs:
            if moment < job.next_at:
                continue
            # Not in step with other supervisors, so that each cluster gets its share.
            job.next_at = moment + job.seconds * random.uniform(0.8, 1.2)  # noqa: S311
            if self.is_waiting(job, moment):
                continue
            broker = Noting()
            async_task(job.task, broker=broker, group="recurring", save=False, ack_failure=True)
            job.waiting, job.enqueued_at = broker.row, moment

    def is_waiting(self, job: Recurring, moment: float) -> bool:
        """Whether the last one waits or is being run; not if a killed worker had it."""
        row = OrmQ.objects.filter(pk=job.waiting).first()
        if row is None:
            return False
        taken = row.lock > timezone.now()
        return not taken or moment - job.enqueued_at < self.stalled_after

    def forget(self) -> None:
        """A cluster that was stopped on purpose is not missed by the health page."""
        try:
            Heartbeat.objects.filter(name="cluster:" + self.name).delete()
        except db.Error as error:
            logger.warning("The heartbeat was not removed: %s", error)


def connect() -> None:
    from django_q.signals import post_execute_in_worker, pre_execute

    pre_execute.connect(beat, dispatch_uid="club.worker.beat")
    post_execute_in_worker.connect(beat, dispatch_uid="club.worker.beat")
