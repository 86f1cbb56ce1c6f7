"""Searches on a surrogate: many starts moved to where it gives the wanted response."""

from invcore.search.aim import Aim
from invcore.search.discrete_search import SearchLimits, Visited, discrete_search
from invcore.search.localisation import localise, localised_candidates
from invcore.search.localisation_config import LocalisationConfig
from invcore.search.loop_journal import LoopJournal, Rows, Told
from invcore.search.loop_method import drive, mean_variance, method_of
from invcore.search.neighbours import Neighbours
from invcore.search.on_simulator import search_in_batches
from invcore.search.point_loop import PointLoop, stored_targets
from invcore.search.refinement import (
    Refined,
    RefinedCandidates,
    Slopes,
    refine,
    refined_candidates,
)
from invcore.search.surrogate_trust import Anchors, Trust

__all__ = [
    "Aim", "Anchors", "LocalisationConfig", "LoopJournal", "Neighbours", "PointLoop", "Refined",
    "RefinedCandidates", "Rows", "SearchLimits", "Slopes", "Told", "Trust", "Visited",
    "discrete_search", "drive", "localise", "localised_candidates", "mean_variance", "method_of",
    "refine", "refined_candidates", "search_in_batches", "stored_targets",
]  # fmt: skip
