"""What a user's client does, in the fewest words."""

from typing import Any

import httpx2

from emulator.testing import Account, AsyncAccount

CREATION = {"model": "gpt-image-2", "prompt": "A lighthouse at dawn"}


def post_image(account: Account, **fields: Any) -> httpx2.Response:
    """Send a creation."""
    return httpx2.post(
        f"{account.base_url}/images/generations",
        json={**CREATION, **fields},
        headers={"Authorization": f"Bearer {account.api_key}"},
        trust_env=False,
    )


def create_task(account: Account, **fields: Any) -> str:
    """Create a task; return its id."""
    response = post_image(account, **fields)
    assert response.status_code == 202, response.text
    task_id: str = response.json()["task_id"]
    return task_id


async def create_task_async(account: AsyncAccount, app: Any = None, **fields: Any) -> str:
    """Create a task, over a socket or in this event loop; return its id."""
    transport = None if app is None else httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, trust_env=False) as client:
        response = await client.post(
            f"{account.base_url}/images/generations",
            json={**CREATION, **fields},
            headers={"Authorization": f"Bearer {account.api_key}"},
        )
    assert response.status_code == 202, response.text
    task_id: str = response.json()["task_id"]
    return task_id
