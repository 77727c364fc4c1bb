"""Each recipe of docs/recipes.md does what it says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.settings import ENVIRONMENT_PREFIX, SETTINGS
from emulator.testing import Emulator, EmulatorError
from tests.examples.conftest import STOP_SECONDS, clean_environment

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "recipes.md").read_text("utf-8")
STAND_INS = Path(__file__).parent / "stand_ins"
TIMEOUT_SECONDS = 120
TOKEN_VARIABLE = f"{ENVIRONMENT_PREFIX}CONTROL_TOKEN"

NAMED = re.compile(r"^```(?:python|yaml)\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RECIPES = dict(NAMED.findall(PAGE))
MODULES = [name for name in RECIPES if name.endswith(".py")]
ONLY_PASSED = re.compile(r"^=+ (\d+) passed in .* =+$", re.MULTILINE)

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
STEPS = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if line and line[0] != "#"]


def test_the_modules_pass_on_two_workers(tmp_path: Path) -> None:
    for name in MODULES:
        assert name.startswith("test_")
        (tmp_path / name).write_text(RECIPES[name], "utf-8")
    environment = clean_environment()
    # No container engine is here: what testcontainers would start is started as a process.
    paths = [str(STAND_INS), str(ROOT), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    options = ("--strict-markers", "-W", "error", "-p", "emulator.pytest_plugin", "-n", "2")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ONLY_PASSED.search(done.stdout), done.stdout


def workflow_job() -> dict[str, Any]:
    (job,) = yaml.safe_load(RECIPES[".github/workflows/tests.yaml"])["jobs"].values()
    return dict(job)


def compose_services() -> dict[str, Any]:
    return dict(yaml.safe_load(RECIPES["compose.yaml"])["services"])


def server_environments() -> dict[str, dict[str, str]]:
    """What each recipe starts the emulator's container with."""
    return {
        "workflow": workflow_job()["services"]["emulator"]["env"],
        "compose": compose_services()["emulator"]["environment"],
    }


def instruction(name: str) -> str:
    """The one instruction of the Dockerfile that has this name."""
    (found,) = [rest for step, rest in STEPS if step == name]
    return found


@pytest.fixture(params=["workflow", "compose"])
def container(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A server as the image starts it, with a recipe's environment: its port and its token."""
    environment = server_environments()[request.param]
    image = dict(pair.split("=") for pair in instruction("ENV").split())
    process = subprocess.Popen(
        [sys.executable, "-m", "emulator.cli", *json.loads(instruction("CMD"))[1:]],
        env=clean_environment() | image | environment | {f"{ENVIRONMENT_PREFIX}PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    with process, process.stdout as banner:
        try:
            port = banner.readline().rsplit(":", 1)[1].strip()
            yield port, environment[TOKEN_VARIABLE]
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def test_a_recipes_container_is_healthy_and_takes_its_token(container: tuple[str, str]) -> None:
    port, token = container
    program, *check = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
    assert program == "python"
    command = [sys.executable, *(part.replace("8080", port) for part in check)]
    assert subprocess.run(command, env=clean_environment(), check=False).returncode == 0
    with Emulator.connect(f"http://127.0.0.1:{port}", token) as emulator:
        assert emulator.new_account(clock="frozen").tasks() == []
    with pytest.raises(EmulatorError, match="X-Emulator-Token"):
        Emulator.connect(f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("recipe", ["workflow", "compose"])
def test_a_recipes_variables_are_settings(recipe: str) -> None:
    settings = {
        ENVIRONMENT_PREFIX + info.flag.removeprefix("--").replace("-", "_").upper()
        for info in SETTINGS
    }
    environment = server_environments()[recipe]
    assert environment.keys() <= settings
    assert all(isinstance(value, str) for value in environment.values())


def test_the_workflow_reaches_its_service() -> None:
    job = workflow_job()
    (service,) = job["services"].values()
    outside, inside = service["ports"][0].split(":")
    assert inside == instruction("EXPOSE")
    assert f"--image-emulator-url http://127.0.0.1:{outside}" in job["steps"][-1]["run"]
    assert job["env"][TOKEN_VARIABLE] == service["env"][TOKEN_VARIABLE]
    assert "--health-interval" in service["options"]


def test_compose_reaches_its_service() -> None:
    services = compose_services()
    emulator, tests = services["emulator"], services["tests"]
    assert f"--image-emulator-url http://emulator:{instruction('EXPOSE')}" in tests["command"]
    assert tests["environment"][TOKEN_VARIABLE] == emulator["environment"][TOKEN_VARIABLE]
    assert tests["depends_on"] == {"emulator": {"condition": "service_healthy"}}
    assert "test" not in emulator["healthcheck"]  # so the image's own is run
