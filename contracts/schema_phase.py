"""Schemathesis' phases over openapi.yaml, against an emulator; never against what costs money."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2

from contracts.description import description
from contracts.exchange import fields_of
from contracts.field_rules import MODEL, REFERENCE_FIELDS, SIZE_FIELDS, TIER_FIELDS
from contracts.image_file import blank_png
from contracts.schema_report import SchemaFailure, read_failures

_READY_SECONDS = 30.0  # what a task may take before the phase is given up
_POLL_SECONDS = 0.2
_RIGHT_CREATION = {"model": MODEL, "prompt": "A small grey stone", "quality": "low"}
_PIXEL_SIZES = ("1024x1024", "1536x1024", "1024x1536")
_REFERENCE = "https://pictures.example.com/stone.png"
_OTHER_SPELLINGS = {*SIZE_FIELDS[1:], *TIER_FIELDS[1:], *REFERENCE_FIELDS[1:]}  # GEN-11
_INBOX = "/_emulator/inbox/schemathesis"  # no look-up of a stranger's address holds time up
_PICTURE, _UPLOAD = "/media/{task_id}/{index}.png", "/media/uploads/{upload_id}"


@dataclass(frozen=True)
class SchemaResult:
    """What came of the phase.

    Attributes:
        cases: how many requests were made up and sent.
        failures: one for each kind of failure of each operation.
        error: why the run says nothing, in one line; None where it does.
    """

    cases: int = 0
    failures: list[SchemaFailure] = field(default_factory=list)
    error: str | None = None


class _Unusable(Exception):
    """The target can't be tested; the message says why, in one line."""


def run_schema_phase(
    base_url: str,
    key: str,
    *,
    seed: int = 0,
    max_examples: int = 50,
    seconds_limit: float = 300.0,
) -> SchemaResult:
    """Test every operation of openapi.yaml in every phase of Schemathesis.

    It runs in a process of its own, so that its settings and its hooks stay there. The defaults
    are about 1,400 cases in 15 seconds.

    Args:
        base_url: of an emulator; scheme, host and port.
        key: a key with credits; about as many images are made as cases are sent.
        seed: decides the cases.
        max_examples: the most cases for an operation in each phase that draws them.
        seconds_limit: when a run is given up.
    """
    try:
        with TemporaryDirectory(prefix="gpt-image-contracts-") as folder:
            place = Path(folder)
            described = _described_for(_samples(base_url, key), f"{base_url}{_INBOX}")
            (place / "openapi.json").write_text(json.dumps(described), "utf-8")
            configuration = _configuration(base_url, key, seed, max_examples)
            (place / "schemathesis.toml").write_text(configuration, "utf-8")
            exit_code, output = _run(place, seconds_limit)
            return _result(place, exit_code, output)
    except _Unusable as problem:
        return SchemaResult(error=str(problem))


def _samples(base_url: str, key: str) -> dict[str, Any]:
    """Make a picture and an upload, whose links Schemathesis can't make up.

    Returns:
        The parameters of the two links, by the path template that they fit.
    """
    headers = {"Authorization": f"Bearer {key}"}
    try:
        with httpx2.Client(base_url=base_url, headers=headers, timeout=_READY_SECONDS) as client:
            if client.get("/_emulator/health").status_code != 200:
                raise _Unusable(f"{base_url} is no emulator: this phase would cost real credits")
            files = {"file": ("stone.png", blank_png(), "image/png")}
            uploaded = _json_of(client.post("/v1/images/upload", files=files), 200)["url"]
            created = _json_of(client.post("/v1/images/generations", json=_RIGHT_CREATION), 202)
            picture = _first_picture(client, created["poll_url"])
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        message = f"the target can't be reached at {base_url}: {type(error).__name__}: {error}"
        raise _Unusable(message) from error
    except (KeyError, TypeError, IndexError) as error:
        raise _Unusable(f"the target answers without a task or a link: no {error}") from error
    names = {_PICTURE: ("task_id", "index"), _UPLOAD: ("upload_id",)}
    return {
        template: _parameters(link, names[template])
        for template, link in ((_PICTURE, picture), (_UPLOAD, uploaded))
    }


def _json_of(answer: httpx2.Response, *statuses: int) -> Any:
    if answer.status_code not in statuses:
        place = f"{answer.request.method} {answer.request.url.path}"
        expected = " or ".join(map(str, statuses))
        message = f"{place} answered {answer.status_code}, not {expected}: {answer.text[:200]}"
        raise _Unusable(message)
    return answer.json()


def _first_picture(client: httpx2.Client, poll_url: str) -> str:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        task = fields_of(_json_of(client.get(poll_url), 200))
        if task["result"] is not None:
            link: str = task["result"]["data"][0]["url"]
            return link
        time.sleep(_POLL_SECONDS)
    raise _Unusable(f"no picture came within {_READY_SECONDS:.0f} seconds; the task was {task}")


