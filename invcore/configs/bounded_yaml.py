"""YAML as plain data, with what PyYAML's safe loader leaves open closed: sizes, tags, doubles."""

from typing import Any

import yaml

from invcore.base.text import printable
from invcore.configs.documents import DEEPEST, MOST_OF_YAML

_COUNTED = 64  # characters of a text that count as one value more
_MERGE = "tag:yaml.org,2002:merge"


def load_yaml(text: str) -> Any:
    """The data of one document.

    Raises:
        yaml.YAMLError: it is not well formed, has tags or a key twice, or is too large or deep.
    """
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """Counts values while it composes them, those behind aliases each time that they are named."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._count = self._depth = 0
        self._sizes: dict[str, int] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        """A value, if there is room for it."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in self.anchors and event.anchor not in self._sizes:
                raise _refused(event, "an alias stands within what it names")
            self._add(self._sizes.get(str(event.anchor), 0), event)
            return super().compose_node(parent, index)
        tag = getattr(event, "tag", None)
        if tag is not None:
            shown = printable(tag.replace("tag:yaml.org,2002:", "!!"), 60)
            raise _refused(event, f"tags ({shown}) are not read")
        before = self._count
        self._add(1 + len(getattr(event, "value", "")) // _COUNTED, event)
        self._depth += 1
        if self._depth > DEEPEST + 1:
            raise _refused(event, f"nested deeper than {DEEPEST}")
        node = super().compose_node(parent, index)
        self._depth -= 1
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
        if event.anchor is not None:
            self._sizes[event.anchor] = self._count - before
        return node

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """A value; what looks like a number or a date and is none is an error of the document."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:
            what = printable(node.value, 40) if isinstance(node, yaml.ScalarNode) else "it"
            why = f"{what} cannot be read ({printable(error, 100)})"
            raise yaml.MarkedYAMLError(problem=why, problem_mark=node.start_mark) from None

    def _add(self, count: int, event: Any) -> None:
        self._count += count
        if self._count > MOST_OF_YAML:
            raise _refused(event, f"more than {MOST_OF_YAML:,} values, aliases unfolded")


def _check_keys(node: yaml.MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
            if key.value in seen:
                why = f"the key '{printable(key.value, 40)}' stands there twice"
                raise yaml.MarkedYAMLError(problem=why, problem_mark=key.start_mark)
            seen.add(key.value)


def _refused(event: Any, why: str) -> yaml.YAMLError:
    return yaml.MarkedYAMLError(problem=why, problem_mark=event.start_mark)
