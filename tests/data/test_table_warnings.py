"""What a person is told of a table before training."""

from pathlib import Path

import polars as pl
import torch

from nnlab.data.columns.fitting import fit_columns
from nnlab.data.columns.inferred_kinds import infer_kinds
from nnlab.data.columns.odd_cells import spell_out
from nnlab.data.csv.options import CsvOptions
from nnlab.data.labelled import LabelledTable
from nnlab.data.storage import Storage
from nnlab.data.table_warnings import (
    warn_of_lone_target,
    warn_of_similar_categories,
    warn_of_similar_groups,
    warn_of_similar_names,
    warn_of_untested_classes,
)


def test_classes_that_differ_only_in_capitals_or_blanks_are_named() -> None:
    (warning,) = warn_of_similar_names("classes of 'y'", ["No", "Yes", "no ", "yes", "maybe"])
    assert (
        "of 'y' differ only in capitals or blanks: 'No' and 'no '; 'Yes' and 'yes'; if" in warning
    )
    for name in ("ja\u200b", "ja "):
        (warning,) = warn_of_similar_names("classes of 'y'", ["ja", name, "nein"])
        assert f"differ only in what no one sees: 'ja' and '{spell_out(name)}'" in warning
    assert len(warn_of_similar_names("classes of 'y'", ["caf\u00e9", "cafe\u0301", "bar"])) == 1
    assert warn_of_similar_names("classes of 'y'", ["a", "b", "A1"]) == []


def test_yes_and_no_in_several_spellings_are_named() -> None:
    (warning,) = warn_of_similar_names("classes of 'y'", ["FALSE", "N", "No", "TRUE", "Y", "Yes"])
    assert warning.startswith(
        "classes of 'y' differ only in how they say yes and no: 'FALSE' and 'N' and 'No'; 'TRUE' "
        "and 'Y' and 'Yes'; if they are the same, spell"
    )
    for names in (["no", "yes"], ["0", "1"], ["n", "y", "z"], ["0", "1", "2"], ["f", "n", "y"]):
        assert warn_of_similar_names("classes of 'y'", names) == []


def test_a_target_that_is_as_far_out_as_all_others_together_is_named(tmp_path: Path) -> None:
    def warnings_of_targets(numbers: list[float]) -> list[str]:
        path = tmp_path / "table.csv"
        path.write_text("x,y\n" + "".join(f"{i},{y}\n" for i, y in enumerate(numbers)))
        storage = Storage(memory_map=False, scratch=tmp_path)
        table = LabelledTable(path, CsvOptions(), target="y", text=(), storage=storage)
        return warn_of_lone_target(table, torch.tensor(numbers, dtype=torch.float64))

    ordinary = [float(i % 17) for i in range(60)]
    (warning,) = warnings_of_targets([*ordinary, 5e8])
    assert "'y' is 500,000,000 in line 62, which makes 100.0% of its spread" in warning
    assert warning.endswith("or predict log(1 + y)")  # as there are zeros
    (warning,) = warnings_of_targets([-1e4, *ordinary])
    assert "'y' is -10,000 in line 2" in warning
    assert "log" not in warning
    (warning,) = warnings_of_targets([*(y + 1 for y in ordinary), 5e8])
    assert warning.endswith("or predict the logarithm")
    for numbers in (ordinary, [*ordinary, 40.0], [1.0] * 60, [*ordinary[:18], 5e8]):
        assert warnings_of_targets(numbers) == []


def test_categories_that_differ_only_in_capitals_are_named() -> None:
    frame = pl.DataFrame({"region": ["north", "North", "south", "east"] * 20, "x": ["a", "b"] * 40})
    kinds = infer_kinds(frame, said={}, drop=[])
    columns = fit_columns(frame, kinds, scaling="robust", max_one_hot=8)
    (warning,) = warn_of_similar_categories(columns)
    assert warning.startswith(
        "categories of 'region' differ only in capitals or blanks: 'North' and 'north'; if"
    )


def test_classes_that_no_held_out_row_has_are_named() -> None:
    targets = {"train": torch.tensor([0, 1, 2]), "val": torch.tensor([0, 1])}
    (warning,) = warn_of_untested_classes("y", ["a", "b", "rare"], targets)
    assert warning.startswith("no validation row of 'y' is 'rare', so the metrics of those rows")
    targets["test"] = torch.tensor([0])
    warnings = warn_of_untested_classes("y", ["a", "b", "rare"], targets)
    assert "no test row of 'y' is 'b' or 'rare'" in warnings[1]
    targets = dict.fromkeys(("train", "val", "test"), torch.tensor([0, 1]))
    assert warn_of_untested_classes("y", ["a", "b"], targets) == []
    assert warn_of_untested_classes("y", [], {"train": torch.tensor([0.5])}) == []


def test_groups_that_may_be_one_are_told_of() -> None:
    (told,) = warn_of_similar_groups(pl.Series("clinic", ["Ulm", "ulm", "Bonn", None] * 9))
    assert told.startswith("groups of 'clinic' differ only in capitals or blanks: 'Ulm' and 'ulm'")
    assert warn_of_similar_groups(pl.Series("clinic", ["Ulm", "Bonn"] * 9)) == []
    assert warn_of_similar_groups(pl.Series("clinic", [1, 2] * 9)) == []
