"""The emulator's API as one key sees it."""

from typing import Any

import httpx2

CREATION = {"model": "gpt-image-2", "prompt": "A lighthouse at dawn"}
TIMEOUT_SECONDS = 30


class Api(httpx2.Client):
    """An HTTP client for ``/v1`` and ``/_emulator`` of a server."""

    def __init__(self, url: str, key: str) -> None:
        super().__init__(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )

    def create(self, **fields: Any) -> dict[str, Any]:
        """Create a task; return the creation's answer."""
        return self._answer("POST", "/v1/images/generations", {**CREATION, **fields})

    def task(self, task_id: str) -> dict[str, Any]:
        """Poll a task."""
        return self._answer("GET", f"/v1/tasks/{task_id}")

    def command_clock(self, **command: Any) -> dict[str, Any]:
        """Freeze, resume, set or advance the account's clock, or run it until something."""
        return self._answer("POST", "/_emulator/clock", command)

    def advance(self, duration: str | int) -> dict[str, Any]:
        """Move the account's clock."""
        return self.command_clock(advance=duration)

    def add_fault(self, fault: str, **more: Any) -> dict[str, Any]:
        """Add a fault to the account."""
        return self._answer("POST", "/_emulator/faults", {"fault": fault, **more})

    def _answer(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        response = self.request(method, path, json=body)
        assert response.is_success, response.text
        answer: dict[str, Any] = response.json()
        return answer
