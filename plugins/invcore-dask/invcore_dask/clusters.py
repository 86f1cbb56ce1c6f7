"""Where the workers are: on this machine, at a scheduler's address, or in a queue."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any, Literal

import dask
from distributed import Client, LocalCluster

from invcore.plugin import Config, ConfigError, Field, InvcoreError, printable

_WAIT_S = 20.0  # for a scheduler to answer


class DaskConfig(Config):
    """Settings of dask."""

    scheduler: str = Field(
        "", description="Address of a running one, such as tcp://host:8786; empty: see cluster."
    )
    cluster: Literal["local", "slurm", "pbs"] = Field(
        "local", description="Without a scheduler: workers on this machine, or jobs of a queue."
    )
    workers: int = Field(2, ge=1, le=10_000, description="Workers of a cluster made here.")
    threads: int = Field(1, ge=1, description="Threads of torch for each job.")
    retries: int = Field(
        3, ge=0, le=100, description="Times that a job whose worker was lost is begun again."
    )
    gpus: float = Field(
        0.0, ge=0, description="Of the resource GPU that each job takes, as workers declare it."
    )
    queue: str = Field("", description="Of SLURM (a partition) or PBS.")
    account: str = Field("", description="That SLURM or PBS books on.")
    walltime: str = Field("01:00:00", description="Of a worker in a queue.")
    memory: str = Field("4GB", description="Of a worker in a queue.")
    directives: tuple[str, ...] = Field(
        (), description="Further ones for a queue's jobs, such as --gres=gpu:1."
    )
    keep_output: bool = Field(
        False, description="Keep the last line that a job's process printed before it died."
    )


def connected(config: DaskConfig) -> tuple[Client, Any]:
    """A client, and the cluster that was made for it, if one was.

    Raises:
        InvcoreError: no scheduler answers, or no cluster can be made.
        ConfigError: dask-jobqueue is not installed.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    dask.config.set({
        "distributed.scheduler.allowed-failures": config.retries,
        "distributed.logging.distributed": "critical",
    })  # fmt: skip
    if config.scheduler:
        try:
            return Client(config.scheduler, timeout=_WAIT_S, set_as_default=False), None
        except (OSError, ValueError, TimeoutError) as error:
            raise InvcoreError(
                f"scheduler {printable(config.scheduler, 100)}: no answer ({printable(error, 100)})"
            ) from None
    cluster = _made(config)
    try:
        return Client(cluster, set_as_default=False), cluster
    except BaseException:
        with suppress(Exception):
            cluster.close()
        raise


def _made(config: DaskConfig) -> Any:
    if config.cluster == "local":
        return LocalCluster(
            n_workers=config.workers, threads_per_worker=1, processes=True, memory_limit=0,
            host="127.0.0.1", dashboard_address=None, silence_logs=logging.CRITICAL,
            resources={"GPU": max(1.0, config.gpus)} if config.gpus else None,
        )  # fmt: skip
    try:
        from dask_jobqueue import PBSCluster, SLURMCluster
    except ImportError:
        raise ConfigError(
            f"cluster {config.cluster!r} needs dask-jobqueue: pip install invcore-dask[jobqueue]"
        ) from None
    kind = SLURMCluster if config.cluster == "slurm" else PBSCluster
    resources = ["--resources", f"GPU={config.gpus:g}"] if config.gpus else []
    cluster = kind(
        queue=config.queue or None, account=config.account or None, walltime=config.walltime,
        memory=config.memory, cores=1, processes=1, nanny=True,
        job_extra_directives=list(config.directives), worker_extra_args=resources,
        scheduler_options={"dashboard_address": ":0"},
    )  # fmt: skip
    cluster.scale(jobs=config.workers)
    return cluster
