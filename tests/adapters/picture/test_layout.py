"""Text: what a prompt becomes on a panel."""

import pytest

from emulator.adapters.picture import fonts
from emulator.adapters.picture.layout import break_lines, fit, shorten
from emulator.adapters.picture.shaping import tokens

BOX = fonts.MISSING_CHARACTER


def shown(text: str) -> str:
    return "".join(piece.text for piece in tokens(text, 10_000))


@pytest.mark.parametrize(("text", "drawn"), [
    ("plain text", "plain text"),
    ("e\u0301", "é"),
    ("a\tb", "a   b"),
    ("n\0u\x07l", "nul"),
    ("zero\u200b\u200d\ufeffwidth", "zerowidth"),
    ("\u202eturned", "turned"),
    ("👍🏽", "👍"),
    ("❤️", "❤"),
    ("𝒜", "A"),
    ("ﬁ", "ﬁ"),
    ("क", BOX),
    ("\ud800", BOX),
    ("\uf8ff\U000f0001", BOX + BOX),
    ("서울", "서울"),
])  # fmt: skip
def test_characters(text: str, drawn: str) -> None:
    assert shown(text) == drawn


@pytest.mark.parametrize("text", ["👨‍👩‍👧", "🇯🇵", "1️⃣", "🏳️‍🌈", "👩🏽‍🚀"])
def test_an_emoji_sequence_is_one_glyph(text: str) -> None:
    assert len(shown(text)) == 1
    assert fonts.font_of(shown(text)) == "noto-emoji"


@pytest.mark.parametrize(
    "text", ["🧑🏿‍🤝‍🧑🏻", "👩‍❤️‍💋‍👩", "🫱🏻‍🫲🏿", "\u200d\u200d", "🇯", "\ufe0f"]
)
def test_an_emoji_sequence_shows_no_box(text: str) -> None:
    assert BOX not in shown(text)


def test_arabic_is_joined_and_runs_to_the_left() -> None:
    (line,) = fit("سلام (abc) שלום", 900, 100, 20, 20).lines
    assert line.right
    assert line.text.startswith("םולש")
    assert "(abc)" in line.text
    assert all("\ufe70" <= char <= "\ufeff" for char in line.text.split()[-1])


def test_every_paragraph_has_its_own_direction() -> None:
    lines = fit("left\nשמאל\nleft", 900, 200, 20, 20).lines
    assert [line.right for line in lines] == [False, True, False]


def test_the_first_letter_decides_the_direction() -> None:
    assert not fit("a שלום", 900, 100, 20, 20).lines[0].right


def test_short_text_is_large_and_long_text_small() -> None:
    assert fit("short", 600, 300, 40, 14).size_px == 40
    assert 14 < fit("word " * 60, 600, 300, 40, 14).size_px < 40


@pytest.mark.parametrize(
    "text", ["word " * 6_400, "x" * 32_000, "長" * 32_000, "a\n" * 16_000, "سلام" * 8_000]
)
def test_what_does_not_fit_is_counted(text: str) -> None:
    block = fit(text, 600, 300, 40, 14)
    assert block.size_px == 14
    assert block.lines[-1].text.count("…") == 1
    assert block.left_out == len(text) - block.lines[-1].end > 20_000
    assert all(line.width_em * 14 <= 600 for line in block.lines)
    assert block.height_px <= 300


def test_lines_are_about_equally_long() -> None:
    lines = fit("A red fox in the snow at dawn, soft light, film grain", 840, 300, 40, 14).lines
    widths = [line.width_em for line in lines]
    assert len(lines) == 2
    assert min(widths) > max(widths) * 0.7


def test_punctuation_stays_with_its_word() -> None:
    lines = break_lines(tokens("漢字、漢字。漢字", 99), 3.1, 9)
    assert not any(line.text[0] in "、。" for line in lines)


def test_only_white_space_gives_no_line() -> None:
    assert fit(" \n\t\n ", 600, 300, 40, 14).lines == []


def test_a_value_is_cut_to_its_space() -> None:
    assert shorten("short", 13, 200) == "short"
    assert shorten("x" * 500, 13, 200).endswith("x…")


def test_glyphs_are_cached_and_missing_ones_are_boxes() -> None:
    assert fonts.glyph("a", 20, 0) is fonts.glyph("a", 20, 0)
    assert fonts.glyph(" ", 20, 0).mask is None
    assert fonts.glyph(BOX, 20, 0).mask is not None
