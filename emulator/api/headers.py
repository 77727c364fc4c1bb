"""Headers: a request's key, its host, its Content-Type; an answer's Date."""

import re
from collections.abc import Sequence
from functools import lru_cache

from emulator.core.clock import SECOND, http_date
from emulator.core.errors import Refusal, shown

Headers = Sequence[tuple[bytes, bytes]]  # lower-case name, value

_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?", re.ASCII)


def header_of(headers: Headers, name: bytes) -> str | None:
    """Read one of a request's headers, given its lower-case name."""
    for sent_name, value in headers:
        if sent_name == name:
            return str(value, "latin-1")
    return None


def api_key_of(headers: Headers) -> str | None:
    """Read the key: ``Authorization: Bearer`` (AUTH-1) or ``x-api-key`` (AUTH-2)."""
    authorization = header_of(headers, b"authorization")
    if authorization:
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() == "bearer" and key.strip():
            return key.strip()
        if scheme.startswith("sk-"):
            message = (
                "The header Authorization lacks the word Bearer: send Authorization: Bearer sk-..."
            )
            raise Refusal("invalid_api_key", message, claim="AUTH-1")
    return header_of(headers, b"x-api-key") or None


def host_of(headers: Headers) -> str | None:
    """The host that a request was sent to; None where it names none that can be."""
    host = header_of(headers, b"host") or ""
    return host if _HOST.fullmatch(host) else None


def require_content_type(headers: Headers, expected: str) -> None:
    """Check the Content-Type.

    Raises:
        Refusal: it is missing or another.
    """
    sent = header_of(headers, b"content-type") or ""
    media_type, _, parameters = sent.partition(";")
    if media_type.strip().lower() != expected:
        was = f"{shown(sent)} was sent" if sent else "none was sent"
        message = f"Content-Type must be {expected}; {was}."
        raise Refusal("invalid_content_type", message, "Content-Type")
    charset = re.search(r'charset\s*=\s*"?([^";\s]+)', parameters, re.IGNORECASE)
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        message = f"Content-Type must be {expected} in UTF-8; {shown(sent)} was sent."
        raise Refusal("invalid_content_type", message, "Content-Type")


@lru_cache(maxsize=64)
def date_header(unix_seconds: int) -> bytes:
    """Write a ``Date`` header's value."""
    return http_date(unix_seconds * SECOND).encode()
