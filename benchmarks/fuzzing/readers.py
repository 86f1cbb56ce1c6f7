"""All readers, by name."""

from fuzzing.reader import Reader
from fuzzing.store_readers import store_readers
from fuzzing.stored_readers import stored_readers
from fuzzing.table_readers import table_readers
from fuzzing.text_readers import text_readers

READERS: dict[str, Reader] = {
    reader.name: reader
    for made in (text_readers, table_readers, stored_readers, store_readers)
    for reader in made()
}
"""Whatever reads what comes from outside is here: the tests and `benchmarks/fuzz.py` use it."""
