"""The built-in receiver: takes callbacks, remembers them, answers as told."""

import math
from typing import Any

from emulator.core.callback import AttemptResult, Delivery, verify
from emulator.core.clock import SECOND, rfc3339
from emulator.core.errors import Refusal
from emulator.core.inbox import Answer, Plan, check_name, parse_answers, shown_headers
from emulator.service.ground import Ground
from emulator.service.shown_body import shown_body
from emulator.store.inboxes import Message
from emulator.store.records import Caller
from emulator.store.transaction import Transaction

_FIRST_ANSWER_CHARACTERS = 1024


class Inboxes:
    """Use cases about an account's inboxes."""

    def __init__(self, ground: Ground) -> None:
        self._database = ground.database
        self._clock = ground.clock
        self._settings = ground.settings

    async def hand_over(
        self, delivery: Delivery, name: str, headers: dict[str, str], body: bytes, at: int
    ) -> AttemptResult:
        """Take a callback of this server's own, without a socket and without waiting.

        Args:
            delivery: what is delivered, and whose it is.
            name: the inbox, as its URL names it.
            headers, body: as they would be sent.
            at: the attempt's instant on the account's clock.
        """
        timeout_seconds = self._settings.callback_timeout_seconds
        try:
            check_name(name)
            answer = await self._take(
                delivery.account_id, name, delivery.id, headers, body, at, timeout_seconds
            )
        except Refusal as refusal:
            return AttemptResult(404, 0, refusal.message)
        if answer.delay_seconds >= timeout_seconds:
            error = f"no complete answer within {timeout_seconds:g} s"
            return AttemptResult(None, round(timeout_seconds * SECOND), error=error)
        duration_ms = round(answer.delay_seconds * SECOND)
        return AttemptResult(answer.status, duration_ms, answer.body[:_FIRST_ANSWER_CHARACTERS])

    async def post(self, caller: Caller, name: str, headers: dict[str, str], body: bytes) -> Answer:
        """Take what came over HTTP, and say what to answer.

        Raises:
            Refusal: the name is none.
        """
        check_name(name)
        lowered = {header.lower(): value for header, value in headers.items()}
        at = caller.clock.now(self._clock.now())
        return await self._take(
            caller.account_id, name, lowered.get("webhook-id"), lowered, body, at
        )

    async def list_inboxes(self, caller: Caller) -> list[tuple[str, int]]:
        """The account's inboxes by name, with the number of messages kept."""
        return await self._database.read(lambda tx: tx.inboxes(caller.account_id))

    async def read(
        self, caller: Caller, name: str, after: int, limit: int
    ) -> tuple[tuple[Answer, ...], list[dict[str, Any]]]:
        """An inbox's answers, and its messages after a number, oldest first.

        Raises:
            Refusal: the name is none.
        """
        check_name(name)

        def work(tx: Transaction) -> tuple[tuple[Answer, ...], list[dict[str, Any]]]:
            found = tx.inbox(caller.account_id, name)
            plan = Plan() if found is None else found[0]
            messages = tx.messages(caller.account_id, name, after, limit)
            return plan.answers, [_shown(message) for message in messages]

        return await self._database.write(work, caller.account_id)

    async def set_answers(
        self, caller: Caller, name: str, body: dict[str, Any]
    ) -> tuple[Answer, ...]:
        """Choose what an inbox answers from its next message on.

        Raises:
            Refusal: the name is none, or the body is no list of answers.
        """
        check_name(name)
        answers = parse_answers(body)

        def work(tx: Transaction) -> None:
            tx.open_inbox(caller.account_id, name)
            found = tx.inbox(caller.account_id, name)
            received = 0 if found is None else found[1]
            tx.set_inbox_plan(caller.account_id, name, Plan(answers, received))

        await self._database.write(work, caller.account_id)
        return answers

    async def delete(self, caller: Caller, name: str) -> int:
        """Delete an inbox with its answers; return how many messages went with it.

        Raises:
            Refusal: the name is none.
        """
        check_name(name)
        account_id = caller.account_id
        return await self._database.write(lambda tx: tx.delete_inbox(account_id, name), account_id)

    async def _take(
        self,
        account_id: str,
        name: str,
        delivery_id: str | None,
        headers: dict[str, str],
        body: bytes,
        at: int,
        timeout_seconds: float = math.inf,
    ) -> Answer:
        signature = self._signature(headers, body, at)

        def work(tx: Transaction) -> Answer:
            tx.open_inbox(account_id, name)
            number, plan = tx.next_message(account_id, name)
            answer = plan.answer_to(number)
            message = Message(
                number=number,
                at=at,
                delivery_id=delivery_id,
                task_id=None,
                headers=shown_headers(headers),
                body=body.decode("utf-8", "replace"),
                signature=signature,
                status=answer.status if answer.delay_seconds < timeout_seconds else None,
            )
            tx.add_message(account_id, name, message)
            return answer

        return await self._database.write(work, account_id)

    def _signature(self, headers: dict[str, str], body: bytes, at: int) -> str:
        if not any(name.lower().startswith("webhook-") for name in headers):
            return "none"
        secret = self._settings.callback_secret
        if secret is None:
            return "invalid: the emulator has no --callback-secret to verify it with"
        reason = verify(secret, headers, body, at)
        return "valid" if reason is None else f"invalid: {reason}"


def _shown(message: Message) -> dict[str, Any]:
    return {
        "number": message.number,
        "at": rfc3339(message.at),
        "delivery_id": message.delivery_id,
        "task_id": message.task_id,
        "headers": message.headers,
        "body": shown_body(message.body),
        "signature": message.signature,
        "status": message.status,
    }
