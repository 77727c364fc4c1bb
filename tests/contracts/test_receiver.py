"""Callbacks: recorded as they arrive, answered as each hook was told to."""

import socket
import threading
from collections.abc import Iterator

import httpx2
import pytest

from contracts.exchange import CALLBACK, Trace
from contracts.options import EXIT_USAGE, EngineError
from contracts.receiver import Receiver
from contracts.recorder import Recorder
from contracts.redact import Redactor
from contracts.target import Clock
from tests.contracts.stand_in import answering, says, served

KEY = "sk-receiver-0123456789abcdef"


def recorder() -> Recorder:
    redactor = Redactor()
    redactor.key_label(KEY)
    return Recorder(Trace("http://target.example"), redactor, Clock())


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(recorder(), 0, None) as receiver:
        yield receiver


def call(url: str, body: bytes = b"{}", method: str = "POST") -> int:
    answer = httpx2.request(method, url, content=body, trust_env=False)
    assert answer.content == b""
    return answer.status_code


def test_each_hook_answers_in_turn_and_then_the_same(receiver: Receiver) -> None:
    late = receiver.hook("late", [500, 200])
    never = receiver.hook("never", [500])
    assert [call(late) for _ in range(3)] == [500, 200, 200]
    assert [call(never) for _ in range(2)] == [500, 500]
    assert len(receiver.arrived("late")) == 3
    assert len(receiver.arrived("never")) == 2
    assert receiver.hooks == {late: [500, 200], never: [500]}


def test_what_arrives_is_in_the_trace_without_secrets() -> None:
    own = recorder()
    with Receiver(own, 0, None) as receiver:
        url = receiver.hook("task", [204])
        body = f'{{"task_id": "task_1", "key": "{KEY}"}}'.encode()
        httpx2.post(url, content=body, headers={"x-key": KEY}, trust_env=False)
    (exchange,) = own.trace.exchanges
    assert exchange.direction == CALLBACK
    assert (exchange.request.method, exchange.request.url) == ("POST", url)
    assert exchange.request.json == {"task_id": "task_1", "key": "key-1"}
    assert KEY not in repr(exchange)
    assert exchange.response is not None
    assert exchange.response.status == 204


def test_strangers_are_turned_away_and_not_recorded(receiver: Receiver) -> None:
    url = receiver.hook("task", [204])
    base, _, _ = url.rpartition("/")
    host = "/".join(url.split("/")[:3])
    for stranger in (f"{base}/other", f"{host}/task", f"{host}/0000000000000000/task", host):
        assert call(stranger) == 404
    assert call(url, method="GET") == 204
    assert receiver.arrived("task") == []


def test_a_body_without_end_is_cut(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contracts.receiver._LARGEST_BODY_BYTES", 1000)
    assert call(receiver.hook("large", [204]), b"x" * 5000) == 204
    assert len(receiver.arrived("large")[0].request.body) == 1000


def test_a_caller_that_hangs_up_is_no_callback(receiver: Receiver) -> None:
    url = receiver.hook("task", [204])
    host, port = url.split("/")[2].split(":")
    path = url.partition(port)[2]
    with socket.create_connection((host, int(port))) as caller:
        caller.sendall(f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc".encode())
    assert call(url) == 204
    assert len(receiver.arrived("task")) == 1


def test_callers_at_the_same_time_are_numbered_apart() -> None:
    own = recorder()
    with Receiver(own, 0, None) as receiver:
        url = receiver.hook("task", [204])
        callers = [threading.Thread(target=call, args=(url,)) for _ in range(8)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    assert [exchange.number for exchange in own.trace] == list(range(1, 9))


def test_a_port_that_is_taken_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EngineError, match=f"--callback-port {port} can't be") as error:
            Receiver(recorder(), port, None)
    assert error.value.exit_code == EXIT_USAGE
    with pytest.raises(EngineError, match="--callback-port 99999 can't be listened on"):
        Receiver(recorder(), 99999, None)


def test_a_public_url_that_leads_here() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    public = f"http://localhost:{port}/"
    with Receiver(recorder(), port, public) as receiver:
        receiver.check_reachable()
        assert receiver.hook("task", [204]).startswith(f"http://localhost:{port}/")


@pytest.mark.parametrize("public", ["http://127.0.0.1:9", "http://[::1", "nonsense", "ftp://a.b"])
def test_a_public_url_that_leads_nowhere_is_said_so(public: str) -> None:
    with (
        Receiver(recorder(), 0, public) as receiver,
        pytest.raises(EngineError, match="does not lead to this machine's port") as error,
    ):
        receiver.check_reachable()
    assert error.value.exit_code == EXIT_USAGE


def test_a_public_url_that_leads_elsewhere_is_said_so() -> None:
    with (
        served(answering(lambda request: says())) as elsewhere,
        Receiver(recorder(), 0, elsewhere.url) as receiver,
        pytest.raises(EngineError, match=r"port [0-9]+: it answers 200"),
    ):
        receiver.check_reachable()
