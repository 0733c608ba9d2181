"""The LightningModule: losses, penalties, schedules, metrics of an epoch, bare checkpoints."""

import math

import pytest
import torch
import torch.nn.functional as F
from lightning.pytorch import Trainer
from torch.optim import SGD, AdamW
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau, StepLR

from nnlab.data.batches import Blocks, OrderedBatches, ShuffledBatches
from nnlab.models import SupervisedModule

ARGUMENTS = {
    "task": "multiclass",
    "input_shape": [4],
    "numbers": 4,
    "category_sizes": [],
    "class_names": ["a", "b", "c"],
    "class_counts": [10, 10, 5],
    "target_mean": 0.0,
    "target_std": 1.0,
    "hidden_sizes": [6],
    "activation": "tanh",
    "dropout": 0.0,
    "batch_norm": False,
    "layer_norm": False,
    "numeric_embedding": None,
    "embedding_size": 3,
    "loss": "auto",
    "label_smoothing": 0.0,
    "class_weights": None,
    "l1": 0.0,
    "l2": 0.0,
}

REGRESSION = {"task": "regression", "class_names": [], "class_counts": []}

QUIET = {
    "accelerator": "cpu",
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "num_sanity_val_steps": 0,
}


def make_module(**changes) -> SupervisedModule:
    torch.manual_seed(0)
    return SupervisedModule(**{**ARGUMENTS, **changes})


def make_batches(batch_size: int = 10) -> OrderedBatches:
    generator = torch.Generator().manual_seed(1)
    return OrderedBatches(
        x=torch.randn(25, 4, generator=generator),
        targets=torch.randint(0, 3, (25,), generator=generator),
        batch_size=batch_size,
    )


def shuffled(whole: OrderedBatches) -> ShuffledBatches:
    return ShuffledBatches(
        x=whole.x,
        targets=whole.targets,
        batch_size=4,
        seed=0,
        rank=0,
        world_size=1,
        device=torch.device("cpu"),
    )


def fit(module: SupervisedModule, max_epochs: int = 1, batch_size: int = 10, **changes) -> Trainer:
    trainer = Trainer(**QUIET, max_epochs=max_epochs, **changes)
    trainer.fit(module, make_batches(batch_size), make_batches(7))
    return trainer


def weight_matrices(module: SupervisedModule) -> list[torch.Tensor]:
    return [p for name, p in module.network.named_parameters() if name.endswith("weight")]


def test_l1_and_l2_are_sums_over_weights_but_not_biases() -> None:
    module = make_module(l1=0.3, l2=0.7)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    expected = sum(0.3 * w.abs().sum() + 0.7 * (w**2).sum() for w in weight_matrices(module))
    torch.testing.assert_close(module.penalty(), expected)


def test_penalties_leave_the_shifts_of_embedded_numbers_alone() -> None:
    module = make_module(l1=1.0, l2=1.0, numeric_embedding="periodic")
    periodic = module.network[0].numeric
    before = module.penalty().item()
    for shift in (periodic.bias, periodic.phase):
        torch.nn.init.constant_(shift, 9.0)
    assert module.penalty().item() == before
    torch.nn.init.constant_(periodic.weight, 9.0)
    assert module.penalty().item() > before


@pytest.mark.parametrize("norm", ["batch_norm", "layer_norm"])
def test_penalties_leave_normalisation_gains_alone(norm: str) -> None:
    module = make_module(l2=1.0, **{norm: True})
    before = module.penalty().item()
    for layer in module.network.layers:
        if isinstance(layer, torch.nn.BatchNorm1d | torch.nn.LayerNorm):
            torch.nn.init.constant_(layer.weight, 9.0)
    assert module.penalty().item() == before


def test_a_step_of_gradient_descent_with_l2_is_the_closed_form() -> None:
    lr, l2 = 0.1, 0.05
    module = make_module(l2=l2, optimizer=lambda parameters: SGD(parameters, lr=lr))
    plain = make_module()
    x, targets = next(iter(make_batches(25)))
    plain.loss(plain(x), targets).backward()
    expected = {
        # w - lr * (gradient of the loss + 2 * l2 * w), biases without the second term
        name: p - lr * (p.grad + (2 * l2 * p if name.endswith("weight") else 0))
        for name, p in plain.named_parameters()
    }
    fit(module, batch_size=25)
    for name, parameter in module.named_parameters():
        torch.testing.assert_close(parameter, expected[name])


