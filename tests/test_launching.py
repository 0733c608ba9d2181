"""What is looked at before torch is loaded."""

from pathlib import Path

import pytest

from nnlab.launching import require_tables


def test_a_table_must_be_there_but_a_path_of_anothers_may_be_anything(tmp_path: Path) -> None:
    require_tables({"_target_": "mine.Folder", "path": str(tmp_path)})
    require_tables({"_target_": "nnlab.data.ImageDataModule", "root": str(tmp_path)})
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(FileNotFoundError, match="a CSV or Parquet file was expected"):
            require_tables({"_target_": "nnlab.data.TabularDataModule", "path": str(path)})
