"""Step by step: the loss of the step and the rate it used."""

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.loggers import Logger

from nnlab.callbacks import StepCurves
from nnlab.data.batches import OrderedBatches


class Recorder(Logger):
    """Keeps what it is told."""

    name, version = "recorder", 0

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, dict[str, float]]] = []

    def log_hyperparams(self, *args, **kwargs) -> None:
        pass

    def log_metrics(self, metrics, step=None) -> None:
        if "train/loss_step" in metrics:
            self.seen.append((step, metrics))


class Countdown(LightningModule):
    """Its loss at step i is 10 - i, and its rate there 0.5 ** i."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))

    def training_step(self, batch, batch_idx):
        return self.weight * 0 + 10 - self.trainer.global_step

    def configure_optimizers(self):
        optimizer = torch.optim.SGD([self.weight], lr=1.0)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        return [optimizer], [{"scheduler": scheduler, "interval": "step"}]


@pytest.mark.parametrize(("accumulated", "steps"), [(1, [0, 2, 4, 6, 8]), (2, [0, 2, 4])])
def test_every_nth_step_is_logged_with_the_rate_it_used(accumulated: int, steps: list) -> None:
    recorder = Recorder()
    trainer = Trainer(
        accumulate_grad_batches=accumulated,
        accelerator="cpu",
        max_epochs=2,
        logger=recorder,
        callbacks=[StepCurves(every_n_steps=2)],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
    )
    batches = OrderedBatches(x=torch.zeros(5, 1), targets=torch.zeros(5), batch_size=1)
    trainer.fit(Countdown(), batches)
    assert [step for step, _ in recorder.seen] == steps
    for step, metrics in recorder.seen:
        assert metrics["train/loss_step"] == 10 - step
        assert metrics["lr"] == pytest.approx(0.5**step)


def test_every_n_steps_must_be_a_whole_number() -> None:
    with pytest.raises(ValueError, match="every_n_steps must be a whole number of at least 1"):
        StepCurves(every_n_steps=0)
