"""One bit an image as text: what goes in comes out, and nothing else is taken."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from resnext_search.spaces.correctness import pack_correct, unpack_correct
from resnext_search.spaces.errors import UsageError


@given(st.lists(st.booleans(), max_size=100))
def test_what_is_packed_comes_out_again(correct: list[bool]) -> None:
    unpacked = unpack_correct(pack_correct(np.array(correct, dtype=bool)))
    assert unpacked.dtype == bool
    assert unpacked.tolist() == correct


@pytest.mark.parametrize(
    ("correct", "text"),
    [([], "0:"), ([True], "1:gA=="), ([False] * 8, "8:AA=="), ([True] * 9, "9:/4A=")],
)
def test_the_first_image_is_the_highest_bit(correct: list[bool], text: str) -> None:
    assert pack_correct(np.array(correct, dtype=bool)) == text


def test_ten_thousand_images_fit_into_a_cell() -> None:
    text = pack_correct(np.ones(10_000, dtype=bool))
    assert len(text) == len("10000:") + 1_668
    assert unpack_correct(text).sum() == 10_000


@pytest.mark.parametrize(
    "text", ["", ":", "3", "3:", "3:oA", "3:o*==", "x:oA==", "-1:", "9:oA==", "3:oAA=", "3.0:oA==", "3:oA==:", "nan"]
)
def test_what_is_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        unpack_correct(text)
    assert str(caught.value) == f"correct: {text!r} is not of the form <images>:<packed bits in base 64>"


@given(st.text(max_size=60))
def test_no_text_whatever_ends_in_another_error(text: str) -> None:
    with suppress(UsageError):
        unpack_correct(text)
