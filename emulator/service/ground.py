"""What every use case stands on."""

from dataclasses import dataclass, field

from emulator.core.ports import RealClock
from emulator.service.tally import Tally
from emulator.service.wakeups import Wakeups
from emulator.settings import Settings
from emulator.store.records import Database


@dataclass(frozen=True, slots=True)
class Ground:
    """What use cases share.

    Attributes:
        database: where everything is kept.
        clock: the machine's.
        settings: the server's.
        media_secret: signs links.
        wakeups: tells who waits that something is due.
        replica: names this process among those on the same database.
        tally: counts what was done.
    """

    database: Database
    clock: RealClock
    settings: Settings
    media_secret: bytes
    wakeups: Wakeups
    replica: str
    tally: Tally = field(default_factory=Tally)
