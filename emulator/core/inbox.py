"""The built-in receiver: which URLs are its own, and what it answers."""

import re
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote

from emulator.core.address import split_http_url
from emulator.core.errors import Refusal, is_text, shown

PATH = "/_emulator/inbox/"
KEPT_MESSAGES = 1000
MOST_BODY_BYTES = 1024 * 1024
_MOST_ANSWERS = 100
_LONGEST_DELAY_SECONDS = 3600
_LONGEST_ANSWER_CHARACTERS = 65_536
_NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,64}", re.ASCII)  # . and .. are no path
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SECRET_HEADERS = (
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "x-emulator-token",
    "cookie",
)
_ACCEPTED = {
    "status": "a whole number from 100 to 599",
    "delay_seconds": f"a number from 0 to {_LONGEST_DELAY_SECONDS:,}",
    "body": f"a text of at most {_LONGEST_ANSWER_CHARACTERS:,} characters",
}


class Answer(NamedTuple):
    """What an inbox answers to one message.

    Attributes:
        status: the HTTP status.
        delay_seconds: how long it seems to take; no real time passes.
        body: the text.
    """

    status: int = 200
    delay_seconds: float = 0
    body: str = ""

    def as_dict(self) -> dict[str, Any]:
        """This answer as JSON takes it."""
        return self._asdict()


class Plan(NamedTuple):
    """An inbox's answers.

    Attributes:
        answers: given in turn, the last one from then on; one or more.
        after: the number of the last message that came before they were chosen.
    """

    answers: tuple[Answer, ...] = (Answer(),)
    after: int = 0

    def answer_to(self, number: int) -> Answer:
        """The answer to the message of a number."""
        return self.answers[min(number - self.after, len(self.answers)) - 1]


def check_name(name: str) -> str:
    """Return an inbox's name.

    Raises:
        Refusal: it is none.
    """
    if not _NAME.fullmatch(name):
        accepted = "1 to 64 characters of A to Z, a to z, 0 to 9, dot, underscore and hyphen"
        raise Refusal.invalid_value("name", name, accepted)
    return name


def parse_answers(body: dict[str, Any]) -> tuple[Answer, ...]:
    """Read ``{"answers": [{"status": 500}, ...]}``.

    Raises:
        Refusal: it is something else.
    """
    answers = body.get("answers")
    if body.keys() != {"answers"}:
        raise Refusal.invalid_value("body", body, '{"answers": [{"status": 500}, ...]}')
    if not isinstance(answers, list) or not 1 <= len(answers) <= _MOST_ANSWERS:
        accepted = f'a list of 1 to {_MOST_ANSWERS} answers such as {{"status": 500}}'
        raise Refusal.invalid_value("answers", answers, accepted)
    return tuple(_answer(answer, f"answers[{index}]") for index, answer in enumerate(answers))


def own_inbox(url: str, base_url: str) -> str | None:
    """The inbox that a callback URL means, where it is one of this server's own.

    Args:
        url: the callback URL.
        base_url: what the task's links begin with: how its client reaches this server.

    Returns:
        The name, not checked yet, or None.
    """
    parts, base = split_http_url(url), split_http_url(base_url)
    if parts is None or base is None or _place(parts) != _place(base):
        return None
    prefix = base.path.rstrip("/") + PATH
    return unquote(parts.path.removeprefix(prefix)) if parts.path.startswith(prefix) else None


def shown_headers(headers: dict[str, str]) -> dict[str, str]:
    """Headers with lower-case names, without those that carry secrets."""
    lowered = {name.lower(): value for name, value in headers.items()}
    return {name: value for name, value in lowered.items() if name not in _SECRET_HEADERS}


def _place(parts: SplitResult) -> tuple[str, int]:
    """The host and port that a URL leads to; a loopback address has several names."""
    host = (parts.hostname or "").lower()
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return (_LOOPBACK[0] if host in _LOOPBACK else host), port


def _answer(value: Any, param: str) -> Answer:
    if not isinstance(value, dict) or not value.keys() <= _ACCEPTED.keys():
        accepted = f"an object with any of {', '.join(_ACCEPTED)}"
        raise Refusal.invalid_value(param, value, accepted)
    for name, field in value.items():
        if not _is_valid(name, field):
            message = f"{param}.{name} must be {_ACCEPTED[name]}; {shown(field)} was sent."
            raise Refusal("invalid_value", message, f"{param}.{name}")
    return Answer(**value)


def _is_valid(name: str, value: Any) -> bool:
    match name:
        case "status":
            return type(value) is int and 100 <= value <= 599
        case "delay_seconds":
            return type(value) in (int, float) and 0 <= value <= _LONGEST_DELAY_SECONDS
        case _:
            return is_text(value) and len(value) <= _LONGEST_ANSWER_CHARACTERS
