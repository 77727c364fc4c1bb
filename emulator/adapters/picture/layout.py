"""Breaking text into lines, fitting it into a space, drawing it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from PIL import Image

from emulator.adapters.picture import fonts
from emulator.adapters.picture.shaping import Token, is_right_to_left, tokens, visual, width_em

LINE_EM: Final = 1.38
_MEASURE_EM: Final = 36.0
_STEP: Final = 0.88
_PAGE: Final = 4000  # more characters than any panel has room for
_FEW: Final = 6


class Line(NamedTuple):
    """A line of text.

    Attributes:
        text: glyph characters in the order in which they are drawn.
        width_em: its width, as a part of the font size.
        right: whether it is aligned to the right.
        end: how many characters of the source came up to its end.
    """

    text: str
    width_em: float
    right: bool
    end: int


class Block(NamedTuple):
    """Text that fits its space.

    Attributes:
        lines: what to draw.
        size_px: the font size.
        width_px: of its longest line.
        left_out: how many characters of the source did not fit.
    """

    lines: list[Line]
    size_px: int
    width_px: int
    left_out: int

    @property
    def line_px(self) -> int:
        """From one baseline to the next."""
        return round(self.size_px * LINE_EM)

    @property
    def height_px(self) -> int:
        """Of all lines."""
        return self.line_px * len(self.lines)


def fit(source: str, width_px: int, height_px: int, largest_px: int, smallest_px: int) -> Block:
    """Set a text as large as its space allows; cut what does not fit at the smallest size.

    Args:
        source: any text.
        width_px, height_px: the space.
        largest_px, smallest_px: limits of the font size.
    """
    pieces = tokens(source, _PAGE)
    total_em = sum(piece.width_em for piece in pieces)
    size_px = largest_px
    while size_px > smallest_px:
        measure_em = min(width_px / size_px, _MEASURE_EM)
        room = int(height_px / (size_px * LINE_EM))
        if total_em <= measure_em * room:
            lines = break_lines(pieces, measure_em, room + 1)
            if len(lines) <= room and len(source) <= _PAGE:
                return _block(_balanced(lines, pieces, measure_em), size_px, 0)
        size_px = max(smallest_px, int(size_px * _STEP))
    measure_em = min(width_px / size_px, _MEASURE_EM)
    room = max(1, int(height_px / (size_px * LINE_EM)))
    lines = break_lines(pieces, measure_em, room + 1)
    if len(lines) <= room and len(source) <= _PAGE:
        return _block(lines, size_px, 0)
    lines = lines[:room]
    last = lines[-1]
    left_out = len(source) - last.end
    lines[-1] = Line(*_shortened(last.text, measure_em), last.right, last.end)
    return _block(lines, size_px, left_out)


def _balanced(lines: list[Line], pieces: Sequence[Token], measure_em: float) -> list[Line]:
    """Break a short text so that its lines are about equally long, without another line."""
    if not 1 < len(lines) <= _FEW:
        return lines
    narrow, wide = measure_em * 0.5, measure_em
    for _ in range(5):
        middle = (narrow + wide) / 2
        tried = break_lines(pieces, middle, len(lines) + 1)
        if len(tried) > len(lines):
            narrow = middle
        else:
            wide, lines = middle, tried
    return lines


def shorten(text: str, size_px: int, width_px: int) -> str:
    """Cut a one-line text with an ellipsis where it is wider than its space."""
    shown = "".join(piece.text or " " for piece in tokens(text, 400))
    if width_em(shown) * size_px <= width_px:
        return shown
    return _shortened(shown, width_px / size_px)[0]


def _shortened(text: str, measure_em: float) -> tuple[str, float]:
    while text and width_em(text) + fonts.advance_em("…") > measure_em:
        text = text[:-1]
    text = text.rstrip() + "…"
    return text, width_em(text)


def _block(lines: list[Line], size_px: int, left_out: int) -> Block:
    longest = max((line.width_em for line in lines), default=0.0)
    return Block(lines, size_px, int(longest * size_px) + 1, left_out)


def break_lines(pieces: Sequence[Token], measure_em: float, most: int) -> list[Line]:
    """Break tokens into lines no wider than a measure, at most so many lines."""
    lines: list[Line] = []
    paragraph: list[Token] = []
    for piece in [*pieces, Token("", 0.0, pieces[-1].end if pieces else 0)]:
        if piece.text:
            paragraph.append(piece)
            continue
        blank = not any(not part.space for part in paragraph)
        if not blank:
            lines += _paragraph(paragraph, measure_em, most - len(lines))
        elif lines and lines[-1].text and piece is not None:
            lines.append(Line("", 0.0, False, piece.end))
        paragraph = []
        if len(lines) >= most:
            break
    while lines and not lines[-1].text:
        lines.pop()
    return lines[:most]


def _paragraph(pieces: Sequence[Token], measure_em: float, most: int) -> list[Line]:
    right = is_right_to_left("".join(piece.text for piece in pieces[:40]))
    lines: list[Line] = []
    row: list[Token] = []
    used = 0.0
    waiting = list(reversed(pieces))
    while waiting and len(lines) < most:
        piece = waiting.pop()
        if used + piece.width_em <= measure_em or (piece.space and row):
            if row or not piece.space:
                row.append(piece)
                used += piece.width_em
        elif not row:
            head, tail = _split(piece, measure_em)
            lines.append(_line([head], right))
            waiting.append(tail)
        else:
            lines.append(_line(row, right))
            row, used = [], 0.0
            waiting.append(piece)
    if row and len(lines) < most:
        lines.append(_line(row, right))
    return lines


def _split(piece: Token, measure_em: float) -> tuple[Token, Token]:
    """Split a word that is longer than a line."""
    used, count = 0.0, 0
    for char in piece.text:
        used += fonts.advance_em(char)
        if used > measure_em and count:
            break
        count += 1
    head, tail = piece.text[:count], piece.text[count:]
    return (
        Token(head, width_em(head), piece.end - len(tail)),
        Token(tail, width_em(tail), piece.end) if tail else Token(" ", 0.0, piece.end, space=True),
    )


def _line(row: list[Token], right: bool) -> Line:
    end = row[-1].end
    while len(row) > 1 and row[-1].space:
        row = row[:-1]
    text = visual("".join(piece.text for piece in row), right)
    return Line(text, width_em(text), right, end)


def draw_text(
    image: Image.Image,
    text: str,
    place: tuple[float, float],
    size_px: int,
    fill: int | tuple[int, int, int],
    tracking_em: float = 0.0,
) -> float:
    """Draw glyph characters.

    Args:
        image: where to.
        text: in the order in which they are drawn.
        place: left end of the baseline.
        size_px: the font size.
        fill: tone or colour.
        tracking_em: extra space between letters.

    Returns:
        The right end of the baseline.
    """
    x, y = place
    baseline = round(y)
    for char in text:
        left = int(x)
        mask, dx, dy = fonts.glyph(char, size_px, int((x - left) * fonts.QUARTERS))
        if mask is not None:
            image.paste(fill, (left + dx, baseline + dy), mask)
        x += (fonts.advance_em(char) + tracking_em) * size_px
    return x
