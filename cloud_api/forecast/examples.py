"""The forecast that the API's description shows as an example: the market square of `cloud_api/examples.py`."""

from datetime import timedelta
from typing import Final

from cloud_api import examples
from cloud_api.feed import TTL_S
from cloud_api.forecast.answers import (
    QUALITY_TTL_S,
    ForecastAnswer,
    QualityAnswer,
    QualityList,
    ZoneForecast,
    ZoneQuality,
)
from cloud_api.forecast.arrival import Arrival
from cloud_api.forecast.quality import Beaten, Bin, Method
from cloud_api.forecast.record import BY_THE_MODEL, LeadQuality
from cloud_api.registry.places import Audience
from cloud_api.trust import Cause

CLOSED: Final = Cause("fermé à cette heure : marché", "closed at that time: marché")

FORECAST: Final = ForecastAnswer(
    last_updated=examples.NOW,
    ttl=TTL_S,
    data=ZoneForecast(
        id=examples.ZONE.id,
        name=examples.ZONE.name,
        audience=Audience.PUBLIC,
        capacity=10,
        free=3,
        forecasts=(
            Arrival(
                minutes=30,
                at=examples.NOW + timedelta(minutes=30),
                probability=0.874,
                expected=2,
                low=0,
                high=4,
                method=Method.MODEL,
                why=BY_THE_MODEL,
            ),
            Arrival(
                minutes=120,
                at=examples.NOW + timedelta(minutes=120),
                probability=None,
                expected=None,
                low=None,
                high=None,
                method=None,
                why=CLOSED,
            ),
        ),
    ),
)

QUALITY: Final = QualityAnswer(
    last_updated=examples.NOW,
    ttl=QUALITY_TTL_S,
    data=QualityList(
        (
            ZoneQuality(
                id=examples.ZONE.id,
                name=examples.ZONE.name,
                leads=(
                    LeadQuality(
                        minutes=15,
                        scored=2672,
                        brier={Method.MODEL: 0.041, Method.AS_NOW: 0.036, Method.USUAL: 0.102},
                        covered=0.842,
                        calibration=(
                            Bin(forecast=0.061, observed=0.055, count=402),
                            Bin(forecast=0.93, observed=0.921, count=2270),
                        ),
                        serves=Method.AS_NOW,
                        beaten=Beaten(model=0.041, baseline=0.036, forecasts=2672),
                        since=examples.NOW - timedelta(days=28),
                        until=examples.NOW - timedelta(minutes=5),
                        unverified=16,
                        moved=(-1, 1),
                        why=Cause(
                            "comme maintenant : sur 2672 prévisions, le modèle s’est plus trompé (score de Brier "
                            "0.041 contre 0.036)",
                            "as now: in 2672 forecasts the model was further off (Brier score 0.041 against 0.036)",
                        ),
                    ),
                ),
            ),
        )
    ),
)
