"""An account with something of everything, for pictures of the pages."""

from dataclasses import dataclass

import httpx2

from tests.support.api import Api

LATENCY_SECONDS = 30
_DEAD_PORT = "http://127.0.0.1:9/hook"
_REFUSED: tuple[tuple[str, dict[str, object]], ...] = (
    ("/v1/images/generations", {"model": "gpt-image-2", "prompt": "Too many"}),  # by a fault
    ("/v1/images/generations", {"model": "gpt-image-2", "prompt": "A lighthouse", "n": "2"}),
    ("/v1/images/generations", {"model": "gpt-image-3", "prompt": "A lighthouse"}),
    ("/v1/images/generations", {"model": "gpt-image-2", "prompt": "A lighthouse", "size": "5:1"}),
    ("/v1/images/variations", {"model": "gpt-image-2"}),
)


@dataclass(frozen=True)
class Tasks:
    """Ids of the tasks that have a picture of their own."""

    succeeded: str
    failed: str
    wordy: str  # its prompt has 3,000 characters


def fill(api: Api) -> Tasks:
    """Make tasks in every state, callbacks, faults, a key and a journal; the clock stands still.

    Args:
        api: of a fresh key, at a server whose tasks take ``LATENCY_SECONDS``.
    """
    api.command_clock(freeze=True)
    tasks = _ended_tasks(api)
    _refusals(api)
    api.create(prompt="A cartographer's desk by candlelight", size="3:2")
    api.advance(f"{LATENCY_SECONDS // 2}s")
    api.create(prompt="Paper boats on a rainy street", callback_url=_inbox(api, "hooks"))
    limits = {"name": "ci", "budget_credits": 1000, "requests_per_minute": 60}
    _taken(api.post("/_emulator/keys", json={**limits, "models": ["gpt-image-2"]}))
    return tasks


def _ended_tasks(api: Api) -> Tasks:
    hooks = _inbox(api, "hooks")
    _taken(api.put("/_emulator/inbox/hooks", json={"answers": [{"status": 500}, {"status": 200}]}))
    api.add_fault("task_fails", code="image_safety", prompt="storm")
    picture = api.create(prompt="A red fox asleep in fresh snow", size="1:1", callback_url=hooks)
    api.advance("2m")
    link = api.task(picture["task_id"])["result"]["data"][0]["url"]
    failed = api.create(prompt="A storm over the harbour", size="16:9", callback_url=hooks)
    api.create(prompt="The same fox at night", input_images=[link], callback_url=_DEAD_PORT)
    wordy = api.create(
        prompt="A tall ship in a bottle, every rope in its place. " * 60, size="9:16", quality="low"
    )
    api.advance("1m")
    succeeded = api.create(
        prompt="Four seasons of one orchard, seen from the same hill",
        size="16:9", n=4, quality="high", callback_url=hooks,
    )  # fmt: skip
    api.create(prompt="כפר דייגים · قرية صيادين · Ψαροχώρι", size="4:3", n=2)
    api.advance("1m")
    return Tasks(succeeded["task_id"], failed["task_id"], wordy["task_id"])


def _refusals(api: Api) -> None:
    busy = {"status": 429, "retry_after_seconds": 2, "operation": "createImageTask", "times": 1}
    api.add_fault("http_error", **busy)
    for path, body in _REFUSED:
        answer = api.post(path, json=body)
        assert answer.is_client_error, answer.text


def _inbox(api: Api, name: str) -> str:
    return str(api.base_url.join(f"/_emulator/inbox/{name}"))


def _taken(answer: httpx2.Response) -> None:
    assert answer.is_success, answer.text
