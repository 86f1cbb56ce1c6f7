"""Documents from anybody: each ends in plain data or in one line, whatever it holds."""

import pytest

from invcore.base.errors import ConfigError
from invcore.configs.documents import (
    DEEPEST,
    LARGEST,
    LARGEST_NUMBER,
    MOST_OF_YAML,
    MOST_VALUES,
    check_values,
    parse_document,
    parse_value,
    read_document,
    read_text,
)
from invcore.configs.run_config import RunConfig
from invcore.configs.settings import apply_settings


def unfolding(first: str, step: str) -> str:
    """Ten lines, each of which names the one before nine times."""
    lines = [f"a0: &a0 {first}"]
    for i in range(1, 10):
        lines.append(f"a{i}: &a{i} {step.format(', '.join([f'*a{i - 1}'] * 9))}")
    return "\n".join(lines)


DEEP, BIG = DEEPEST * 20, "1" * 5000
REFUSED = {
    "toml": {
        "lists": ("a = " + "[" * DEEP, "nested deeper"),
        "tables": ("a = " + "{a = " * DEEP, "nested deeper"),
        "closed lists": (f"a = {'[' * (DEEPEST + 2)}{']' * (DEEPEST + 2)}", "nested deeper"),
        "dotted key": ("a." * 20_000 + "a = 1", "parts"),
        "spaced key": ("a .\t" * 20_000 + "a = 1", "parts"),
        "dotted header": ("[" + "a." * 20_000 + "a]", "parts"),
        "quoted parts": ('"a"."b".' * 20_000 + "a = 1", "parts"),
        "behind a comment": ("# it's\n" + "a." * 20_000 + "a = 1", "parts"),
        "behind a text": ("b = '''\n#'''\n" + "a." * 20_000 + "a = 1", "parts"),
        "digits": (f"a = {BIG}", "308 digits"),
        "hexadecimal": (f"a = 0x{'f' * 4000}", "308 digits"),
        "zero": (r'a = "b\u0000"', "zero character"),
        "many": (f"a = [{'1,' * (MOST_VALUES + 1)}]", "more than"),
        "twice": ("a = 1\na = 2", "overwrite"),
        "long word": ("a" * (LARGEST - 1), "="),
        "quotes": ('"""' * 300_000, "="),
        "large": ("#" * (LARGEST + 1), "larger than"),
    },
    "yaml": {
        "lists": ("[" * DEEP, "nested deeper"),
        "items": ("- " * DEEP, "nested deeper"),
        "tables": ("{a: " * DEEP, "nested deeper"),
        "int": ('a: !!int "a"', "tags"),
        "float": ("a: !!float x", "tags"),
        "timestamp": ("a: !!timestamp x", "tags"),
        "binary": ("a: !!binary x", "tags"),
        "set": ("a: !!set {b}", "tags"),
        "python": ("a: !!python/name:os.system", "tags"),
        "own tag": ("a: !mine 1", "tags"),
        "digits": (f"a: {BIG}", "cannot be read"),
        "hexadecimal": (f"a: 0x{'f' * 4000}", "308 digits"),
        "no binary digits": ("a: 0b_", "cannot be read"),
        "no date": ("a: 2020-99-99", "cannot be read"),
        "itself": ("a: &b [*b]", "within what it names"),
        "unfolding": (unfolding("[x, x]", "[{}]"), "more than"),
        "merging": (unfolding("{x: 1}", "{{<<: [{}]}}"), "more than"),
        "long texts": (f"a: &a {'x' * 10**6}\nb: [{', '.join(['*a'] * 30)}]", "more than"),
        "many": ("-\n" * (MOST_OF_YAML + 1), "more than"),
        "twice": ("b:\n  a: 1\n  a: 2", "line 3"),
        "zero": ('a: "\\0"', "zero character"),
        "zero byte": ("a: \0", "unacceptable character"),
        "list as a key": ("? [a]\n: 1", "unhashable"),
    },
    "json": {
        "lists": ("[" * 100_000, "nested deeper"),
        "tables": ('{"a":' * 100_000, "nested deeper"),
        "digits": (BIG, "308 digits"),
        "a few less digits": ("1" * 400, "308 digits"),
        "twice": ('{"a": 1, "b": {"c": 1, "c": 2}}', "'c' stands there twice"),
        "half a character": (r'"\ud800"', "Unicode"),
        "half a character as a key": (r'{"\udc00": 1}', "Unicode"),
        "zero": (r'"\u0000"', "zero character"),
        "many": (f"[{'[],' * MOST_VALUES}1]", "more than"),
        "nothing": ("", "line 1"),
    },
}


