"""The paper's tables in words: what stands in the columns, and conclusions that follow the numbers."""

from __future__ import annotations

from resnext_search.search.cli.paper_table import paper_words
from resnext_search.spaces.architecture.paper import PaperRow, paper_rows


def made(arm: str, error: float | None, multiply_adds: int | None, activations: int | None = 2_000_000) -> PaperRow:
    """An arm of a made-up table whose reference has 1,000 million multiply-adds."""
    mismatch = None if multiply_adds is None else 100 * (multiply_adds / 1_000_000_000 - 1)
    return PaperRow("Table 9", arm, "first", "~3 M", None, error, 3_000_000, multiply_adds, activations, mismatch)


def test_table_1_says_what_was_published_and_what_was_counted() -> None:
    lines = [line.split() for line in paper_words(paper_rows()).splitlines()]
    published, counted = ["-", "25.0", "M", "25.03", "M"], ["4.2", "G", "4.230", "G", "+3.5", "%", "14.60", "M"]
    assert ["ResNeXt-50", "(32x4d)", *published, *counted] in lines


def test_the_conclusions_of_the_paper_s_tables_are_these() -> None:
    text = paper_words(paper_rows())
    for conclusion in (
        "Furthest from ResNet-50: ResNeXt-50 (32x4d), with +3.5 % multiply-adds and +29.0 % activations.",
        "Furthest from 1x64d: 8x14d, with +2.6 % multiply-adds and +25.0 % activations.",
        "Lowest error: 32x4d, with +3.5 % multiply-adds and +29.0 % activations against 1x64d.",
        "Lowest error: 32x4d, with +2.2 % multiply-adds and +30.4 % activations against 1x64d.",
        "Lowest error: ResNeXt-101 (32x4d), with -46.9 % multiply-adds and -33.8 % activations against ResNet-200 "
        "(1x64d).",
    ):
        assert f"\n  {conclusion}\n" in text
    assert text.endswith(
        "In 3 of 3 comparisons at equal complexity (the same networks counted once), the arm with the lowest "
        "error\nhas more multiply-adds than its reference, by 2.2 to 3.5 %.\n"
        "Of all pairs of arms there, the one that errs less has more multiply-adds in 23 of 26."
    )


def test_the_pairs_of_arms_are_counted_by_hand() -> None:
    """Ten pairs at either depth of Table 3, but 32x4d errs less than 8x14d and costs less; six of Table 4 at 2x, but
    2x64d errs less than 1x100d and costs less."""
    of_table_4 = [row for row in paper_rows() if row.table == "Table 4, 2x"]
    assert paper_words(of_table_4).endswith("has more multiply-adds in 5 of 6.")
    of_table_3 = [row for row in paper_rows() if row.table == "Table 3, 101 layers"]
    assert paper_words(of_table_3).endswith("has more multiply-adds in 9 of 10.")


def test_it_fits_a_window_of_120_columns_and_its_columns_are_aligned() -> None:
    lines = paper_words(paper_rows()).splitlines()
    assert max(map(len, lines)) <= 120
    heads = [line for line in lines if "error %" in line and line.startswith("Table")]
    assert len(heads) == 8
    assert len({(len(line), line.index("mismatch")) for line in heads}) == 1
    assert not any(line != line.rstrip() for line in lines)


def test_at_80_columns_what_was_counted_stays() -> None:
    lines = paper_words(paper_rows(), 80).splitlines()
    tables = [line for line in lines if "%" in line and "multiply-adds" not in line and ":" not in line]
    assert max(map(len, tables)) <= 80
    assert "  ResNeXt-50 (32x4d)                -  25.03 M   4.230 G    +3.5 %      14.60 M" in lines
    assert "--wide shows both" in lines[0]
    assert paper_words(paper_rows(), 100) == paper_words(paper_rows())


def test_the_words_follow_other_numbers() -> None:
    text = paper_words([made("first", 5.0, 1_000_000_000), made("other", 4.5, 950_000_000, 1_000_000)])
    assert "Lowest error: other, with -5.0 % multiply-adds and -50.0 % activations against first." in text
    assert text.endswith(
        "In 0 of 1 comparisons at equal complexity (the same networks counted once), the arm with the lowest "
        "error\nhas more multiply-adds than its reference.\n"
        "Of all pairs of arms there, the one that errs less has more multiply-adds in 0 of 1."
    )
    assert "Lowest error: first, the reference itself." in paper_words(
        [made("first", 4.0, 1_000_000_000), made("other", 4.5, 950_000_000)]
    )


def test_arms_that_were_not_meant_to_cost_the_same_are_not_called_equal() -> None:
    text = paper_words([made("first", 5.0, 1_000_000_000), made("other", 4.5, 1_200_000_000)])
    assert "with +20.0 % multiply-adds" in text
    assert "In 0 of 0 comparisons at equal complexity" in text


def test_an_arm_that_is_not_counted_has_dashes_and_an_unknown_cost() -> None:
    text = paper_words([made("first", 5.0, 1_000_000_000), made("other", 4.5, None, None)])
    assert "Lowest error: other, with unknown cost against first." in text
    assert ["other", "4.5", "~3", "M", "3.00", "M", "-", "-", "-", "-"] in [line.split() for line in text.splitlines()]
