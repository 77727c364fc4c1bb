"""gpt-image-emulator calibrate, as it is called."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from emulator.calibration import har as har_module
from emulator.calibration.har import TraceError, parse_har
from emulator.calibration.learn import learn
from emulator.calibration.observe import observe
from emulator.calibration.report import settings_file, table
from emulator.cli import main
from emulator.settings_sources import from_texts
from tests.calibration.traces import creation, download, har, poll

GOOD = har(creation(1), poll(1))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(content: Any) -> str:
    Path("trace.har").write_text(
        content if isinstance(content, str) else json.dumps(content), "utf-8"
    )
    return "trace.har"


def test_the_file_and_the_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = [creation(i, credits=40, size="1:1") for i in range(12)]
    assert main(["calibrate", written(har(*entries)), "--output", "own.toml"]) == 0
    text = Path("own.toml").read_text("utf-8")
    lines = text.splitlines()
    place = lines.index('prices = "1K=40,2K=60,4K=120"')
    assert lines[place - 3 : place] == [
        "# CRED-5 assumed 1K at medium = 30; seen 40 in 12 answers",
        "# CRED-5 assumed 2K at medium = 60; not seen",
        "# CRED-5 assumed 4K at medium = 120; not seen",
    ]
    assert "# Learned from 12 creations, 0 task reads, 0 requests to links, 0 callbacks." in text
    assert lines[-1].startswith("# Not seen, so left as assumed: success_status, frames, latency,")
    printed = capsys.readouterr().out
    words = ("\nreplaced (1)", "30 -> 40  12 answers", "\nconfirmed (2)", "first status",
             "\nnot seen (", "2K at medium", "Written to own.toml.")  # fmt: skip
    found = [printed.index(word) for word in words]
    assert found == sorted(found)
    assert "Use it: gpt-image-emulator serve --settings own.toml" in printed
    assert sorted(path.name for path in folder.iterdir()) == ["own.toml", "trace.har"]
    assert from_texts({"settings": "own.toml"}, {}).prices["1K"] == 40


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ("", 2, "trace.har is no HAR: it is no JSON"),
        ("{", 2, "it is no JSON"),
        ('"' + "9" * 5000, 2, "it is no JSON"),
        ("[" * 100_000, 2, "trace.har is no HAR: it is nested too deeply"),
        ("7", 2, "trace.har is no HAR: a HAR is a JSON object with log.entries"),
        ({"log": {}}, 2, "a HAR is a JSON object with log.entries"),
        ({"log": {"entries": {}}}, 2, "a HAR is a JSON object with log.entries"),
        (har(), 1, "trace.har has no creation that was accepted and no task that was read"),
        (har(None, 7, {}, {"request": 1}, download("https://a.example/")), 1, "nothing to learn"),
    ],
)
def test_a_bad_trace_gives_one_clear_line(
    content: Any, code: int, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate", written(content)]) == code
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert message in printed.err
    assert [path.name for path in folder.iterdir()] == ["trace.har"]


@pytest.mark.parametrize("path", ["none.har", "."])
def test_a_trace_that_can_not_be_read(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", path]) == 2
    assert "can't be read: " in capsys.readouterr().err


def test_a_trace_that_is_too_large(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(har_module, "_LARGEST_FILE_MIB", 0)
    assert main(["calibrate", written(GOOD)]) == 2
    assert "trace.har is larger than 0 MiB; record a shorter trace" in capsys.readouterr().err


def test_nothing_is_overwritten_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    Path("calibrated.toml").write_text("mine", "utf-8")
    assert main(["calibrate", written(GOOD)]) == 2
    assert "calibrated.toml exists; --force overwrites it" in capsys.readouterr().err
    assert Path("calibrated.toml").read_text("utf-8") == "mine"
    assert main(["calibrate", "trace.har", "--force"]) == 0
    assert "first_status" in Path("calibrated.toml").read_text("utf-8")


def test_a_place_that_can_not_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    for output in ("none/calibrated.toml", "/proc/calibrated.toml"):
        assert main(["calibrate", written(GOOD), "--output", output]) == 1
        printed = capsys.readouterr()
        assert (printed.out, printed.err.count("\n")) == ("", 1)
        assert f"{output} can't be written" in printed.err


def test_variables_of_the_server_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPT_IMAGE_EMULATOR_PROFILE", "nonsense")
    assert main(["calibrate", written(GOOD)]) == 0


def test_a_price_beyond_all_settings_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    entries = [creation(1, credits=30), creation(2, credits=10**9, quality="low")]
    assert main(["calibrate", written(har(*entries))]) == 0
    printed = capsys.readouterr().out
    assert "quality_factors" in printed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
ODD = JSON | st.sampled_from(
    ["succeeded", "expired", "auto", "16:9", "4096x4096", "1x1", "pending", 10**400, 1e308, -1,
     float("nan"), "2027-01-15T08:00:00Z", "http://[", "\ud800", "callback", "base64", [], {}]
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All places inside a JSON value."""
    found = [path]
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(inner, (*path, name))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy of a JSON value with another one at a place."""
    if not path:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = replaced(value[path[0]], path[1:], new)
    return copied


WHOLE = har(
    creation(1, size="16:9", quality="low", n=2),
    poll(1, urls=("https://a.example/1.png?expires=1800100000",)),
    download("https://a.example/1.png?expires=1800100000"),
    {**creation(2), "_direction": "callback"},
)


def learned(content: Any) -> None:
    """Learn from JSON: an error of ours, or settings that a server takes."""
    try:
        found = observe(parse_har(content, "trace.har"))
    except TraceError:
        return
    lessons = learn(found)
    Path("any.toml").write_text(settings_file(lessons, found), "utf-8")
    from_texts({"settings": "any.toml"}, {})
    table(lessons, found).encode()


FUZZED = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZED
@given(JSON)
def test_any_json_is_learned_from_or_refused(content: Any) -> None:
    learned(content)
    learned(har(content))


@FUZZED
@given(st.data())
def test_a_trace_with_anything_in_it_is_learned_from(data: st.DataObject) -> None:
    content: Any = WHOLE
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(content)))
        content = replaced(content, path, data.draw(ODD))
    learned(content)


BODY = {"task_id": "task_1", "status": "succeeded", "model": "x", "credits": {"reserved": 30},
        "created": 1_800_000_000, "created_at": "2027-01-15T08:00:00Z",
        "completed_at": "2027-01-15T08:00:09Z", "error": {"code": "timeout"},
        "result": {"created": 1_800_000_000, "data": [{"url": "/1.png", "b64_json": "AAAA"}]},
        "data": [{"url": "/1.png", "b64_json": "AAAA"}]}  # fmt: skip


@FUZZED
@given(st.data())
def test_bodies_with_anything_in_them_are_learned_from(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(places(BODY)))
    body = json.dumps(replaced(BODY, path, data.draw(ODD)))
    sent = json.dumps({"model": "gpt-image-2", "prompt": "x", "size": data.draw(ODD),
                       "n": data.draw(ODD)})  # fmt: skip
    calls = [("POST", "/v1/images/generations"), ("GET", "/v1/tasks/task_1"), ("POST", "/hook"),
             ("POST", "/v1/images/edits"), ("GET", "/1.png")]  # fmt: skip
    learned(
        har(
            *(
                {
                    "startedDateTime": "2027-01-15T08:00:10Z",
                    "time": 5,
                    "request": {
                        "method": method,
                        "url": f"https://a.example{url}",
                        "postData": {"text": body if url == "/hook" else sent},
                    },
                    "response": {"status": 200, "content": {"text": body}},
                    "_direction": "callback" if url == "/hook" else "sent",
                }
                for method, url in calls
            )
        )
    )


@pytest.mark.parametrize("place", [".", "/dev/null"])
def test_only_a_file_is_overwritten(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", written(GOOD), "--output", place, "--force"]) == 2
    assert "is no regular file" in capsys.readouterr().err
    assert not Path("/dev/null").is_file()
