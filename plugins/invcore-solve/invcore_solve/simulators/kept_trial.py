"""What a try of a costly function has shown, kept so that it is tried once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from invcore.plugin import read_sealed_text, replace_file, sealed
from invcore_solve.simulators.function import COSTLY, Trial

_FILE = "trial.json"
_TRIAL = TypeAdapter(Trial)


def kept_trial(folder: Path | None, dim: int | None, tried: Callable[[], Trial]) -> Trial:
    """What a try shows, found or done now.

    Args:
        folder: of the function's finished batches; None keeps nothing.
        dim: how many responses there should be; None if that is to be found.
        tried: does it; where it takes a tenth of a second or more, it is kept.

    Example:
        >>> import tempfile
        >>> once = [Trial("numpy", 2, False, "it takes NumPy arrays")]
        >>> def tried():
        ...     time.sleep(0.1)
        ...     return once.pop()
        >>> folder = Path(tempfile.mkdtemp())
        >>> kept_trial(folder, None, tried) == kept_trial(folder, 2, tried)
        True
    """
    if folder is not None:
        with suppress(OSError, ValidationError):  # damaged, or none: it is tried again
            text, whole = read_sealed_text(folder / _FILE)
            kept = _TRIAL.validate_json(text, strict=True)
            if whole and (dim is None or kept.dim == dim):
                return kept
    start = time.perf_counter()
    trial = tried()
    if folder is not None and time.perf_counter() - start >= COSTLY:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            document = json.dumps(_TRIAL.dump_python(trial), indent=1)
            replace_file(folder / _FILE, sealed(document.encode()), follow=False)
    return trial
