"""Text of strangers, made safe to show: whatever a target answers ends up in reports."""

import re

_ILLEGAL = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # they drive terminals, and XML has no place for them
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # they reorder the text around them
    "\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff"
    "]"
)
_RUN = re.compile(r"[^\s\"\\]+")
_LONGEST_RUN = 600
_KEPT_OF_A_RUN = 80
_DEEPEST_INDENT = 16
_OPENING, _CLOSING = ("{", "["), ("}", "]")
_JSON_PART = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\]:,]|[^\s"{}\[\]:,]+', re.DOTALL)


def printable(text: str) -> str:
    """A text without characters that drive terminals, break XML or reorder what stands around.

    Each becomes its escape (``\\x1b``, ``\\u202e``); line ends and tabs stay.
    """
    return _ILLEGAL.sub(_escaped, text.replace("\r\n", "\n"))


def one_line(text: str, most_characters: int = 1000) -> str:
    """A printable text in one line, cut where it is long."""
    line = " ".join(printable(text[: 8 * most_characters]).split())
    return line if len(line) <= most_characters else line[: most_characters - 1] + "…"


def without_long_runs(text: str) -> str:
    """A text in which what nobody reads, such as pictures in base64, is only counted."""
    return _RUN.sub(_shortened, text)


def indented(text: str) -> str:
    """JSON on many lines, for people; it may be cut off anywhere.

    Only white space changes: members that come twice and the spelling of numbers stay visible.
    """
    lines: list[str] = [""]
    depth = 0
    before = ""
    for part in _JSON_PART.findall(text):
        if part in _CLOSING:
            depth = max(0, depth - 1)
        if _breaks_line(before, part):
            lines.append("  " * min(depth, _DEEPEST_INDENT))
        lines[-1] += part + (" " if part == ":" else "")
        if part in _OPENING:
            depth += 1
        before = part
    return "\n".join(lines)


def _breaks_line(before: str, part: str) -> bool:
    if before in _OPENING:
        return part not in _CLOSING
    return before == "," or (before != "" and part in _CLOSING)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _shortened(found: re.Match[str]) -> str:
    if len(found[0]) <= _LONGEST_RUN:
        return found[0]
    rest = len(found[0]) - _KEPT_OF_A_RUN
    return f"{found[0][:_KEPT_OF_A_RUN]}…({rest:,} more characters)"