def test_training_and_the_logged_losses_are_weighted() -> None:
    weights = torch.tensor([1.0, 2.0, 7.0])
    lr = 0.1
    module = make_module(
        class_weights=weights.tolist(), optimizer=lambda parameters: SGD(parameters, lr=lr)
    )
    plain = make_module()
    x, targets = next(iter(make_batches(25)))
    loss = F.cross_entropy(plain(x), targets, weight=weights)
    loss.backward()
    fit(module, batch_size=25)
    assert module.latest_metrics["train/loss"] == pytest.approx(loss.item())
    for parameter, before in zip(module.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(parameter, before - lr * before.grad)
    after = F.cross_entropy(module(x), targets, weight=weights).item()
    assert module.latest_metrics["val/loss"] == pytest.approx(after)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class_weights": [1.0, 2.0]}, "class_weights must have a number for each of the 3"),
        ({"class_weights": "even"}, "class_weights must be one of balanced or null, or a list"),
        ({"class_weights": [1.0, 0.0, 1.0]}, "class_weights must be .* a number above 0"),
        (
            {"task": "regression", "class_names": [], "class_weights": "balanced"},
            "class_weights must be null for regression",
        ),
        ({"numeric_embedding": "cosine"}, "numeric_embedding must be one of periodic"),
        ({"embedding_size": 0}, "embedding_size must be"),
    ],
)
def test_arguments_that_do_not_suit_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_module(**changes)


def test_an_embedding_network_learns_from_its_codes(tmp_path) -> None:
    # Class by code alone: the codes are the only input.
    module = make_module(
        input_shape=[1],
        numbers=0,
        category_sizes=[5],
        hidden_sizes=[],
        optimizer=lambda parameters: SGD(parameters, lr=3.0),
    )
    codes = torch.randint(2, 5, (60, 1), generator=torch.Generator().manual_seed(0)).float()
    batches = OrderedBatches(x=codes, targets=codes[:, 0].long() - 2, batch_size=60)
    trainer = Trainer(**QUIET, max_epochs=15)
    trainer.fit(module, batches, batches)
    assert module.latest_metrics["val/accuracy"] == 1.0
    # What no row has is as at the beginning: zero, so that it says nothing.
    assert (module.network[0].categories.weight[:2] == 0).all()
    trainer.save_checkpoint(tmp_path / "model.ckpt")
    loaded = SupervisedModule.load_from_checkpoint(tmp_path / "model.ckpt", weights_only=True)
    assert torch.equal(loaded(codes), module(codes))


def test_a_table_without_embeddings_has_the_bare_network() -> None:
    bare = make_module(input_shape=[2, 2], numbers=0)
    table = make_module()
    assert list(bare.state_dict()) == list(table.state_dict())
    x = torch.randn(5, 4)
    assert torch.equal(bare(x.reshape(5, 2, 2)), table(x))


def test_logged_losses_are_means_over_all_rows_not_over_batches() -> None:
    module = make_module(l2=0.1, optimizer=lambda parameters: SGD(parameters, lr=0.0))
    expected_penalty = module.penalty().item()
    fit(module)
    x, targets = next(iter(make_batches(25)))
    expected = torch.nn.functional.cross_entropy(module(x), targets).item()
    assert module.latest_metrics["train/loss"] == pytest.approx(expected)
    assert module.latest_metrics["val/loss"] == pytest.approx(expected)
    assert module.latest_metrics["train/penalty"] == pytest.approx(expected_penalty)
    accuracy = (module(x).argmax(1) == targets).float().mean().item()
    assert module.latest_metrics["val/accuracy"] == pytest.approx(accuracy)


def test_a_schedule_is_stepped_at_every_optimizer_step_and_told_their_number() -> None:
    told = []

    def halve(optimizer, total_steps):
        told.append(total_steps)
        return StepLR(optimizer, step_size=1, gamma=0.5)

    module = make_module(optimizer=lambda parameters: SGD(parameters, lr=1.0), scheduler=halve)
    trainer = fit(module, max_epochs=2)
    assert told == [6]
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.5**6)


def test_a_plateau_is_watched_once_an_epoch() -> None:
    module = make_module(
        optimizer=lambda parameters: SGD(parameters, lr=0.0),
        scheduler=lambda optimizer, total_steps: ReduceLROnPlateau(optimizer, patience=1),
        monitor="val/loss",
    )
    fit(module, max_epochs=5)
    # Nothing gets better: epoch 1 sets the mark, each later one counts, every second one acts.
    assert module.lr_schedulers().num_bad_epochs == 0
    assert module.lr_schedulers().last_epoch == 5


def test_gradients_are_clipped() -> None:
    lr = 1.0
    module = make_module(optimizer=lambda parameters: SGD(parameters, lr=lr))
    before = torch.cat([p.detach().flatten().clone() for p in module.parameters()])
    fit(module, gradient_clip_val=0.01, max_steps=1)
    after = torch.cat([p.detach().flatten() for p in module.parameters()])
    assert (after - before).norm().item() == pytest.approx(lr * 0.01, rel=1e-3)


