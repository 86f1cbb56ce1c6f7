"""From text to a tree: a parser of a small fixed language."""

from __future__ import annotations

import math
from typing import TypeVar

from invcore.base.errors import ConfigError, close_names
from invcore.base.text import quoted
from invcore.expressions.constants import check_constants
from invcore.expressions.syntax import (
    Comparison,
    Connective,
    Count,
    Membership,
    Name,
    Number,
    Operation,
    Statement,
    Term,
    Text,
)
from invcore.expressions.tokens import Token, tokens_of

T = TypeVar("T", bound=Term | Statement)

FUNCTIONS = {
    "abs": 1, "sqrt": 1, "exp": 1, "log": 1, "log10": 1, "sin": 1, "cos": 1, "tan": 1, "asin": 1,
    "acos": 1, "atan": 1, "tanh": 1, "min": 0, "max": 0, "sum": 0, "mean": 0,
}  # fmt: skip
"""The functions, and how many arguments each takes; 0 for any number. ``log`` is natural."""

_RELATIONS = ("<=", ">=", "<", ">", "==", "!=")
_DEEPEST = 60


def parse_term(text: str) -> Term:
    """The tree of what has a value.

    Raises:
        ConfigError: it is none, or has a number that is not finite; it says where.

    Example:
        >>> parse_term("0.1*cement + 2")
        Operation(name='+', operands=(Operation(name='*', operands=(Number(value=0.1), \
Name(text='cement'))), Number(value=2.0)))
    """
    parser = _Parser(text)
    return parser.finished(parser.sum())


def parse_statement(text: str) -> Statement:
    """The tree of what is true or false.

    Raises:
        ConfigError: it is none, or has a number that is not finite; it says where.

    Example:
        >>> parse_statement("x1 <= x2").relations
        ('<=',)
        >>> parse_statement('if kind == "B" then 2 <= t <= 5').name
        'if'
    """
    parser = _Parser(text)
    return parser.finished(parser.statement())


def parse_definition(text: str) -> tuple[str, Term]:
    """A name and the term that defines it, from ``name = term``.

    Raises:
        ConfigError: there is no name before the sign, or no term behind it.

    Example:
        >>> parse_definition("cost = 2*mass")[0]
        'cost'
    """
    parser = _Parser(text)
    name = parser.take("name")
    if name is None or not parser.sign("=="):
        raise ConfigError(f"{quoted(text)}: expected a name, = and an expression")
    return name.text, parser.finished(parser.sum())


