"""Orders as DiaLog exports them, for tests: the structure of its public template, places and hours of our own."""

import io

STREET = '{"type":"LineString","coordinates":[[-1.5562,47.2137],[-1.5542,47.2137]]}'
START, END = "2026-11-25T08:00:00+01:00", "2026-12-04T18:00:00+01:00"


def export(*orders: str) -> io.BytesIO:
    """A publication of orders."""
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<d2:payload modelBaseVersion="3" lang="FR" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:d2="http://datex2.eu/schema/3/d2Payload" xmlns:com="http://datex2.eu/schema/3/common"
 xmlns:loc="http://datex2.eu/schema/3/locationReferencing"
 xmlns:dx="https://raw.githubusercontent.com/MTES-MCT/dialog/main/docs/spec/datex2"
 xmlns="http://datex2.eu/schema/3/trafficRegulation" xsi:type="TrafficRegulationPublication">
<com:publicationTime>2026-11-27T06:00:00+01:00</com:publicationTime>
<trafficRegulationsFromCompetentAuthorities>{"".join(orders)}</trafficRegulationsFromCompetentAuthorities>
</d2:payload>"""
    return io.BytesIO(text.encode())


def order(*regulations: str, id_: str = "0193-a", status: str = "madeAndImplemented") -> str:
    """One order of a town."""
    return f"""<trafficRegulationOrder id="{id_}" version="1">
<description><com:values><com:value>Travaux rue Haute</com:value></com:values></description>
<issuingAuthority><com:values><com:value>Ville de Saint-Aubin</com:value></com:values></issuingAuthority>
<status>{status}</status>{"".join(regulations)}</trafficRegulationOrder>"""


def ban(
    *validities: str,
    place: str = STREET,
    others: str = "",
    rule: str = "parkingProhibited",
    status: str = "active",
) -> str:
    """A regulation that forbids to park."""
    times = "".join(validities) or validity()
    return f"""<trafficRegulation><status>{status}</status><typeOfRegulation xsi:type="StandingOrParkingRestriction">
<standingOrParkingRestrictionType>{rule}</standingOrParkingRestrictionType></typeOfRegulation>
<condition xsi:type="ConditionSet"><operator>and</operator>
<conditions xsi:type="ConditionSet"><operator>or</operator>{times}</conditions>
<conditions xsi:type="ConditionSet"><operator>or</operator><conditions xsi:type="LocationCondition">
<locationByOrder xsi:type="loc:LinearLocation"><loc:_linearLocationExtension><loc:linearLocationExtended>
<dx:geoJsonGeometry>{place}</dx:geoJsonGeometry></loc:linearLocationExtended></loc:_linearLocationExtension>
</locationByOrder></conditions></conditions>{others}</condition></trafficRegulation>"""


def validity(*periods: str, start: str = START, end: str | None = END) -> str:
    """From when to when."""
    over = "" if end is None else f"<com:overallEndTime>{end}</com:overallEndTime>"
    return f"""<conditions xsi:type="ValidityCondition"><validityByOrder>
<com:validityStatus>definedByValidityTimeSpec</com:validityStatus><com:validityTimeSpecification>
<com:overallStartTime>{start}</com:overallStartTime>{over}{"".join(periods)}
</com:validityTimeSpecification></validityByOrder></conditions>"""


def hours(start: str, end: str, *days: str) -> str:
    """Hours that come back."""
    weekly = "".join(f"<com:applicableDay>{day}</com:applicableDay>" for day in days)
    return f"""<com:validPeriod><com:recurringTimePeriodOfDay><com:startTimeOfPeriod>{start}</com:startTimeOfPeriod>
<com:endTimeOfPeriod>{end}</com:endTimeOfPeriod></com:recurringTimePeriodOfDay>
<com:recurringDayWeekMonthPeriod>{weekly}</com:recurringDayWeekMonthPeriod></com:validPeriod>"""


def vehicles(kind: str, *, exempted: bool) -> str:
    """Vehicles that a ban is for, or is not for."""
    return f"""<conditions xsi:type="ConditionSet"><operator>or</operator><conditions xsi:type="VehicleCondition">
<negate>{str(exempted).lower()}</negate><vehicleCharacteristics><com:vehicleUsage>{kind}</com:vehicleUsage>
</vehicleCharacteristics></conditions></conditions>"""
