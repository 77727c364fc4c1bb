"""Create a task with a callback and receive it: the standard library only.

A callback is a hint, not a proof: anybody who knows the address can send one. So the task is
read again with the key before anything is done with it.

Usage: [EMULATOR_URL=...] [EMULATOR_KEY=...] python callback_receiver.py [FILE]
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

URL = os.environ.get("EMULATOR_URL", "http://127.0.0.1:8080/v1")
KEY = os.environ.get("EMULATOR_KEY", "sk-test")
WAIT_SECONDS = 120


class Receiver(HTTPServer):
    """Takes callbacks on a free port of this machine, one with each ``handle_request``."""

    timeout = WAIT_SECONDS

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.task_ids: set[str] = set()

    def handle_timeout(self) -> None:
        """Give up."""
        sys.exit(f"no callback came within {WAIT_SECONDS} s")


class Handler(BaseHTTPRequestHandler):
    """Answers at once and leaves the work for later."""

    server: Receiver

    def do_POST(self) -> None:
        """Take one callback; the same one can come again."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.server.task_ids.add(json.loads(body)["task_id"])

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def call(path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """POST ``body`` as JSON, or GET where there is none; return the answer."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(URL + path, data, headers)) as response:
        answer: dict[str, Any] = json.load(response)
        return answer


def receive(receiver: Receiver, file: Path) -> None:
    """Create a task, wait for its callback, check it, download the picture."""
    body = {
        "model": "gpt-image-2",
        "prompt": "A lighthouse at dawn",
        "callback_url": f"http://127.0.0.1:{receiver.server_port}/callback",
    }
    created = call("/images/generations", body)["task_id"]
    print(f"created {created}")
    while created not in receiver.task_ids:
        receiver.handle_request()
    task = call(f"/tasks/{created}")
    print(f"called back: {created} is {task['status']}")
    if task["status"] not in ("succeeded", "completed"):
        sys.exit(f"{created} is {task['status']}: {task['error']}")
    with urlopen(task["result"]["data"][0]["url"]) as picture:
        file.write_bytes(picture.read())
    print(f"saved {file}")


def main() -> None:
    """Open the receiver first: the callback can come before the creation's answer."""
    file = Path(sys.argv[1] if len(sys.argv) > 1 else "lighthouse.png")
    with Receiver() as receiver:
        receive(receiver, file)


if __name__ == "__main__":
    main()