@pytest.mark.parametrize("device", ["cpu", "cuda"])  # which is not asked before the epoch's end
def test_a_loss_that_is_not_finite_stops_the_run_and_says_what_helps(monkeypatch, device) -> None:
    monkeypatch.setattr(SupervisedModule, "device", torch.device(device))
    module = make_module(activation="relu", optimizer=lambda parameters: SGD(parameters, lr=1e30))
    with pytest.raises(ValueError, match=r"loss must stay finite, got \w+ in epoch 1; lower"):
        fit(module, max_epochs=2)


@pytest.mark.parametrize("trains_blocks", [True, False])
def test_a_loss_that_is_not_finite_is_noticed_at_once(trains_blocks: bool) -> None:
    module = make_module(
        trains_blocks=trains_blocks, optimizer=lambda parameters: SGD(parameters, lr=0.1)
    )
    rows = {"x": torch.full((25, 4), math.nan), "targets": torch.zeros(25, dtype=torch.long)}
    batches = OrderedBatches(**rows, batch_size=10)
    if trains_blocks:
        place = {"rank": 0, "world_size": 1, "device": torch.device("cpu")}
        batches = Blocks(ShuffledBatches(**rows, **place, batch_size=5, seed=0), 2)
    steps = []
    module.on_train_batch_start = lambda batch, index: steps.append(index)
    trainer = Trainer(**QUIET, max_epochs=1)
    with pytest.raises(ValueError, match="train/loss must stay finite, got nan in epoch 1"):
        trainer.fit(module, batches, make_batches())
    assert steps == [0]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"class_weights": "balanced"},
        {"class_weights": [1.0, 2.0, 3.0], "numeric_embedding": "periodic"},
    ],
)
def test_a_checkpoint_opens_in_a_bare_session_without_code(changes: dict, tmp_path) -> None:
    module = make_module(
        **changes, activation="relu", optimizer=lambda parameters: SGD(parameters, lr=0.1)
    )
    trainer = fit(module)
    trainer.save_checkpoint(tmp_path / "model.ckpt")
    loaded = SupervisedModule.load_from_checkpoint(tmp_path / "model.ckpt", weights_only=True)
    assert loaded.spec == module.spec
    for name, value in module.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    x, targets = next(iter(make_batches(25)))
    assert torch.equal(loaded.loss(loaded(x), targets), module.loss(module(x), targets))


def test_a_loaded_model_says_that_it_cannot_be_trained() -> None:
    with pytest.raises(ValueError, match="has no optimizer"):
        make_module().configure_optimizers()


def test_the_loss_of_half_precision_outputs_is_computed_in_full() -> None:
    module = make_module()
    outputs = torch.randn(50, 3).bfloat16()
    targets = torch.randint(0, 3, (50,))
    expected = torch.nn.functional.cross_entropy(outputs.float(), targets).item()
    assert module.compute_metrics(outputs, targets)["loss"] == pytest.approx(expected, rel=1e-6)


def test_the_trainer_can_test_it() -> None:
    module = make_module(optimizer=lambda parameters: SGD(parameters, lr=0.1))
    trainer = fit(module)
    (tested,) = trainer.test(module, make_batches(), verbose=False)
    x, targets = next(iter(make_batches(25)))
    assert tested["test/accuracy"] == pytest.approx(
        (module(x).argmax(1) == targets).float().mean().item()
    )


def test_a_monitor_that_the_rows_do_not_define_is_named() -> None:
    module = make_module(monitor="val/auroc", optimizer=lambda parameters: SGD(parameters, lr=0.1))
    one_class = OrderedBatches(
        x=torch.randn(4, 4), targets=torch.zeros(4, dtype=torch.long), batch_size=4
    )
    trainer = Trainer(**QUIET, max_epochs=1)
    with pytest.raises(ValueError, match="got monitor=val/auroc, for which they are too few"):
        trainer.fit(module, make_batches(), one_class)
    module = make_module(monitor="val/own", optimizer=lambda parameters: SGD(parameters, lr=0.1))
    with pytest.raises(ValueError, match=r"one of val/loss, .*, got monitor=val/own"):
        Trainer(**QUIET, max_epochs=1).fit(module, make_batches(), make_batches())


SCHEDULERS = {
    "constant": None,
    "one_cycle": lambda optimizer, steps: OneCycleLR(optimizer, 0.1, total_steps=steps),
    "plateau": lambda optimizer, steps: ReduceLROnPlateau(optimizer, patience=0, factor=0.5),
}


