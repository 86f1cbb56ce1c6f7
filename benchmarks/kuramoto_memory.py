"""Time and peak memory of one gradient of kuramoto-sivashinsky, by the number of problems.

    python benchmarks/kuramoto_memory.py [--task kuramoto-sivashinsky] [--json]

Each size runs in a fresh process with one thread; the time is the processor's, so that other work
on the machine shows little. The peak is the operating system's; beside it stands what it grew by
above that of the process once it had taken a gradient of one problem. Both should grow no faster
than the number of problems; the last columns are per problem.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

SIZES = (32, 64, 128, 256, 512, 1024)


def peak() -> float:
    """The largest memory that this process has had, MiB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, kibibytes here
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def gradient(task_name: str, problems: int) -> dict[str, float]:
    """One gradient of the mean square response with respect to all designs, in this process."""
    import torch

    from invcore.plugin import generator, installed

    torch.set_num_threads(1)
    task = installed().registry.load("task", task_name)()
    context = task.contexts(problems, generator(0, "context"))
    start = task.designs.sample(problems, generator(0, "start"))

    def slope(rows: int) -> None:
        x = start[:rows].clone().requires_grad_()
        known = context and {name: value[:rows] for name, value in context.items()}
        task.simulate(x, known).square().mean().backward()

    slope(1)  # what is loaded late is loaded now
    before, begin = peak(), time.process_time()
    slope(problems)
    seconds = time.process_time() - begin
    return {"problems": problems, "seconds": seconds, "peak_mib": peak(), "grown": peak() - before}


def main() -> None:
    """Print a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="kuramoto-sivashinsky")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--problems", type=int, help="one size, in this very process")
    given = parser.parse_args()
    if given.problems is not None:
        print(json.dumps(gradient(given.task, given.problems)))
        return
    rows = []
    for size in SIZES:
        command = [sys.executable, __file__, "--task", given.task, "--problems", str(size)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout))
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    print("| problems | CPU s | peak, MiB | grown by, MiB | ms a problem | MiB a problem |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        count = row["problems"]
        print(
            f"| {count} | {row['seconds']:.2f} | {row['peak_mib']:.0f} | {row['grown']:.0f} "
            f"| {1000 * row['seconds'] / count:.1f} | {row['grown'] / count:.2f} |"
        )


if __name__ == "__main__":
    main()
