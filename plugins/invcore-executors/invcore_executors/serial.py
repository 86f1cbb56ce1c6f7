"""One run after another."""

from collections.abc import Callable, Iterable, Iterator

from invcore.plugin import Config, Executor, Job, Record


class Serial(Executor[Config]):
    """One run after another, in this process.

    A run that takes the process down takes the rest with it; see ``processes``.

    Example:
        >>> list(Serial().map(lambda job: {"status": "ok", **job}, [{"seed": 0}]))
        [{'status': 'ok', 'seed': 0}]
    """

    def map(self, work: Callable[[Job], Record], jobs: Iterable[Job]) -> Iterator[Record]:
        """Do all jobs, each when the record before it was taken."""
        for job in jobs:
            yield work(job)
