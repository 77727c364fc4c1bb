"""The comparison with other servers: what is sent, and the table."""

import json
from pathlib import Path

from benchmarks import peer_servers, peers
from benchmarks.load import parse_counts
from benchmarks.peers import Figures

COUNTS = {"requests": 3000, "microseconds": 1_000_000, "p50_us": 1500, "p99_us": 9000}


def test_a_call_is_a_request_as_it_goes_over_the_wire() -> None:
    text = peer_servers.CREATE.text(8080)
    head, _, body = text.partition("\r\n\r\n")
    assert head.startswith("POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n")
    assert f"Content-Length: {len(body)}" in head
    assert json.loads(body)["model"] == "gpt-image-2"


def test_each_peer_has_a_command_of_what_is_installed(tmp_path: Path) -> None:
    for package, program in (
        ("@stoplight/prism-cli", "prism"), ("@mockoon/cli", "mockoon-cli"),
        ("@copilotkit/aimock", "llmock"),
    ):  # fmt: skip
        folder = tmp_path / "npm" / "node_modules" / package
        folder.mkdir(parents=True)
        (folder / "package.json").write_text(json.dumps({"bin": {program: "program.js"}}))
    for peer in peer_servers.PEERS:
        words = peer.command(tmp_path, tmp_path, 8123)
        assert str(tmp_path) in words[0] + words[1]
        assert peer.name == "Mockoon" or "8123" in words
    assert json.loads((tmp_path / "mockoon.json").read_text())["port"] == 8123


def test_the_table_has_medians() -> None:
    seen = Figures("this server", [300, 500, 400], [COUNTS] * 3, [COUNTS] * 3, [50], [60])
    row = peers.as_table([seen]).splitlines()[-1]
    assert row == (
        "| this server | 3,000 | 1.5, 9.0 ms | 3,000 | 1.5, 9.0 ms | 400 ms | 50, 60 MB |"
    )


def test_what_wrk_printed_is_read() -> None:
    line = json.dumps({**COUNTS, "broken": 0, "refused": 0})
    assert parse_counts("floor", f"Running 1s test\nRESULT {line}\n")["p99_us"] == 9000
