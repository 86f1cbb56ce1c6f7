"""A campaign in a laboratory: five rows a week, of which some break, and some are made otherwise.

    python examples/campaign.py

A campaign lives in a folder: it asks for designs, and is told what came of them. It does not matter
how long that takes, in which order results come, or whether a design was made exactly as it was
asked for. The same is done by the commands of ``invcore campaign``, with Excel files.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from invcore_closed_loop import Campaign


def laboratory(beams: pd.DataFrame, random: np.random.Generator) -> pd.Series:
    """The stiffness of beams that is measured, in N/mm."""
    true = beams["width"] * beams["height"] ** 3 / 40
    return true * random.normal(1.0, 0.01, len(beams))


def main() -> float:
    """Run the campaign; give the stiffness of the best beam."""
    random = np.random.default_rng(0)
    known = pd.DataFrame({"width": [2.0, 1.5, 1.0], "height": [4.0, 5.0, 6.0]})
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "beams"
        Campaign.new(
            folder,
            designs={"width [mm]": (1.0, 3.0), "height [mm]": (2.0, 6.0)},
            responses=["stiffness [N/mm]", "area = width*height"],
            want=["stiffness>=9", "area=min"],
            known=known.assign(stiffness=laboratory(known, random)),
        )
        for week in range(1, 7):
            campaign = Campaign.open(folder)  # as on another day, perhaps by a colleague
            batch = campaign.ask(5)
            if not len(batch):
                break
            batch["width"] += [0.0, 0.01, 0.0, 0.0, 0.0]  # the second came out a little wider
            results = batch.head(4)  # the last one is still in the workshop
            results = results.assign(stiffness=laboratory(results, random).astype(object))
            results.loc[2, "stiffness"] = "broken"
            print(f"week {week}: {campaign.tell(results)}")

            late = campaign.pending().frame()
            campaign.tell(late.assign(stiffness=laboratory(late, random)))
            status = campaign.status(confidence=0.9)
            if status.stop:
                break
        print(status)
        assert status.best is not None
        return float(status.best["width"] * status.best["height"] ** 3 / 40)


if __name__ == "__main__":
    main()
