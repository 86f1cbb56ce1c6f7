"""A loop at work in a folder: every step is on disk before anybody sees it."""

from invcore.search.loop_journal.fixed_choices import fixed_space
from invcore.search.loop_journal.journal import LoopJournal
from invcore.search.loop_journal.rows import Rows, Told

__all__ = ["LoopJournal", "Rows", "Told", "fixed_space"]