@pytest.mark.parametrize(
    ("clip", "precision"),
    [
        (None, "32-true"),
        (0.1, "32-true"),
        (None, "bf16-true"),
        (None, "bf16-mixed"),
        (0.1, "bf16-mixed"),
        (None, "64-true"),
    ],
)
@pytest.mark.parametrize("task", ["multiclass", "regression"])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_blocks_of_steps_give_what_single_steps_give(scheduler, clip, precision, task) -> None:
    of_task = REGRESSION if task == "regression" else {}

    def trained(steps: int) -> tuple[SupervisedModule, Trainer]:
        module = make_module(
            **of_task,
            dropout=0.3,
            l2=0.01,
            batch_norm=True,
            optimizer=lambda parameters: AdamW(parameters, lr=0.05),
            scheduler=SCHEDULERS[scheduler],
            trains_blocks=steps > 1,
            gradient_clip_val=clip,
        )
        whole, val = make_batches(), make_batches(7)
        if of_task:
            whole.targets = val.targets = whole.x[:, 0] + 1 / 3
        batches = shuffled(whole)
        trainer = Trainer(
            **QUIET,
            max_epochs=5,
            precision=precision,
            gradient_clip_val=clip if steps == 1 else None,
        )
        trainer.fit(module, batches if steps == 1 else Blocks(batches, steps), val)
        return module, trainer

    expected, plain = trained(1)
    assert plain.global_step == 30
    for steps in (4, 100):
        module, trainer = trained(steps)
        assert trainer.global_step == plain.global_step
        assert (
            trainer.optimizers[0].param_groups[0]["lr"]
            == (plain.optimizers[0].param_groups[0]["lr"])
        )
        for name, value in expected.state_dict().items():
            assert torch.equal(module.state_dict()[name], value), name
        assert module.latest_metrics == expected.latest_metrics


@pytest.mark.parametrize("trains_blocks", [False, True])
def test_a_network_of_ones_own_learns_by_its_own_loss(trains_blocks: bool) -> None:
    class Doubled(SupervisedModule):
        def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            return 2 * super().loss(outputs, targets)

    def learned(cls: type[SupervisedModule], lr: float) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        module = cls(
            **ARGUMENTS,
            optimizer=lambda parameters: SGD(parameters, lr=lr),
            trains_blocks=trains_blocks,
        )
        batches = shuffled(make_batches())
        loader = Blocks(batches, 4) if trains_blocks else batches
        Trainer(**QUIET, max_epochs=2).fit(module, loader, make_batches(7))
        return module.state_dict()

    expected = learned(SupervisedModule, 0.25)
    for name, weights in learned(Doubled, 0.125).items():
        torch.testing.assert_close(weights, expected[name])


def test_what_has_learned_lets_go_of_its_optimizer_and_may_learn_again() -> None:
    made = []

    def make(parameters) -> AdamW:
        made.append(AdamW(parameters, lr=0.01))
        return made[-1]

    module = make_module(optimizer=make, trains_blocks=True)
    for _ in range(2):
        blocks = Blocks(shuffled(make_batches()), 4)
        Trainer(**QUIET, max_epochs=1).fit(module, blocks, make_batches(7))
        assert made[-1].state
        assert module._step is None


def test_a_checkpoint_becomes_the_network_that_it_was() -> None:
    module = make_module(class_weights="balanced")
    content = {"hyper_parameters": dict(module.hparams), "state_dict": module.state_dict()}
    again = SupervisedModule.from_checkpoint(content)
    x = torch.randn(7, 4)
    torch.testing.assert_close(again(x), module(x), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_sizes": [10**6, 10**6]}, "weights are of other shapes"),  # 4 TB
        ({"hidden_sizes": "abc"}, "hidden_sizes must be a list"),
        ({"category_sizes": [10**12]}, "weights are of other shapes"),
        ({"numbers": "four"}, "must be of SupervisedModule, but it is not"),
        ({"_class_path": "os.system"}, "unexpected keyword argument '_class_path'"),
    ],
)
def test_arguments_that_do_not_fit_the_weights_are_refused(changes: dict, message: str) -> None:
    module = make_module()
    arguments = {**module.hparams, **changes}
    with pytest.raises(ValueError, match=message):
        SupervisedModule.from_checkpoint(
            {"hyper_parameters": arguments, "state_dict": module.state_dict()}
        )


@pytest.mark.parametrize("part", [{"hyper_parameters": None}, {"state_dict": [1]}])
def test_what_no_module_has_written_is_refused(part: dict) -> None:
    module = make_module()
    whole = {"hyper_parameters": dict(module.hparams), "state_dict": module.state_dict()}
    with pytest.raises(ValueError, match="must be of SupervisedModule, but it is not"):
        SupervisedModule.from_checkpoint({**whole, **part})
