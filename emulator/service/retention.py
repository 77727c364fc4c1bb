"""Old things go, so that a server that runs for weeks stays as large as it is."""

import asyncio
import logging

from emulator.core.ports import Pause
from emulator.service.accounts import default_seed
from emulator.service.faults import Faults
from emulator.service.ground import Ground
from emulator.store.transaction import Transaction

_log = logging.getLogger("emulator.retention")

_PERIOD_SECONDS = 60.0
_LEASE = "sweep_lease"
_LEASE_MS = 180_000  # longer than a period: who sweeps goes on sweeping
_REST_SECONDS = 0.005  # after each batch, for the requests
_ACCOUNTS = 200  # a page
_ROWS = 50  # a batch, which takes a few milliseconds
_ENTRIES = 500  # a batch of the ledger, which are removed at once
_UPLOADS = 1  # a batch: one may have 20 MB


class Retention:
    """Removes what ended longer ago than ``retain_days``, on each account's clock.

    Args:
        ground: what use cases share.
        faults: forgets an account that is deleted.
        pause: lets real time pass between batches.
    """

    def __init__(self, ground: Ground, faults: Faults, pause: Pause) -> None:
        self._database = ground.database
        self._clock = ground.clock
        self._settings = ground.settings
        self._faults = faults
        self._pause = pause
        self._leads_until = 0

    async def run(self) -> None:
        """Sweep once a minute, until cancelled; not at all where everything is kept."""
        while self._settings.retain_ms:
            await asyncio.sleep(_PERIOD_SECONDS)
            try:
                await self.sweep()
            except Exception:
                _log.exception("a sweep ended early")

    async def sweep(self) -> bool:
        """Remove what is old from all accounts; False where another process sweeps."""
        after = ""
        while await self._leads():
            page = await self._accounts_after(after)
            if not page:
                return True
            for account_id in page:
                await self._sweep_account(account_id)
            after = page[-1]
            await self._pause(_REST_SECONDS)
        return False

    async def _accounts_after(self, account_id: str) -> list[str]:
        return await self._database.read(lambda tx: tx.accounts_after(account_id, _ACCOUNTS))

    async def _sweep_account(self, account_id: str) -> None:
        while await self._leads():
            if not await self._database.write(
                lambda tx: self._remove_some(tx, account_id), account_id
            ):
                return
            await self._pause(_REST_SECONDS)

    async def _leads(self) -> bool:
        """Whether this process is the one that sweeps; a dead one's lease ends by itself."""
        real_now = self._clock.now()
        if self._leads_until - real_now > _LEASE_MS // 2:
            return True
        held, until = self._leads_until, real_now + _LEASE_MS
        leads = await self._database.write(lambda tx: tx.take_lease(_LEASE, held, until, real_now))
        self._leads_until = until if leads else 0
        return leads

    def _remove_some(self, tx: Transaction, account_id: str) -> bool:
        """Remove one batch; False where nothing old is left."""
        account, real_now = tx.account(account_id), self._clock.now()
        # An advance that is under way still has to tell what ended.
        if account is None or account.clock_leased_until > real_now:
            return False
        before = account.clock.now(real_now) - self._settings.retain_ms
        # The ledger comes first: its sum stands for the charges of tasks that are gone.
        if (
            tx.fold_ledger(account_id, before, _ENTRIES)
            or tx.remove_tasks(account_id, before, _ROWS)
            or tx.remove_uploads(account_id, before - self._settings.media_ttl_ms, _UPLOADS)
            or tx.remove_journal(account_id, before, _ROWS)
            or tx.remove_messages(account_id, before, _ROWS)
        ):
            return True
        if self._settings.keys == "open":
            self._remove_unused(tx, account_id, real_now - self._settings.retain_ms)
        return False

    def _remove_unused(self, tx: Transaction, account_id: str, before: int) -> None:
        """Delete an account that its key's next use makes anew, just as it is."""
        found = tx.unused_account(account_id, before)
        if found is None or found[1] != default_seed(found[0]):
            return
        # The key first: where another process serves it at this moment, one of the two is told.
        if tx.remove_unused_key(found[0], before):
            tx.clear_account(account_id)
            tx.delete_account(account_id)
            self._faults.forget(account_id)
