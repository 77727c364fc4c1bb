"""Everything that a transaction can do."""

from emulator.store.accounts import AccountQueries
from emulator.store.deliveries import DeliveryQueries
from emulator.store.faults import FaultQueries
from emulator.store.fingerprints import FingerprintQueries
from emulator.store.inboxes import InboxQueries
from emulator.store.journal import JournalQueries
from emulator.store.retention import RetentionQueries
from emulator.store.snapshots import SnapshotQueries
from emulator.store.tasks import TaskQueries


class Transaction(
    AccountQueries,
    TaskQueries,
    DeliveryQueries,
    FaultQueries,
    FingerprintQueries,
    InboxQueries,
    JournalQueries,
    RetentionQueries,
    SnapshotQueries,
):
    """All queries of one transaction."""
