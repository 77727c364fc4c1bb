"""Faults: adding, listing and removing them, and finding the one that acts."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from pydantic_core import SchemaError, SchemaValidator, core_schema

from emulator.core.errors import Refusal, shown
from emulator.core.fault import (
    MAX_FAULTS,
    Facts,
    Fault,
    Hit,
    parse_directives,
    parse_fault,
    parse_preset,
)
from emulator.settings import Settings
from emulator.store.faults import StoredFault
from emulator.store.records import Caller, Database
from emulator.store.transaction import Transaction

_ACCOUNTS_CACHED = 1_000
_PATTERNS_CACHED = 100  # one may take 10 MB
_MOST_PATTERNS = 20  # an account's
_PHASES_OF_REQUESTS = ("request", "transport")
_PHASES_OF_CALLS = (*_PHASES_OF_REQUESTS, "task")
_EARLY_CALLBACK = ("early", "")


class _Active(NamedTuple):
    """A fault that may act, ready to be held against facts; its operation is looked at before."""

    number: int
    fault: Fault
    task_id: str | None
    prompt: str | None
    regex: SchemaValidator | None


_ActiveFaults = dict[tuple[str, str], list[_Active]]  # (phase, operation) -> in order


def _meeting(active: Iterable[_Active], facts: Facts) -> Iterator[_Active]:
    """The faults that have to do with these facts."""
    sent, asked_for = facts.prompt, facts.task_id
    for one in active:
        _, _, task_id, prompt, regex = one
        if prompt is not None and (sent is None or prompt not in sent):
            continue
        if task_id is not None and task_id != asked_for:
            continue
        if regex is None or regex.isinstance_python(sent):
            yield one


def _any_meets(active: _ActiveFaults, keys: Iterable[tuple[str, str]], facts: Facts) -> bool:
    return any(_meeting(chain.from_iterable(active.get(key, ()) for key in keys), facts))


class Faults:
    """Use cases about faults.

    Args:
        database: where they are kept.
        settings: what callbacks can do, and whether prompts may carry directives.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._signs = settings.callback_secret is not None
        self._calls_back = settings.callbacks != "off"
        self._directives = settings.prompt_directives
        self._cache: OrderedDict[str, tuple[int, _ActiveFaults]] = OrderedDict()

    async def add(self, caller: Caller, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Add a fault, several in a row, or a preset: all of them, or none.

        Raises:
            Refusal: one of them is wrong, or there would be too many.
        """
        faults = [self._parse(one) for one in _wanted(body)]

        def work(tx: Transaction) -> list[dict[str, Any]]:
            self._check_room(tx, caller.account_id, len(faults))
            check_patterns([*(one.fault for one in tx.faults(caller.account_id)), *faults])
            numbers = {tx.add_fault(caller.account_id, fault) for fault in faults}
            stored = tx.faults(caller.account_id)
            return [_as_json(fault) for fault in stored if fault.number in numbers]

        return await self._database.write(work, caller.account_id)

    async def listed(self, caller: Caller) -> list[dict[str, Any]]:
        """The account's faults, in the order in which they are asked."""
        stored = await self._database.read(lambda tx: tx.faults(caller.account_id))
        return [_as_json(fault) for fault in stored]

    async def remove(self, caller: Caller, number: int | None = None) -> int:
        """Remove one fault, or all of them; return how many.

        Raises:
            Refusal: there is no fault with this number.
        """
        account_id = caller.account_id
        removed = await self._database.write(
            lambda tx: tx.remove_faults(account_id, number), account_id
        )
        if number is not None and not removed:
            raise Refusal("not_found", f"There is no fault {number} in this account.")
        return removed

    def is_unmet(self, caller: Caller, facts: Facts) -> bool:
        """Whether a request surely meets no fault, by what is known without the database."""
        if facts.prompt is not None and "[[" in facts.prompt:
            return False
        if not caller.faults_version:
            return True
        version, active = self._cache.get(caller.account_id, (0, {}))
        if version != caller.faults_version:
            return False
        keys = [(phase, facts.operation) for phase in _PHASES_OF_CALLS]
        return not _any_meets(active, [*keys, _EARLY_CALLBACK], facts)

    async def meet(self, caller: Caller, facts: Facts) -> tuple[Caller, Hit | None]:
        """Find what meets a request: a fault before the task, or else one of the transport.

        Directives in the prompt become faults of the account when they are first seen.

        Returns:
            The caller, who knows of new directives, and the fault that acts.

        Raises:
            Refusal: the prompt carries a directive that can't be used.
        """
        directives = [] if facts.prompt is None else self.check_prompt(facts.prompt)
        if not directives and not caller.faults_version:
            return caller, None

        def work(tx: Transaction) -> tuple[Caller, Hit | None]:
            account_id, knowing = caller.account_id, caller
            if self._note_directives(tx, account_id, directives):
                knowing = caller._replace(faults_version=tx.faults_version(account_id))
            for phase in _PHASES_OF_REQUESTS:
                version, seed = knowing.faults_version, knowing.seed
                hit = self.take(tx, account_id, version, seed, phase, facts)
                if hit is not None:  # a request that is refused has no answer to disturb
                    return knowing, hit
            return knowing, None

        if not directives:
            active = await self._database.read(
                lambda tx: self._active(tx, caller.account_id, caller.faults_version)
            )
            keys = [(phase, facts.operation) for phase in _PHASES_OF_REQUESTS]
            if not _any_meets(active, keys, facts):
                return caller, None
        return await self._database.write(work, caller.account_id)

    def check_prompt(self, prompt: str) -> list[tuple[str, Fault]]:
        """Read the directives in a prompt.

        Raises:
            Refusal: one of them can't be used.
        """
        if not self._directives:
            return []
        return parse_directives(prompt, signs=self._signs, calls_back=self._calls_back)

    def take(
        self, tx: Transaction, account_id: str, version: int, seed: int, phase: str, facts: Facts
    ) -> Hit | None:
        """Find the fault of a phase that acts now, and count it.

        Args:
            tx: the transaction; where it is rolled back, nothing was counted.
            account_id, version, seed: the account, its ``faults_version`` and its seed.
            phase: one of the catalogue's.
            facts: what the fault would meet.
        """
        if not version:
            return None
        active_faults = self._active(tx, account_id, version).get((phase, facts.operation), ())
        for active in _meeting(active_faults, facts):
            seen = tx.see_fault(account_id, active.number)
            if seen is not None and active.fault.fires(seen, seed, active.number):
                tx.hit_fault(account_id, active.number)
                return Hit(active.fault.name, active.fault.parameters)
        return None

    def forget(self, account_id: str) -> None:
        """Forget an account that was replaced: its versions begin anew."""
        self._cache.pop(account_id, None)

    def _active(self, tx: Transaction, account_id: str, version: int) -> _ActiveFaults:
        cached = self._cache.get(account_id)
        if cached is not None and cached[0] == version:
            return cached[1]
        found: _ActiveFaults = {}
        for stored in tx.faults(account_id):
            if stored.is_active:
                fault = stored.fault
                regex = compiled(fault.prompt_regex)
                active = _Active(stored.number, fault, fault.task_id, fault.prompt, regex)
                for operation in fault.operations or ("",):
                    found.setdefault((fault.kind.phase, operation), []).append(active)
        # Each of these steps is one for the interpreter: worker threads may come in between.
        self._cache.pop(account_id, None)
        self._cache[account_id] = (version, found)
        if len(self._cache) > _ACCOUNTS_CACHED:
            self._cache.popitem(last=False)
        return found

    def _parse(self, body: Mapping[str, Any]) -> Fault:
        fault = parse_fault(body, signs=self._signs, calls_back=self._calls_back)
        compiled(fault.prompt_regex)
        return fault

    def _note_directives(
        self, tx: Transaction, account_id: str, directives: Iterable[tuple[str, Fault]]
    ) -> bool:
        new = [pair for pair in directives if not tx.has_directive(account_id, pair[0])]
        self._check_room(tx, account_id, len(new))
        for text, fault in new:
            tx.add_fault(account_id, fault, text)
        return bool(new)

    def _check_room(self, tx: Transaction, account_id: str, more: int) -> None:
        if more and tx.count_faults(account_id) + more > MAX_FAULTS:
            message = (
                f"An account can have {MAX_FAULTS:,} faults, with those that are used up and those"
                " of directives; remove some with DELETE /_emulator/faults."
            )
            raise Refusal("invalid_value", message, "fault")


def check_patterns(faults: Iterable[Fault]) -> None:
    """Refuse more patterns than an account may have."""
    patterns = {fault.prompt_regex for fault in faults} - {None}
    if len(patterns) > _MOST_PATTERNS:
        message = (
            f"An account's faults can have {_MOST_PATTERNS} different patterns; this would make"
            f" {len(patterns)}. A prompt that is contained costs less."
        )
        raise Refusal("invalid_value", message, "prompt_regex")


def _wanted(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The faults in a body: one, those of a list, or those of a preset."""
    if body.keys() == {"preset"}:
        return parse_preset(body["preset"])
    if body.keys() != {"faults"}:
        return [body]
    faults = body["faults"]
    if not isinstance(faults, list) or not 1 <= len(faults) <= MAX_FAULTS:
        raise Refusal.invalid_value("faults", faults, f"a list of 1 to {MAX_FAULTS:,} faults")
    for position, fault in enumerate(faults):
        if not isinstance(fault, dict):
            raise Refusal.invalid_value(f"faults[{position}]", fault, "an object with a fault")
    return faults


@lru_cache(maxsize=_PATTERNS_CACHED)
def compiled(pattern: str | None) -> SchemaValidator | None:
    """Compile a pattern with an engine whose time is linear, since a client wrote it."""
    if pattern is None:
        return None
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except SchemaError as error:
        accepted = "a regular expression without look-around and back-references"
        message = f"prompt_regex must be {accepted}; {shown(pattern)} was sent."
        raise Refusal("invalid_value", message, "prompt_regex") from error


def _as_json(stored: StoredFault) -> dict[str, Any]:
    return {
        "number": stored.number,
        **stored.fault.as_json(),
        "seen": stored.seen,
        "hits": stored.hits,
        "active": stored.is_active,
    }
