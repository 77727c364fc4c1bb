"""How long a process keeps what it took, of deliveries and of accounts' clocks."""

from emulator.core.clock import SECOND

# Who does something has it for so long, and says again and again that it goes on, so that
# another takes over soon after its death.
LEASE_MS = 5 * SECOND
RENEWAL_SECONDS = 2.0
