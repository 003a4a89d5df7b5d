"""How long the day is, from sunrise to sunset: what else differs between two periods that are compared. Pure.

The sun's place by the *Astronomical Almanac*'s low precision formulas (within 0.01 degrees from 1950 to 2050), sunrise
and sunset when its upper edge is on the horizon, refraction taken in (34' + 16' below it).
"""

from typing import Final

import numpy as np

from cloud_api.reports.hours import Floats, Ints

J2000: Final = 730120
"""1 January 2000, as `date.toordinal` counts; at noon the formulas' day 0."""
HORIZON: Final = np.radians(-50 / 60)
DEGREES_AN_HOUR: Final = 15


def daylight_h(days: Ints, latitude: float) -> Floats:
    """float64[day]: hours from sunrise to sunset on local days (`date.toordinal`), 0 to 24; latitude in degrees."""
    since = (days - J2000).astype(np.float64)
    anomaly = np.radians(357.528 + 0.9856003 * since)
    longitude = np.radians(280.460 + 0.9856474 * since + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    sin_declination = np.sin(np.radians(23.439)) * np.sin(longitude)
    sin_here, cos_here = np.sin(np.radians(latitude)), np.cos(np.radians(latitude))
    half_day = (np.sin(HORIZON) - sin_here * sin_declination) / (cos_here * np.sqrt(1 - sin_declination**2))
    hours: Floats = 2 * np.degrees(np.arccos(np.clip(half_day, -1, 1))) / DEGREES_AN_HOUR
    return hours
