"""Tables as plain text."""

from nnlab.text_table import format_metric, format_table


def test_a_wide_table_has_a_line_for_each_row() -> None:
    names = ["", *(f"{i} {'class ' * 9}" for i in range(12))]
    text = format_table(names, [[name, *["1"] * 12] for name in names[1:]])
    assert len(text.splitlines()) == 13


def test_small_numbers_keep_their_digits() -> None:
    shown = [format_metric(value) for value in (12345.6789, -0.5, 0.0, 0.00123, 3.21987e-6)]
    assert shown == ["12345.6789", "-0.5000", "0.0000", "0.0012", "3.22e-06"]
