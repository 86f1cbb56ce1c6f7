"""What faults have left in the folder of a loop, and how it is mended."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from invcore.base.errors import StoreError
from invcore.search.loop_journal.event_files import LAST, STATE, EventFolder, read_event
from invcore.storage.findings import Finding, damaged, set_aside, unfinished
from invcore.storage.locks import held


def is_loop(folder: Path) -> bool:
    """Whether a folder is that of a loop, such as a campaign, whatever state it is in."""
    events = folder / "events"
    return events.is_dir() and not events.is_symlink()


def loop_findings(folder: Path) -> Iterator[Finding]:
    """What is wrong with the folder of a loop; nothing while another process works in it.

    A damaged last event is moved away, so that the loop goes on from the one before: it is a step
    that was not finished when the machine failed. Of a damaged event before it nothing can be done
    here, since those after it rest upon it.
    """
    events = folder / "events"
    if held(folder / ".lock"):
        return
    for place in (folder, events):
        yield from unfinished(place)
    names = sorted(path.name for path in events.glob("[0-9]*.safetensors"))
    files = EventFolder(folder)
    try:
        deque(files.new(), maxlen=0)  # reads all, one after another
        files.check_gaps()
    except StoreError as error:
        path, found = files.path(files.count), str(error).rpartition(os.sep)[2]
        if names and names[-1] == path.name and files.count:
            mend = partial(_without_last, path, folder)
            repair = "the last event is moved to damaged/: what it said has to be told again"
            yield Finding("loop", path, found, repair, mend)
        else:
            advice = "restore it from a backup; if only the last events are lost, removing the "
            advice += f"file events/{LAST} goes on without them"
            yield Finding("loop", path, found, advice=advice)
        return
    state = folder / STATE
    if state.exists():
        try:
            read_event(state)
        except StoreError as error:
            found = str(error).removeprefix(f"{state}: ")
            yield damaged("loop", state, found, folder)


def _without_last(path: Path, folder: Path) -> None:
    """Set the last event aside, and the state, which may have been kept after it."""
    set_aside(path, folder)
    EventFolder(folder).note_last(int(path.stem) - 1)
    if (folder / STATE).exists():
        set_aside(folder / STATE, folder)
