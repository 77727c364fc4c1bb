"""The server as an operator meets it: start, signals, kill -9, logs, flags."""

import json
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.support.process import KEY


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emulator.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        env=environment or None,
        check=False,
    )


def test_the_banner_says_what_runs_and_its_curl_works(serve: Serve) -> None:
    server = serve("--profile", "reference")
    for word in (server.url, "reference", "open", "state.db", "real time"):
        assert word in server.banner
    command = server.banner.partition("Try it:\n")[2].strip()
    done = subprocess.run(["bash", "-c", f"{command} -s"], capture_output=True, check=True)
    assert json.loads(done.stdout)["task_id"].startswith("task_")


def test_sigterm_ends_it_even_while_a_call_waits(serve: Serve) -> None:
    server = serve("--latency", "300", "--log", "none")
    host, port = server.url.removeprefix("http://").split(":")
    body = json.dumps({"model": "gpt-image-2", "prompt": "x"}).encode()
    with socket.create_connection((host, int(port))) as waiting:
        waiting.sendall(
            b"POST /v1/images/generations/sync HTTP/1.1\r\nHost: x\r\n"
            b"Content-Type: application/json\r\nAuthorization: Bearer sk-e2e\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        while not server.client.get("/_emulator/ledger").json()["data"][1:]:
            pass
        assert server.stop() == 0
        answer = waiting.recv(65536)
    assert answer.startswith(b"HTTP/1.1 202")


def test_a_request_that_is_not_whole_at_the_stop_gets_503(serve: Serve) -> None:
    server = serve("--log", "none")
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as half:
        half.sendall(
            b"POST /v1/images/generations HTTP/1.1\r\nHost: x\r\nx-api-key: sk-half\r\n"
            b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )
        while b"sk-h" not in server.client.get("/_emulator/keys").content:
            pass
        assert server.stop() == 0
        answer = half.recv(65536)
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"service_unavailable" in answer


def test_ctrl_c_ends_it_quietly(serve: Serve) -> None:
    server = serve("--log", "none")
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(30) == 0
    server.stop()
    assert "Traceback" not in "".join(server.errors)


def test_ctrl_c_ends_it_while_somebody_looks_on(serve: Serve) -> None:
    server = serve("--log", "none")
    with server.client.stream("GET", "/_emulator/events") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "id: 1"
        server.process.send_signal(signal.SIGINT)
        assert "" in list(lines)  # the stream ends in order
    assert server.process.wait(30) == 0
    server.stop()
    assert server.errors == []


def test_kill_9_loses_nothing(serve: Serve) -> None:
    first = serve("--latency", "3600", "--stuck-after-seconds", "100000")
    tasks = [first.client.create(n=n)["task_id"] for n in (1, 2, 3)]
    first.client.create(prompt="[[fault: task_hangs]]")
    first.kill()
    second = serve("--latency", "3600", "--stuck-after-seconds", "100000")
    for task_id in tasks:
        assert second.client.task(task_id)["status"] == "pending"
    second.client.advance("30h")
    for task_id in tasks:
        assert second.client.task(task_id)["status"] == "succeeded"
    sums = second.client.get("/_emulator/account").json()["credits"]
    assert sums == {"granted": 100_000, "available": 99_820, "reserved": 0, "charged": 180}
    second.stop()
    connection = sqlite3.connect(second.banner.partition("database  ")[2].partition("\n")[0])
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_no_key_and_no_signature_is_ever_in_the_log(serve: Serve) -> None:
    for form in ("text", "json"):
        server = serve("--latency", "instant", "--log", form)
        task_id = server.client.create()["task_id"]
        url = server.client.task(task_id)["result"]["data"][0]["url"]
        assert server.client.get(url).status_code == 200
        server.client.get("/v1/tasks/nothing?key=sk-secret")
        server.stop()
        log = "".join(server.errors)
        assert f"GET /media/{task_id}/1.png" in log or f'"path": "/media/{task_id}/1.png"' in log
        for secret in (KEY, "sk-secret", "signature", "Bearer"):
            assert secret not in log
        if form == "json":
            entries = [json.loads(line) for line in server.errors]
            assert [entry["status"] for entry in entries] == [202, 200, 200, 404]


@pytest.mark.parametrize(
    ("flags", "code", "named"),
    [
        (["--port", "99999"], 2, "--port takes a whole number from 0 to 65,535; '99999'"),
        (["--prot", "1"], 2, "unrecognized arguments: --prot 1"),
        (["--port"], 2, "argument --port: expected one argument"),
        (["--port", "http"], 2, "--port takes a whole number"),
        (["--profile", "other"], 2, "--profile takes one of model-page, reference"),
        (["--latency", "soon"], 2, "--latency takes instant, fast, realistic, a number of"),
        (["--keys", "none"], 2, "--keys takes one of open, strict"),
        (["--callbacks", "all"], 2, "--callbacks takes one of local, upstream, any, off"),
        (["--callback-secret", "x"], 2, "--callback-secret takes whsec_"),
        (["--media-expired-status", "500"], 2, "one of 403, 404, 410"),
        (["--prices", "1K=1"], 2, "1K, 2K, 4K"),
        (["--prices", "1K=1.5,2K=2,4K=3"], 2, "whole credits"),
        (["--quality-factors", "low=x"], 2, "low, medium, high"),
        (["--callback-retry-delays-seconds", ""], 2, "numbers of seconds"),
        (["--public-url", "emulator"], 2, "absolute http(s) URL"),
        (["--frames", "16:9"], 2, "--frames takes a picture for a size"),
        (["--first-status", "queued"], 2, "--first-status takes one of pending, processing"),
        (["--settings", "/nonexistent.toml"], 2, "settings file /nonexistent.toml can't be read"),
        (["--host", "256.1.1.1"], 1, "cannot listen on 256.1.1.1"),
        (["--database", "/proc/no/state.db"], 1, "cannot use the database /proc/no/state.db"),
    ],
)
def test_a_bad_flag_gives_one_clear_line(flags: list[str], code: int, named: str) -> None:
    done = run("serve", "--port", "0", "--database", ":memory:", *flags)
    assert (done.returncode, done.stdout) == (code, "")
    assert named in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_port_in_use_gives_one_clear_line(serve: Serve) -> None:
    port = serve("--log", "none").url.rpartition(":")[2]
    done = run("serve", "--port", port, "--database", ":memory:")
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_environment_sets_what_no_flag_sets(serve: Serve) -> None:
    server = serve(
        "--profile", "model-page",
        environment={
            "GPT_IMAGE_EMULATOR_PROFILE": "reference",
            "GPT_IMAGE_EMULATOR_INITIAL_CREDITS": "42",
        },
    )  # fmt: skip
    assert "model-page" in server.banner
    assert server.client.get("/v1/credits/balance").json()["credits"] == 42
    done = run("serve", GPT_IMAGE_EMULATOR_PROFIL="reference")
    assert done.returncode == 2
    assert "GPT_IMAGE_EMULATOR_PROFIL" in done.stderr


def test_a_settings_file_sets_what_nothing_else_does(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "emulator.toml"
    file.write_text('profile = "reference"\ninitial-credits = 42\nlatency = "instant"', "utf-8")
    server = serve("--settings", str(file), "--initial-credits", "43")
    assert "reference" in server.banner
    assert server.client.get("/v1/credits/balance").json()["credits"] == 43
    server.stop()
    named = {"GPT_IMAGE_EMULATOR_SETTINGS": str(file), "GPT_IMAGE_EMULATOR_PROFILE": "model-page"}
    assert "model-page" in serve(environment=named).banner


def test_help_explains_every_flag() -> None:
    done = run("serve", "--help", COLUMNS="200", HOME="/nonexistent")
    assert done.returncode == 0
    for flag in (
        "--profile",
        "--latency",
        "--callbacks",
        "--media-ttl-hours",
        "GPT_IMAGE_EMULATOR",
    ):
        assert flag in done.stdout


def test_the_state_directory_is_the_default(tmp_path: Path) -> None:
    assert "there is no database" in run("keys", "list", XDG_STATE_HOME=str(tmp_path)).stderr
    done = run("keys", "create", XDG_STATE_HOME=str(tmp_path))
    assert done.returncode == 0
    assert (tmp_path / "gpt-image-emulator" / "state.db").exists()


def test_keys_on_the_command_line(serve: Serve, tmp_path: Path) -> None:
    database = ["--database", str(tmp_path / "keys.db")]
    server = serve(*database, "--keys", "strict")
    assert server.client.get("/v1/credits/balance").status_code == 401
    made = run("keys", "create", "--name", "ci", "--credits", "5", "--budget", "3", *database)
    key = made.stdout.strip()
    headers = {"Authorization": f"Bearer {key}"}
    balance = server.client.get("/v1/credits/balance", headers=headers)
    assert balance.json()["credits"] == 5
    listed = run("keys", "list", *database).stdout
    assert "ci" in listed
    assert "0/3" in listed
    assert key not in listed
    assert run("keys", "revoke", "ci", *database).stdout == "1 revoked\n"
    assert server.client.get("/v1/credits/balance", headers=headers).status_code == 401
    assert run("keys", "revoke", "ci", *database).returncode == 1
    bad = run("keys", "create", "--budget", "much", *database)
    assert (bad.returncode, bad.stderr.count("\n")) == (2, 1)
