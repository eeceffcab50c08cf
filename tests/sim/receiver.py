"""A webhook endpoint that keeps what it gets and answers what it is told to."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe


@dataclass
class Received:
    body: bytes
    signature: str

    def event(self, secret: str) -> stripe.Event:
        return stripe.Webhook.construct_event(
            self.body, self.signature, secret, api_key="sk_test_x"
        )

    @property
    def type(self) -> str:
        return self.body.decode().split('"type": "')[1].split('"')[0]


@dataclass
class Receiver:
    answers: list[int] = field(default_factory=list)  # statuses to give first; then 200
    got: list[Received] = field(default_factory=list)

    def __enter__(self) -> "Receiver":
        kept = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kept.got.append(Received(body, self.headers["Stripe-Signature"]))
                self.send_response(kept.answers.pop(0) if kept.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
