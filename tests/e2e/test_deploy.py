"""deploy/: two replicas behind nginx, with PostgreSQL, on loopback."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest
import yaml

from emulator.settings import SETTINGS
from scripts import nginx
from scripts.torture.servers import free_ports
from tests.e2e.test_workers import eventually
from tests.support.engines import database_of
from tests.support.postgres import needs_postgres
from tests.support.process import KEY, Process

DEPLOY = Path(__file__).parents[2] / "deploy"
CREATION = {"model": "gpt-image-2", "prompt": "A lighthouse"}


@contextmanager
def proxy(folder: Path, replicas: list[Process]) -> Iterator[str]:
    """nginx with deploy/nginx.conf, but for addresses and the folder that it may write to."""
    (port,), text = free_ports(1), (DEPLOY / "nginx.conf").read_text()
    for number, replica in enumerate(replicas, 1):
        text = text.replace(f"emulator-{number}:8080", replica.url.removeprefix("http://"))
    text = text.replace("listen 8080", f"listen 127.0.0.1:{port}")
    folders = "".join(
        f"    {kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = text.replace("http {\n", f"http {{\n{folders}")
    assert "emulator-" not in text
    configuration = folder / "nginx.conf"
    configuration.write_text(f"daemon off;\npid {folder}/pid;\nerror_log stderr error;\n{text}")
    command = [str(nginx.find()), "-c", str(configuration), "-p", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx2.get(f"{url}/_emulator/health").status_code == 200
        except httpx2.TransportError:
            return False

    try:
        eventually(answers)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def test_the_compose_file_names_settings_that_there_are() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert services["emulator-1"] == services["emulator-2"]
    known = {info.variable for info in SETTINGS}
    assert set(services["emulator-1"]["environment"]) <= known
    named = re.findall(r"server (\S+):8080", (DEPLOY / "nginx.conf").read_text())
    assert named == [name for name in services if name.startswith("emulator")]


@needs_postgres
@pytest.mark.skipif(nginx.find() is None, reason="there is no nginx")
def test_two_replicas_behind_nginx_and_one_dies(tmp_path: Path) -> None:
    with database_of("postgres", tmp_path) as where, ExitStack() as stack:
        flags = ("--database", where, "--latency", "0.3", "--log", "text")
        replicas = [stack.enter_context(Process(*flags)) for _ in range(2)]
        url = stack.enter_context(proxy(tmp_path, replicas))
        client = stack.enter_context(
            httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30)
        )
        with client.stream("GET", "/_emulator/events") as events:
            assert next(events.iter_lines()).startswith("id: 1")
        tasks = [
            client.post("/v1/images/generations", json=CREATION).json()["task_id"]
            for _ in range(20)
        ]
        replicas[0].kill()
        tasks += [
            client.post("/v1/images/generations", json=CREATION).json()["task_id"]
            for _ in range(20)
        ]

        def ended(task_id: str) -> bool:
            return bool(client.get(f"/v1/tasks/{task_id}").json()["status"] == "succeeded")

        eventually(lambda: all(ended(task_id) for task_id in tasks))
        task = client.get(f"/v1/tasks/{tasks[0]}").json()
        link = task["result"]["data"][0]["url"]
        assert link.startswith(url)
        assert client.get(link).headers["content-type"] == "image/png"
        assert client.get("/_emulator/account").json()["credits"]["charged"] == 40 * 30
    lines = [sum("images/generations" in line for line in one.errors) for one in replicas]
    assert 0 < lines[1] < 40, "both have answered"
