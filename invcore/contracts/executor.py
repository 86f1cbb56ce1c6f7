"""Executors: ways to do many runs."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from invcore.configs.configurable import C, Configurable

Job = dict[str, Any]
"""A run's config, as plain data: it can travel to another process or machine."""
Record = dict[str, Any]
"""What is known of a run when it ended, as plain data; a failure is a record too."""


class Executor(Configurable[C]):
    """A way to do many runs: one after another, in processes, on a cluster.

    Example:
        >>> class Serial(Executor):
        ...     def map(self, work, jobs):
        ...         return map(work, jobs)
        >>> list(Serial().map(lambda job: {"status": "ok", **job}, [{"seed": 0}]))
        [{'status': 'ok', 'seed': 0}]
    """

    @abstractmethod
    def map(self, work: Callable[[Job], Record], jobs: Iterable[Job]) -> Iterator[Record]:
        """Do all jobs, giving each record as it is ready, in any order.

        A job that is lost, because its process died for example, has a record too: the job with
        ``status`` "error" and a ``reason``. A caller may show a job as running once it was taken
        from ``jobs``, so take it when it begins.

        Args:
            work: a module-level function, importable by name elsewhere; it does not raise.
            jobs: the runs to do.
        """
