"""The servers that users would take otherwise, on their nearest equivalent of create and poll.

They are installed here, with pinned versions, into a folder that outlives the run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import BODY, KEY
from benchmarks.servers import BenchError

ROOT = Path(__file__).resolve().parents[1]
INSTALL_LIMIT_SECONDS = 900
NPM = {"@stoplight/prism-cli": "5.16.0", "@mockoon/cli": "9.9.0", "@copilotkit/aimock": "1.43.0"}
PYPI = {"moto[server]": "5.2.5"}
TASK_ID = "task_6088bc226b34000000000001"


@dataclass(frozen=True)
class Call:
    """A request that is sent over and over, and a text that its answer must have."""

    method: str
    path: str
    body: str = ""
    headers: tuple[str, ...] = ()
    answer_has: str = ""

    def text(self, port: int) -> str:
        """The request as it goes over the wire."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *self.headers]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines) + f"\r\n\r\n{self.body}"


@dataclass(frozen=True)
class Peer:
    """A server to compare with.

    `command` gives, for the install folder, a folder for files and a port, what starts it.
    """

    name: str
    version: str
    command: Callable[[Path, Path, int], list[str]]
    create: Call
    poll: Call


KEY_HEADER = f"Authorization: Bearer {KEY}"
JSON_HEADERS = (KEY_HEADER, "Content-Type: application/json")
CREATE = Call("POST", "/v1/images/generations", json.dumps(BODY), JSON_HEADERS, '"task_id"')
POLL = Call("GET", f"/v1/tasks/{TASK_ID}", "", (KEY_HEADER,), '"status"')


def _node(install: Path, package: str, name: str) -> list[str]:
    folder = install / "npm" / "node_modules" / package
    programs = json.loads((folder / "package.json").read_text())["bin"]
    script = programs if isinstance(programs, str) else programs[name]
    return ["node", str(folder / script)]


def _prism(install: Path, folder: Path, port: int) -> list[str]:
    program = _node(install, "@stoplight/prism-cli", "prism")
    quietly = ["--verboseLevel", "silent"]
    words = ["mock", str(ROOT / "openapi.yaml"), "-h", "127.0.0.1", "-p", str(port), *quietly]
    return [*program, *words]


def _mockoon(install: Path, folder: Path, port: int) -> list[str]:
    data = folder / "mockoon.json"
    data.write_text(json.dumps(_mockoon_environment(port)))
    quietly = ["--disable-log-to-file", "--disable-admin-api"]
    program = _node(install, "@mockoon/cli", "mockoon-cli")
    return [*program, "start", "--data", str(data), *quietly]


def _mockoon_environment(port: int) -> dict[str, object]:
    """Two routes with templated answers, in Mockoon's own format."""
    created = '{"task_id": "task_{{faker \'string.uuid\'}}", "status": "pending"}'
    polled = '{"task_id": "{{urlParam \'id\'}}", "status": "succeeded", "result": {"data": []}}'
    routes = [
        ("post", "v1/images/generations", 202, created),
        ("get", "v1/tasks/:id", 200, polled),
    ]
    json_type = [{"key": "Content-Type", "value": "application/json"}]
    return {
        "uuid": "bench", "lastMigration": 33, "name": "bench", "port": port,
        "hostname": "127.0.0.1", "endpointPrefix": "", "latency": 0, "folders": [],
        "rootChildren": [{"type": "route", "uuid": f"route-{n}"} for n in range(len(routes))],
        "routes": [
            {
                "uuid": f"route-{n}", "type": "http", "method": method, "endpoint": path,
                "documentation": "", "responseMode": None,
                "responses": [{
                    "uuid": f"answer-{n}", "body": body, "latency": 0, "statusCode": status,
                    "label": "", "headers": json_type, "bodyType": "INLINE", "filePath": "",
                    "databucketID": "", "sendFileAsBody": False, "rules": [],
                    "rulesOperator": "OR", "disableTemplating": False,
                    "fallbackTo404": False, "default": True, "crudKey": "id", "callbacks": [],
                }],
            }
            for n, (method, path, status, body) in enumerate(routes)
        ],
        "proxyMode": False, "proxyHost": "", "proxyRemovePrefix": False,
        "tlsOptions": {
            "enabled": False, "type": "CERT", "pfxPath": "", "certPath": "", "keyPath": "",
            "caPath": "", "passphrase": "",
        },
        "cors": False, "headers": json_type, "proxyReqHeaders": [], "proxyResHeaders": [],
        "data": [], "callbacks": [],
    }  # fmt: skip


