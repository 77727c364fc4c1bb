"""What a journal must not keep, taken out of a text: signatures, keys and secrets."""

import re

REDACTED = "…"

# A value goes on to a blank, a quotation mark or the next parameter; an escape is part of it.
_VALUE = r'(?:[^\s"&\\]+|\\.)+'
# A key begins a word; the last letter of an escape before it is no part of the word.
_BEGINS = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=\\u[0-9A-F]{4})|(?<=%[0-9A-F]{2}))"
_BLANKS = r"(?:\s|\\[tnr]|%20|%09|\+)+"
# What the text has, in small letters, where the pattern can match; and the pattern.
_SECRETS = tuple(
    (sign, re.compile(pattern, re.IGNORECASE))
    for sign, pattern in (
        ("signature", rf"(signature(?:=|%3D)){_VALUE}"),
        ("signature", r'(signature"\s*:\s*"(?:v1,)?)(?:[^"\\]|\\.)+'),
        ("bearer", rf"(\bbearer{_BLANKS}){_VALUE}"),
        ("whsec_", rf"(whsec_){_VALUE}"),
        ("sk", rf"({_BEGINS}sk(?:-|%2D)){_VALUE}"),
    )
)
_ESCAPE = re.compile(r"\\(?:u([dD][89abAB]..)\\u([dD][c-fC-F]..)|u([0-9a-fA-F]{4})|.)", re.DOTALL)
_KEPT_ESCAPES = '"\\'


def redact(text: str) -> str:
    """Replace the values of signatures, API keys, callback secrets and Bearer tokens by ``…``."""
    lowered = text.lower()
    for sign, pattern in _SECRETS:
        if sign in lowered:
            text = pattern.sub(rf"\1{REDACTED}", text)
    return text


def plain(text: str) -> str:
    r"""Write a JSON text's ``\uXXXX`` as the characters that they are; nothing else changes.

    So a text that was sent as ASCII can be searched, and hides no secret from ``redact``.
    """
    return _ESCAPE.sub(_character, text) if "\\u" in text else text


def _character(match: re.Match[str]) -> str:
    high, low, single = match.groups()
    try:
        if high is not None:
            code = 0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00)
        elif single is not None:
            code = int(single, 16)
        else:
            return match[0]
    except ValueError:
        return match[0]
    character = chr(code)
    is_kept = character in _KEPT_ESCAPES or not character.isprintable()
    return match[0] if is_kept else character
