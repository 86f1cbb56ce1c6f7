"""``invcore store``: check a store, take in the runs of others, and archive runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from invcore.base.text import counted, safe
from invcore.cli.options import BenchName, RunId, json_option, store_option

if TYPE_CHECKING:
    from invcore.storage.store import Store
    from invcore.storage.upkeep.adoption import Adopted

_UNWELL = 1
_SHOWN = 20  # problems in a table; --json has all
_DAY = 86_400


@click.group()
def store() -> None:
    """Check, merge and archive stores of runs."""


@store.command()
@store_option
@json_option
@click.pass_context
def check(ctx: click.Context, store_path: str, as_json: bool) -> None:
    """Read all that a store holds, and check every checksum.

    Runs, manifests of benches, journals of loops, caches. The exit code is 1 if something is
    damaged; what a killed process left behind is said, and is no damage.
    """
    from invcore.benchmarking.store_check import check_store
    from invcore.cli import text_table
    from invcore.cli.console import emit_json, progress
    from invcore.storage.store import Store

    with progress() as bars:
        findings = list(check_store(Store(_there(store_path)), bars))
    kinds = list(dict.fromkeys(["run", *(one.kind for one in findings)]))
    counts = {kind: [one for one in findings if one.kind == kind] for kind in kinds}
    bad = [one for one in findings if one.problem]
    damaged = sum(one.kind != "leftover" for one in bad)
    if as_json:
        emit_json({
            "checked": {kind: len(own) for kind, own in counts.items()},
            "problems": [one._asdict() for one in bad], "damaged": damaged,
        })  # fmt: skip
    else:
        rows = [
            [kind, str(len(own)), str(sum(bool(one.problem) for one in own))]
            for kind, own in counts.items()
        ]
        text_table.show(["what", "checked", "problems"], rows, wrapped=0, right=(1, 2))
        for one in bad[:_SHOWN]:
            click.echo(f"{one.kind} {safe(one.name)}: {safe(one.problem)}")
        if len(bad) > _SHOWN:
            click.echo(f"and {len(bad) - _SHOWN} more: --json has all")
    if damaged:
        ctx.exit(_UNWELL)


@store.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path(file_okay=False))
@click.option(
    "--into", "store_path", default="runs", show_default=True, type=click.Path(file_okay=False),
    help="The store that takes them.",
)  # fmt: skip
@json_option
@click.pass_context
def merge(ctx: click.Context, sources: tuple[str, ...], store_path: str, as_json: bool) -> None:
    """Take the runs of other stores in, and the manifests of their benches.

    A run that is there with the same content is left out; one of the same id and other content
    stays as it is, and is named. The exit code is 1 if something was not taken.
    """
    from invcore.benchmarking.joined import join_benches
    from invcore.cli.console import emit_json, progress
    from invcore.storage.store import Store
    from invcore.storage.upkeep.adoption import Adopted, adopt, copy_run, same_run

    target = Store(store_path)
    outcomes: list[Adopted] = []
    benches: list[str] = []
    left_out: dict[str, str] = {}
    stores = [Store(_there(source)) for source in sources]
    with progress() as bars:
        for source in stores:
            runs = source.ids()
            with bars.stage("merging", len(runs)) as bar:
                for run in runs:
                    there = target.path(run).exists() and same_run(source, run, target)
                    outcomes.append(
                        Adopted(run, "there") if there
                        else adopt(target, run, copy_run(source, run))
                    )  # fmt: skip
                    bar.advance(1)
            taken, not_taken = join_benches(source, target)
            benches += taken
            left_out |= not_taken
    if as_json:
        emit_json({**_document(outcomes), "benches": benches, "benches_left_out": left_out})
    else:
        _say(outcomes, "taken")
        for name in benches:
            click.echo(f"bench {name}: joined")
        for name, why in left_out.items():
            click.echo(f"bench {name}: left out, {safe(why)}")
    if left_out or any(one.reason for one in outcomes):
        ctx.exit(_UNWELL)


@store.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("runs", metavar="[ID]...", nargs=-1, type=RunId())
@click.option("--bench", metavar="NAME", type=BenchName(), help="The runs of a bench.")
@click.option("--older", type=click.IntRange(0), metavar="DAYS", help="Only runs older than that.")
@click.option("--remove", is_flag=True, help="Delete the runs, when the file has been checked.")
@store_option
@json_option
@click.pass_context
def archive(
    ctx: click.Context, file: Path, runs: tuple[str, ...], bench: str | None, older: int | None,
    remove: bool, store_path: str, as_json: bool,
) -> None:  # fmt: skip
    """Write runs to one compressed FILE (.zip): all of the store, or some.

    Damaged runs are left out, and named. `invcore store restore FILE` puts them back.
    """
    from invcore.base.errors import DataError
    from invcore.cli.console import emit_json, progress, warn
    from invcore.storage.store import Store
    from invcore.storage.upkeep.archive import archived_runs, write_archive
    from invcore.storage.upkeep.removal import remove_run

    place = Store(_there(store_path))
    chosen = _chosen(place, runs, bench, older)
    if not chosen:
        raise DataError(f"no runs to archive in {store_path}")
    with progress() as bars:
        left_out = write_archive(place, chosen, file, progress=bars)
    archived = archived_runs(file)  # read again, every checksum
    removed = [run for run, sha in archived.items() if remove and remove_run(place, run, sha)]
    if as_json:
        emit_json(
            {"path": str(file), "runs": [*archived], "left_out": left_out, "removed": removed}
        )
    else:
        for run, why in left_out.items():
            warn(f"left out {run}: {safe(why)}")
        done = f", {len(removed)} of them removed from the store" if remove else ""
        click.echo(f"{counted(len(archived), 'run')} in {file}{done}")
    if left_out:
        ctx.exit(_UNWELL)


@store.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@store_option
@json_option
@click.pass_context
def restore(ctx: click.Context, file: Path, store_path: str, as_json: bool) -> None:
    """Put the runs of an archive FILE into the store.

    A run that is there stays as it is. The exit code is 1 if one that is there has other content.
    """
    from invcore.cli.console import emit_json, progress
    from invcore.storage.store import Store
    from invcore.storage.upkeep.archive import read_archive

    with progress() as bars:
        outcomes = list(read_archive(file, Store(store_path), progress=bars))
    if as_json:
        emit_json(_document(outcomes))
    else:
        _say(outcomes, "restored")
    if any(one.reason for one in outcomes):
        ctx.exit(_UNWELL)


def _there(path: str) -> str:
    """A store's folder, which has to be there.

    Raises:
        StoreError: it is not.
    """
    from invcore.base.errors import StoreError

    if not Path(path).is_dir():
        raise StoreError(f"{path}: no such store; name a folder of runs")
    return path


def _chosen(place: Store, runs: tuple[str, ...], bench: str | None, older: int | None) -> list[str]:
    """The ids of the runs that are meant."""
    import time

    from invcore.benchmarking.manifest import read_bench
    from invcore.storage.index.run_folders import run_folders

    folders = run_folders(place.root)
    names = [folder.id for folder in folders]
    if runs:
        names = [place.find(run) for run in runs]
    if bench is not None:
        own = {cell.id for cell in read_bench(place, bench).cells}
        names = [run for run in names if run in own]
    if older is not None:
        since = time.time_ns() - older * _DAY * 10**9
        old = {folder.id for folder in folders if folder.changed < since}
        names = [run for run in names if run in old]
    return list(dict.fromkeys(names))


def _document(outcomes: list[Adopted]) -> dict[str, Any]:
    names = ("taken", "there", "other", "damaged")
    ids = {name: [one.run for one in outcomes if one.outcome == name] for name in names}
    return {**ids, "reasons": {one.run: one.reason for one in outcomes if one.reason}}


def _say(outcomes: list[Adopted], word: str) -> None:
    taken = sum(one.outcome == "taken" for one in outcomes)
    there = sum(one.outcome == "there" for one in outcomes)
    click.echo(f"{counted(taken, 'run')} {word}, {there} there already")
    bad = [one for one in outcomes if one.reason]
    for one in bad[:_SHOWN]:
        click.echo(f"{one.run} left out: {safe(one.reason)}")
    if len(bad) > _SHOWN:
        click.echo(f"and {len(bad) - _SHOWN} more: --json has all")
