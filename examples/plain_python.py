"""Create a task, poll it until it ends, download the picture: the standard library only.

Usage: [EMULATOR_URL=...] [EMULATOR_KEY=...] python plain_python.py [FILE]
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

URL = os.environ.get("EMULATOR_URL", "http://127.0.0.1:8080/v1")
KEY = os.environ.get("EMULATOR_KEY", "sk-test")
POLL_SECONDS = 0.5


def call(path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """POST ``body`` as JSON, or GET where there is none; return the answer."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(URL + path, data, headers)) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
    except HTTPError as error:
        with error:
            sys.exit(f"{error.code}: {error.read().decode()}")


def wait_for_end(task_id: str) -> dict[str, Any]:
    """Poll a task until it has succeeded; exit where it does not."""
    while True:
        task = call(f"/tasks/{task_id}")
        match task["status"]:
            case "succeeded" | "completed":
                return task
            case "pending" | "processing":
                time.sleep(POLL_SECONDS)
            case status:
                sys.exit(f"{task_id} is {status}: {task['error']}")


def main() -> None:
    """Create, poll, download."""
    file = Path(sys.argv[1] if len(sys.argv) > 1 else "lighthouse.png")
    body = {"model": "gpt-image-2", "prompt": "A lighthouse at dawn"}
    task_id = call("/images/generations", body)["task_id"]
    print(f"created {task_id}")
    task = wait_for_end(task_id)
    # The link is signed: it needs no key, and works for 24 hours.
    with urlopen(task["result"]["data"][0]["url"]) as picture:
        file.write_bytes(picture.read())
    print(f"saved {file}")


if __name__ == "__main__":
    main()
