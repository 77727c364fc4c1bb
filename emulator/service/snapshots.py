"""An account as one file, and such a file as an account."""

import asyncio
import json
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from emulator.core.callback import host_of
from emulator.core.clock import AccountClock, rfc3339
from emulator.core.errors import Refusal, account_deleted, shown
from emulator.core.frame import frames_text
from emulator.core.inbox import PATH as INBOX_PATH
from emulator.core.picture import RENDERER_VERSION
from emulator.core.ports import Inspector
from emulator.core.seed import numbered_id
from emulator.service.ground import Ground
from emulator.service.image_work import ImageWork
from emulator.service.journal import Journal
from emulator.service.resets import Resets
from emulator.service.snapshot_check import check_snapshot, copy_of
from emulator.settings import Settings
from emulator.store.records import Caller
from emulator.store.snapshots import TABLES, Row
from emulator.store.transaction import Transaction

Snapshot = dict[str, Any]

# Columns that are JSON in the store, and a part of the file in a snapshot.
_JSON_COLUMNS = {
    "tasks": ("request",),
    "faults": ("spec",),
    "journal": ("notes",),
    "inboxes": ("answers",),
    "inbox_messages": ("headers",),
}
_CREDITS = ("granted", "available", "reserved", "charged")
_COUNTERS = ("tasks_created", "uploads_created", "faults_created", "journal_entries")


class Snapshots:
    """Use cases about snapshots."""

    def __init__(
        self,
        ground: Ground,
        resets: Resets,
        journal: Journal,
        inspector: Inspector,
        work: ImageWork,
    ) -> None:
        self._database = ground.database
        self._clock = ground.clock
        self._resets = resets
        self._journal = journal
        self._inspector = inspector
        self._work = work
        self._settings = ground.settings

    async def export(self, caller: Caller) -> Snapshot:
        """The account with everything that is its own, as it is now."""
        await self._journal.flush_account(caller.account_id)
        real_now = self._clock.now()
        return await self._database.write(
            lambda tx: self._export(tx, caller, real_now), caller.account_id
        )

    async def restore(self, caller: Caller, snapshot: Snapshot, base_url: str) -> list[Row]:
        """Replace the account's state by a snapshot's.

        Args:
            caller: whose account.
            snapshot: as ``export`` gives it; each field is valid by itself.
            base_url: scheme and host that the tasks' links begin with from now on.

        Returns:
            The settings that differ from those of the exporter.

        Raises:
            Refusal: it contradicts itself or this server's limits, or its ids belong to another
                account of this server; nothing has changed.
        """
        await asyncio.to_thread(check_snapshot, snapshot, self._settings)
        kept = self._settings.journal_entries
        snapshot["journal"] = snapshot["journal"][-kept:] if kept else []
        for index, upload in enumerate(snapshot["uploads"]):
            param = f"uploads[{index}].content"
            inspect = partial(self._inspector.inspect, upload["content"], param)
            facts = await self._work.run(inspect)
            upload["media_type"] = facts.media_type
        await self._resets.replace(caller, lambda tx: self._restore(tx, caller, snapshot, base_url))
        here = _outcome_settings(self._settings)
        there = snapshot["settings"]
        return [
            {"setting": name, "exported": there.get(name), "here": value}
            for name, value in here.items()
            if there.get(name) != value
        ]

    def _export(self, tx: Transaction, caller: Caller, real_now: int) -> Snapshot:
        found = tx.export_account(caller.account_id)
        if found is None:
            raise account_deleted()
        row, clock = found
        now = clock.now(real_now)
        tables = {name: tx.export_rows(name, caller.account_id) for name in TABLES}
        for name, columns in _JSON_COLUMNS.items():
            for entry in tables[name]:
                entry.update({column: json.loads(entry[column]) for column in columns})
        for task in tables["tasks"]:
            _name_references(task["request"])
        _adopt_uploads(tx, tables, row["id_seed"], now)
        return {
            "exported_at": rfc3339(real_now),
            "settings": _outcome_settings(self._settings),
            "account": {
                "seed": row["seed"],
                "id_seed": row["id_seed"],
                "clock": {"now": now, "frozen": clock.frozen_at is not None},
                "credits": {name: row[name] for name in _CREDITS},
                "counters": {name: row[name] for name in _COUNTERS},
            },
            **tables,
        }

    def _restore(self, tx: Transaction, caller: Caller, snapshot: Snapshot, base_url: str) -> None:
        account, account_id = snapshot["account"], caller.account_id
        if tx.account_of_id_seed(account["id_seed"]) not in (None, account_id):
            message = (
                "The snapshot's account is on this server already, with another key: its task ids"
                " would be there twice. Delete that account first, or import with its key."
            )
            raise Refusal("conflict", message, "account.id_seed")
        row = {
            "seed": account["seed"], "id_seed": account["id_seed"],
            **account["credits"], **account["counters"],
        }  # fmt: skip
        tx.import_account(
            account_id,
            row,
            ledger_entries=max((entry["number"] for entry in snapshot["ledger"]), default=0),
            faults=len(snapshot["faults"]),
            tasks_in_flight=sum(not task["settled"] for task in snapshot["tasks"]),
        )
        tx.set_budget_used(account_id, row["reserved"] + row["charged"])
        own = {"account_id": account_id}
        for name in TABLES:
            shared = {**own, "key_hash": caller.key_hash, "base_url": base_url}
            rows = [_stored(name, entry, account["id_seed"], base_url) for entry in snapshot[name]]
            tx.import_rows(name, rows, shared)
        real_now, now = self._clock.now(), account["clock"]["now"]
        frozen_at = now if account["clock"]["frozen"] else None
        # It comes last: it wakes what was imported.
        tx.set_clock(account_id, AccountClock(now - real_now, frozen_at), real_now)


