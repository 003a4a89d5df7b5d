"""How many spaces will be free, as a distribution: sums of coin tosses, widened by what they have in common.

In come for each lead time the chance that an occupied space is free then, that a free one still is, and how far all of
them may be off together; out comes a probability for every number from 0 to the capacity.
"""

from typing import Final

import numpy as np
from msgspec import Struct

from cloud_api.forecast.occupancy import Floats, Ints

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
"""Seven demands, from very quiet to very busy, that stand for a normal distribution of them."""
SHARES: Final = WEIGHTS / WEIGHTS.sum()
CERTAIN: Final = 1e-6
LEAST: Final = 1e-9
"""No number of free spaces is less likely than this."""
ROUNDED: Final = 1 / 12
"""The variance that rounding to whole spaces adds."""
LOW: Final = 0.1
HIGH: Final = 0.9
"""The quantiles that bound the 80 % interval."""


class Spaces(Struct, frozen=True):
    """What is known of the spaces now."""

    free: int
    occupied: int

    @property
    def known(self) -> int:
        """All whose state is known."""
        return self.free + self.occupied

    @property
    def share(self) -> float:
        """The share that is occupied; NaN where none is known."""
        return self.occupied / self.known if self.known else float("nan")


class Chances(Struct, frozen=True, eq=False):
    """What may become of one space, for each of several lead times: float64[lead] each, 0 to 1."""

    stays_free: Floats
    """That a space that is free now is free then."""
    gets_free: Floats
    """That a space that is occupied now is free then."""
    spread: Floats
    """How far all spaces together may be off: the standard deviation of a common shift of the log-odds."""


class Said(Struct, frozen=True, kw_only=True):
    """What one method says of the number of free spaces at one moment to come."""

    probability: float
    """That at least one is free, 0 to 1."""
    expected: float
    """The mean number of free spaces."""
    low: int
    high: int
    """The 10 % and the 90 % quantile of the number of free spaces."""


class Outlook(Struct, frozen=True, eq=False):
    """The number of free spaces at several lead times, summed up."""

    probability: Floats
    """float64[lead]: that at least one is free."""
    expected: Floats
    """float64[lead]: the mean number of free spaces."""
    low: Ints
    """int64[lead]: the 10 % quantile of the number of free spaces."""
    high: Ints
    """int64[lead]: the 90 % quantile; at least 80 % lie between the two, both included."""

    def said(self, lead: int) -> Said:
        """The same for the lead time of that index."""
        return Said(
            probability=min(max(float(self.probability[lead]), 0.0), 1.0),
            expected=float(self.expected[lead]),
            low=int(self.low[lead]),
            high=int(self.high[lead]),
        )


def free_spaces(spaces: Spaces, chances: Chances) -> Floats:
    """float64[lead, number free]: the probability of each number from 0 to `spaces.known`.

    The generating function of a sum of independent spaces is a product, and a discrete Fourier transform of it: so it
    is multiplied at the roots of unity (half of them: the others' values are conjugate), averaged over the demands and
    transformed back.
    """
    half = np.arange((spaces.known + 1) // 2 + 1)
    roots = np.exp(-2j * np.pi * half / (spaces.known + 1))
    shifts = chances.spread[:, None] * NODES
    stays, gets = _shifted(chances.stays_free, shifts), _shifted(chances.gets_free, shifts)
    remain = (1 + stays[..., None] * (roots - 1)) ** spaces.free
    come = (1 + gets[..., None] * (roots - 1)) ** spaces.occupied
    mean = np.einsum("d,ldf->lf", SHARES, remain * come)
    numbers = np.clip(np.fft.irfft(mean, spaces.known + 1, axis=1), 0, None)
    return np.asarray(numbers / numbers.sum(axis=1, keepdims=True), dtype=np.float64)


def density(numbers: Floats, free: Floats, occupied: Floats, chances: Chances) -> Floats:
    """float64[lead]: how likely so many free spaces are, each lead time with its own `free` and `occupied` now.

    For learning, where there are thousands: for each demand the sum is taken for normal.
    """
    shifts = chances.spread[:, None] * NODES
    stays, gets = _shifted(chances.stays_free, shifts), _shifted(chances.gets_free, shifts)
    mean = free[:, None] * stays + occupied[:, None] * gets
    variance = free[:, None] * stays * (1 - stays) + occupied[:, None] * gets * (1 - gets) + ROUNDED
    bells = np.exp(-((numbers[:, None] - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    return np.asarray(bells @ SHARES + LEAST, dtype=np.float64)


def outlook(numbers: Floats) -> Outlook:
    """A distribution, float64[lead, number free], summed up."""
    cumulated = np.cumsum(numbers, axis=1)
    return Outlook(
        probability=1 - numbers[:, 0],
        expected=numbers @ np.arange(numbers.shape[1]),
        low=np.argmax(cumulated >= LOW - CERTAIN, axis=1),
        high=np.argmax(cumulated >= HIGH - CERTAIN, axis=1),
    )


def _shifted(chance: Floats, shifts: Floats) -> Floats:
    """float64[lead, demand]: a chance float64[lead] with its log-odds moved by float64[lead, demand]."""
    inside = np.clip(chance, CERTAIN, 1 - CERTAIN)[:, None]
    odds = inside / (1 - inside) * np.exp(shifts)
    return np.asarray(odds / (1 + odds), dtype=np.float64)
