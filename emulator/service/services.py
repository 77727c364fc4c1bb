"""All use cases in one hand: what handlers and the command line call."""

from dataclasses import dataclass

from emulator.core.ports import Entropy, RealClock
from emulator.service.accounts import Accounts
from emulator.service.clocks import Clocks
from emulator.service.deliveries import Deliveries
from emulator.service.journal import Journal
from emulator.service.media import Media
from emulator.service.references import References
from emulator.service.tasks import Tasks
from emulator.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases of one server."""

    settings: Settings
    clock: RealClock
    entropy: Entropy
    accounts: Accounts
    tasks: Tasks
    media: Media
    references: References
    deliveries: Deliveries
    clocks: Clocks
    journal: Journal
    media_secret: bytes
