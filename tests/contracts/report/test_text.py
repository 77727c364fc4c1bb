import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.report.text import excerpt, indented, one_line, printable

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcödé 漢字 🙂", "plain ünïcödé 漢字 🙂"),
        ("a\r\nb\tc\n", "a\nb\tc\n"),
        ("over\rwrite", "over\\x0dwrite"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("\u202eevil\u202c", "\\u202eevil\\u202c"),
        ("\ud800 \uffff", "\\ud800 \\uffff"),
        ("שלום", "שלום"),
    ],
)
def test_what_drives_terminals_or_reorders_text_becomes_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(ANY_TEXT)
def test_printable_text_can_be_encoded_and_stays_as_it_is(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert printable(shown) == shown


@given(ANY_TEXT, st.integers(min_value=1, max_value=50))
def test_a_line_is_one_line_of_the_wanted_length(text: str, most_characters: int) -> None:
    line = one_line(text, most_characters)
    assert len(line.splitlines()) <= 1
    assert len(line) <= most_characters


def test_a_cut_line_says_so() -> None:
    assert one_line("abcdef", 4) == "abc…"
    assert one_line("abcd", 4) == "abcd"


@pytest.mark.parametrize(
    ("text", "most_characters", "shown", "is_cut"),
    [
        ("", 10, "", False),
        ("abc", 3, "abc", False),
        ('"abc" ', 6, '"abc" ', False),
        ("abc def", 3, "abc", True),
        ("abc def", 6, "abc de", True),
        ("   ", 2, "  ", True),
        ("x" * 600, 700, "x" * 600, False),
        ("x" * 601 + " y", 700, "x" * 80 + "…(521 more characters) y", True),
    ],
)
def test_an_excerpt_is_the_beginning_with_long_runs_counted(
    text: str, most_characters: int, shown: str, is_cut: bool
) -> None:
    assert excerpt(text, most_characters) == (shown, is_cut)


@given(st.text(), st.integers(min_value=1, max_value=200))
def test_an_excerpt_is_as_long_as_allowed_and_says_when_it_is_not_all(
    text: str, most_characters: int
) -> None:
    shown, is_cut = excerpt(text, most_characters)
    assert len(shown) <= most_characters
    assert is_cut == (shown != text)
    assert text.startswith(shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{}", "{}"),
        ('{"a":1}', '{\n  "a": 1\n}'),
        ('{"a": [1.0, 2E5, "x, y"]}', '{\n  "a": [1.0, 2E5, "x, y"]\n}'),
        ('{"a":1,"a":2}', '{\n  "a": 1,\n  "a": 2\n}'),
        ('[[],{},[{"b":[]}]]', '[\n  [],\n  {},\n  [\n    {\n      "b": []\n    }\n  ]\n]'),
        ('{"quote": "\\" {["}', '{\n  "quote": "\\" {["\n}'),
        ('{"cut": ["of', '{\n  "cut": [\n    "of'),
        ("}}", "}\n}"),
        ("plain", "plain"),
    ],
)
def test_json_is_indented_without_being_changed(text: str, shown: str) -> None:
    assert indented(text) == shown


def test_a_long_list_has_a_line_for_each_item() -> None:
    assert indented(json.dumps(["x" * 30] * 3)).count("\n") == 4


@given(ANY_JSON)
def test_indented_json_means_what_it_meant(value: Any) -> None:
    text = json.dumps(value)
    assert json.loads(indented(text)) == value
    assert "".join(indented(text).split()) == "".join(text.split())


@given(st.text())
def test_whatever_is_indented_loses_nothing_but_white_space(text: str) -> None:
    assert "".join(indented(text).split()) == "".join(text.split())
