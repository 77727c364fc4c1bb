"""Everything that looks random is derived here, from an account's seed and a label."""

import hashlib
from functools import lru_cache


def derive(seed: int, *labels: str | int) -> int:
    """Derive a 63-bit number from a seed and labels; the same on every machine.

    Args:
        seed: the account's seed, or a number derived from it.
        labels: what the number is for, for example ``("latency", task_number)``.

    Returns:
        An integer from 0 to 2**63 - 1, which fits a database's signed 64-bit column.
    """
    return int.from_bytes(_digest(8, seed, *labels), "big") >> 1


def fraction(seed: int, *labels: str | int) -> float:
    """Derive a number in [0, 1) from a seed and labels."""
    return (derive(seed, *labels) >> 10) / (1 << 53)


def token(seed: int, *labels: str | int) -> str:
    """Derive 24 hexadecimal digits, an id's unguessable-looking part, from a seed and labels."""
    return _digest(12, seed, *labels).hex()


def numbered_id(seed: int, number: int) -> str:
    """Make 24 hexadecimal digits for an account's task: half the account's, half the task's number.

    Ids of an account follow each other, so a store appends them instead of scattering them.
    """
    return f"{id_prefix(seed)}{number:012x}"


@lru_cache(maxsize=1024)
def id_prefix(seed: int) -> str:
    """What all of an account's ids that ``numbered_id`` makes begin with, and no other's."""
    return token(seed, "ids")[:12]


def _digest(size_bytes: int, *labels: str | int) -> bytes:
    text = "\x1f".join(map(str, labels))
    return hashlib.blake2b(text.encode(), digest_size=size_bytes).digest()