def _moto(install: Path, folder: Path, port: int) -> list[str]:
    return [str(install / "moto" / "bin" / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]


def _aimock(install: Path, folder: Path, port: int) -> list[str]:
    fixtures = folder / "fixtures"
    fixtures.mkdir(exist_ok=True)
    video = {"video": {"id": "video_1", "status": "completed", "url": "http://127.0.0.1/one.mp4"}}
    one = {"match": {"userMessage": "coffee", "endpoint": "video"}, "response": video}
    (fixtures / "video.json").write_text(json.dumps({"fixtures": [one]}))
    program = _node(install, "@copilotkit/aimock", "llmock")
    return [
        *program,
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-f",
        str(fixtures),
        "--log-level",
        "silent",
    ]


def _dynamo(operation: str, fields: Mapping[str, object], answer_has: str) -> Call:
    """A call of moto's DynamoDB, which looks whose it is, and at no signature."""
    credential = "Credential=bench/20260101/us-east-1/dynamodb/aws4_request"
    headers = (
        f"X-Amz-Target: DynamoDB_20120810.{operation}",
        "Content-Type: application/x-amz-json-1.0",
        f"Authorization: AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0",
    )
    return Call("POST", "/", json.dumps({"TableName": "tasks", **fields}), headers, answer_has)


KEY_OF_ROW = {"id": {"S": TASK_ID}}
ROW = {"Item": {**KEY_OF_ROW, "status": {"S": "pending"}, "prompt": {"S": BODY["prompt"]}}}
MAKE_TABLE = _dynamo(
    "CreateTable",
    {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    },
    "TableDescription",
)

PEERS = (
    Peer("Prism", NPM["@stoplight/prism-cli"], _prism, CREATE, POLL),
    Peer("Mockoon", NPM["@mockoon/cli"], _mockoon, CREATE, POLL),
    Peer(
        "aimock", NPM["@copilotkit/aimock"], _aimock,
        Call("POST", "/v1/videos", json.dumps(BODY), JSON_HEADERS, '"video_1"'),
        Call("GET", "/v1/videos/video_1", "", (KEY_HEADER,), '"completed"'),
    ),
    Peer("moto", PYPI["moto[server]"], _moto, _dynamo("PutItem", ROW, "{}"),
         _dynamo("GetItem", {"Key": KEY_OF_ROW}, '"status"')),
)  # fmt: skip


def install_peers() -> Path:
    """Install what is missing; return the folder.

    Raises:
        BenchError: a registry is not there, or npm is not.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "gpt-image-emulator-bench"
    pins = json.dumps([NPM, PYPI])
    stamp = folder / "pins.json"
    if stamp.exists() and stamp.read_text() == pins:
        return folder
    if shutil.which("npm") is None:
        raise BenchError("the peers are left out: there is no npm")
    (folder / "npm").mkdir(parents=True, exist_ok=True)
    words = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent"]
    words.append("--ignore-scripts")
    _run([*words, *(f"{name}@{pin}" for name, pin in NPM.items())], folder / "npm")
    venv.create(folder / "moto", with_pip=True)
    pip = [str(folder / "moto" / "bin" / "pip"), "install", "--quiet"]
    _run([*pip, *(f"{name}=={pin}" for name, pin in PYPI.items())], folder)
    stamp.write_text(pins)
    return folder


def _run(words: list[str], folder: Path) -> None:
    try:
        subprocess.run(
            words, cwd=folder, check=True, capture_output=True, timeout=INSTALL_LIMIT_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BenchError(f"the peers are left out: {words[0]} failed: {error}") from error
