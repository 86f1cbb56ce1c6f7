"""What the tests share: calling the command line, and stores of made-up runs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from invcore import Store
from invcore.plugin import generator
from invcore.storage.run_record import MetricRecord, RunRecord, Timings


class Runs:
    """A store of made-up runs on sine-wave: candidates at random, and what comes of them."""

    def __init__(self, root: Path) -> None:
        self.store = Store(root)
        self.count = 0

    def add(
        self,
        method: str = "na",
        *,
        task: str = "sine-wave",
        seed: int = 0,
        scale: float = 1.0,
        targets: int = 12,
        candidates: int = 60,
        order: bool = False,
        ranked: bool = False,
        errors: Any = None,
        settings: dict[str, Any] | None = None,
        metrics: tuple[MetricRecord, ...] = (),
        **facts: Any,
    ) -> str:
        """Write a run whose errors are ``scale`` times what chance gives; its id."""
        self.count += 1
        run = facts.pop("id", f"{self.count:012x}")
        task_settings = facts.pop("task_settings", {})
        record = RunRecord(
            id=run, task=task, method=method, sampler=facts.pop("sampler", "lhs"), seed=seed,
            candidates=candidates, targets=targets, device="cpu", ranked=ranked,
            timings=Timings(fit_s=3.0, propose_s=1.2, simulate_s=0.6), parameters=77,
            simulator_calls=facts.pop("simulator_calls", targets * candidates),
            metrics=metrics, created="2026-07-01T12:34:56+00:00", versions={"invcore": "0.1.0"},
            config={
                "task": {"name": task, **task_settings},
                "method": {"name": method, **(settings or {})},
                "sampler": {"name": "lhs"}, "pairs": facts.pop("pairs", 100), "seed": seed,
                "targets": targets,
            },
            **facts,
        )  # fmt: skip
        tensors = {}
        if record.status == "ok":
            made = self.tensors(seed, targets, candidates, scale, f"{method}{self.count}")
            if errors is not None:
                made["errors"] = torch.as_tensor(errors, dtype=torch.float64)
            if order:
                noise = torch.rand(made["errors"].shape, generator=generator(seed, "order"))
                made["order"] = (made["errors"] * (0.5 + noise)).argsort(dim=1)
            tensors["candidates"] = made
        self.store.write(record, tensors=tensors)
        return run

    @staticmethod
    def tensors(seed, targets, candidates, scale, name):
        wanted = 4 * torch.rand(targets, 1, generator=generator(seed, "y"), dtype=torch.float64) - 2
        random = generator(seed, name)
        x = 2 * torch.rand(targets, candidates, 2, generator=random, dtype=torch.float64) - 1
        chance = torch.sin(3 * math.pi * x[..., :1]) + torch.cos(3 * math.pi * x[..., 1:])
        y = wanted[:, None] + math.sqrt(scale) * (chance - wanted[:, None])
        errors = (y - wanted[:, None]).square().mean(dim=2)
        return {"targets": wanted, "candidates": x, "resimulated": y, "errors": errors}

    def bench(self, name: str = "small", cells: Any = (), **parts: Any) -> Path:
        """Write a manifest; cells are (task, method, seed, id, status, reason)."""
        keys = ("task", "method", "seed", "id", "status", "reason")
        document = {
            "schema_version": 1, "name": name, "title": f"Benchmark {name}",
            "created": "2026-07-01T12:00:00+00:00", "published": [], "ablations": [],
            "cells": [
                {**dict(zip(keys, cell, strict=True)), "sampler": "lhs", "seconds": 1.0}
                | {"id": cell[3] or "0" * 12, "reason": cell[5] or ""}
                for cell in cells
            ],
        } | parts  # fmt: skip
        path = self.store.root / "benches" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
        return path


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path / "runs")
