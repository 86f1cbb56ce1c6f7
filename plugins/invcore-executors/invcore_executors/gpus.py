"""Which GPUs workers are dealt."""

from __future__ import annotations

import os

from invcore.plugin import ConfigError


def gpus_of(choice: str) -> list[str]:
    """The values of ``CUDA_VISIBLE_DEVICES`` that workers get in turn; none where they see all.

    Args:
        choice: ``auto`` deals out the GPUs where there are several, ``all`` lets each worker see
            every one, and numbers such as ``0,1`` are those that are dealt out.

    Raises:
        ConfigError: that is none of these.

    Example:
        >>> gpus_of("0, 2"), gpus_of("all")
        (['0', '2'], [])
    """
    if choice == "all":
        return []
    if choice != "auto":
        numbers = [part.strip() for part in choice.split(",")]
        if not all(number.isascii() and number.isdigit() for number in numbers):
            raise ConfigError(f"gpus {choice[:40]!r}: expected auto, all, or numbers such as 0,1")
        return numbers
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        found = [part.strip() for part in visible.split(",") if part.strip()]
    else:
        import torch  # here: who counts them needs it, and nobody else

        found = [str(number) for number in range(torch.cuda.device_count())]
    return found if len(found) > 1 else []
