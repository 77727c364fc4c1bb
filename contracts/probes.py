"""What is sent besides paid tasks: free reads, requests that must be refused, keys with limits."""

from collections.abc import Iterable
from typing import Any

from contracts.client import Answer, Client
from contracts.exchange import Trace
from contracts.frames import RATIOS
from contracts.ledger import LimitReachedError
from contracts.lives_drive import LONGEST_PROMPT, MODEL
from contracts.observed import BALANCE, CREATIONS, GENERATIONS
from contracts.plan import MOST_ACCEPTED_REJECTS
from contracts.redact import UNKNOWN_KEY, Redactor
from contracts.rejects import Reject, build
from contracts.target import Control, EmulatorClock, member

_REQUESTS_PER_MINUTE = 3

# Valid bodies at the edges of what the documents allow (GEN-2, GEN-3, GEN-5, GEN-9 to GEN-12).
EDGES: tuple[dict[str, Any], ...] = (
    *({"size": size} for size in ("auto", *RATIOS)),
    *({"size": size} for size in ("1536x1024", "1024x1024", "3840x2160", "2160x3840", "2880x2880")),
    *({"size": size} for size in ("1280x512", "768x2304", "1920x1088", "3840x1280")),
    *({"resolution": tier} for tier in ("1K", "2K", "4K")),
    *({"quality": quality} for quality in ("low", "medium", "high", "auto")),
    *({"n": n} for n in range(1, 11)),
    {"size": "21:9", "resolution": "4K", "quality": "high", "n": 10},
    {"prompt": "x"},
    {"prompt": "x" * LONGEST_PROMPT},
    {"prompt": "灯台 🌊 " * 4000},
    {"input_images": ["https://example.com/a.png"] * 16},
    {"image_urls": ["https://example.com/a.png"]},
    {"images": ["https://example.com/a.png"]},
    {"aspectRatio": "16:9", "imageSize": "2K"},
    {"aspect_ratio": "9:16", "resolution": "1K"},
    {"callback_url": "https://example.com/hook"},
    {"no_such_field": {"deep": [1, None]}},
    {"n": None},  # refused: null is not left out
)


def free_reads(client: Client) -> Iterable[str]:
    """Read what costs nothing; yields the name of each read once it is done."""
    reads: tuple[tuple[str, str, str | None], ...] = (
        ("GET", "/v1/models", None),
        ("GET", "/v1/models", ""),
        ("GET", "/api/v1/models", None),
        ("GET", "/v1/models", UNKNOWN_KEY),
        ("GET", f"/v1/models?q={MODEL}", None),
        ("GET", "/v1/models?q=no-such-model", None),
        ("GET", BALANCE, ""),
        ("GET", f"/api{BALANCE}", ""),
        ("GET", "/llms.txt", None),
        ("GET", "/", None),
        ("GET", "/v1/no-such-route", ""),
        ("GET", GENERATIONS, ""),
    )
    for method, path, key in reads:
        client.send(method, path, key=key, purpose="a free read")
        yield f"{method} {path}"
    client.send("GET", BALANCE, key=None, headers={"x-api-key": client.key}, purpose="AUTH-2")
    yield "the other key header"


def must_reject(
    client: Client, rejects: Iterable[Reject], every_balance: bool
) -> Iterable[tuple[Reject, Answer | None]]:
    """Send what must be refused; ends where too much of it is taken and paid for.

    Args:
        client: sends.
        rejects: in order.
        every_balance: whether the balance is read after each, or only now and then.

    Yields:
        What was sent with its answer; None where it could cost more than is left.
    """
    accepted = 0
    client.send("GET", BALANCE, purpose="read the balance")
    for number, reject in enumerate(rejects, 1):
        if accepted >= MOST_ACCEPTED_REJECTS and not every_balance:
            break
        sent = build(reject, client.key)
        try:
            answer = client.send(
                sent.method, sent.path, key=None, headers=dict(sent.headers), content=sent.content,
                purpose=f"must be refused: {reject.name}",
            )  # fmt: skip
        except LimitReachedError:
            yield reject, None
            continue
        accepted += 200 <= answer.status < 300 and sent.path in CREATIONS
        if every_balance or number % 10 == 0:
            client.send("GET", BALANCE, purpose="read the balance")
        yield reject, answer
    client.send("GET", BALANCE, purpose="read the balance")


