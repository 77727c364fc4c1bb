"""Refusals: what is wrong, what was sent, and what would be accepted."""

import json
from collections.abc import Iterable
from typing import TypeGuard

_LONGEST_SHOWN_VALUE = 80


class Refusal(Exception):
    """A request that is refused; nothing of it was done.

    Attributes:
        code: the machine-readable reason, one of the codes in ``emulator/api/errors.py``.
        message: one line for a person.
        param: the field, header or part that is to blame, or None.
        claim: the id of the fact that asks for the refusal, or None where it is our own reading.
        retry_after_seconds: when to try again, or None.
        now: the account's instant, where a refusal without a caller knows it.
        account_id: whose request it was, where a refusal without a caller knows it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        param: str | None = None,
        *,
        claim: str | None = None,
        retry_after_seconds: int | None = None,
        now: int | None = None,
        account_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        self.claim = claim
        self.retry_after_seconds = retry_after_seconds
        self.now = now
        self.account_id = account_id

    @classmethod
    def invalid_value(
        cls, param: str, sent: object, accepted: str | Iterable[str], *, claim: str | None = None
    ) -> "Refusal":
        """Refuse a field's value, naming the accepted ones and the one that was sent."""
        names = accepted if isinstance(accepted, str) else "one of " + ", ".join(accepted)
        message = f"{param} must be {names}; {shown(sent)} was sent."
        return cls("invalid_value", message, param, claim=claim)


def account_deleted() -> Refusal:
    """Refuse a request whose account was deleted while it was under way."""
    message = "This API key's account was deleted meanwhile; its next use makes a new one."
    return Refusal("invalid_api_key", message, claim="AUTH-1")


def is_text(value: object) -> TypeGuard[str]:
    """Whether a value is a text that can be sent: without half of a character in it."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(value: object) -> str:
    """Write a value that a client sent so that it fits in one line of a message."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = repr(type(value).__name__)
    text = text.encode("utf-8", "backslashreplace").decode()
    if len(text) <= _LONGEST_SHOWN_VALUE:
        return text
    return f"{text[:_LONGEST_SHOWN_VALUE]}… ({len(text):,} characters)"
