"""All use cases in one hand: what handlers and the command line call."""

from typing import NamedTuple

from emulator.core.ports import Entropy, Pause, RealClock
from emulator.service.accounts import Accounts
from emulator.service.clocks import Clocks
from emulator.service.deliveries import Deliveries
from emulator.service.faults import Faults
from emulator.service.forcing import Forcing
from emulator.service.inboxes import Inboxes
from emulator.service.journal import Journal
from emulator.service.media import Media
from emulator.service.readiness import Readiness
from emulator.service.receiver_score import ReceiverScore
from emulator.service.references import References
from emulator.service.resets import Resets
from emulator.service.snapshots import Snapshots
from emulator.service.tasks import Tasks
from emulator.service.watch import Watch
from emulator.settings import Settings


class Services(NamedTuple):
    """The use cases of one server."""

    settings: Settings
    clock: RealClock
    entropy: Entropy
    accounts: Accounts
    tasks: Tasks
    media: Media
    references: References
    deliveries: Deliveries
    inboxes: Inboxes
    receiver_score: ReceiverScore
    clocks: Clocks
    faults: Faults
    pause: Pause
    forcing: Forcing
    resets: Resets
    snapshots: Snapshots
    journal: Journal
    readiness: Readiness
    watch: Watch
    media_secret: bytes
