"""Creations that nobody wrote down, each of which breaks exactly one rule."""

import random
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from contracts.field_rules import (
    MAX_IMAGES,
    MAX_PROMPT_CHARACTERS,
    MAX_REFERENCE_IMAGES,
    MODEL,
    QUALITIES,
)
from contracts.frames import (
    EDGE_STEP_PX,
    SIZES,
    TIERS,
    parse_pixel_size,
    size_limits_broken,
)
from contracts.rejects import Operation, Reject

_WORDS = ("a", "small", "grey", "stone", "lighthouse", "fox", "storm", "linocut", "at", "dawn")
_REFERENCE = "https://pictures.example.com/{}.png"
_ASSUMED = ("GEN-4", "GEN-16", "MOD-2")
_SPELLINGS = frozenset(word.lower() for word in (*SIZES, *TIERS, *QUALITIES))


def generated_rejects(seed: int, count: int) -> list[Reject]:
    """Draw creations that break exactly one rule.

    Plain random numbers, not Hypothesis: it draws constants out of whatever modules are loaded,
    and the same seed has to give the same requests everywhere.

    Args:
        seed: decides all of them.
        count: how many.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    return list(islice(_rejects(chance, f"generated {seed}"), count))


def _rejects(chance: random.Random, name: str) -> Iterator[Reject]:
    seen = set()
    while True:
        claims, param, draw = chance.choice(_BREAKERS)
        fields = _valid_fields(chance)
        value = draw(chance)
        if param == "resolution":
            fields["size"] = chance.choice(SIZES[1:])  # GEN-5: it acts only there
        operations: tuple[Operation, ...] = ("generations", "generations", "sync")
        operation = chance.choice(operations)
        body = {**fields, param: value}
        if repr(body) not in seen:
            seen.add(repr(body))
            yield Reject(
                f"{name}, number {len(seen)}: {param}", claims, operation, body, param=param,
                documented=claims[0] not in _ASSUMED and not _is_another_spelling(value),
            )  # fmt: skip


def _is_another_spelling(value: Any) -> bool:
    """Whether a kind server may take it for a documented value."""
    return isinstance(value, str) and value.strip().lower() in _SPELLINGS


def _valid_fields(chance: random.Random) -> dict[str, Any]:
    prompt = " ".join(chance.choices(_WORDS, k=chance.randint(2, 6)))
    optional: dict[str, Any] = {
        "size": chance.choice(SIZES),
        "quality": chance.choice(QUALITIES),
        "resolution": chance.choice(TIERS),
        "n": chance.randint(1, 3),
    }
    kept = chance.sample(sorted(optional), chance.randint(0, 2))
    return {"model": MODEL, "prompt": prompt, **{name: optional[name] for name in kept}}


def _other_word(*accepted: str) -> Callable[[random.Random], str]:
    """A text that is close to an accepted one, and none of them."""

    def draw(chance: random.Random) -> str:
        word = chance.choice(accepted)
        place = chance.randrange(len(word) + 1)
        letter = chance.choice("abkxyzKX0159:- ")
        changed = (
            word[:place] + letter + word[place:],
            word[:place] + letter + word[place + 1 :],
            word[:place] + word[place + 1 :],
            word.swapcase(),
        )
        kept = [one for one in changed if one not in accepted and parse_pixel_size(one) is None]
        return chance.choice(kept) if kept else f"{word}?"

    return draw


def _other_type(*values: Any) -> Callable[[random.Random], Any]:
    def draw(chance: random.Random) -> Any:
        number = chance.randint(-1000, 1000)
        return chance.choice((*values, [number], {"value": number}, {}, []))

    return draw


def _bad_count(chance: random.Random) -> Any:
    return chance.choice(
        (
            chance.randint(-100, 0),
            chance.randint(MAX_IMAGES + 1, MAX_IMAGES + 20),
            chance.randint(0, MAX_IMAGES) + chance.randint(1, 9) / 10,
            str(chance.randint(MAX_IMAGES + 1, 99)),
            "".join(chance.choices("abcdef", k=3)),
            chance.random() < 0.5,
            [chance.randint(1, MAX_IMAGES)],
        )
    )


def _size_outside_limits(chance: random.Random) -> str:
    while True:
        step = chance.choice((1, EDGE_STEP_PX))
        edges = [chance.randint(1, 4200 // step) * step for _ in range(2)]
        if size_limits_broken(*edges):
            return f"{edges[0]}x{edges[1]}"


def _too_many_references(chance: random.Random) -> list[str]:
    count = chance.randint(MAX_REFERENCE_IMAGES + 1, MAX_REFERENCE_IMAGES + 10)
    return [_REFERENCE.format(number) for number in range(count)]


def _bad_callback(chance: random.Random) -> str:
    host = "".join(chance.choices("abcdef", k=5)) + ".example.com"
    return chance.choice(
        (
            f"{chance.choice(('ftp', 'ws', 'file', 'httpss', 'mailto'))}://{host}/hook",
            host,
            f"/{host}",
            f"//{host}/",
            f"https://{host}:{chance.randint(65_536, 99_999)}/",
            f"https://{host}/a hook",
            "https://",
        )
    )


def _bad_prompt(chance: random.Random) -> str:
    too_long = MAX_PROMPT_CHARACTERS + chance.randint(1, 2000)
    return chance.choice(("", chance.choice("xé火") * too_long))


# Claims, the field to break, and how.
_BREAKERS: tuple[tuple[tuple[str, ...], str, Callable[[random.Random], Any]], ...] = (
    (("GEN-1",), "model", _other_type(7, None, True)),
    (("MOD-2",), "model", _other_word(MODEL)),
    (("GEN-1",), "prompt", _other_type(7, None, True)),
    (("GEN-16",), "prompt", _bad_prompt),
    (("GEN-2", "GEN-3"), "size", _other_word(*SIZES)),
    (("GEN-2", "GEN-3"), "size", _other_type(1024, True)),
    (("GEN-4",), "size", _size_outside_limits),
    (("GEN-5",), "resolution", _other_word(*TIERS)),
    (("GEN-5",), "resolution", _other_type(1, True)),
    (("GEN-9",), "quality", _other_word(*QUALITIES, "auto")),
    (("GEN-9",), "quality", _other_type(1, True)),
    (("GEN-10",), "n", _bad_count),
    (("GEN-11",), "input_images", _too_many_references),
    (("GEN-11",), "image_urls", _too_many_references),
    (("GEN-12",), "callback_url", _bad_callback),
    (("GEN-12",), "callback_url", _other_type(7, True)),
)
