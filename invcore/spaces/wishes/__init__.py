"""The language of wishes: what is wanted of responses, in text and in files.

It imports no torch.
"""

from invcore.spaces.wishes.specification import WishedSpecification, specification_of
from invcore.spaces.wishes.text import parse_wish
from invcore.spaces.wishes.wish import Band, Wish

__all__ = ["Band", "Wish", "WishedSpecification", "parse_wish", "specification_of"]
