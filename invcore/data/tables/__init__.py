"""Users' tables: reading, checking, choosing columns, writing.

What readers of further kinds of files are made with; the names are imported on first use, and none
of them imports torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from invcore.base.lazy_names import lazy_names
from invcore.base.text import listing, printable, quoted

if TYPE_CHECKING:
    from invcore.data.tables.arrays import real_array as real_array
    from invcore.data.tables.binary_files import import_arrow as import_arrow
    from invcore.data.tables.binary_files import read_numpy as read_numpy
    from invcore.data.tables.columns import chosen_columns as chosen_columns
    from invcore.data.tables.columns import split_columns as split_columns
    from invcore.data.tables.formats import attempt as attempt
    from invcore.data.tables.formats import check_file as check_file
    from invcore.data.tables.formats import check_names as check_names
    from invcore.data.tables.formats import check_unpacked as check_unpacked
    from invcore.data.tables.formats import why as why
    from invcore.data.tables.formulas import guarded as guarded
    from invcore.data.tables.formulas import unguarded as unguarded
    from invcore.data.tables.stream import table_stream as table_stream
    from invcore.data.tables.table import Table as Table

__getattr__, _NAMES = lazy_names(__name__, {
    "arrays": "real_array",
    "binary_files": "import_arrow read_numpy",
    "columns": "chosen_columns split_columns",
    "formats": "attempt check_file check_names check_unpacked why",
    "formulas": "guarded unguarded",
    "stream": "table_stream",
    "table": "Table",
})  # fmt: skip

__all__ = ["listing", "printable", "quoted", *_NAMES]
