"""Lines of values in TOML and YAML: every line is compared with where a marker stands."""

from __future__ import annotations

import random
import tomllib

import pytest
import yaml

from invcore.configs.line_numbers import lines_of, nearest

# Every value that has a place is a number or text that says its own line.
LAYOUTS = {
    "flat": "a = 1\n\nb = 3 # = 4\n# c = 9\nc = 'L5'\n",
    "array over lines": 'a = [\n  "L2", # ] "\n\n  "L4"\n, "L5" ]\nb = 6\n',
    "inline tables": 'a = [{ x = 1, "y.z" = 1 }, { x = 1 },\n { y = 2 }]\nb = {c.d = "L3"}\n',
    "arrays of tables": "[[m]]\nx = 2\n[m.s]\ny = 4\n\n[[m]] # [[m]]\nx = 7\n[[m.p]]\nq = 9\n"
    "[[m.p]]\nq = 11\n[m.s.t]\nu = 13\n",
    "dotted": "[a.\"b ] c\".'d']\ne . f = 2\n[g]\nh.i = 4\nh.j = 5\n",
    "texts": 'a = """\n[[no]]\nb = 1 \\""" no\n"""\nc = 5\nd = \'\'\'\nx = "\n\'\'\'\'\ne = 9\n'
    "f = \"a ] # \\\" = \"\ng = 'x # \\'\nh = '''y''''\ni = 13\n",
    "quotes at the end": 'a = """q"""""\nb = 2\nc = ""\nd = 4\n',
    "nested": "a = [[1, 1], [\n2, [2, 2]],\n[3]]\n",
    "dates": "a = 2020-01-01 07:00:00\nb = 2\n",
    "windows": "a = 1\r\nb = [\r\n3]\r\n",
}


def leaves(value, place=()):
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from leaves(item, (*place, key))
    else:
        yield place, value


def said(value):
    """The line that a marker says, if it is one."""
    if isinstance(value, str) and value.startswith("L"):
        return int(value[1:])
    return value if isinstance(value, int) else None


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_value_is_found_where_it_stands(name):
    found = lines_of(LAYOUTS[name], ".toml")
    places = list(leaves(tomllib.loads(LAYOUTS[name])))
    assert len(places) > 1
    for place, value in places:
        assert place in found
        assert said(value) in (None, found[place]), place


def test_random_documents():
    """Tables, lists and comments, thrown together; each number is the line on which it stands."""
    dice = random.Random(0)
    for _ in range(200):
        lines, count = [], 0
        while count < 6:
            kind = dice.randrange(5)
            at = len(lines) + 1
            if kind == 0:
                lines.append("# [[t]] 'x = \"")
            elif kind == 1:
                lines.append("[[t]]")
            elif kind == 2:
                lines += [f"k{at} = [{at}, # , ]", f"{at + 1},", "]"]
            elif kind == 3:
                lines.append(f"k{at}.in = {{ 'a b' = {at}, c = [{at}] }}")
            else:
                lines.append(f"k{at} = {at}")
            count += 1
        text = "\n".join(lines)
        found = lines_of(text, ".toml")
        for place, value in leaves(tomllib.loads(text)):
            assert found[place] == value, (text, place)


def test_headers_are_found_too():
    found = lines_of(LAYOUTS["arrays of tables"], ".toml")
    assert (found["m", 0], found["m", 1], found["m", 1, "p", 1]) == (1, 6, 10)


def test_yaml():
    text = "a: 1\nb:\n  - {x: 3, y: 3}\n  -\n    x: 5\nc: &c [6]\nd: *c\n"
    found = lines_of(text, ".yaml")
    for place, value in leaves(yaml.safe_load(text)):
        assert found[place] == value
    assert lines_of("a: &a [*a]\n", ".yml")["a",] == 1


def test_nearest_is_what_the_place_is_in():
    found = lines_of("[[m]]\nname = 'x'\n", ".toml")
    assert nearest(found, ("m", 0, "name")) == (2, 3)
    assert nearest(found, ("m", 0, "other", 3)) == (1, 2)
    assert nearest(found, ("other",)) == (1, 0)
