"""How a campaign stands: what is best and how sure that is, what comes next, when to stop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from invcore_solve.page.wording import counted, listed, number, probability_text

from invcore.plugin import ConfigError
from invcore_closed_loop.campaign.standing.expectation import FEWEST
from invcore_closed_loop.campaign.standing.outlook import Best, Gain

_SMALL = 1e-3  # of a goal: a change that nobody wants to hear of
_SHARE = 0.05
"""Chance that a batch is better than what there is, below which it is hardly worth the work."""


@dataclass(frozen=True)
class Worth:
    """What rows cost, and what reaching the aim is worth, in one currency.

    Args:
        experiment: of one row.
        met: of meeting all that is wanted, for sure; 0: nothing is said of it.
        goals: by response, of one unit in the direction of its goal.
        share: chance that the next batch is better, below which the advice is to stop.
    """

    experiment: float = 0.0
    met: float = 0.0
    goals: Mapping[str, float] = field(default_factory=dict)
    share: float = _SHARE

    def __post_init__(self) -> None:
        for name, value in (("experiment", self.experiment), ("met", self.met),
                            ("share", self.share), *self.goals.items()):  # fmt: skip
            if not 0 <= value < float("inf"):
                raise ConfigError(f"worth of {name}: expected a number from 0 on, got {value}")
        if self.share > 1:
            raise ConfigError(f"share: a probability is at most 1, got {self.share:g}")

    @property
    def told(self) -> bool:
        """Whether gains can be compared with costs."""
        return self.experiment > 0 and (self.met > 0 or bool(self.goals))

    def of(self, best: Best, gain: Gain) -> float:
        """What a batch is expected to be worth, before its cost."""
        value = self.met * max(0.0, gain.chance_met - best.chance)
        for name, each in self.goals.items():
            if name in gain.goals:
                value += each * abs(gain.goals[name] - best.goals[name])
        return value


@dataclass(frozen=True)
class Status:
    """How a campaign stands.

    Args:
        name: of the folder.
        wanted: as wishes say it.
        known: rows that were known at first.
        told: rows that were told later.
        failed: how many of them have failed.
        pending: ids of rows that were asked for and not told.
        partial: ids of rows that were told in part, with the responses that are missing.
        best: the best design: its id or None, its designs, what was measured of it.
        measured: how often the best design was measured.
        chance: probability that the best design's true response meets all; None: unknown.
        confidence: that counts as sure.
        met: whether the specification is met with that confidence.
        noise: by response, standard deviation of a measurement, and how it is known.
        gain: what the next batch may bring; None: unknown.
        gain_is: whose gain: of the ``pending`` rows, or of the ``next`` ones.
        worth: what the batch is worth and costs; None where nobody said.
        finished: whether the loop has nothing more to ask.
        stop: whether the advice is to stop.
        advice: what to do now.
        restarts: how often the loop had to start anew.
        goals: by response, what is expected of the best design's goal.
        error: expected violation of the best design.
        limits: whether something is to be met; off where all is to be small or large.
        unit: of the root of an error.
        known_failed: how many of the rows that were known at first have failed.
        known_partial: how many of them lack a response still.
    """

    name: str
    wanted: tuple[str, ...]
    known: int
    told: int
    failed: int
    pending: tuple[int, ...]
    partial: Mapping[int, tuple[str, ...]]
    best: Mapping[str, Any] | None
    measured: int
    chance: float | None
    confidence: float
    met: bool
    noise: Mapping[str, tuple[float, str]]
    gain: Gain | None
    gain_is: str
    worth: Mapping[str, float] | None
    finished: bool
    stop: bool
    advice: str
    restarts: int
    goals: Mapping[str, float]
    error: float | None
    limits: bool = True
    unit: str = "standard deviations or tolerances"
    known_failed: int = 0
    known_partial: int = 0

    def lines(self) -> Iterator[str]:
        """It in sentences."""
        yield f"campaign {self.name}: {'; '.join(self.wanted)}"
        told = f"{counted(self.told, 'row')} told"
        told += f", of which {self.failed:,} failed" if self.failed else ""
        if self.known:
            parts = ((self.known_failed, "failed"), (self.known_partial, "are known in part"))
            rest = " and ".join(f"{number:,} {what}" for number, what in parts if number)
            told += f", beside {counted(self.known, 'row')} known at first"
            told += f", of which {rest}" if rest else ""
        yield told
        if self.pending:
            shown = listed([str(number) for number in self.pending])
            yield f"pending: {counted(len(self.pending), 'row')} (id {shown})"
        for row, names in [*self.partial.items()][:6]:
            yield f"told in part: id {row} lacks {listed(names)}"
        yield from self._about_best()
        for name, (noise, how) in self.noise.items():
            most = "" if how == "stated" else "at most about "
            yield f"noise of {name}: {most}± {number(noise, 3)} ({_NOISE[how]})"
        yield from self._about_gain()
        yield f"advice: {self.advice}"

    def _about_best(self) -> Iterator[str]:
        if self.best is None:
            yield "nothing has been measured yet"
            return
        yield f"best: {in_words(self.best)}"
        if self.chance is None:
            yield f"how sure that is can be said of {FEWEST} different designs on"
        times = "once" if self.measured == 1 else f"{self.measured} times"
        if self.chance is not None and self.measured and self.limits:
            yield (
                f"it truly meets what is wanted with a probability of "
                f"{probability_text(self.chance)} (measured {times}; "
                f"{100 * self.confidence:g}% counts as sure)"
            )

        for name, value in self.goals.items():
            if abs(value - self.best[name]) > _SMALL * abs(value):
                yield f"{name} of it is truly expected to be {number(value)}"

    def _about_gain(self) -> Iterator[str]:
        if self.gain is None or self.chance is None:
            return
        rows = f"the {counted(self.gain.count, 'pending row')}"
        if self.gain_is == "next":
            rows = f"a batch of {self.gain.count:,}"
        verb = "are" if self.gain_is == "pending" and self.gain.count > 1 else "is"
        yield (
            f"{rows} {verb} better than the best with a probability of "
            f"{probability_text(self.gain.chance_better)}"
        )
        if self.limits and abs(self.gain.chance_met - self.chance) >= 0.001:
            yield (
                "then some design truly meets what is wanted with a probability of "
                f"{probability_text(self.gain.chance_met)}"
            )
        if self.limits and not self.met and self.error is not None:
            now, then = (
                number(max(0.0, value) ** 0.5, 2) for value in (self.error, self.gain.error)
            )
            yield (
                f"what is violated is expected to go from {now} to {then} {self.unit}, the root "
                "mean square over what is wanted"
            )
        for name, value in self.gain.goals.items():
            if abs(value - self.goals[name]) < _SMALL * max(abs(value), abs(self.goals[name])):
                continue
            yield (
                f"{name} of the best is expected to go from {number(self.goals[name])} to "
                f"{number(value)}"
            )
        if self.worth is not None:
            gain, cost = (number(self.worth[key]) for key in ("gain", "cost"))
            yield f"that is worth {gain}, and costs {cost}"

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines())

    def __str__(self) -> str:
        return self.text

    def document(self) -> dict[str, Any]:
        """Plain data, for machines."""
        gain = self.gain
        return {
            "name": self.name, "wanted": list(self.wanted), "known": self.known,
            "known_failed": self.known_failed, "known_partial": self.known_partial,
            "told": self.told, "failed": self.failed, "pending": list(self.pending),
            "partial": [{"id": i, "missing": list(n)} for i, n in self.partial.items()],
            "best": None if self.best is None else dict(self.best),
            "measured": self.measured, "probability": self.chance,
            "confidence": self.confidence, "met": self.met, "error": self.error,
            "goals": dict(self.goals),
            "noise": {n: {"std": v, "from": how} for n, (v, how) in self.noise.items()},
            "batch": None if gain is None else {
                "rows": gain.count, "of": self.gain_is, "probability_better": gain.chance_better,
                "probability": gain.chance_met, "error": gain.error, "goals": dict(gain.goals),
            },
            "worth": None if self.worth is None else dict(self.worth),
            "finished": self.finished, "stop": self.stop, "advice": self.advice,
        }  # fmt: skip


_NOISE = {
    "stated": "as you said",
    "measured": "from designs that were measured several times",
    "guessed": "no design was measured twice",
}


def in_words(row: Mapping[str, Any]) -> str:
    """A row for people: ``id 3, cu = 2.9, oven = A: strength = 311``."""
    cells = []
    for name, value in row.items():
        if name == "id":
            cells += [f"id {value}"] if value is not None else ["a row without an id"]
            continue
        text = value if isinstance(value, str) else number(value)
        cells.append(f"{name} = {text}")
    return ", ".join(cells)


def advice_of(
    best: Best | None, gain: Gain | None, worth: Worth, *, confidence: float, goals: bool,
    pending: int, measured: int, finished: bool, label: str, looks_met: bool,
) -> tuple[bool, str]:  # fmt: skip
    """Whether to stop, and what to do.

    Args:
        best: the best design; None: nothing is known.
        gain: what a batch of promising rows may bring, whatever is pending.
        worth: of reaching the aim.
        confidence: that counts as sure.
        goals: whether something is to be as small or as large as possible.
        pending: rows that are not told.
        measured: how often the best was measured.
        finished: whether the loop has nothing more to ask.
        label: what the best design is called.
        looks_met: whether the best design's mean measurement meets all.
    """
    sure = best is not None and best.chance >= confidence
    if best is None:
        more = "tell the pending rows" if pending else "ask for a batch, measure it, and tell it"
        return False, more
    if sure and not goals:
        return True, f"stop: {label} meets what is wanted"
    if gain is not None and worth.told:
        value, cost = worth.of(best, gain), worth.experiment * gain.count
        if value < cost:
            also = f" {label} meets what is wanted." if sure else ""
            return True, f"stop:{also} a next batch costs more than it is expected to be worth"
    little = gain is not None and gain.chance_better < worth.share
    if sure and (little or finished):
        return True, f"stop: {label} meets what is wanted, and little is to be gained beyond it"
    if looks_met and not sure:
        times = "again" if measured == 1 else "once more"
        return False, (
            f"measure {label} {times}: it looks as if it meets what is wanted, and is not sure"
        )
    if finished:
        return False, (
            "the loop has nothing more to ask: measure the best designs again, or change what is "
            "wanted"
        )

    if pending:
        return False, "measure the pending rows, and tell them"
    if little:
        return False, "little is to be gained within these bounds: change them, or what is wanted"
    return False, "go on: ask for a next batch"
