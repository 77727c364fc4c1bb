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
_SHORT_LIST = re.compile(r"\[\n([^\[\]{}]*)\n *\]")
_SHORT_LIST_CHARACTERS = 64
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


def excerpt(text: str, most_characters: int) -> tuple[str, bool]:
    """The beginning of a text; what nobody reads, such as a picture in base64, is only counted.

    Returns:
        The excerpt, and whether it leaves something out.
    """
    parts: list[str] = []
    length = end = 0
    is_short = False
    for found in _RUN.finditer(text):
        run = found[0]
        if len(run) > _LONGEST_RUN:
            is_short = True
            run = f"{run[:_KEPT_OF_A_RUN]}…({len(run) - _KEPT_OF_A_RUN:,} more characters)"
        parts += (text[end : found.start()], run)
        length += len(parts[-1]) + len(parts[-2])
        end = found.end()
        if length >= most_characters:
            break
    rest = text[end : end + most_characters]
    shown = "".join((*parts, rest))
    is_cut = is_short or len(shown) > most_characters or end + len(rest) < len(text)
    return shown[:most_characters], is_cut


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
    return _SHORT_LIST.sub(_in_one_line, "\n".join(lines))


def _in_one_line(found: re.Match[str]) -> str:
    line = " ".join(item.strip() for item in found[1].split("\n"))
    return f"[{line}]" if len(line) <= _SHORT_LIST_CHARACTERS else found[0]


def _breaks_line(before: str, part: str) -> bool:
    if before in _OPENING:
        return part not in _CLOSING
    return before == "," or (before != "" and part in _CLOSING)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
