"""Constraints as people write them: from text to data, and back."""

from invcore.spaces.constraints.language.reading import parse_constraint
from invcore.spaces.constraints.language.texts import constraint_text

__all__ = ["constraint_text", "parse_constraint"]
