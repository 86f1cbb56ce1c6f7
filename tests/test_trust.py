"""What docs/trust.md promises of the code: nothing from outside is unpickled or evaluated."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from invcore.configs import documents
from invcore.expressions.parser import _DEEPEST
from invcore.expressions.tokens import LONGEST
from invcore.search.loop_journal.rows import MOST_ASKED
from invcore.spaces.wishes import cells

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [*ROOT.glob("invcore/**/*.py"), *ROOT.glob("plugins/*/invcore_*/**/*.py")]
PICKLES = {"pickle", "cPickle", "shelve", "marshal", "dill", "cloudpickle", "joblib"}
EVALUATES = {"eval", "exec", "compile", "__import__", "os.system", "os.popen"}
LOADS_CODE = {"yaml.load", "yaml.unsafe_load", "yaml.full_load", "pickle.load", "pickle.loads"}
PARSES = {"tomllib.loads", "tomllib.load", "yaml.safe_load", "json.loads", "json.load"}
OWN_TEXT = {
    # a checked document's keys, and its canonical text
    "invcore/configs/documents.py", "invcore/configs/line_numbers.py",
    # what other processes of ours say, by pipes, a scheduler or a folder that is theirs alone
    "invcore/testing/cases/elsewhere.py", "invcore/testing/cases/fresh_process.py",
    "plugins/invcore-executors/invcore_executors/worker.py",
    "plugins/invcore-executors/invcore_executors/serving.py",
    "plugins/invcore-dask/invcore_dask/places.py",
    "plugins/invcore-dask/invcore_dask/dask_executor.py",
    "plugins/invcore-submitit/invcore_submitit/submitit_executor.py",
    "plugins/invcore-submitit/invcore_submitit/task.py",
    "plugins/invcore-solve/invcore_solve/simulators/jobs.py",
    # ten thousand rows of the index, whose facts are checked, and which is made anew if they fail
    "invcore/storage/index/listing.py", "invcore/storage/index/listed_run.py",
    # what we wrote for ourselves
    "invcore/testing/checks/configs.py", "invcore/testing/bytes_of_runs.py",
    "plugins/invcore-architecture/invcore_architecture/table.py",
    "plugins/invcore-metamaterial/invcore_metamaterial/generate.py",
}  # fmt: skip


def faults(source: str) -> Iterator[str]:
    """What a source must not do."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.split(".")[0] in PICKLES)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PICKLES:
            yield from (a.name for a in node.names if not a.name.endswith("Error"))
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        given = {k.arg: getattr(k.value, "value", None) for k in node.keywords}
        if name in EVALUATES | LOADS_CODE or name.endswith((".extractall", ".extract")):
            yield name
        if name == "torch.load" and given.get("weights_only") is not True:
            yield name
        if name in ("np.load", "numpy.load") and given.get("allow_pickle") is not False:
            yield name
        if given.get("shell", False) is not False or given.get("allow_pickle", False) is not False:
            yield f"{name} with a shell or pickles"


def test_nothing_is_unpickled_evaluated_or_unpacked():
    found = {path: [*faults(path.read_text(encoding="utf-8"))] for path in SOURCES}
    assert len(found) > 400 and {path: bad for path, bad in found.items() if bad} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from pickle import loads", "import joblib.numpy_pickle", "eval(x)",
        "exec(x)", "yaml.load(x, Loader=yaml.Loader)", "torch.load(x)",
        "torch.load(x, weights_only=False)", "np.load(x)", "np.load(x, allow_pickle=True)",
        "subprocess.run(x, shell=True)", "archive.extractall(x)", "os.system(x)",
        "np.savez(x, allow_pickle=flag)",
    ],
)  # fmt: skip
def test_such_code_is_found(source):
    assert list(faults(source))


def test_documents_are_parsed_in_one_place():
    found = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in PARSES
    }
    assert found <= OWN_TEXT, "use parse_document: it has bounds"


def test_the_bounds_are_those_of_the_code():
    page = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
    for text in (
        f"{documents.LARGEST >> 20} MiB, {documents.DEEPEST} tables",
        f"{documents.DEEPEST} parts of a dotted key",
        f"{documents.MOST_VALUES:,} values (YAML: {documents.MOST_OF_YAML:,},",
        f"{len(str(documents.LARGEST_NUMBER)) - 1} digits",
        f"{documents.LARGEST_RECORD >> 20} MiB and {documents.MOST_OF_RECORD:,} values",
        f"of CSV {cells.LARGEST >> 20} MiB and {cells.MOST_ROWS:,} rows",
        f"{LONGEST:,} characters, {_DEEPEST} brackets",
        f"at once | {MOST_ASKED:,} |",
    ):
        assert text in page, text
