"""Public vectors: other people's samples of the same bytes, where they lie beside the repository."""

from collections.abc import Mapping

import pytest

from edge.drivers.devices import catalogue
from edge.readings import DecodeError
from tests.contract import vectors
from tests.contract.cases import printed
from tests.contract.vectors import Expectation

OTHER_DEVICES = frozenset(
    {
        "elsys-ers-eye",
        "eurecam-comptipix",
        "milesight-em310-udl",
        "milesight-vs330",
        "milesight-vs340",
        "milesight-vs341",
        "milesight-vs370",
        "milesight-vs373",
        "opensource-esp32-paxcounter",
        "terabee-people-counting-m",
    }
)
"""Vector files of devices that the catalogue does not hold yet."""


@pytest.mark.parametrize("stem", sorted(vectors.adapters()))
def test_a_vector_gives_what_it_expects(stem: str) -> None:
    wrong = [
        f"{stem}[{index}]: {problem}"
        for index, expectation in vectors.expectations(stem, vectors.adapters()[stem])
        if (problem := _problem(expectation)) is not None
    ]
    assert not wrong, "\n".join(wrong)


def test_every_vector_file_is_read_or_known_as_another_device() -> None:
    stems = {path.stem for path in vectors.FOLDER.glob("*.json")}
    assert stems <= set(vectors.adapters()) | OTHER_DEVICES


def _problem(expectation: Expectation) -> str | None:
    try:
        readings = printed(catalogue()[expectation.model].decode(expectation.frame, expectation.knowledge))
    except DecodeError as error:
        as_expected = expectation.refused is not None and expectation.refused in error.reason
        return None if as_expected else f"refused: {error}"
    if expectation.refused is not None:
        return f"not refused: {readings}"
    expected = expectation.readings
    same = len(readings) == len(expected) and all(_holds(*pair) for pair in zip(readings, expected, strict=True))
    return None if same else f"got {readings}, expected {list(expected)}"


def _holds(actual: object, expected: object) -> bool:
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        return all(key in actual and _holds(actual[key], value) for key, value in expected.items())
    return bool(actual == expected)
