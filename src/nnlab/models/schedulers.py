"""Learning-rate schedules that torch has no single class for."""

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from nnlab.rules import check


class WarmupCosineLR(LambdaLR):
    """A linear rise to the optimizer's `lr`, then half a cosine down.

    The rise as in Goyal et al. 2017 ("Accurate, Large Minibatch SGD", section 2.2), the fall as
    in Loshchilov & Hutter 2017 ("SGDR", eq. 5) with a single period. Step it once per optimizer
    step; past the last one the rate stays where the cosine ended.

    Args:
        optimizer: The optimizer; its `lr` is the peak.
        total_steps: Optimizer steps of the whole run, >= 1.
        warmup_fraction: Share of the steps spent rising, in [0, 1).
        final_lr_fraction: Where the fall ends, as a share of the peak, in [0, 1].

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        *,
        total_steps: int,
        warmup_fraction: float,
        final_lr_fraction: float,
    ) -> None:
        check(warmup_fraction=warmup_fraction, final_lr_fraction=final_lr_fraction)
        warmup_steps = round(total_steps * warmup_fraction)

        def share_of_peak(step: int) -> float:
            if step < warmup_steps:
                return (step + 1) / warmup_steps
            progress = min(1.0, (step - warmup_steps) / max(1, total_steps - warmup_steps))
            cosine = (1 + math.cos(math.pi * progress)) / 2
            return final_lr_fraction + (1 - final_lr_fraction) * cosine

        super().__init__(optimizer, share_of_peak)
