"""JSON text: one form, whichever way it is written."""

import math

import pytest
from pydantic_core import to_json

from invcore.storage.json_text import dump

ODD = "".join(map(chr, [*range(0x7F), *range(0x80, 0x250)])) + "\u2028\ud7ff\ue000\U0001f600"
WORDS = {ODD: [ODD, [], {}, [["a"], {"b": "c"}]], "": ""}
OTHERS = {"words": WORDS, "numbers": [1, 2.5, 1e-9, 10**30, True, None], "tuple": ("a",)}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("document", [WORDS, OTHERS, [], {}, "a", 1.0])
def test_one_form(document, indent):
    """Words take a way of their own, for which nothing heavy is imported: it is the same text."""
    assert dump(document, indent) == to_json(document, indent=indent, ensure_ascii=True).decode()


def test_what_json_does_not_know():
    assert dump([math.nan, -math.inf, {"a": [math.inf]}]) == '[null,null,{"a":[null]}]'
    assert dump({"a": {1}}, fallback=lambda value: "?") in ('{"a":[1]}', '{"a":"?"}')
    with pytest.raises(ValueError, match="serialize"):
        dump({"a": object()})