class _Parser:
    """Goes through the tokens of a text; each method takes one kind of tree from them."""

    def __init__(self, text: str) -> None:
        self._text, self._tokens = text, tokens_of(text)
        self._at = self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def take(self, kind: str) -> Token | None:
        """The next token if it is of a kind."""
        if self._next.kind != kind:
            return None
        self._at += 1
        return self._tokens[self._at - 1]

    def sign(self, *signs: str) -> str:
        """The next sign if it is one of these, else nothing."""
        if self._next.kind == "sign" and self._next.text in signs:
            self._at += 1
            return self._tokens[self._at - 1].text
        return ""

    def word(self, *words: str) -> str:
        """The next words of the language if they are these one after the other, else nothing."""
        ahead = self._tokens[self._at : self._at + len(words)]
        if [t.text for t in ahead if t.kind == "name" and not t.ticked] == list(words):
            self._at += len(words)
            return " ".join(words)
        return ""

    def finished(self, tree: T) -> T:
        """The tree, if nothing is left and its numbers make finite ones."""
        if self._next.kind != "end":
            raise self._error("expected an operation or the end")
        try:
            check_constants(tree)
        except ConfigError as error:
            raise ConfigError(f"{quoted(self._text)}: {error}") from None
        return tree

    def _error(self, what: str) -> ConfigError:
        token = self._next
        where = "at the end" if token.kind == "end" else f"at {quoted(token.text)}"
        return ConfigError(f"{quoted(self._text)}: {what} {where} (place {token.place + 1})")

    def statement(self) -> Statement:
        """``if A then B``, or statements joined by ``or`` and ``and``."""
        self._deeper()
        if self.word("if"):
            condition = self._either()
            if not self.word("then"):
                raise self._error("expected 'then'")
            tree: Statement = Connective("if", (condition, self._either()))
        else:
            tree = self._either()
        self._depth -= 1
        return tree

    def _either(self) -> Statement:
        parts = [self._both()]
        while self.word("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Connective("or", tuple(parts))

    def _both(self) -> Statement:
        parts = [self._single()]
        while self.word("and"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else Connective("and", tuple(parts))

    def _single(self) -> Statement:
        if self.word("not") or self.word("never"):
            self._deeper()
            tree: Statement = Connective("not", (self._single(),))
            self._depth -= 1
            return tree
        for words in ("at", "most"), ("at", "least"):
            if self.word(*words):
                return self._count(words[1])
        begin, depth = self._at, self._depth
        if self.sign("("):  # a statement in brackets, or a term that begins with one
            try:
                tree = self.statement()
                if self.sign(")") and not self._next_goes_on():
                    return tree
            except ConfigError:
                pass
            self._at, self._depth = begin, depth
        return self._comparison()

    def _next_goes_on(self) -> bool:
        return self._next.kind == "sign" and self._next.text not in (")", ",", "}", "]")

    def _count(self, which: str) -> Count:
        number = self.take("number")
        count = math.nan if number is None else self._number(number)
        if number is None or count != round(count):
            raise self._error(f"expected a whole number after 'at {which}'")
        if not self.word("of"):
            raise self._error("expected 'of'")
        names = []
        while (name := self.take("name")) is not None:
            names.append(name.text)
            if not self.sign(","):
                break
        if not names:
            raise self._error("expected names")
        whole = int(count)
        return Count(tuple(names), *((0, whole) if which == "most" else (whole, None)))

    def _number(self, token: Token) -> float:
        value = float(token.text)
        if not math.isfinite(value):
            what = f"{quoted(token.text)} is too large a number"
            raise ConfigError(f"{quoted(self._text)}: {what} (place {token.place + 1})")
        return value

    def _comparison(self) -> Statement:
        terms, relations = [self.sum()], []
        if self.word("in"):
            return Membership(terms[0], self._values())
        if self.word("not", "in"):
            return Connective("not", (Membership(terms[0], self._values()),))
        while relation := self.sign(*_RELATIONS):
            relations.append(relation)
            terms.append(self.sum())
        if not relations:
            raise self._error("expected one of <= >= == < > !=")
        return Comparison(tuple(terms), tuple(relations))

    def _values(self) -> tuple[Term, ...]:
        close = {"{": "}", "[": "]", "(": ")"}.get(self.sign("{", "[", "("))
        if close is None:
            raise self._error("expected { and values")
        values = [self.sum()]
        while self.sign(","):
            values.append(self.sum())
        if not self.sign(close):
            raise self._error(f"expected , or {close}")
        return tuple(values)

    def sum(self) -> Term:
        """Terms added and subtracted: one operation, however many there are."""
        self._deeper()
        terms = [self._product()]
        while name := self.sign("+", "-"):
            term = self._product()
            terms.append(_negative(term) if name == "-" else term)
        self._depth -= 1
        return terms[0] if len(terms) == 1 else Operation("+", tuple(terms))

    def _product(self) -> Term:
        """Factors and divisors: one division at most of products, however many there are."""
        above, below = [self._signed()], list[Term]()
        while name := self.sign("*", "/"):
            (above if name == "*" else below).append(self._signed())
        parts = [o[0] if len(o) == 1 else Operation("*", tuple(o)) for o in (above, below) if o]
        return parts[0] if len(parts) == 1 else Operation("/", tuple(parts))

    def _signed(self) -> Term:
        if name := self.sign("-", "+"):
            self._deeper()
            operand = self._signed()
            self._depth -= 1
            return operand if name == "+" else _negative(operand)
        base = self._atom()
        if not self.sign("^"):
            return base
        self._deeper()
        power = Operation("^", (base, self._signed()))
        self._depth -= 1
        return power

    def _atom(self) -> Term:
        if (number := self.take("number")) is not None:
            return Number(self._number(number))
        if (text := self.take("text")) is not None:
            return Text(text.text)
        if (name := self.take("name")) is not None:
            if not name.ticked and self.sign("("):
                return self._call(name)
            return Name(name.text)
        if self.sign("("):
            tree = self.sum()
            if not self.sign(")"):
                raise self._error("expected )")
            return tree
        raise self._error("expected a number or a name")

    def _call(self, name: Token) -> Term:
        if name.text not in FUNCTIONS:
            close = close_names(name.text, list(FUNCTIONS))
            raise ConfigError(f"{quoted(self._text)}: no function {name.text!r}. {close}")
        arguments = [self.sum()]
        while self.sign(","):
            arguments.append(self.sum())
        if not self.sign(")"):
            raise self._error("expected , or )")
        expected = FUNCTIONS[name.text]
        if expected and len(arguments) != expected:
            raise ConfigError(
                f"{quoted(self._text)}: {name.text} takes one argument, not {len(arguments)}"
            )
        return Operation(name.text, tuple(arguments))

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ConfigError(f"{quoted(self._text)}: nested deeper than {_DEEPEST}")


def _negative(term: Term) -> Term:
    return Number(-term.value) if isinstance(term, Number) else Operation("-", (term,))
