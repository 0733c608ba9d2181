"""What a look over a piece of CSV text finds."""

import pytest

from nnlab.data.csv.layout import Marks
from nnlab.data.csv.survey import survey

COMMA, TAB = Marks(separator=ord(","), quote=ord('"')), Marks(separator=ord("\t"), quote=ord('"'))


@pytest.mark.parametrize(
    ("text", "marks", "has_outer_blank"),
    [
        (b"a b,c\n", COMMA, False),
        (b" a,c\n", COMMA, True),
        (b"a ,c\n", COMMA, True),
        (b"a,\tc\n", COMMA, True),
        (b"a,c \n", COMMA, True),
        (b"a\n b,c\n", COMMA, True),
        (b'a," c"\n', COMMA, True),
        # Of empty cells between tabs, to look closer would take several times as long.
        (b"\t\ta\t\n\tb\t\t\n", TAB, False),
        (b'"a\t"\tb\n', TAB, True),
        (b"a\t b\n", TAB, True),
    ],
)
def test_blanks_at_the_ends_of_cells_are_seen(
    text: bytes, marks: Marks, has_outer_blank: bool
) -> None:
    assert survey(text, marks).has_outer_blank == has_outer_blank


def test_what_needs_a_closer_look_is_seen() -> None:
    seen = survey('ä,\0,"1"\n007,1,0.5\n'.encode(), COMMA)
    assert (seen.is_ascii, seen.has_nul, seen.has_quote, seen.separators) == (False, True, True, 4)
    assert seen.zeros.tolist() == [9]
    nothing = survey(b"", COMMA)
    assert (nothing.is_ascii, nothing.has_nul, nothing.separators) == (True, False, 0)
    assert nothing.zeros.tolist() == []