class LimitedKeys:
    """Keys with limits, which only an emulator makes on request.

    Args:
        control: makes them.
        clock: their accounts' time.
        redactor: labels them.
        trace: where their limits are noted, for judges.
    """

    def __init__(
        self, control: Control, clock: EmulatorClock, redactor: Redactor, trace: Trace
    ) -> None:
        self._control = control
        self._clock = clock
        self._redactor = redactor
        self._limits: dict[str, Any] = trace.facts.setdefault("keys", {})
        self._refused_prompts: list[str] = trace.facts.setdefault("refused_prompts", [])

    def make(self, name: str, keeps_time: bool = False, **limits: Any) -> str:
        """Make a key.

        Args:
            name: for people.
            keeps_time: its account's clock moves with the run's.
            limits: ``credits``, ``budget_credits``, ``requests_per_minute``, ``models``.
        """
        answer = self._control.post("/keys", {"name": f"contracts-{name}", **limits})
        key = member(answer, "key", str)
        if keeps_time:
            self._clock.join(key)
        self._limits[self._redactor.key_label(key)] = limits
        return key

    def refuse_prompt(self, prompt: str) -> None:
        """Put a prompt against the content policy, for one creation of the run (ERR-6)."""
        fault = {"fault": "content_policy", "prompt": prompt, "times": 1}
        self._control.post("/faults", fault)
        self._refused_prompts.append(prompt)


def accept_probes(client: Client, key: str) -> Iterable[str]:
    """Send valid creations for an account without credits: none is paid, each is judged.

    A valid one is refused for its price, an invalid one for its fields (ERR-3, ERR-9).
    """
    client.send("GET", BALANCE, key=key, purpose="read the balance")
    for edge in EDGES:
        body = {"model": MODEL, "prompt": "A lighthouse", **edge}
        client.send(
            "POST", GENERATIONS, key=key, json=body, purpose="valid, but nothing to pay with"
        )
        yield next(iter(edge))
    client.send("GET", BALANCE, key=key, purpose="read the balance")


def limit_probes(client: Client, keys: LimitedKeys) -> Iterable[str]:
    """Meet a policy and the limits of keys (ERR-5, ERR-6, AUTH-3)."""
    body = {"model": MODEL, "prompt": "A lighthouse"}
    listed = keys.make("other-model", credits=1000, models=["another-model"])
    client.send("POST", GENERATIONS, key=listed, json=body, purpose="a model that is not allowed")
    yield "models"
    prompt = "A prompt that is against the policy"
    keys.refuse_prompt(prompt)
    client.send("GET", BALANCE, purpose="read the balance")
    client.send(
        "POST", GENERATIONS, json={**body, "prompt": prompt},
        purpose="a prompt that is taken for a bad one",
    )  # fmt: skip
    client.send("GET", BALANCE, purpose="read the balance")
    yield "content policy"
    hurried = keys.make(
        "hurried", keeps_time=True, credits=0, requests_per_minute=_REQUESTS_PER_MINUTE
    )
    for _ in range(_REQUESTS_PER_MINUTE + 1):
        client.send("GET", BALANCE, key=hurried, purpose="too many a minute", retry=False)
    client.send("GET", BALANCE, key=hurried, purpose="after the time that was asked for")
    yield "requests per minute"


def budget_probe(client: Client, key: str) -> None:
    """Ask for more than a key's budget has left (ERR-4)."""
    body = {"model": MODEL, "prompt": "A lighthouse"}
    client.send("POST", GENERATIONS, key=key, json=body, purpose="over the key's budget")
