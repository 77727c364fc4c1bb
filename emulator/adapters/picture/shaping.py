"""From a prompt to glyph characters: any text becomes tokens that a line breaker can place."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from emulator.adapters.picture import fonts

_ZWJ: Final = "\u200d"
_NEWLINES: Final = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
_BREAK: Final = "\u200b"
_TAB: Final = "   "
_MARKS: Final = frozenset({"Mn", "Me"})
_INVISIBLE: Final = frozenset({"Cc", "Cf"})
_SKIN_TONES: Final = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_REGIONS: Final = range(0x1F1E6, 0x1F200)
_KEYCAP: Final = "\u20e3"
_TAGS: Final = range(0xE0020, 0xE0080)
_MOST_MARKS: Final = 2
_PLAIN: Final = re.compile("[0-9A-Za-z]+(?![^\0-\x7f])")
_ARABIC: Final = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff]")
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})
_STAYS_WITH_PREVIOUS: Final = frozenset(
    "、。，．：；！？）］｝」』】〉》〕ー々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ・…’”%)]},.!?:;"
)
_STAYS_WITH_NEXT: Final = frozenset("（［｛「『【〈《〔‘“([{")


class Token(NamedTuple):
    """A piece of text that is not broken, if it fits on a line.

    Attributes:
        text: glyph characters in logical order; empty for a line's end.
        width_em: its width, as a part of the font size.
        end: how many characters of the source came up to its end.
        space: whether it is white space, to drop at a line's end.
    """

    text: str
    width_em: float
    end: int
    space: bool = False


class Cluster(NamedTuple):
    """What a reader sees as one character, or some plain ones; how much of the source it took."""

    text: str
    length: int


def tokens(source: str, most: int) -> list[Token]:
    """Split a text into tokens.

    Args:
        source: any text at all.
        most: how many of its characters to look at.
    """
    found: list[Token] = []
    word, end = "", 0
    for cluster in _clusters(source[:most]):
        kind = _kind(cluster.text)
        if word and not _joins(word, cluster.text, kind):
            found.append(_word(word, end))
            word = ""
        end += cluster.length
        if kind == "word":
            word += cluster.text
        elif kind == "newline":
            found.append(Token("", 0.0, end))
        elif kind == "space":
            found.append(_measured(_TAB if cluster.text == "\t" else " ", end, space=True))
    if word:
        found.append(_word(word, end))
    return found


def is_right_to_left(text: str) -> bool:
    """Whether a paragraph's first letter is of a script that runs from right to left."""
    for char in text:
        direction = unicodedata.bidirectional(char)
        if direction in _RIGHT_TO_LEFT:
            return True
        if direction == "L" and not char >= "\U000f0000":
            return False
    return False


def visual(line: str, right_to_left: bool) -> str:
    """Bring a line of glyph characters into the order in which they are drawn."""
    if not any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in line):
        return line
    from bidi.algorithm import get_display  # type: ignore[import-untyped]

    return str(get_display(line, base_dir="R" if right_to_left else "L"))


def width_em(text: str) -> float:
    """Width of glyph characters, as a part of the font size."""
    return sum(map(fonts.advance_em, text))


def _measured(text: str, end: int, space: bool = False) -> Token:
    return Token(text, width_em(text), end, space)


def _word(text: str, end: int) -> Token:
    if _ARABIC.search(text):
        text = _reshape(text)
    return _measured(text, end)


@lru_cache(maxsize=256)
def _reshape(word: str) -> str:
    """Replace Arabic letters by their joined forms."""
    from arabic_reshaper import reshape  # type: ignore[import-untyped]

    return str(reshape(word))


@lru_cache(maxsize=4096)
def _kind(text: str) -> str:
    if not text:
        return "nothing"
    char = text[0]
    if char in _NEWLINES:
        return "newline"
    if char == _BREAK:
        return "break"
    return "space" if char.isspace() else "word"


def _joins(word: str, text: str, kind: str) -> bool:
    """Whether a cluster continues the word before it."""
    if kind == "nothing":
        return True
    if kind != "word":
        return False
    if text[0] in _STAYS_WITH_PREVIOUS or word[-1] in _STAYS_WITH_NEXT:
        return True
    return not (_breaks_anywhere(word[-1]) or _breaks_anywhere(text[0]) or word[-1] in "-–—/")


def _breaks_anywhere(char: str) -> bool:
    return "\u2e80" <= char < "\ua4d0" or "\uf900" <= char < "\ufb00" or char >= "\uff00"


def _clusters(source: str) -> Iterator[Cluster]:
    """Split a text into what a reader sees as characters, without what has no look."""
    place = 0
    while place < len(source):
        plain = _PLAIN.match(source, place)
        if plain is not None:
            yield Cluster(plain[0], plain.end() - place)
            place = plain.end()
            continue
        emoji = _emoji(source, place)
        if emoji is not None:
            yield emoji
            place += emoji.length
            continue
        char, start = source[place], place
        place += 1
        if char == "\r" and source[place : place + 1] == "\n":
            place += 1
        marks = ""
        while place < len(source) and _is_mark(source[place]):
            marks += source[place] if len(marks) < _MOST_MARKS else ""
            place += 1
        yield Cluster(_shown(char, marks), place - start)


@lru_cache(maxsize=4096)
def _is_mark(char: str) -> bool:
    return unicodedata.category(char) in _MARKS


@lru_cache(maxsize=4096)
def _shown(char: str, marks: str) -> str:
    """The glyph characters of one character and its marks."""
    if char in _NEWLINES or char == _BREAK or char.isspace():
        return char
    category = unicodedata.category(char)
    if category in _INVISIBLE:
        return ""
    if category in {"Cs", "Co", "Cn"}:
        return fonts.MISSING_CHARACTER
    composed = unicodedata.normalize("NFC", char + marks)
    if fonts.font_of(composed[0]) is None:
        simple = unicodedata.normalize("NFKC", char)
        composed = simple if all(map(fonts.font_of, simple)) else fonts.MISSING_CHARACTER
    drawn = [mark for mark in composed[1:] if not _is_mark(mark) or fonts.font_of(mark)]
    return composed[0] + "".join(drawn)


def _emoji(source: str, place: int) -> Cluster | None:
    """Match the longest emoji sequence that has a glyph; skin tones have no colour here."""
    char = source[place]
    code = ord(char)
    if code < 0x203C and source[place + 1 : place + 3].find(_KEYCAP) < 0:
        return None
    if code not in _REGIONS and unicodedata.category(char) not in {"So", "Sk", "Sm", "Nd", "Po"}:
        return None
    sequences = fonts.sequences()
    text, best = char, Cluster(char, 1)
    for end in range(place + 1, min(len(source), place + 24) + 1):
        if end - place > 1:
            last = source[end - 1]
            if last in _SKIN_TONES or last == "\ufe0f" or last == "\ufe0e":
                best = Cluster(best.text, end - place) if best.length == end - place - 1 else best
                continue
            if not _continues(last):
                break
            text += last
        if text in sequences:
            best = Cluster(sequences[text], end - place)
    if best.length == 1 and fonts.font_of(char) is None:
        return None
    return best


@lru_cache(maxsize=1024)
def _continues(char: str) -> bool:
    code = ord(char)
    return (
        char in (_ZWJ, _KEYCAP)
        or code in _REGIONS
        or code in _TAGS
        or unicodedata.category(char) in {"So", "Sk", "Sm"}
    )
