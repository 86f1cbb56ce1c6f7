"""The fewest simulator calls: a closed loop of surrogate, improvement and polish; campaigns."""

from typing import TYPE_CHECKING

from invcore import lazy_names

if TYPE_CHECKING:
    from invcore_closed_loop.campaign.campaign import Campaign as Campaign
    from invcore_closed_loop.campaign.standing.status import Worth as Worth

# On first use: listing the commands needs no torch.
__getattr__, _NAMES = lazy_names(__name__, {
    "campaign.campaign": "Campaign",
    "campaign.standing.status": "Worth",
})  # fmt: skip

__all__ = [*_NAMES]
