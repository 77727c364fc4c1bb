"""The emulator in a test suite: start it, give each test an account, steer it, question it.

with Emulator.start() as emulator:
    account = emulator.new_account()
    client = MyClient(account.base_url, account.api_key)
"""

from emulator.testing.account import Account, Callbacks, Clock, Fault, Faults
from emulator.testing.async_account import (
    AsyncAccount,
    AsyncCallbacks,
    AsyncClock,
    AsyncFault,
    AsyncFaults,
)
from emulator.testing.async_emulator import AsyncEmulator
from emulator.testing.emulator import Emulator
from emulator.testing.errors import EmulatorError, ExpectationFailed
from emulator.testing.values import (
    Attempt,
    Callback,
    Credits,
    Delivery,
    Entry,
    Message,
    Moved,
    Requests,
)

__all__ = [
    "Account",
    "AsyncAccount",
    "AsyncCallbacks",
    "AsyncClock",
    "AsyncEmulator",
    "AsyncFault",
    "AsyncFaults",
    "Attempt",
    "Callback",
    "Callbacks",
    "Clock",
    "Credits",
    "Delivery",
    "Emulator",
    "EmulatorError",
    "Entry",
    "ExpectationFailed",
    "Fault",
    "Faults",
    "Message",
    "Moved",
    "Requests",
]
