"""A run's folder taken away: first out of its place, in one step, then deleted."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from invcore.base.errors import StoreError
from invcore.storage.atomic import SCRATCH
from invcore.storage.index.run_folders import RECORD
from invcore.storage.store import Store


def remove_run(store: Store, run: str, checksum: str) -> bool:
    """Delete a run, if its record is the one that is meant; nobody ever sees a part of it.

    Args:
        store: where it is.
        run: its id.
        checksum: SHA-256 of its record; one that was done again meanwhile has another.

    Raises:
        StoreError: it cannot be removed.
    """
    try:
        if hashlib.sha256((store.path(run) / RECORD).read_bytes()).hexdigest() != checksum:
            return False
        aside = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=store.root))
        os.rename(store.path(run), aside / run)
        shutil.rmtree(aside)
        return True
    except OSError as error:
        raise StoreError(f"{store.path(run)}: cannot be removed ({error.strerror})") from None