def _stored(table: str, row: Row, id_seed: int, base_url: str) -> Row:
    """A snapshot's row as the store keeps it."""
    stored = dict(row)
    if table == "deliveries":
        stored["url"] = _at_home(row["url"], base_url)
        stored["host"] = host_of(stored["url"])
    if table == "tasks":
        request = row["request"]
        pairs = [(found["source"], found["upload_id"]) for found in request["references"]]
        mask = request["mask"] and (request["mask"]["source"], request["mask"]["upload_id"])
        callback_url = _at_home(request["callback_url"], base_url)
        stored |= {
            "request": {**request, "references": pairs, "mask": mask, "callback_url": callback_url},
            "model": request["model"],
            "callback_url": callback_url,
            "request_id": f"req_{numbered_id(id_seed, row['number'])}",
        }
    for column in _JSON_COLUMNS.get(table, ()):
        stored[column] = json.dumps(stored[column])
    return stored


def _at_home(url: str | None, base_url: str) -> str | None:
    """An inbox of the exporting server is one of the importing server from now on."""
    path = "" if url is None else urlsplit(url).path
    return base_url + path if path.startswith(INBOX_PATH) else url


def _name_references(request: Row) -> None:
    """Turn the store's pairs into objects."""
    names = ("source", "upload_id")
    request["references"] = [dict(zip(names, pair, strict=True)) for pair in request["references"]]
    request["mask"] = request["mask"] and dict(zip(names, request["mask"], strict=True))


def _adopt_uploads(tx: Transaction, tables: dict[str, list[Row]], id_seed: int, now: int) -> None:
    """Take copies of other accounts' uploads that a task's pictures contain."""
    own = {upload["id"] for upload in tables["uploads"]}
    for task in tables["tasks"]:
        request = task["request"]
        for reference in [*request["references"], *filter(None, [request["mask"]])]:
            if reference["upload_id"] in own or reference["upload_id"] is None:
                continue
            upload = tx.upload(reference["upload_id"])
            copy_id = None if upload is None else copy_of(id_seed, upload.content)
            reference["upload_id"] = copy_id
            if upload is None or copy_id is None or copy_id in own:
                continue
            own.add(copy_id)
            row = {"id": copy_id, "media_type": upload.media_type, "content": upload.content}
            tables["uploads"].append({**row, "created_at": now})


def _outcome_settings(settings: Settings) -> dict[str, str]:
    """The settings that change outcomes, as texts."""
    return {
        "profile": settings.profile.name,
        "first_status": settings.first_status or "the profile's",
        "latency": str(settings.latency),
        "frames": frames_text(settings.frames),
        "prices": shown(settings.prices),
        "quality_factors": shown(settings.quality_factors),
        "price_pixels": shown(settings.price_pixels),
        "media_ttl_hours": f"{settings.media_ttl_hours:g}",
        "stuck_after_seconds": f"{settings.stuck_after_seconds:g}",
        "callback_retry_delays_seconds": shown(settings.callback_retry_delays_seconds),
        "callback_retry_jitter": f"{settings.callback_retry_jitter:g}",
        "picture renderer": str(RENDERER_VERSION),
    }
