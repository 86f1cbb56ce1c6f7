"""Refinement: a few simulator calls a target, spent on steps from its best candidates."""

from invcore.search.refinement.candidates import RefinedCandidates, refined_candidates
from invcore.search.refinement.refine import TOLERANCE, Refined, Slopes, refine

__all__ = ["TOLERANCE", "Refined", "RefinedCandidates", "Slopes", "refine", "refined_candidates"]
