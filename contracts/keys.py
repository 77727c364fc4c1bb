"""Keys come from the environment or from a person, never from a flag."""

import getpass
import os
import sys

from contracts.options import EXIT_USAGE, EngineError

KEY_VARIABLE = "GPT_IMAGE_CONTRACTS_KEY"
SECOND_KEY_VARIABLE = "GPT_IMAGE_CONTRACTS_SECOND_KEY"
TOKEN_VARIABLE = "GPT_IMAGE_CONTRACTS_EMULATOR_TOKEN"  # noqa: S105  # the variable's name


def environment_key(name: str) -> str | None:
    """A key from the environment; None where there is none.

    Raises:
        EngineError: no request can carry it.
    """
    return checked_key(os.environ.get(name, ""), name) or None


def checked_key(text: str, whence: str) -> str:
    """A key as it was given, which is never shown.

    Args:
        text: the key, with or without space around it.
        whence: where it comes from, for people.

    Raises:
        EngineError: no request can carry it.
    """
    key = text.strip()
    if not all("!" <= character <= "~" for character in key):
        message = f"{whence} holds no API key: a key has no spaces, and no letters beyond ASCII"
        raise EngineError(message, EXIT_USAGE)
    return key


def asked_key() -> str:
    """Ask a person for the key.

    Raises:
        EngineError: there is no person.
    """
    if not sys.stdin.isatty():
        raise EngineError(f"no API key: set {KEY_VARIABLE}", EXIT_USAGE)
    key = checked_key(getpass.getpass("API key (is not shown): "), "what was typed")
    if not key:
        raise EngineError("no API key was typed", EXIT_USAGE)
    return key
