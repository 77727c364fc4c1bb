"""The OpenAI Python SDK: generate a picture, then edit it.

``generate`` answers before the picture is there, with a ``task_id`` to poll; ``edit`` waits for
its picture, and answers with a ``task_id`` as well where that takes too long.

Usage: [EMULATOR_URL=...] [EMULATOR_KEY=...] python openai_sdk.py [FILE [EDITED_FILE]]
"""

import os
import sys
import time
from pathlib import Path
from typing import Any, cast
from urllib.request import urlopen

from openai import OpenAI
from openai.types import ImagesResponse

URL = os.environ.get("EMULATOR_URL", "http://127.0.0.1:8080/v1")
KEY = os.environ.get("EMULATOR_KEY", "sk-test")
POLL_SECONDS = 0.5


def picture_url(client: OpenAI, response: ImagesResponse) -> str:
    """Return the first picture's link, polling its task if it is not there yet."""
    if response.data:
        return str(response.data[0].url)
    extra = response.model_extra or {}
    task_id = extra["task_id"]
    print(f"created {task_id}")
    while True:
        task = cast("dict[str, Any]", client.get(f"/tasks/{task_id}", cast_to=object))
        match task["status"]:
            case "succeeded" | "completed":
                return str(task["result"]["data"][0]["url"])
            case "pending" | "processing":
                time.sleep(POLL_SECONDS)
            case status:
                sys.exit(f"{task_id} is {status}: {task['error']}")


def save(url: str, file: Path) -> None:
    """Download a picture. The link is signed: it needs no key, and works for 24 hours."""
    with urlopen(url) as picture:
        file.write_bytes(picture.read())
    print(f"saved {file}")


def main() -> None:
    """Generate, then edit what came out."""
    file, edited_file = (
        Path(sys.argv[place] if len(sys.argv) > place else name)
        for place, name in ((1, "lighthouse.png"), (2, "lighthouse-edited.png"))
    )
    with OpenAI(base_url=URL, api_key=KEY) as client:
        response = client.images.generate(model="gpt-image-2", prompt="A lighthouse at dawn")
        save(picture_url(client, response), file)
        response = client.images.edit(model="gpt-image-2", prompt="Add a boat", image=file)
        save(picture_url(client, response), edited_file)


if __name__ == "__main__":
    main()
