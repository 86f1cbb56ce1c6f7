"""What a store keeps of a designer: arrays, the schema, and names; and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from invcore.learning import substate
from invcore.pipeline import rebuild
from invcore.plugin import (
    InvcoreError,
    Pairs,
    Plugins,
    Problem,
    Space,
    StoreError,
    SurrogateModel,
    one_line,
    resolve_device,
)
from invcore.results import RunRecord, Store
from invcore_solve.judging.stacked_surrogates import StackedSurrogates
from invcore_solve.proposals.inverse_regression import InverseRegression
from invcore_solve.schema.table_schema import TableSchema
from invcore_solve.tables.table_data import TableData

if TYPE_CHECKING:
    from invcore_solve.designer import Designer


def parts_of(designer: Designer) -> dict[str, Any]:
    """What a store keeps of it: ``tensors``, ``documents`` and ``files``."""
    data = designer.data
    tensors: dict[str, Tensor] = {"data.x": data.pairs.x, "data.y": data.pairs.y}
    tensors["data.rows"] = data.rows
    tensors |= {f"data.{name}": value for name, value in data.pairs.facts.items()}
    tensors |= {f"judge.{name}": value for name, value in designer.judge.state().items()}
    if designer.inverse is not None:
        tensors |= {f"inverse.{name}": v for name, v in designer.inverse.state().items()}
    files: dict[str, bytes] = {}
    for name, model in designer.models.items():
        tensors |= {f"model.{name}.{key}": value for key, value in model.state().items()}
        files |= {f"{name}.{key}": content for key, content in model.files().items()}
    document = {
        "source": data.source, "designs": data.designs.model_dump(mode="json"),
        "responses": data.responses.model_dump(mode="json"),
        "schema": data.schema.model_dump(mode="json"), "near": designer.near,
        "novelty": designer.novelty, **designer.config,
    }  # fmt: skip
    return {"tensors": {"model": tensors}, "documents": {"model": document}, "files": files}


def loaded(
    kind: type[Designer], store: Store, run: str, device: str, plugins: Plugins,
    surrogates: Mapping[str, SurrogateModel[Any]],
) -> Designer:  # fmt: skip
    """The designer kept under an id, or the beginning of one; see ``Designer.load``."""
    run = store.find(run)
    record = store.read(run)
    if record.kind != "solve" or record.status != "ok":
        raise StoreError(f"run {run} holds no model of one's own data")
    document, where = store.json(run, "model"), f"{store.path(run)}/model.json"
    if not isinstance(document, dict) or "schema" not in document:
        raise StoreError(f"{where}: was fitted by an earlier version; fit the table again")
    try:
        return _restored(kind, store, record, document, device, plugins, surrogates)
    except InvcoreError:
        raise
    except Exception as error:  # shapes, names and numbers that do not belong together: any kind
        raise StoreError(f"{where}: damaged, or of other code ({one_line(error, 200)})") from error


def _restored(
    kind: type[Designer], store: Store, record: RunRecord, document: Mapping[str, Any],
    device: str, plugins: Plugins, surrogates: Mapping[str, SurrogateModel[Any]],
) -> Designer:  # fmt: skip
    """The designer that a document and its tensors describe, tried on one row."""
    run, where = record.id, f"{store.path(record.id)}/model.json"
    place = resolve_device(device)
    tensors = store.tensors(run, "model")
    cpu = {key: value.cpu() for key, value in tensors.items()}
    try:
        own = substate(cpu, "data.")
        facts = {name: own[name] for name in ("weights", "noise", "groups") if name in own}
        data = TableData(
            Pairs(own["x"], own["y"], None, **facts),
            Space.parse(document["designs"], where=where),
            Space.parse(document["responses"], where=where),
            document["source"],
            TableSchema.parse(document["schema"], where=where),
            own["rows"],
        )
        config = {key: document[key] for key in ("judge_name", "judge", "methods", "choices")}
        near, novelty = bool(document["near"]), float(document["novelty"])
    except (KeyError, TypeError) as error:
        raise StoreError(f"{where}: damaged, {error} is missing") from None
    problem = Problem(data.source, data.designs, data.responses)
    judge = rebuild(plugins, "judge", config["judge_name"], config["judge"], where=where).component
    if surrogates and isinstance(judge, StackedSurrogates):
        judge = StackedSurrogates(judge.config, surrogates)
    models = {}
    files = store.files(run)
    for name, settings in config["methods"].items():
        method = rebuild(plugins, "method", name, settings, where=where).component
        state = {k: v.to(place) for k, v in substate(tensors, f"model.{name}.").items()}
        prefix = f"{name}."
        mine = {k[len(prefix) :]: v for k, v in files.items() if k.startswith(prefix)}
        models[name] = method.restore(problem, state, mine)
    inverse = substate(cpu, "inverse.")
    fitted = judge.restore(problem, substate(cpu, "judge."))
    fitted.predict(data.pairs.x[:1].double())  # tensors of other shapes show here
    return kind(
        data, fitted, models,
        InverseRegression.restore(data.designs, inverse) if inverse else None, record, config,
        plugins, near, novelty,
    )  # fmt: skip
