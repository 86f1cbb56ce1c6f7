"""The steps from names to a record, written once: what drives runs, tables and simulators."""

from invcore.pipeline.components import Part, build, configured, rebuild
from invcore.pipeline.fit import SEARCHES, check_fits, fit_model
from invcore.pipeline.judge import rerank, resimulate
from invcore.pipeline.pipeline import Pipeline
from invcore.pipeline.proposals import draw_points, propose, propose_in_batches
from invcore.pipeline.record import begin_record, failure, reason_of
from invcore.pipeline.request import Request
from invcore.pipeline.specifications import specified, state_with, state_without
from invcore.storage.identity import identity

__all__ = [
    "SEARCHES", "Part", "Pipeline", "Request", "begin_record", "build", "check_fits",
    "configured", "draw_points", "failure", "fit_model", "identity", "propose",
    "propose_in_batches", "reason_of", "rebuild", "rerank", "resimulate", "specified",
    "state_with", "state_without",
]  # fmt: skip