@pytest.mark.parametrize(
    ("form", "name"), [(form, name) for form, texts in REFUSED.items() for name in texts]
)
def test_what_is_refused_is_refused_at_once(form, name, complaint):  # the parsers take minutes
    text, said = REFUSED[form][name]
    message = complaint(ConfigError, parse_document, text, form, "theirs")
    assert message.startswith("theirs") and said in message


def test_what_lies_within_the_bounds_is_read():
    deep = f"a = {'[' * (DEEPEST - 1)}{']' * (DEEPEST - 1)}"
    assert list(parse_document(deep, "toml", "mine")) == ["a"]
    dotted = ".".join(["a"] * (DEEPEST - 1)) + " = 1"
    assert list(parse_document(dotted, "toml", "mine")) == ["a"]
    largest = LARGEST_NUMBER - 1
    assert parse_document(f"a = {largest}", "toml", "mine") == {"a": largest}
    text = "one. two. three. " * 100  # in a text dots are dots
    for quoted in (f'"{text}"', f"'{text}'", f'"""{text}"""', f"'''{text}'''"):
        assert parse_document(f"a = {quoted} # {text}", "toml", "mine") == {"a": text}
    merged = parse_document("a: &a {x: 1}\nb: {<<: *a, y: 2}", "yaml", "mine")
    assert merged["b"] == {"x": 1, "y": 2}
    again = parse_document("a: &a [1, 2]\nb: *a", "yaml", "mine")
    assert again == {"a": [1, 2], "b": [1, 2]}


def test_data_made_in_code_have_the_same_bounds(complaint):
    assert "zero character" in complaint(ConfigError, check_values, {"a": ["\0"]}, "mine")
    assert "308 digits" in complaint(ConfigError, check_values, {"a": 10**400}, "mine")
    loop: list = []
    loop.append(loop)
    assert "nested deeper" in complaint(ConfigError, check_values, loop, "mine")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("a." * 20_000 + "a=1", "parts"),
        (f"pairs={BIG}", "308 digits"),
        ("method.x=" + "[" * DEEP, "nested deeper"),
        ("method.x={" + "a." * 20_000 + "a=1}", "parts"),
        ("method.x=" + r'"\u0000"', "zero character"),
    ],
)
def test_settings_have_the_same_bounds(setting, said, complaint):
    assert said in complaint(ConfigError, apply_settings, {}, [setting], {"method": RunConfig})
    key, _, value = setting.partition("=")
    if len(key) < 100:  # otherwise the key is what is refused
        assert said in complaint(ConfigError, parse_value, value, "x")


def test_files_are_regular_small_and_text(tmp_path, complaint):
    file = tmp_path / "a.json"
    file.write_bytes(b"\xef\xbb\xbf[1]")
    assert read_document(file) == [1]
    assert "larger than" in complaint(ConfigError, read_text, file, largest=5)
    file.write_bytes(b"[\n\xff]")
    assert "row 2 is not UTF-8" in complaint(ConfigError, read_text, file)
    assert "is a folder" in complaint(ConfigError, read_text, tmp_path)
    assert "ends in" in complaint(ConfigError, read_document, tmp_path / "a.ini")
    assert "cannot be read" in complaint(ConfigError, read_text, "a\0b")
    assert "cannot be read" in complaint(ConfigError, read_text, "/dev/zero")
