"""What commands of plugins are made with: shared options, tables, JSON, bars."""

from invcore.base.progress import terminal_progress
from invcore.base.text import number, printable, safe
from invcore.cli.console import add_row, emit_json, progress, stderr, stdout, table, warn
from invcore.cli.executors import build_executor, executor_options
from invcore.cli.options import (
    BenchName,
    ComponentName,
    RunId,
    bound,
    component_option,
    device_option,
    json_option,
    response_option,
    setting_option,
    store_option,
    store_option_beside_out,
    want_options,
)
from invcore.cli.text_table import wrap

__all__ = [
    "BenchName", "ComponentName", "RunId", "add_row", "bound", "build_executor",
    "component_option", "device_option", "emit_json", "executor_options", "json_option", "number",
    "printable", "progress", "response_option", "safe", "setting_option", "stderr", "stdout",
    "store_option", "store_option_beside_out", "table", "terminal_progress", "want_options", "warn",
    "wrap",
]  # fmt: skip
