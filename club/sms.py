"""Text messages leave through a sender that a setting names."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import requests
from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string


class Sender(Protocol):
    """What `SMS_SENDER` names: a class without arguments, with this one method.

    It raises an `OSError` (as network faults do) when the message did not leave.
    """

    def send(self, to: str, text: str) -> None: ...


class ConsoleSender:
    """For development: each message becomes a file under `var/sms`."""

    def send(self, to: str, text: str) -> None:
        folder = Path(settings.VAR_DIR) / "sms"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{timezone.now():%Y%m%d-%H%M%S}-{uuid4().hex[:6]}.txt"
        (folder / name).write_text(f"{to}\n{text}\n", encoding="utf-8")


class HttpSender:
    """One JSON POST to a gateway: `{"from", "to", "text"}` with a bearer token."""

    def send(self, to: str, text: str) -> None:
        answer = requests.post(
            settings.SMS_URL,
            data=json.dumps({"from": settings.SMS_FROM, "to": to, "text": text}),
            headers={
                "Authorization": f"Bearer {settings.SMS_TOKEN}",
                "Content-Type": "application/json",
            },
            timeout=10,
        )
        answer.raise_for_status()


def forget_texts(phones: Iterable[str]) -> None:
    """Delete the files of messages to these numbers, where there are any."""
    numbers = set(phones)
    for file in (Path(settings.VAR_DIR) / "sms").glob("*.txt"):
        if file.read_text(encoding="utf-8").partition("\n")[0] in numbers:
            file.unlink(missing_ok=True)


def is_available() -> bool:
    return bool(settings.SMS_SENDER)


def send_sms(to: str, text: str) -> None:
    """Send one message, in E.164 and at most 160 characters of GSM-7 (the caller's care)."""
    sender: Sender = import_string(settings.SMS_SENDER)()
    sender.send(to, text)
