"""The readings kept: a ledger of batches, the current picture, any past one, undo and backup.

Truth is the originals, kept as they came. Everything else can be made from them and the ledger again.
"""

from store.drafts import Draft
from store.ledger import Batch
from store.replay import Rebuilt
from store.store import Receipt, Store, open_store, rebuild, shared

__all__ = ["Batch", "Draft", "Rebuilt", "Receipt", "Store", "open_store", "rebuild", "shared"]