def _parameters(link: str, names: tuple[str, ...]) -> dict[str, Any]:
    parts = urlsplit(link)
    steps = parts.path.removesuffix(".png").split("/")[-len(names) :]
    found: dict[str, Any] = {**dict(zip(names, steps, strict=True)), **dict(parse_qsl(parts.query))}
    return {name: int(value) if value.isdigit() else value for name, value in found.items()}


def _described_for(samples: Mapping[str, Mapping[str, Any]], callback_url: str) -> dict[str, Any]:
    """The description, narrowed so that what fits it is mostly accepted.

    Its examples work here and now, there is one model, a field has one spelling (two that rival
    each other are undecided), and exact pixels and URLs are ones that everybody takes.

    Args:
        samples: the parameters of links, by their path template.
        callback_url: where callbacks may go.
    """
    described = deepcopy(description())
    schemas = described["components"]["schemas"]
    schemas["ModelId"]["enum"] = [MODEL]
    schemas["Size"]["anyOf"][1] = {"type": "string", "enum": list(_PIXEL_SIZES)}
    schemas["CallbackUrl"] = {"type": "string", "enum": [callback_url]}
    creation = described["components"]["requestBodies"]["Creation"]["content"]
    for example in creation["application/json"]["examples"].values():
        if "callback_url" in example["value"]:
            example["value"]["callback_url"] = callback_url
    images = {"minItems": 1, "items": {"type": "string", "enum": [_REFERENCE]}}
    schemas["InputImages"].update(images)
    for name in _OTHER_SPELLINGS:
        del schemas["CreationRequest"]["properties"][name]
    parameters = described["components"]["parameters"]
    parameters["TaskId"]["example"] = samples[_PICTURE]["task_id"]
    for template, values in samples.items():
        item = described["paths"][template]
        own = [deepcopy(_followed(one, parameters)) for one in item["parameters"]]
        item["parameters"] = [{**one, "example": values[one["name"]]} for one in own]
    return described


def _followed(parameter: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    reference = parameter.get("$ref")
    return dict(parameters[reference.rpartition("/")[2]] if reference else parameter)


def _configuration(base_url: str, key: str, seed: int, max_examples: int) -> str:
    """Schemathesis' settings: every phase, nothing kept, warnings fail.

    Two of its checks are off: documented_outcome takes their place (see schema_hooks).
    """
    quoted = {"url": json.dumps(base_url), "key": json.dumps(f"Bearer {key}")}
    return f"""
seed = {seed}
base-url = {quoted["url"]}
color = false
workers = 1
headers = {{ Authorization = {quoted["key"]} }}
hooks = "contracts.schema_hooks"
[cache]
enabled = false
[analysis.constants]
enabled = false
[generation]
max-examples = {max_examples}
database = "none"
with-security-parameters = false
[checks.positive_data_acceptance]
enabled = false
[checks.negative_data_rejection]
enabled = false
[warnings]
fail-on = true
[reports]
preserve-bytes = true
[reports.json]
path = "report.json"
[reports.ndjson]
path = "events.ndjson"
"""


def _run(folder: Path, seconds_limit: float) -> tuple[int, str]:
    root = str(Path(__file__).parents[1])
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH")))),
    }
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml"]
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            [*command, "run", "openapi.json"],
            cwd=folder,
            env=environment,
            capture_output=True,
            timeout=seconds_limit,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        message = f"Schemathesis was not done after {seconds_limit:.0f} seconds"
        raise _Unusable(message) from error
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def _result(folder: Path, exit_code: int, output: str) -> SchemaResult:
    report_file = folder / "report.json"
    if exit_code not in (0, 1) or not report_file.exists() or not report_file.stat().st_size:
        lines = [line for line in output.splitlines() if line.strip()]
        message = f"Schemathesis ended with {exit_code}: {' '.join(lines[-3:])[:300]}"
        return SchemaResult(error=message)
    report = json.loads(report_file.read_text("utf-8"))
    with (folder / "events.ndjson").open(encoding="utf-8") as events:
        failures = list(read_failures(events))
    cases = report["test_cases"]["generated"]
    problems = list(_problems(report))
    if exit_code == 1 and not failures and not problems:
        problems = ["it failed without a failure"]
    return SchemaResult(cases, failures, "; ".join(problems) or None)


def _problems(report: Mapping[str, Any]) -> Iterator[str]:
    """Why a run is not one that something can be learnt from."""
    if not report["complete"]:
        yield f"the run was not completed ({report['stop_reason']})"
    if report["operations"]["tested"] < report["operations"]["selected"]:
        yield "not every operation was tested"
    yield from (f"{error['title']} ({error['count']})" for error in report["errors"])
    for name, places in report["warnings"].items():
        if places:
            yield f"warning {name}: {', '.join(places)}"
