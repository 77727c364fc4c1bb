"""The walls of the house: who imports whom, who may ask for time and chance, what is documented."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.api.app import CONTROL, PUBLIC, V1
from emulator.settings import SETTINGS
from scripts import faults_table
from tests.support import contract

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "emulator").rglob("*.py"))
KIT = sorted((ROOT / "contracts").rglob("*.py"))

# A layer imports itself and what stands to the left of it in its row.
MAY_IMPORT = {
    "core": {"core"},
    "adapters": {"core", "adapters"},
    "settings": {"core", "settings"},
    "store": {"core", "store"},
    "service": {"core", "settings", "store", "service"},
    "runner": {"core", "settings", "store", "service", "runner"},
    "api": {"core", "settings", "store", "service", "api", "version"},
    "ui": {"core", "settings", "service", "api", "ui", "version"},
    "compose": {
        "core", "adapters", "settings", "store", "service", "runner", "api", "ui", "compose",
    },
    "http_server": {"core", "settings", "api", "compose", "http_server"},
    "calibration": {"core", "adapters", "settings", "api", "calibration"},
    "cli": {
        "core", "adapters", "settings", "store", "service", "compose", "http_server",
        "calibration", "cli", "version",
    },
    "testing": {
        "core", "adapters", "settings", "compose", "http_server", "testing", "version",
    },
    "pytest_plugin": {"core", "adapters", "settings", "testing", "pytest_plugin"},
}  # fmt: skip
LAYER_OF_FILE = {
    "calibrate_command.py": "cli",
    "settings_sources.py": "settings",
    "settings_text.py": "settings",
    "cycles.py": "http_server",
    "fast_lane.py": "http_server",
    "heads.py": "http_server",
    "http_guard.py": "http_server",
    "http_limits.py": "http_server",
    "keys_command.py": "cli",
    "serve_command.py": "cli",
    "parts.py": "compose",
    "workers.py": "cli",
    "__init__.py": "version",
}
STANDARD_LIBRARY_OF_CORE = {
    "base64", "binascii", "bisect", "collections", "dataclasses", "datetime", "email", "enum",
    "functools", "hashlib", "hmac", "ipaddress", "itertools", "json", "math", "re", "typing",
    "urllib",
}  # fmt: skip
CAN_WAIT = {  # each would make every start longer, for what many runs never use
    "PIL", "httpx2", "importlib.metadata", "importlib.resources", "jinja2", "opentelemetry",
    "prometheus_client", "psycopg", "pydantic", "yaml",
}  # fmt: skip
ONLY_IN_ADAPTERS = re.compile(
    r"\bdatetime\.(now|utcnow|today)\(|\btime\.(time|time_ns)\(|\buuid4\(|\bos\.urandom\("
    r"|^\s*(import|from) (random|secrets)\b",
    re.MULTILINE,
)


def layer_of(path: Path) -> str:
    parts = path.relative_to(ROOT / "emulator").parts
    if len(parts) > 1:
        return parts[0]
    return LAYER_OF_FILE.get(parts[0], parts[0].removesuffix(".py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module == "emulator":
                yield from (f"emulator.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down_only(path: Path) -> None:
    layer = layer_of(path)
    if layer == "version":
        return
    for name in imports(path):
        if name.startswith("emulator."):
            target = name.split(".")[1]
            imported = LAYER_OF_FILE.get(f"{target}.py", target)
            imported = "version" if imported == "__version__" else imported
            assert imported in MAY_IMPORT[layer], f"{layer} imports {name}"
        elif layer == "core":
            assert name.split(".")[0] in STANDARD_LIBRARY_OF_CORE, f"core imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_adapters_ask_for_time_and_chance(path: Path) -> None:
    if layer_of(path) != "adapters":
        found = ONLY_IN_ADAPTERS.search(path.read_text("utf-8"))
        assert found is None, str(found)


@pytest.mark.parametrize("path", [*MODULES, *KIT], ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert lines <= 50, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", KIT, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_kit_knows_no_emulator(path: Path) -> None:
    assert not [name for name in imports(path) if name.split(".")[0] == "emulator"]


@pytest.mark.parametrize("path", KIT, ids=lambda path: str(path.relative_to(ROOT)))
def test_judges_and_what_they_rest_on_send_nothing(path: Path) -> None:
    driving = ("client", "target", "session", "runner", "receiver", "ledger", "options")
    pure = path.parent.name == "checks" or path.stem in ("view", "model", "verdict", "findings")
    if pure:
        assert not [name for name in imports(path) if name in {f"contracts.{d}" for d in driving}]
        assert "httpx2" not in imports(path)


def test_a_start_loads_nothing_that_can_wait() -> None:
    script = (
        "import emulator.cli, emulator.serve_command, emulator.store.sqlite, sys;"
        " print(*{name.split('.')[0] for name in sys.modules},"
        " *(name for name in sys.modules if name.startswith('importlib.')))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert not CAN_WAIT & set(run.stdout.split())


def test_routes_equal_the_description() -> None:
    routes = {(m, f"/v1{path}", name) for m, path, _, name in V1}
    routes |= {(m, path, name) for m, path, _, name in PUBLIC}
    described = {
        (method.upper(), path, item[method]["operationId"])
        for path, item in contract.document()["paths"].items()
        for method in item
        if method in ("get", "post", "put", "delete", "patch")
    }
    assert routes == described


@pytest.mark.parametrize("info", SETTINGS, ids=lambda info: info.name)
def test_each_setting_is_documented(info: object) -> None:
    table = (ROOT / "docs" / "settings.md").read_text("utf-8")
    row = f"| `{info.flag}` | {info.default} | {info.help} |"  # type: ignore[attr-defined]
    assert row in table


def test_each_fault_is_documented() -> None:
    page = (ROOT / "docs" / "faults.md").read_text("utf-8")
    for row in (*faults_table.criterion_rows(), *faults_table.fault_rows()):
        assert row in page


def test_control_routes_are_documented() -> None:
    documents = " ".join(path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md"))
    for method, path, _ in CONTROL:
        assert f"`{method} {path.replace(':path', '')}`" in documents


def test_no_file_names_a_registry_or_this_machine() -> None:
    registry = re.compile(r"pypi\.org|registry\.npmjs|files\.pythonhosted|index-url")
    for path in ROOT.rglob("*"):
        hidden = any(
            part.startswith(".") and part != ".ci" for part in path.relative_to(ROOT).parts
        )
        if (
            path.is_file()
            and not hidden
            and path.suffix in {".py", ".md", ".txt", ".toml", ".yaml", ".json", ".mjs", ".sh", ""}
            and path != Path(__file__)
        ):
            found = registry.search(path.read_text("utf-8", "replace"))
            assert found is None, f"{path}: {found}"
