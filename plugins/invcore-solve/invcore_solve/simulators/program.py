"""A program as a simulator: what to run, and how."""

import hashlib
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from invcore.plugin import Config, Field

PYTHON, INPUT, OUTPUT, FOLDER = "{python}", "{input}", "{output}", "{folder}"


class Program(Config):
    """An external program that is run once for each batch of designs, through files.

    It reads the designs from one file and writes the responses, row by row, to another. It is
    started without a shell; it succeeds if it ends with 0 and its output can be used.

    Args:
        command: the program and its arguments. In them ``{input}`` and ``{output}`` stand for the
            two files, ``{folder}`` for an empty folder of the batch, ``{python}`` for the Python
            that runs invcore.
        format: of the two files. ``csv``: a row of names, then a row a design, and so back; names
            may be missing from what comes back. ``json``: a list of objects by names, one a design,
            and so back. ``npz``: arrays ``x`` (N, Dx) and ``names``; back comes ``y`` (N, Dy).
            Categories are given by their names; in ``x`` as 0, 1, 2, …, with the names in order in
            an array ``categories NAME``.
        batch: designs in one file.
        time_limit: seconds for one batch; then all its processes are killed.
        retries: how often a batch that failed is tried again.
        jobs: batches that run at the same time.
        folder: where it runs; empty: the current folder.
        version: any text; another one means that the program has changed.
        keep_output: keep the last line that it printed before it failed in records; else it is
            shown on the screen alone, since it may hold a secret.

    Example:
        >>> Program(command=["./spring", "--in", "{input}", "--out", "{output}"]).name
        'spring'
    """

    command: tuple[str, ...] = Field(min_length=1)
    format: Literal["csv", "json", "npz"] = "csv"
    batch: int = Field(64, ge=1)
    time_limit: float = Field(3600.0, gt=0)
    retries: int = Field(1, ge=0)
    jobs: int = Field(1, ge=1, le=1024)
    folder: str = ""
    version: str = ""
    keep_output: bool = False

    @model_validator(mode="after")
    def _named(self) -> Self:
        for mark in (INPUT, OUTPUT):
            if not any(mark in word for word in self.command):
                raise ValueError(f"the command needs {mark} where that file's name belongs")
        if not self.command[0]:
            raise ValueError("the command's first word is empty")
        return self

    @property
    def name(self) -> str:
        """The program's name, or that of the script that an interpreter runs."""
        words = [word for word in self.command if "{" not in word]
        scripts = [word for word in words if _is_file(self.place / word)]
        return Path((scripts or words or self.command)[0]).name

    @property
    def place(self) -> Path:
        """The folder that it runs in."""
        return Path(self.folder) if self.folder else Path.cwd()

    def argv(self, input_file: Path, output_file: Path, folder: Path) -> list[str]:
        """The command for one batch."""
        marks = {
            PYTHON: sys.executable, INPUT: str(input_file), OUTPUT: str(output_file),
            FOLDER: str(folder),
        }  # fmt: skip
        return [self._filled(word, marks) for word in self.command]

    @staticmethod
    def _filled(word: str, marks: dict[str, str]) -> str:
        for mark, text in marks.items():
            word = word.replace(mark, text)
        return word

    def checksum(self) -> str:
        """Of the program, and of all files that its command names."""
        digest = hashlib.sha256()
        for number, word in enumerate(self.command):
            path = self.place / word
            if number == 0 and not _is_file(path):
                path = Path(shutil.which(word) or "")
            if _is_file(path):
                with suppress(OSError), path.open("rb") as file:  # it may be for running alone
                    digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a word that is too long for a name
        return False
