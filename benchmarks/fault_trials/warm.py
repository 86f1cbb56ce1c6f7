"""Imported once by the process that others come from: what a first run imports, done before."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from invcore.cli.main import COMMANDS
from invcore.pipeline.warm_up import warm_up
from invcore.plugin import installed

torch.set_num_threads(1)
warm_up(torch.device("cpu"))
for _kind in ("task", "method", "sampler", "metric", "loop", "surrogate", "judge", "executor"):
    for _entry in installed().registry.entries(_kind):
        installed().registry.load(_kind, _entry.component.name)
for _name in {command.module for command in COMMANDS.values()}:
    __import__(f"invcore.cli.commands.{_name}")
