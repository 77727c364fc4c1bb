"""docs/calibration.md's example, and docs/settings.md's file, are true."""

import shlex
from pathlib import Path

import pytest

from emulator.cli import main
from emulator.settings_sources import from_texts
from tests.examples.test_pages import ROOT, fences

PAGE = ROOT / "docs" / "calibration.md"


def test_the_example_prints_and_writes_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("examples").symlink_to(ROOT / "examples")
    (_, command), (_, printed), (_, written) = fences(PAGE)
    program, *arguments = shlex.split(command)
    assert program == "gpt-image-emulator"
    assert main(arguments) == 0
    assert capsys.readouterr().out == printed
    assert Path("calibrated.toml").read_text("utf-8") == written
    assert from_texts({"settings": "calibrated.toml"}, {}).success_status == "completed"


def test_the_settings_file_is_taken(tmp_path: Path) -> None:
    (text,) = (t for language, t in fences(ROOT / "docs" / "settings.md") if language == "toml")
    path = tmp_path / "emulator.toml"
    path.write_text(text, "utf-8")
    read = from_texts({"settings": str(path)}, {})
    assert (read.profile.name, read.media_ttl_hours, read.prices["2K"]) == ("reference", 6.0, 90)


def test_every_learned_setting_is_on_the_page() -> None:
    from tests.calibration.traces import creation, lessons

    page = PAGE.read_text("utf-8").partition("## What is learned from what")[2]
    for setting in lessons(creation(1)):
        assert f"`{setting}`" in page
