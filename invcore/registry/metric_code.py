"""The code of metrics: whether stored numbers are of what is installed. No torch here."""

from invcore.base.errors import InvcoreError
from invcore.registry.code import scoring_code_of
from invcore.registry.loader import Plugins
from invcore.registry.registry import Entry
from invcore.registry.versions import versions_of
from invcore.storage.identity import identity
from invcore.storage.run_record import RunRecord


def metric_code(entry: Entry) -> str:
    """Twelve digits that stand for the code of a metric and of what it shares."""
    return identity({"versions": versions_of([entry]), "code": scoring_code_of(entry)})


def old_metrics(record: RunRecord, plugins: Plugins) -> set[str]:
    """The metrics whose numbers in a record were made by another code than is installed now.

    Settings do not count, and nothing is imported: listings ask this.
    """
    old = set()
    for name, scoring in record.scoring.items():
        try:
            entry = plugins.registry.find("metric", name)
        except InvcoreError:  # it is not installed, so that there is nothing newer
            continue
        if metric_code(entry) != scoring.code:
            old.add(name)
    return old
