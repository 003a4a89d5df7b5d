"""Names that are meant to do something in a spreadsheet; those meant for a page are in `tests/browser`."""

import pytest
from msgspec.structs import replace

from cloud_api.registry.soundness import faults
from tests.hostile_town import COUNTER, MARKET


@pytest.mark.parametrize(
    "name", ["=cmd|' /C calc'!A0", "@SUM(A1)", "+A1", "+33 2 40+cmd|A0", "-1+1", "\t=1+1", "\r=1+1"]
)
def test_a_formula_comes_into_no_field_that_a_spreadsheet_may_open(name: str) -> None:
    told = dict(faults(replace(MARKET, name=name, address=name)))

    assert set(told) == {"name", "address"}
    assert "formula" in told["name"]
    assert "in" in dict(faults(replace(COUNTER, in_=name)))


@pytest.mark.parametrize("number", ["+33 2 40 41 90 00", "+33(0)2.40.41.90.00", "+44 20-7946-0958"])
def test_a_telephone_number_is_no_formula(number: str) -> None:
    assert list(faults(replace(MARKET, info=number))) == []


def test_a_name_with_such_a_sign_further_on_is_a_name() -> None:
    assert list(faults(replace(MARKET, name="Bouffay = Commerce - @ +"))) == []
