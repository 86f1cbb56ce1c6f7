"""Public names that are imported on first use."""

import pytest

from invcore.base.lazy_names import lazy_names


def test_a_name_that_a_module_would_take_the_place_of():
    with pytest.raises(ValueError, match="text is a module and a name"):
        lazy_names("invcore.base", {"text": "number text"})
    lazy_names("invcore", {"text": "number text"}, within="invcore.base")
