"""Everything that a transaction can do."""

from emulator.store.accounts import AccountQueries
from emulator.store.deliveries import DeliveryQueries
from emulator.store.journal import JournalQueries
from emulator.store.tasks import TaskQueries


class Transaction(AccountQueries, TaskQueries, DeliveryQueries, JournalQueries):
    """All queries of one transaction."""
