"""The table at the end of a sweep."""

import json
from pathlib import Path

import pytest

from nnlab.sweeping import sweep_table


def add_job(
    sweep: Path,
    name: str,
    monitor: str | None,
    data: str = "{seed: 0}",
    mode: str | None = None,
    **val: float,
) -> None:
    (sweep / name / ".hydra").mkdir(parents=True)
    (sweep / name / ".hydra" / "config.yaml").write_text(f"data: {data}\nname: null\n")
    if monitor is not None:
        content = {
            "monitor": monitor,
            "mode": mode,
            **dict.fromkeys(("val", "test"), val),
            **dict.fromkeys(("best_epoch", "epochs", "max_epochs", "threads"), 3),
            "device": "cpu",
            "versions": {},
            "time_s": {},
        }
        (sweep / name / "metrics.json").write_text(json.dumps(content))


# Lists of ten of the list before: the last would be of 10 ** 12.
BOMB = "a0: &a0 [x,x]\n" + "".join(
    f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 13)
)


def order(sweep: Path) -> list[str]:
    return [line.split()[1] for line in sweep_table(sweep).splitlines()[1:]]


def test_the_lowest_loss_comes_first_and_failures_last(tmp_path: Path) -> None:
    for name, loss in (("0_a", 0.3), ("1_b", 0.1), ("2_c", 0.2)):
        add_job(tmp_path, name, "val/loss", loss=loss, accuracy=loss)
    add_job(tmp_path, "3_failed", None)
    assert order(tmp_path)[:3] == ["1_b", "2_c", "0_a"]
    last = sweep_table(tmp_path).splitlines()[-1]
    assert last.split() == ["3_failed", "no", "result"]


OTHER_LOSS = (
    "val/loss is another measure in jobs of another model.label_smoothing, so the order says "
    "little; to go by another add monitor=val/accuracy"
)
OTHER_DATA = "these jobs are of different data, so that their order says little"


@pytest.mark.parametrize(
    ("second", "monitor", "said"),
    [
        ("{path: b.csv}\nmodel: {label_smoothing: 0}", "val/loss", OTHER_DATA),
        ("{path: b.csv}\nmodel: {label_smoothing: 0}", "val/accuracy", OTHER_DATA),
        ("{path: a.csv, fold: 1}\nmodel: {label_smoothing: 0}", "val/loss", None),
        ("{path: a.csv}\nmodel: {label_smoothing: 0.1}", "val/loss", OTHER_LOSS),
        ("{path: a.csv}\nmodel: {label_smoothing: 0.1}", "val/accuracy", None),
        ("[1]", "val/loss", None),  # a run from elsewhere
    ],
)
def test_what_cannot_be_compared_is_not_ranked_without_a_word(
    tmp_path: Path, second: str, monitor: str, said: str | None
) -> None:
    for name, data in (("0_a", "{path: a.csv}\nmodel: {label_smoothing: 0}"), ("1_b", second)):
        add_job(tmp_path, name, monitor, data, loss=0.1, accuracy=0.9)
    table = sweep_table(tmp_path)
    assert table.endswith(f"\n\n{said}" if said else " 3")


def test_the_highest_accuracy_comes_first(tmp_path: Path) -> None:
    for name, accuracy in (("0_a", 0.5), ("1_b", 0.9)):
        add_job(tmp_path, name, "val/accuracy", loss=0.1, accuracy=accuracy)
    assert order(tmp_path) == ["1_b", "0_a"]


def test_the_mode_of_a_metric_of_ones_own_is_the_one_that_was_said(tmp_path: Path) -> None:
    for mode, best in (("min", "0_a"), ("max", "1_b")):
        for name, value in (("0_a", 0.5), ("1_b", 0.9)):
            add_job(tmp_path / mode, name, "val/own", loss=value, own=value, mode=mode)
        assert order(tmp_path / mode)[0] == best


