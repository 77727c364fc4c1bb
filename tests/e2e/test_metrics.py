"""Metrics of several processes on one folder, as --workers has them."""

from pathlib import Path

from tests.e2e.conftest import Serve
from tests.support.process import Process


def numbers(server: Process, name: str) -> list[float]:
    """The values of a metric, over all its labels."""
    text = server.client.get("/metrics").text
    lines = [line for line in text.splitlines() if line.startswith(f"gpt_image_emulator_{name}")]
    return [float(line.rpartition(" ")[2]) for line in lines]


def await_number(server: Process, name: str, expected: float) -> None:
    """Ask until the others have written theirs, which they do five times a second."""
    for _ in range(500):
        if sum(numbers(server, name)) == expected:
            return
    assert sum(numbers(server, name)) == expected


def test_whichever_is_asked_tells_of_all_and_a_dead_one_holds_no_connection(
    serve: Serve, tmp_path: Path
) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    shared = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    memory = ("--database", ":memory:", "--latency", "instant", "--log", "none")
    first, second = (serve(*memory, environment=shared) for _ in range(2))
    for server, count in ((first, 1), (second, 2)):
        for _ in range(count):
            server.client.create()
    for server in (first, second):
        await_number(server, "tasks_created_total", 3)
        await_number(server, "open_connections", 2)
        await_number(server, 'requests_total{method="POST"', 3)
        await_number(server, "tasks_settled_total", 3)
    second.kill()
    await_number(first, "open_connections", 1)
    assert numbers(first, "tasks_created_total") == [3]


def test_one_process_alone_needs_no_folder(serve: Serve) -> None:
    server = serve("--database", ":memory:", "--latency", "instant")
    server.client.create()
    await_number(server, "tasks_settled_total", 1)
    assert numbers(server, "open_connections") == [1]
    assert numbers(server, "runner_lateness_seconds_count") == [1]
    server.stop()
    assert [line for line in server.errors if "task_" in line]
