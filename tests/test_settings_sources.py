"""Flags, environment and settings files."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.frame import Frame
from emulator.core.latency import Latency
from emulator.settings import SECRETS, SETTINGS, SettingError
from emulator.settings_sources import from_texts, read_file

VARIABLE = "GPT_IMAGE_EMULATOR_"


def written(folder: Path, text: str) -> str:
    path = folder / "emulator.toml"
    path.write_text(text, "utf-8")
    return str(path)


def test_a_flag_wins_over_the_environment_that_over_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "port = 1\nstuck-after-seconds = 2\nmedia_ttl_hours = 3")
    flags = {"port": "10", "settings": file}
    environment = {f"{VARIABLE}PORT": "20", f"{VARIABLE}STUCK_AFTER_SECONDS": "20"}
    read = from_texts(flags, environment)
    assert (read.port, read.stuck_after_seconds, read.media_ttl_hours) == (10, 20.0, 3.0)
    assert read.sync_wait_seconds == 60.0


def test_the_environment_names_the_file_unless_a_flag_does(tmp_path: Path) -> None:
    named = {f"{VARIABLE}SETTINGS": written(tmp_path, "port = 1")}
    assert from_texts({}, named).port == 1
    with pytest.raises(SettingError, match=r"other\.toml can't be read"):
        from_texts({"settings": "other.toml"}, named)


def test_values_are_texts_or_what_toml_has_for_them(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
        profile = "reference"
        first_status = "pending"
        latency = "3-9"
        media-ttl-hours = 6.5
        media_expired_status = 404
        fetch_references = true
        prompt_directives = false
        blocked_terms = ["gun", "knife"]
        callback_retry_delays_seconds = [0, 2.5]
        prices = "1K=40,2K=90,4K=200"
        [quality_factors]
        low = 0.25
        medium = 1
        high = 1.5
        [frames]
        "16:9@2K" = "2048x1152"
        auto = "1536x1024"
        """,
    )
    read = from_texts({}, {f"{VARIABLE}SETTINGS": file})
    assert (read.profile.name, read.profile.first_status) == ("reference", "pending")
    assert read.latency == Latency(None, 3.0, 9.0)
    assert (read.media_ttl_hours, read.media_expired_status) == (6.5, 404)
    assert (read.fetch_references, read.prompt_directives) == (True, False)
    assert read.blocked_terms == ("gun", "knife")
    assert list(read.callback_retry_delays_seconds) == [0, 2.5]
    assert read.prices == {"1K": 40, "2K": 90, "4K": 200}
    assert read.frames == {("16:9", "2K"): Frame(2048, 1152), ("auto", ""): Frame(1536, 1024)}
    assert read.price_table.credits_per_image("16:9", "2K", "low") == 23


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1", r"emulator.toml: there is no setting 'colour'; there are host, port,"),
        ("settings = 'x'", "there is no setting 'settings'"),
        ("port = 70000", "toml: port takes a whole number from 0 to 65,535; '70000' was given"),
        ("port = 80.5", "port takes a whole number from 0 to 65,535; '80.5'"),
        ("keys = true", "keys takes one of open, strict; 'on' was given"),
        ("media-ttl-hours = 1\nmedia_ttl_hours = 1", "media_ttl_hours is there twice"),
        ("port = 2026-01-01", "port takes a text, a number, true or false, or a list or table"),
        ("blocked_terms = ['a,b']", 'blocked_terms takes a text.*"a,b"'),
        ("prices = {'1K=1,2K' = 1}", "prices takes a text"),
        ("port = [[1]]", "port takes a text"),
        ("port = 0x" + "f" * 5000, "port takes a text"),
        ("media_ttl_hours = nan", "media_ttl_hours takes a number of hours"),
        ("port = ", "toml is no TOML: Invalid value"),
        ("port = " + "[" * 5000, "toml is no TOML"),
        ("# " + "x" * 1_000_000, "has over 1,000,000 bytes"),
    ],
)
def test_a_bad_file_gives_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingError, match=message) as caught:
        from_texts({"settings": written(tmp_path, text)}, {})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("value", ['"very secret \\u0007"', "2001-01-01"])
def test_a_bad_secret_is_not_shown(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingError, match=r"\(hidden\) was given"):
        from_texts({"settings": written(tmp_path, f"{name} = {value}")}, {})


@pytest.mark.parametrize("path", ["", ".", "/nonexistent.toml", "a\0b"])
def test_a_file_that_can_not_be_read(path: str) -> None:
    with pytest.raises(SettingError, match="can't be read"):
        from_texts({"settings": path}, {})


@given(st.binary(max_size=200))
def test_any_bytes_are_settings_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    try:
        assert set(read_file(str(path))) <= {info.name for info in SETTINGS}
    except SettingError as error:
        assert "any.toml" in str(error)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("latency", "12.5-31", Latency(None, 12.5, 31.0)),
        ("latency", "2-2", Latency(None, 2.0, 2.0)),
        ("latency", "1e-3", Latency(None, 0.001)),
        ("quality_factors", "low=0.333333,medium=1,high=2,auto=1.5",
         {"low": 333_333, "medium": 1_000_000, "high": 2_000_000, "auto": 1_500_000}),
        ("quality_factors", "low=0.5,medium=3,high=2",
         {"low": 500_000, "medium": 3_000_000, "high": 2_000_000, "auto": 3_000_000}),
        ("frames", "auto@2K=64x4096", {("auto", "2K"): Frame(64, 4096)}),
    ],
)  # fmt: skip
def test_texts_of_settings(name: str, text: str, value: Any) -> None:
    assert getattr(from_texts({name: text}, {}), name) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("latency", "3-"),
        ("latency", "9-3"),
        ("latency", "1.2.3-4"),
        ("latency", "nan"),
        ("latency", "1-1e99"),
        ("first_status", "queued"),
        ("success_status", "done"),
        ("quality_factors", "low=1,medium=1,high=1,auto="),
        ("quality_factors", "low=1,medium=1,high=1,best=1"),
        ("frames", ""),
        ("frames", "16:9"),
        ("frames", "16:9=auto"),
        ("frames", "17:9=1024x1024"),
        ("frames", "16:9@8K=1024x1024"),
        ("frames", "16:9@=1024x1024"),
        ("frames", "1280x720@1K=1024x1024"),
        ("frames", "auto=63x1024"),
        ("frames", "auto=1024x4097"),
    ],
)
def test_texts_that_are_not_taken(name: str, text: str) -> None:
    with pytest.raises(SettingError, match=f"--{name.replace('_', '-')} takes"):
        from_texts({name: text}, {})


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.integers(0, 2**63 - 1), st.integers(1, 1000))
def test_a_range_is_kept(one: float, other: float, seed: int, number: int) -> None:
    shortest, longest = sorted((one, other))
    latency = Latency(None, shortest, longest)
    duration_ms = latency.duration_ms(seed, number, "medium", "1K", 1)
    assert math.floor(shortest * 1000) <= duration_ms <= math.ceil(longest * 1000)
    assert duration_ms == latency.duration_ms(seed, number, "high", "4K", 9)
