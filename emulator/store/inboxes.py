"""Inboxes in the store, and what arrived in them."""

import json
from typing import Any, NamedTuple

from emulator.core.errors import account_deleted
from emulator.core.inbox import KEPT_MESSAGES, Answer, Plan
from emulator.store.queries import Queries


class Message(NamedTuple):
    """What arrived in an inbox.

    Attributes:
        number: 1 for the inbox's first.
        at: the account's instant.
        delivery_id: the callback's delivery, or None where it came over HTTP without one.
        task_id: that delivery's task, or None.
        headers: with lower-case names.
        body: as text.
        signature: none, valid, or "invalid: why".
        status: what was answered; None where the answer came too late.
    """

    number: int
    at: int
    delivery_id: str | None
    task_id: str | None
    headers: dict[str, str]
    body: str
    signature: str
    status: int | None


class InboxQueries(Queries):
    """What a transaction can do with inboxes."""

    def open_inbox(self, account_id: str, name: str) -> None:
        """Make sure that an inbox exists."""
        parameters = {"account_id": account_id, "name": name, "answers": _plan_json(Plan())}
        self._run("open_inbox", parameters)

    def inboxes(self, account_id: str) -> list[tuple[str, int]]:
        """An account's inboxes by name, with the number of messages kept."""
        rows = self._run("inboxes", {"account_id": account_id})
        return [(row[0], row[1]) for row in rows]

    def inbox(self, account_id: str, name: str) -> tuple[Plan, int] | None:
        """An inbox's answers and the number of its newest message."""
        row = self._run("inbox", {"account_id": account_id, "name": name}).fetchone()
        return None if row is None else (_plan(row[0]), row[1])

    def set_inbox_plan(self, account_id: str, name: str, plan: Plan) -> None:
        """Choose what an inbox answers."""
        parameters = {"account_id": account_id, "name": name, "answers": _plan_json(plan)}
        self._run("set_inbox_plan", parameters)
        self._run("note_inboxes", {"id": account_id})

    def next_message(self, account_id: str, name: str) -> tuple[int, Plan]:
        """Count a message; its number, and what the inbox answers."""
        parameters = {"account_id": account_id, "name": name}
        row = self._run("next_message", parameters).fetchone()
        if row is None:
            raise account_deleted()
        return row[0], _plan(row[1])

    def add_message(self, account_id: str, name: str, message: Message) -> None:
        """Keep a message, and let go of the oldest above the limit."""
        self._run(
            "add_message",
            {
                "account_id": account_id, "name": name, "number": message.number,
                "at": message.at, "delivery_id": message.delivery_id,
                "headers": json.dumps(message.headers), "body": message.body,
                "signature": message.signature, "status": message.status,
            },
        )  # fmt: skip
        last = message.number - KEPT_MESSAGES
        self._run("drop_messages", {"account_id": account_id, "name": name, "last": last})

    def messages(self, account_id: str, name: str, after: int, limit: int) -> list[Message]:
        """An inbox's messages after a number, oldest first."""
        parameters = {"account_id": account_id, "name": name, "after": after, "limit": limit}
        return [
            Message(
                number=row[0], at=row[1], delivery_id=row[2], task_id=row[3],
                headers=json.loads(row[4]), body=row[5], signature=row[6], status=row[7],
            )
            for row in self._run("messages", parameters)
        ]  # fmt: skip

    def delete_inbox(self, account_id: str, name: str) -> int:
        """Delete an inbox; return how many messages went with it."""
        parameters = {"account_id": account_id, "name": name}
        removed = self._run("delete_messages", parameters).rowcount
        self._run("delete_inbox", parameters)
        return removed


def _plan_json(plan: Plan) -> str:
    answers: list[dict[str, Any]] = [answer.as_dict() for answer in plan.answers]
    return json.dumps({"answers": answers, "after": plan.after})


def _plan(text: str) -> Plan:
    fields = json.loads(text)
    return Plan(tuple(Answer(**answer) for answer in fields["answers"]), fields["after"])
