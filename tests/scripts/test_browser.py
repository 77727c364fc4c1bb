"""Finding and installing the browser, with an apt-get that is played."""

from pathlib import Path

import pytest

from scripts import browser

APT_GET = """#!/bin/sh
echo "$@" >>"$0.calls"
if [ "$2" = install ]; then {then}; fi
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, for root."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return tmp_path


def add(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_nothing_is_done_where_there_is_one(
    programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(programs / "chromium", "")
    add(programs / "apt-get", APT_GET.format(then="exit 1"))
    browser.main()
    assert not (programs / "apt-get.calls").exists()
    assert not capsys.readouterr().out


def test_root_gets_debians(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chromium = programs / "chromium"
    add(programs / "apt-get", APT_GET.format(then=f": >{chromium}; /bin/chmod +x {chromium}"))
    browser.main()
    assert (programs / "apt-get.calls").read_text().splitlines() == [
        "-qq update",
        "-qq install -y --no-install-recommends chromium fonts-dejavu-core",
    ]
    assert browser.find() == str(chromium)
    assert not capsys.readouterr().out


@pytest.mark.parametrize("user_id", [0, 1000])
def test_who_gets_none_is_told_in_one_line(
    programs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    user_id: int,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user_id)
    add(programs / "apt-get", APT_GET.format(then="exit 100"))
    browser.main()
    assert (programs / "apt-get.calls").exists() == (user_id == 0)
    (line,) = capsys.readouterr().out.splitlines()
    assert "apt-get install chromium" in line


def test_a_chosen_one_wins(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(programs / "chromium", "")
    add(programs / "mine", "")
    monkeypatch.setenv("CHROMIUM", str(programs / "mine"))
    assert browser.find() == str(programs / "mine")
