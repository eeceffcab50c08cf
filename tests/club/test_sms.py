"""Text messages leave through the sender that the settings name."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from club import sms
from club.kernel.people import e164, folded, spoken_phone, takes_sms
from club.templatetags.devices import device


class Gateway(BaseHTTPRequestHandler):
    seen: list[tuple[dict[str, str], dict[str, str]]] = []
    answer = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((dict(self.headers), json.loads(body)))
        self.send_response(self.answer)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def gateway(settings: Any) -> Iterator[type[Gateway]]:
    Gateway.seen, Gateway.answer = [], 200
    with HTTPServer(("127.0.0.1", 0), Gateway) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        settings.SMS_SENDER = "club.sms.HttpSender"
        settings.SMS_URL = f"http://127.0.0.1:{server.server_port}/send"
        settings.SMS_TOKEN = "secret"
        yield Gateway
        server.shutdown()
        thread.join()


def test_the_gateway_gets_one_json_post(gateway: type[Gateway], settings: Any) -> None:
    sms.send_sms("+33639981234", "Votre code est 123456.")
    [(headers, body)] = gateway.seen
    assert headers["Authorization"] == "Bearer secret"
    assert body == {
        "from": settings.SMS_FROM,
        "to": "+33639981234",
        "text": "Votre code est 123456.",
    }


def test_a_gateway_that_refuses_is_told_apart(gateway: type[Gateway]) -> None:
    gateway.answer = 500
    with pytest.raises(OSError):
        sms.send_sms("+33639981234", "Bonjour")


def test_in_development_messages_are_files(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    settings.SMS_SENDER = "club.sms.ConsoleSender"
    sms.send_sms("+33639981234", "Bonjour")
    [file] = (tmp_path / "sms").iterdir()
    assert file.read_text() == "+33639981234\nBonjour\n"


def test_phones_and_names_in_one_form() -> None:
    assert [e164(t) for t in ("06 39 98 12 34", "0033 6.39.98.12.34", "+32 470 12 34 56")] == [
        "+33639981234",
        "+33639981234",
        "+32470123456",
    ]
    wrong = ("", "abc", "06 39", "12345678901234567890", "06 12 34 56 7", "03 22 01 00 1")
    assert [e164(t) for t in wrong] == [None] * 6
    assert takes_sms("+33639981234")
    assert not takes_sms("+33322710000")
    assert spoken_phone("+33639981234") == "06\u00a039\u00a098\u00a012\u00a034"
    assert folded("  N’Diaye-LŒUIL  ") == "n diaye loeuil"
    assert folded("Ayşe YILDIZ, Yıldız, İnan") == "ayse yildiz yildiz inan"
    assert folded("Łukasz Đorđe Ødegård") == "lukasz dorde odegard"


def test_devices_in_words() -> None:
    android = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537"
    assert device(android) == "Chrome, Android"
    assert device("") == "Appareil inconnu"
