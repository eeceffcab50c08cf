"""`python -m tests.stripesim --port 0`: the address is the first line of the output."""

import argparse
import contextlib
import os
import sys
import threading

from .http import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="stripesim", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--webhook-secret", default="whsec_stripesim")
    parser.add_argument(
        "--end-with-input",
        action="store_true",
        help="end when standard input closes, as it does when the parent dies",
    )
    wanted = parser.parse_args()
    server, app = serve(wanted.port, wanted.webhook_secret)
    print(app.store.base, flush=True)
    if wanted.end_with_input:
        threading.Thread(target=end_with_input, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever(poll_interval=0.1)


def end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


main()
