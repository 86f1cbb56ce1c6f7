"""The code of metrics: whether stored numbers are of what is installed. No torch here."""

from collections.abc import Mapping

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
    codes = {name: scoring.code for name, scoring in record.scoring.items()}
    return InstalledMetrics(plugins).old(codes)


class InstalledMetrics:
    """The metrics that are installed, whose code is looked up once for many runs.

    Args:
        plugins: where they are looked up.
    """

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins
        self._codes: dict[str, str | None] = {}

    def old(self, codes: Mapping[str, str]) -> set[str]:
        """Those of which another code is installed than made their numbers.

        Args:
            codes: by metric, what stands for the code that made them.
        """
        # Of one that is not installed there is nothing newer
        return {name for name, code in codes.items() if self._code(name) not in (None, code)}

    def _code(self, name: str) -> str | None:
        if name not in self._codes:
            try:
                self._codes[name] = metric_code(self._plugins.registry.find("metric", name))
            except InvcoreError:
                self._codes[name] = None
        return self._codes[name]
