"""Make spectra with the real solver, in shards that survive a restart.

    python -m invcore_metamaterial.generate --count 5000 --orders 8 --jobs 2 --out spectra

A shard is one safetensors file with its settings in the header; finished ones are not made again.
Each shard draws its designs from its own seed, so the data do not depend on how many processes
made them, or in which order.
"""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import torch
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn
from torch import Tensor

from invcore.cli.kit import build_executor, executor_options
from invcore.plugin import (
    DataError,
    Executor,
    Job,
    Record,
    generator,
    installed,
    one_line,
    read_sealed,
    replace_file,
    sealed_tensors,
)
from invcore_metamaterial.rcwa import PERIOD, Material
from invcore_metamaterial.spectra import adaptive_reflectance, design_space

SHARD = 50  # cells: a few minutes of one core
_KIND = "settings"


def make_shard(folder: Path, number: int, settings: dict[str, Any]) -> float:
    """Make one shard, unless it is there; the seconds it took.

    Raises:
        DataError: the folder holds a shard of other settings.
    """
    path = folder / f"shard-{number:05d}.safetensors"
    if path.exists():
        _check(path, _read(path)[1], settings)
        return 0.0
    torch.set_num_threads(1)
    started = time.process_time()
    designs = design_space().sample(SHARD, generator(settings["seed"], f"shard {number}"))
    material = Material(settings["permittivity"], settings["loss_tangent"])
    y, solved = adaptive_reflectance(
        designs.double(),
        orders=settings["orders"],
        material=material,
        period=settings["period"],
        tolerance=settings["tolerance"],
    )
    tensors = {"x": designs.double(), "y": y.float(), "solved": solved}
    replace_file(path, sealed_tensors(tensors, json.dumps(settings, sort_keys=True), kind=_KIND))
    return time.process_time() - started


def read_shards(folder: Path) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """Read all shards of a folder: designs (N, 8), reflectances (N, 300), their settings.

    Raises:
        DataError: there are none, or they are of different settings.
    """
    paths = sorted(folder.glob("shard-*.safetensors"))
    if not paths:
        raise DataError(f"no shard in {folder}: make some with invcore_metamaterial.generate")
    parts = [_read(path) for path in paths]
    settings = parts[0][1]
    for path, (_, other) in zip(paths, parts, strict=True):
        _check(path, other, settings)
    x, y = (torch.cat([tensors[name] for tensors, _ in parts]) for name in ("x", "y"))
    return x, y.double(), settings


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A shard's tensors and settings.

    Raises:
        DataError: it is damaged.
    """
    try:
        shard = read_sealed(path, kind=_KIND)
        settings = json.loads(shard.text or "")
        whole = shard.whole is not False and {"x", "y", "solved"} <= shard.tensors.keys()
    except (OSError, ValueError):
        whole = False
    if not whole:  # those of earlier versions have no checksum
        raise DataError(f"{path}: damaged; remove it, and make it again")
    return shard.tensors, settings


def _check(path: Path, settings: dict[str, Any], wanted: dict[str, Any]) -> None:
    if settings != wanted:
        raise DataError(f"{path} was made with {settings}, wanted {wanted}: take another folder")


@click.command()
@click.option("--count", default=5000, show_default=True, help="Cells to simulate.")
@click.option("--orders", default=8, show_default=True, help="m: plane waves -m to m.")
@click.option("--seed", default=0, show_default=True, help="Decides the cells.")
@click.option("--loss-tangent", default=0.05, show_default=True, help="Of the cylinders.")
@executor_options("Shards", "--set")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of shards.")
def main(
    count: int, orders: int, seed: int, loss_tangent: float, out: Path, **how: Any
) -> None:  # fmt: skip
    """Make COUNT spectra of random cells; repeat the command to go on where it stopped."""
    executor = build_executor(installed(), **how)
    out.mkdir(parents=True, exist_ok=True)
    settings = {
        "seed": seed,
        "orders": orders,
        "permittivity": Material().permittivity,
        "loss_tangent": loss_tangent,
        "period": PERIOD,
        "tolerance": 1e-4,
    }
    numbers = range(-(-count // SHARD))
    columns = (*Progress.get_default_columns()[:-1], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task(f"shards of {SHARD}", total=len(numbers))
        for seconds in _shard_seconds(out, numbers, settings, executor):
            progress.update(bar, advance=1, description=f"{seconds:.0f} s of CPU a shard")
    x, _, _ = read_shards(out)
    click.echo(f"{len(x)} spectra in {out}")


def _shard_seconds(
    out: Path, numbers: Sequence[int], settings: dict[str, Any], executor: Executor[Any] | None
) -> Iterator[float]:
    """The seconds of each shard, as it is ready.

    Raises:
        DataError: a shard cannot be made, or its process was lost.
    """
    if executor is None:
        yield from (make_shard(out, number, settings) for number in numbers)
        return
    jobs = (
        {"id": str(number), "folder": str(out.absolute()), "settings": settings}
        for number in numbers
    )
    for record in executor.map(shard_job, jobs):
        if record["status"] != "ok":
            raise DataError(f"shard {record['id']}: {record['reason']}")
        yield record["seconds"]


def shard_job(job: Job) -> Record:
    """Make a shard, here; executors call it wherever they are."""
    try:
        seconds = make_shard(Path(job["folder"]), int(job["id"]), job["settings"])
    except Exception as error:  # of the solver, or of the folder
        return {"id": job["id"], "status": "error", "reason": one_line(error)}
    return {"id": job["id"], "status": "ok", "seconds": seconds}


if __name__ == "__main__":
    main()
