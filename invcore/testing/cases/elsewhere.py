"""What another process, which has fitted nothing, restores and fits, for comparison."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from invcore.base.seeding import isolated
from invcore.base.text import one_line
from invcore.contracts.problem import Targets
from invcore.registry.registry import as_method
from invcore.spaces.space import Space
from invcore.testing.cases.component_under_test import MethodSubject, Question, Subject
from invcore.testing.cases.fresh_process import ask, importable
from invcore.testing.cases.problems import case
from invcore.testing.check import only_if, require

QUESTIONS = ("bowl", "mixed")
"""The cases whose models are restored there."""
FITS = ("twist", "bowl")
"""The cases that are fitted there; the last one is compared."""
WORLD = 1
"""Seed of the global generators, for fits here and there."""


@dataclass(frozen=True)
class Elsewhere:
    """What another process answered.

    Args:
        designs: that restored models propose (B, K, Dx), by the name of a case.
        state: of the fit.
        faults: why there is no answer, by the name of a case, or ``fit``.
    """

    designs: Mapping[str, Tensor]
    state: Mapping[str, Tensor]
    faults: Mapping[str, str]


def elsewhere(subject: MethodSubject) -> Elsewhere:
    """The answers of a fresh process to the subject's questions; asked for once.

    Raises:
        NotApplicable: the class cannot be imported there.
    """
    if "elsewhere" not in subject.memory:
        only_if(*importable(subject.component))
        subject.memory["elsewhere"] = _asked(subject)
    return subject.memory["elsewhere"]


def question(subject: MethodSubject, name: str) -> Question:
    """What is asked there, of the model that was fitted here."""
    return subject.ask(name, 6, 5)


def stored(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state as files hold it."""
    return {name: v.detach().cpu().contiguous().clone() for name, v in state.items()}


def _asked(subject: MethodSubject) -> Elsewhere:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name in QUESTIONS:
            asked = question(subject, name)
            save_file(stored(asked.model.state()), place / f"{name}-state.safetensors")
            data = {"y": asked.targets.y, "points": asked.points}
            save_file(stored(data), place / f"{name}-question.safetensors")
            (place / f"{name}-files").mkdir()
            for file, content in asked.model.files().items():
                (place / f"{name}-files" / file).write_bytes(content)
        request = {
            "module": subject.component.__module__, "class": subject.component.__qualname__,
            "name": subject.name, "settings": dict(subject.settings), "preset": subject.preset,
            "path": sys.path, "threads": torch.get_num_threads(),
            "designs": {n: case(n).task.designs.model_dump(mode="json") for n in QUESTIONS},
        }  # fmt: skip
        (place / "request.json").write_text(json.dumps(request))
        ask(folder)
        answer = place / "faults.json"
        require(answer.exists(), "the fresh process ended before it answered")
        faults = json.loads(answer.read_text())
        only_if("import" not in faults, f"no other process can import it: {faults.get('import')}")
        tensors = {
            path.name.removesuffix("-answer.safetensors"): load_file(path)
            for path in place.glob("*-answer.safetensors")
        }
    designs = {name: tensors[name]["x"] for name in QUESTIONS if name in tensors}
    return Elsewhere(designs, tensors.get("fit", {}), faults)


# In the other process


def answer(place: Path) -> None:
    """Answer one request: restore and propose, and only then fit."""
    request = json.loads((place / "request.json").read_text())
    faults: dict[str, str] = {}
    sys.path[:] = request["path"]
    torch.set_num_threads(request["threads"])
    try:
        component: Any = import_module(request["module"])
        for part in request["class"].split("."):
            component = getattr(component, part)
        component = as_method(component)
        settings, preset = request["settings"], request["preset"]
        subject: Any = Subject.of(
            "method", request["name"], component, settings=settings, preset=preset
        )
        for name in QUESTIONS:
            try:
                _restore(subject, place, name, request["designs"][name])
            except Exception as error:
                faults[name] = f"{type(error).__name__}: {one_line(error, 200)}"
        try:
            for name in FITS:
                with isolated(WORLD):
                    model = subject.fit(case(name))
            save_file(stored(model.state()), place / "fit-answer.safetensors")
        except Exception as error:
            faults["fit"] = f"{type(error).__name__}: {one_line(error, 200)}"
    except Exception as error:
        faults["import"] = f"{type(error).__name__}: {one_line(error, 200)}"
    (place / "faults.json").write_text(json.dumps(faults))


def _restore(subject: MethodSubject, place: Path, name: str, designs: Any) -> None:
    """What the restored model proposes, its problem read from a file as a stored run's is."""
    example = case(name)
    space = Space.model_validate(designs)
    setattr(example.task, "designs", space)  # noqa: B010 - types say that it may be a property
    asked = load_file(place / f"{name}-question.safetensors")
    nothing: Any = None  # the question needs no model before one is restored
    question = Question(subject, example, nothing, Targets(asked["y"]), asked["points"])
    files = {path.name: path.read_bytes() for path in (place / f"{name}-files").iterdir()}
    restored = question.restored(load_file(place / f"{name}-state.safetensors"), files)
    save_file({"x": restored.designs()}, place / f"{name}-answer.safetensors")
