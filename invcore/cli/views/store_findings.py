"""What faults have left in a store, as checks of the doctor; mended where that is asked for."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from invcore.base.errors import StoreError
from invcore.base.progress import Progress
from invcore.cli.views.doctor_checks import Check
from invcore.storage.findings import Finding


def check_findings(
    folder: Path, *, repair: bool, progress: Progress | None = None
) -> Iterator[Check]:
    """A check for each thing that is wrong; one that all is well, if nothing is.

    Args:
        folder: a store, or the folder of a loop, such as a campaign.
        repair: mend what can be.
        progress: shows how runs are read.
    """
    all_of_them = _all(folder, progress)
    checks = [_mended(each) if repair else _reported(each, folder) for each in all_of_them]
    yield from checks or [Check("leftovers", "ok", f"none in {folder}")]


def _all(folder: Path, progress: Progress | None) -> Iterator[Finding]:
    from invcore.benchmarking.manifest_findings import manifest_findings
    from invcore.search.loop_journal.findings import is_loop, loop_findings
    from invcore.storage.findings import LOOPS, findings
    from invcore.storage.store import Store

    if not folder.is_dir():
        return
    if is_loop(folder):
        yield from loop_findings(folder)
        return
    store, loops = Store(folder), folder / LOOPS
    inside = loops.iterdir() if loops.is_dir() and not loops.is_symlink() else ()
    yield from findings(store, progress)
    yield from chain.from_iterable(
        loop_findings(each) for each in sorted(inside) if not each.is_symlink() and is_loop(each)
    )
    yield from manifest_findings(store)


def _reported(finding: Finding, folder: Path) -> Check:
    found = f"{finding.path}: {finding.found}"
    advice = finding.advice
    if finding.mend is not None:
        advice = f"invcore doctor --repair --store {folder} ({finding.repair})"
    return Check(finding.what, "warning" if finding.harmless else "problem", found, advice)


def _mended(finding: Finding) -> Check:
    found = f"{finding.path}: {finding.found}"
    if finding.mend is None:
        return Check(finding.what, "problem", found, finding.advice)
    try:
        finding.mend()
    except StoreError as error:
        return Check(finding.what, "problem", f"{found}; {error}", "see who owns the folder")
    return Check(finding.what, "ok", f"{found}; {finding.repair}", repaired=True)
