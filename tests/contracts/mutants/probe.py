"""A client that looks for one symptom: a fresh account, and the fewest words for HTTP."""

from functools import cache
from typing import Any

import httpx2

from emulator.testing import Account, Emulator
from tests.support.images import decoded, image_bytes

PROMPT = "A lighthouse at dawn"
Json = dict[str, Any]


@cache
def _client() -> httpx2.Client:
    return httpx2.Client(trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0))


class Probe:
    """A client of a server, with an account whose clock stands still.

    Attributes:
        emulator: the server, of which the symptom may want another account.
        account: to steer by; what is judged is what ``/v1`` answers.
        key: the account's key.
    """

    def __init__(self, emulator: Emulator, account: Account | None = None) -> None:
        self.emulator = emulator
        self.account = account or emulator.new_account(clock="frozen")
        self.key = self.account.api_key

    def of(self, **limits: Any) -> "Probe":
        """Another client of the same server, whose key has limits."""
        return Probe(self.emulator, self.emulator.new_account(clock="frozen", **limits))

    def send(
        self, method: str, url: str, key: str | None = "", headers: Any = None, **options: Any
    ) -> httpx2.Response:
        """Send a request with this key, another, or none (None)."""
        sent = dict(headers or {})
        if key is not None:
            sent["Authorization"] = f"Bearer {key or self.key}"
        where = url if url.startswith("http") else self.emulator.url + url
        return _client().request(method, where, headers=sent, **options)

    def get(self, url: str, key: str | None = "") -> httpx2.Response:
        """GET a path or a link."""
        return self.send("GET", url, key)

    def post(self, how: str = "", key: str | None = "", **fields: Any) -> httpx2.Response:
        """Send a creation; ``how`` is ``/sync`` or nothing. A field that is ... is left out."""
        body = {"model": "gpt-image-2", "prompt": PROMPT, **fields}
        sent = {name: value for name, value in body.items() if value is not ...}
        return self.send("POST", f"/v1/images/generations{how}", key, json=sent)

    def post_raw(self, content: bytes, key: str | None = "") -> httpx2.Response:
        """Send a creation's body as it is."""
        headers = {"Content-Type": "application/json"}
        return self.send("POST", "/v1/images/generations", key, headers, content=content)

    def create(self, **fields: Any) -> Json:
        """Create a task; return the answer."""
        answer = self.post(**fields)
        assert answer.status_code == 202, answer.text
        body: Json = answer.json()
        return body

    def edit(self, **fields: str) -> httpx2.Response:
        """Edit a picture, on a clock that runs."""
        self.account.clock.resume()
        data = {"model": "gpt-image-2", "prompt": PROMPT, **fields}
        files = {"image": ("photo.png", image_bytes(), "image/png")}
        return self.send("POST", "/v1/images/edits", data=data, files=files)

    def upload(self, content: bytes, key: str | None = "") -> httpx2.Response:
        """Upload a file."""
        files = {"file": ("photo.png", content, "image/png")}
        return self.send("POST", "/v1/images/upload", key, files=files)

    def read(self, task_id: str) -> Json:
        """Poll a task."""
        answer = self.get(f"/v1/tasks/{task_id}")
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    def processing(self, **fields: Any) -> Json:
        """Create a task, move the clock into its middle, and poll it."""
        task_id = self.create(**fields)["task_id"]
        self.account.clock.advance("30ms")
        return self.read(task_id)

    def finished(self, **fields: Any) -> Json:
        """Create a task, move the clock to its end, and poll it."""
        return self.ended(self.create(**fields)["task_id"])

    def later(self, hours: float, **fields: Any) -> Json:
        """Create a task, let so much time pass, and poll it."""
        task_id = self.create(**fields)["task_id"]
        self.account.clock.advance(hours=hours)
        return self.read(task_id)

    def ended(self, task_id: str) -> Json:
        """Move the clock to a task's end, and poll it."""
        self.account.clock.run_until_task_ended(task_id)
        return self.read(task_id)

    def failed(self, code: str = "image_safety") -> Json:
        """Create a task that fails, move the clock to its end, and poll it."""
        return self.finished(prompt=f"A fox [[fault: task_fails code={code}]]")

    def links(self, **fields: Any) -> list[str]:
        """Finish a task; return the links to its pictures."""
        return [entry["url"] for entry in self.finished(**fields)["result"]["data"]]

    def sizes(self, **fields: Any) -> list[tuple[int, int]]:
        """Finish a task; return the pixels of its pictures."""
        return [decoded(self.get(url, None).content).size for url in self.links(**fields)]

    def balance(self) -> Any:
        """What the balance says."""
        return self.get("/v1/credits/balance").json()["credits"]

    def cost(self, **fields: Any) -> int:
        """Finish a task; return what the balance lost."""
        before: int = self.balance()
        self.finished(**fields)
        return before - int(self.balance())

    def called_back(self, *answered: int, **fields: Any) -> list[Json]:
        """Finish a task with a callback, and let all attempts be made; return their bodies.

        Args:
            answered: the statuses that the receiver answers in turn; the last one goes on.
            fields: of the creation.
        """
        self.account.callbacks.answer_with(*(answered or (200,)))
        self.ended(self.create(callback_url=self.account.callbacks.url(), **fields)["task_id"])
        self.account.clock.run_until_deliveries_exhausted()
        return [message.body for message in self.account.callbacks.received()]


def error_of(answer: httpx2.Response) -> Json:
    """The error in an answer."""
    error: Json = answer.json()["error"]
    return error
