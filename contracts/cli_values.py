"""What the command line's options take."""

import argparse
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

from contracts.exchange import split_url


def number(convert: Any, least: float, most: int, words: str) -> Any:
    """Make a reader of numbers between two limits.

    Args:
        convert: a text -> the number.
        least: the smallest that is taken.
        most: the largest.
        words: what it is, for errors.
    """

    def read(text: str) -> Any:
        try:
            value = convert(text)
            fits = least <= value <= most
        except (ValueError, ArithmeticError):  # Decimal can't compare what is no number
            fits = False
        if not fits:
            message = f"must be {words} from {least:g} to {most:,}; {text!r} was given"
            raise argparse.ArgumentTypeError(message)
        return value

    return read


_TASK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}")
CREDITS = number(int, 0, 10**12, "a whole number")
SECONDS = number(float, 0.1, 86_400, "a number of seconds")
EXAMPLES = number(int, 0, 10_000, "a whole number")


def credits_per_image(text: str) -> Fraction:
    """A price, in credits."""
    return Fraction(number(Decimal, 1, 10**9, "a number of credits")(text))


def public_url(text: str) -> str:
    """A URL under which this machine is reached; recorded, so it has no secrets."""
    parts = split_url(text)
    plain = not (parts.username or parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise argparse.ArgumentTypeError(
            "must be an http or https URL such as https://hooks.example.com, without a user's name"
            " or a query"
        )
    return text


def task_id(text: str) -> str:
    """A task's id."""
    if not _TASK_ID.fullmatch(text):
        raise argparse.ArgumentTypeError(f"must be a task's id, such as task_0001; not {text!r}")
    return text