def test_regression_is_shown_by_its_rmse(tmp_path: Path) -> None:
    add_job(tmp_path, "0_a", "val/loss", loss=0.1, rmse=25.0)
    assert "test/rmse" in sweep_table(tmp_path).splitlines()[0]


def test_a_sweep_without_results_says_so(tmp_path: Path) -> None:
    add_job(tmp_path, "0_a", None)
    assert sweep_table(tmp_path) == "none of the 1 jobs has a result"


def test_a_job_from_elsewhere_is_no_part_of_a_cross_validation(tmp_path: Path) -> None:
    for fold, loss in ((0, 0.1), (1, 0.4)):
        name = f"{fold}_hidden_sizes-8_fold-{fold}_folds-2"
        add_job(tmp_path, name, "val/loss", f"{{fold: {fold}, folds: 2}}", loss=loss)
    for name, config in (("2_bomb", BOMB), ("3_no_data", "a: 1\n"), ("4_odd", "data: x\n")):
        add_job(tmp_path, name, "val/loss", loss=0.2)
        (tmp_path / name / ".hydra" / "config.yaml").write_text(config)
    (mean,) = (line for line in sweep_table(tmp_path).splitlines() if "mean" in line)
    assert mean.split()[:6] == ["mean", "of", "2", "folds,", "hidden_sizes-8", "0.2500"]


def test_folds_that_are_none_twice_make_no_cross_validation(tmp_path: Path) -> None:
    for job, fold in enumerate((0, 0, 1)):
        data = f"{{fold: {fold}, folds: 3}}"
        add_job(tmp_path, f"{job}_fold-{fold}", "val/loss", data, loss=0.1)
    assert "mean" not in sweep_table(tmp_path)


def test_seeds_have_a_mean_for_each_choice(tmp_path: Path) -> None:
    for job, (seed, size, loss) in enumerate(((0, 8, 0.1), (1, 8, 0.3), (0, 9, 0.5), (1, 9, 0.9))):
        name = f"{job}_hidden_sizes-{size}_seed-{seed}"
        add_job(tmp_path, name, "val/loss", f"{{seed: '${{seed}}', size: {size}}}", loss=loss)
        with (tmp_path / name / ".hydra" / "config.yaml").open("a") as file:
            file.write(f"seed: {seed}\n")
    means = [line.split() for line in sweep_table(tmp_path).splitlines() if "mean" in line]
    assert means == [
        ["mean", "of", "2", "seeds,", "hidden_sizes-8", "0.2000", "±", "0.1414"],
        ["mean", "of", "2", "seeds,", "hidden_sizes-9", "0.7000", "±", "0.2828"],
    ]


def test_seeds_of_one_fold_have_a_mean(tmp_path: Path) -> None:
    for seed in (0, 1):
        name = f"{seed}_seed-{seed}"
        add_job(tmp_path, name, "val/loss", "{fold: 0, folds: 5}", loss=0.2 + seed)
        with (tmp_path / name / ".hydra" / "config.yaml").open("a") as file:
            file.write(f"seed: {seed}\n")
    (mean,) = (line.split() for line in sweep_table(tmp_path).splitlines() if "mean" in line)
    assert mean == ["mean", "of", "2", "seeds", "0.7000", "±", "0.7071"]


def test_only_a_whole_cross_validation_has_a_mean(tmp_path: Path) -> None:
    for fold, loss in ((0, 0.1), (1, 0.4)):
        data = f"{{fold: {fold}, folds: 2, drop: [a]}}"
        add_job(tmp_path, f"{fold}_fold-{fold}_drop-a", "val/loss", data, loss=loss)
    add_job(tmp_path, "2_fold-0_drop-b", "val/loss", "{fold: 0, folds: 2, drop: [b]}", loss=0.2)
    means = [line for line in sweep_table(tmp_path).splitlines() if "mean" in line]
    assert [line.split() for line in means] == [
        ["mean", "of", "2", "folds,", "drop-a", "0.2500", "±", "0.2121"]
    ]
