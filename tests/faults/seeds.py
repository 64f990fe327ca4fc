"""Seeds for the tests that kill: one in every run of the tests, 25 in `make faults`."""

import pytest

SEEDS = 25

seeds = pytest.mark.parametrize(
    "seed", [0, *(pytest.param(number, marks=pytest.mark.faults) for number in range(1, SEEDS))]
)
