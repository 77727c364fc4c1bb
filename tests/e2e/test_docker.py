"""The Dockerfile without a container engine: its steps in a clean virtual environment."""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
TOKEN = "token-of-the-container"
STEPS = [line.split(maxsplit=1) for line in TEXT.splitlines() if line and line[0] != "#"]


def arguments(instruction: str) -> list[str]:
    return [rest for name, rest in STEPS if name == instruction]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What COPY and RUN pip install leave behind: a virtual environment with nothing else."""
    folder = tmp_path_factory.mktemp("image")
    for line in arguments("COPY"):
        *sources, target = line.split()
        for source in sources:
            path = ROOT / source
            if path.is_dir():
                shutil.copytree(path, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(path, folder / target)
    venv.create(folder / "venv", with_pip=True)
    (install,) = [line for line in arguments("RUN") if "pip install" in line]
    command = install.replace("python -m pip", f"{folder}/venv/bin/python -m pip --quiet")
    subprocess.run(command, shell=True, cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def url(installed: Path) -> Iterator[str]:
    """The CMD with the ENV, on a free port and a database in the test's folder."""
    (variables,) = arguments("ENV")
    environment = dict(pair.split("=") for pair in variables.split())
    environment |= {
        "GPT_IMAGE_EMULATOR_DATABASE": str(installed / "state.db"),
        "GPT_IMAGE_EMULATOR_PORT": "0",
        "GPT_IMAGE_EMULATOR_LATENCY": "instant",
        "GPT_IMAGE_EMULATOR_CONTROL_TOKEN": TOKEN,
    }
    program, *rest = json.loads(arguments("CMD")[0])
    process = subprocess.Popen(
        [installed / "venv" / "bin" / program, *rest],
        cwd=installed,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as banner:
        found = re.search(r"listens on http://0\.0\.0\.0:(\d+)", banner.readline())
        assert found
        yield f"http://127.0.0.1:{found[1]}"
        process.terminate()
        process.wait(30)


def test_the_image_has_all_that_a_picture_needs(url: str) -> None:
    headers = {"Authorization": "Bearer sk-docker"}
    with httpx2.Client(base_url=url, headers=headers, timeout=30) as client:
        body = {"model": "gpt-image-2", "prompt": "A lighthouse at dawn"}
        task_id = client.post("/v1/images/generations", json=body).json()["task_id"]
        link = client.get(f"/v1/tasks/{task_id}").json()["result"]["data"][0]["url"]
        assert client.get(link).content.startswith(b"\x89PNG")
        assert client.get("/openapi.json").json()["openapi"].startswith("3.1")


def test_the_control_api_needs_the_token(url: str) -> None:
    headers = {"Authorization": "Bearer sk-docker"}
    with httpx2.Client(base_url=url, headers=headers, timeout=30) as client:
        assert client.get("/_emulator/clock").status_code == 401
        sent = {"X-Emulator-Token": TOKEN}
        assert client.get("/_emulator/clock", headers=sent).status_code == 200


def test_the_health_check_sees_a_server_and_its_absence(url: str) -> None:
    (check,) = arguments("HEALTHCHECK")
    _, _, command = check.partition("CMD ")
    port = url.rpartition(":")[2]
    for there, code in ((port, 0), ("1", 1)):
        program, *rest = json.loads(command.replace("8080", there))
        assert program == "python"
        done = subprocess.run([sys.executable, *rest], capture_output=True, check=False)
        assert done.returncode == code


def test_it_is_no_root_and_one_process() -> None:
    assert arguments("USER") == ["emulator"]
    assert [name for name, _ in STEPS].index("USER") < [name for name, _ in STEPS].index("CMD")
    assert len(arguments("CMD")) == 1
    assert json.loads(arguments("CMD")[0])[0] == "gpt-image-emulator"
