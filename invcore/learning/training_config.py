"""Settings of a training."""

from typing import Literal

from invcore.configs.config import Config, Field


class TrainingConfig(Config):
    """How a network is trained."""

    epochs: int = Field(200, ge=1, description="Passes over the training pairs.")
    minutes: float | None = Field(
        None, gt=0, description="How long it takes, in place of epochs: of this process's time on "
        "a CPU, of the clock on a GPU. Results then depend on the machine."
    )  # fmt: skip
    batch_size: int = Field(512, ge=1, description="Pairs in one step.")
    min_steps: int = Field(
        8, ge=1, description="Least steps of an epoch: few pairs get smaller batches."
    )
    lr: float = Field(3e-3, gt=0, description="Highest learning rate of Adam.")
    weight_decay: float = Field(0.0, ge=0, description="Decoupled weight decay (AdamW).")
    schedule: Literal["one-cycle", "cosine", "plateau", "constant"] = Field(
        "one-cycle", description="How the learning rate changes."
    )
    warm_up: float | None = Field(
        None, ge=0, lt=1, description="Share of the training in which the rate rises to its "
        "highest; a quarter for one-cycle, none for cosine."
    )  # fmt: skip
    final_lr: float = Field(
        1e-3, gt=0, le=1, description="Last rate over the highest, for one-cycle and cosine."
    )
    plateau_factor: float = Field(0.5, gt=0, lt=1, description="plateau: times this, when stuck.")
    plateau_patience: int = Field(10, ge=1, description="plateau: stuck after so many epochs.")
    patience: int = Field(0, ge=0, description="Stop after so many epochs without a gain; 0 never.")
    precision: Literal["float32", "bfloat16", "auto"] = Field(
        "float32", description="bfloat16: products of matrices in 16 bits; auto: so where the "
        "machine is faster by it (tensor cores, AMX, AVX512-BF16)."
    )  # fmt: skip
    clip: float = Field(0.0, ge=0, description="Clip the gradient's norm to this; 0 does not.")
    average: float = Field(
        0.0, ge=0, lt=1, description="Decay of the averaged weights that are kept; 0 averages none."
    )
    restarts: int = Field(
        1, ge=1, le=1000, description="Networks trained at once from other weights; the best by "
        "validation is kept."
    )  # fmt: skip
