"""Chooses the fewest paid tasks that show the most: first what claims hang on, then pairs.

Greedy: of some random candidates that one is taken which shows most for its price. Seeded, so the
same options give the same plan.
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from contracts.model import Wish
from contracts.prices import assumed_price
from contracts.sent import Endpoint

_CANDIDATES = 160
_PAIR_WEIGHT = 0.08
_PRICE_WEIGHT = 0.002
_WORTH_OF_A_WHOLE_LIFE, _WORTH_OF_PICTURES, _END_WEIGHT = 1.5, 1.0, 0.5
_SHOWN_BY_PICTURES = ("size", "resolution", "quality", "n", "references", "prompt")
# What a plan should not lack, most telling first; what they leave open is chosen as for any task.
_DEFAULTS: dict[str, Any] = {
    "endpoint": "generations", "size": None, "resolution": None, "quality": None, "references": 0,
}  # fmt: skip
_CHEAP = {**_DEFAULTS, "outcome": "succeeds", "n": None, "callback": "taken late"}
_ESSENTIALS: tuple[dict[str, Any], ...] = (
    {"endpoint": "generations", "outcome": "succeeds", "callback": "taken", "n": 2,
     "size": ("21:9", "9:21"), "resolution": ("2K", "4K")},
    {"endpoint": "generations", "outcome": "fails", "callback": "taken"},
    _CHEAP,
    {**_DEFAULTS, "outcome": "partial", "n": 3, "callback": "never taken"},
    {"endpoint": "edits", "outcome": "succeeds", "n": (None, 2)},
    {"endpoint": "sync", "outcome": "fails"},
    {**_DEFAULTS, "outcome": "hangs", "n": 2},
    {"endpoint": "sync", "outcome": "succeeds", "n": (None, 2), "size": "1488x1328",
     "resolution": ("2K", "4K")},
    {"key": "budget"},
    {**_DEFAULTS, "outcome": "succeeds", "n": 2},
)  # fmt: skip
_PLAIN = {"prompt": "plain", "prefix": "/v1", "key_header": "authorization"}

# Each value's weight is about the number of claims that only it can show.
_FACTORS: dict[str, dict[Any, float]] = {
    "endpoint": {"generations": 5, "sync": 3, "edits": 3},
    "outcome": {"succeeds": 3, "fails": 4, "partial": 3, "hangs": 3},
    "callback": {"none": 0, "taken": 4, "taken late": 3, "never taken": 2},
    "n": {None: 1, 1: 0.3, 2: 3, 3: 1, 10: 1.5},
    "size": {
        None: 1, "auto": 0.3, "1:1": 0.8, "1:2": 0.8, "2:1": 0.8, "1:3": 0.8, "3:1": 0.8,
        "2:3": 0.8, "3:2": 0.8, "3:4": 0.8, "4:3": 0.8, "4:5": 0.8, "5:4": 0.8, "9:16": 0.8,
        "16:9": 1.2, "21:9": 0.8, "9:21": 0.8, "1280x720": 2, "1536x1024": 0.8, "1488x1328": 2,
        "1440x2560": 3,
    },
    "resolution": {None: 1, "1K": 0.5, "2K": 2, "4K": 2},
    "quality": {None: 1, "low": 1.5, "medium": 0.5, "high": 2},
    "references": {0: 0, 1: 2, 2: 1, 16: 0.8},
    "prompt": {"plain": 0, "unicode": 0.8, "longest": 0.8},
    "prefix": {"/v1": 0, "/api/v1": 2},
    "key_header": {"authorization": 0, "x-api-key": 2},
    "key": {"main": 0, "budget": 0},
}  # fmt: skip
# What the documents let combine freely; the others are covered one value at a time.
_PAIRED = ("size", "resolution", "quality", "n", "references", "callback", "endpoint")


@dataclass(frozen=True)
class PlannedTask:
    """A creation that is meant to be accepted.

    Attributes:
        number: 1 for the first; names its prompt.
        endpoint: ``generations``, ``sync`` or ``edits``.
        outcome: ``succeeds``, or what is provoked on an emulator.
        callback: ``none``, or how the receiver answers: ``taken``, ``taken late`` (a 500 first),
            ``never taken``.
        fields: what is sent besides model and prompt.
        references: how many reference images go along.
        prompt: ``plain``, ``unicode`` or ``longest``.
        prefix: ``/v1`` or ``/api/v1``.
        key_header: which header carries the key.
        key: ``main``, or ``budget``: a key whose budget is one such task.
    """

    number: int
    endpoint: Endpoint
    outcome: str
    callback: str
    references: int
    prompt: str
    prefix: str
    key_header: str
    key: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def expected_credits(self) -> int:
        """What it would cost by the assumed price table, in credits."""
        return assumed_price(self.wish(), "medium")

    def wish(self) -> Wish:
        """What it asks for, with the defaults."""
        return Wish(
            self.endpoint,
            "gpt-image-2",
            "",
            self.fields.get("size", "auto"),
            self.fields.get("resolution", "1K"),
            self.fields.get("quality"),
            self.fields.get("n", 1),
        )


@dataclass(frozen=True)
class Means:
    """What a run has to show things with.

    Attributes:
        faults: the target's failures can be provoked.
        keys: keys with limits can be made.
        callbacks: the target can reach the kit.
        time: the target's time can be moved.
    """

    faults: bool
    keys: bool
    callbacks: bool
    time: bool


def plan_tasks(count: int, means: Means, seed: int) -> tuple[PlannedTask, ...]:
    """Choose tasks.

    Args:
        count: at most so many.
        means: what is possible at this target.
        seed: everything random follows from it.
    """
    dice = random.Random(seed)  # noqa: S311  # nobody has to guess it
    shown: set[Any] = set()
    chosen: list[dict[str, Any]] = []
    essentials = [one for one in _ESSENTIALS if _is_possible(one, means)]
    if not means.time:  # what costs most waits until a cheap one has told its price
        essentials.sort(key=lambda one: one is not _CHEAP)
    while len(chosen) < count:
        essential = essentials.pop(0) if essentials else {}
        if essential.get("key") == "budget" and count - len(chosen) < 2:
            continue
        pool = [_candidate(dice, means, essential) for _ in range(_CANDIDATES)]
        best = max(pool, key=lambda values: _worth(values, shown))
        takes = [best]
        if best["key"] == "budget":
            # A budget shows itself in two tasks: one fails and gives it back, one uses it up.
            takes = [{**best, "outcome": "fails"}, {**best, "outcome": "succeeds"}]
        for values in takes:
            shown |= set(_features(values))
            chosen.append(values)
    tasks = [_task(0, values) for values in chosen]
    # A cheap one that tells its price comes first, before anything dear is sent.
    cheapest = min(
        tasks,
        key=lambda task: (
            task.key == "budget", task.endpoint != "generations", task.outcome != "succeeds",
            task.expected_credits,
        ),
    )  # fmt: skip
    others = [task for task in tasks if task is not cheapest]
    if not means.time:
        others.sort(key=lambda task: task.expected_credits)
    ordered = [cheapest, *others]
    return tuple(replace(task, number=number) for number, task in enumerate(ordered, 1))


def _is_possible(essential: Mapping[str, Any], means: Means) -> bool:
    """Whether a target lets a task be made."""
    provoked = essential.get("outcome", "succeeds") != "succeeds"
    return (means.faults or not provoked) and (means.keys or "key" not in essential)


def _candidate(dice: random.Random, means: Means, essential: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: dice.choice(list(options)) for name, options in _FACTORS.items()}
    values |= {name: plain for name, plain in _PLAIN.items() if dice.random() < 0.6}
    if not means.faults or dice.random() < 0.5:
        values["outcome"] = "succeeds"
    values["key"] = "main"
    for name, wanted in essential.items():
        values[name] = dice.choice(wanted) if isinstance(wanted, tuple) else wanted
    if not means.callbacks or (not means.time and values["callback"] == "never taken"):
        values["callback"] = "none"
    return _sensible(values)


def _sensible(values: dict[str, Any]) -> dict[str, Any]:
    """Keep what would cost much and show nothing more out of a candidate."""
    if values["endpoint"] == "edits" and not values["references"]:
        values["references"] = 1
    if values["outcome"] == "partial" and (values["n"] or 1) < 2:
        values["n"] = 3
    # A call that waits does not tell why there are fewer images.
    if values["outcome"] in ("hangs", "partial"):
        values["endpoint"] = "generations"
    if values["key"] == "budget":
        # GEN-5: the tier must not act on auto, not on its price either.
        values |= {"n": None, "size": None, "resolution": "4K", "quality": "low",
                   "endpoint": "generations", "callback": "none"}  # fmt: skip
    if values["n"] == 10:
        values |= {"resolution": None, "quality": "low"}
    if values["size"] in (None, "auto"):
        values["resolution"] = values["resolution"] if values["n"] != 10 else None
    return values


def _features(values: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    has_pictures = values["outcome"] in ("succeeds", "partial")
    for name, value in values.items():
        if name == "resolution" and _kind_of_size(values) != "ratio":
            continue  # GEN-5: a tier acts on ratios only, which shows beside the other kinds
        if has_pictures or name not in _SHOWN_BY_PICTURES:
            yield (name, value)
    if has_pictures:
        for one, other in combinations(_PAIRED, 2):
            yield (one, values[one], other, values[other])
    # Each kind of call can end in each way, and each end can be called back.
    yield ("end", values["endpoint"], values["outcome"])
    yield ("told", values["callback"], values["outcome"])


def _worth(values: Mapping[str, Any], shown: set[Any]) -> float:
    worth = 0.0
    for feature in _features(values):
        if feature in shown:
            continue
        if len(feature) == 2:
            worth += _FACTORS[feature[0]][feature[1]]
        elif len(feature) == 3:
            worth += _END_WEIGHT
        else:
            worth += _PAIR_WEIGHT
    if values["endpoint"] == "generations":
        worth += _WORTH_OF_A_WHOLE_LIFE  # what is polled shows more than what is waited for
    if values["outcome"] == "succeeds":
        worth += _WORTH_OF_PICTURES
    return worth - _PRICE_WEIGHT * _task(0, values).expected_credits


def _kind_of_size(values: Mapping[str, Any]) -> str:
    size = values["size"] or "auto"
    return "ratio" if ":" in size else "auto" if size == "auto" else "pixels"


def _task(number: int, values: Mapping[str, Any]) -> PlannedTask:
    fields = {
        name: values[name]
        for name in ("size", "resolution", "quality", "n")
        if values[name] is not None
    }
    return PlannedTask(
        number,
        values["endpoint"],
        values["outcome"],
        values["callback"],
        values["references"],
        values["prompt"],
        values["prefix"],
        values["key_header"],
        values["key"],
        fields,
    )
