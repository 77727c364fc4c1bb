"""gpt-image-emulator keys: create, list, revoke."""

import argparse
import asyncio
import sys
from pathlib import Path

from emulator.adapters.entropy import SystemEntropy
from emulator.adapters.real_clock import SystemClock
from emulator.core.clock import rfc3339
from emulator.core.errors import Refusal
from emulator.service.accounts import Accounts, NewKey
from emulator.settings import SettingError, Settings
from emulator.settings_text import whole_number
from emulator.store.opening import is_postgres, open_database
from emulator.store.records import StoreError

_MOST_CREDITS = 10**12


def run_keys(parsed: argparse.Namespace, settings: Settings) -> int:
    """Carry out a keys command; return the exit code."""
    new = _new_key(parsed, settings) if parsed.action == "create" else None
    where = settings.database
    if new is None and not is_postgres(where) and not Path(where).exists():
        raise StoreError(f"there is no database {where}")
    database = open_database(where)
    accounts = Accounts(database, SystemClock(), SystemEntropy(), settings)
    try:
        if new is not None:
            return asyncio.run(_create(accounts, new))
        if parsed.action == "list":
            return asyncio.run(_list(accounts))
        return asyncio.run(_revoke(accounts, parsed.name))
    except Refusal as refusal:
        raise StoreError(refusal.message) from refusal
    finally:
        database.close()


def _new_key(parsed: argparse.Namespace, settings: Settings) -> NewKey:
    def number(flag: str, text: str | None, least: int, most: int) -> int | None:
        try:
            return None if text is None else whole_number(least, most)(text)
        except ValueError as error:
            raise SettingError(f"{flag} takes {error}; {text!r} was given") from error

    credits = number("--credits", parsed.credits, 0, _MOST_CREDITS)
    models = None if parsed.models is None else tuple(parsed.models.split(","))
    if not 1 <= len(parsed.name) <= 100:
        raise SettingError(f"--name takes a text of 1 to 100 characters; {parsed.name!r} was given")
    return NewKey(
        name=parsed.name,
        credits=settings.initial_credits if credits is None else credits,
        budget_credits=number("--budget", parsed.budget, 0, _MOST_CREDITS),
        requests_per_minute=number(
            "--requests-per-minute", parsed.requests_per_minute, 1, 1_000_000
        ),
        models=models,
    )


async def _create(accounts: Accounts, new: NewKey) -> int:
    key, record = await accounts.create_key(new)
    _say(key)
    print(  # noqa: T201
        f"The key of {record.account_id}, shown this once: only its hash is kept.",
        file=sys.stderr,
    )
    return 0


async def _list(accounts: Accounts) -> int:
    _say(f"{'NAME':<20} {'KEY':<10} {'ACCOUNT':<30} {'BUDGET':<17} {'PER MINUTE':<10} CREATED")
    for key in await accounts.list_keys():
        budget = "-"
        if key.budget_credits is not None:
            budget = f"{key.budget_used}/{key.budget_credits}"
        revoked = " (revoked)" if key.revoked_at is not None else ""
        _say(
            f"{key.name:<20} {key.hint:<10} {key.account_id:<30} {budget:<17}"
            f" {key.requests_per_minute or '-':<10} {rfc3339(key.created_at)}{revoked}"
        )
    return 0


async def _revoke(accounts: Accounts, key_or_name: str) -> int:
    revoked = await accounts.revoke(key_or_name)
    _say(f"{revoked} revoked" if revoked else "there is no such key that is not revoked")
    return 0 if revoked else 1


def _say(line: str) -> None:
    print(line)  # noqa: T201
