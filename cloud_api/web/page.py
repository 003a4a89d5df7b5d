"""The page itself: asks a town's services for what it shows, and writes it down. No I/O but what they do.

In comes what a reader asks, out comes HTML. People counts are shown where everybody may read them, and only there.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from cloud_api.counters import CounterView, counter_views
from cloud_api.flows_now import LastHour
from cloud_api.forecast.present import present
from cloud_api.scopes import Scope
from cloud_api.services import Services
from cloud_api.web.asked import Asked, Start
from cloud_api.web.bars import CounterCard, chart
from cloud_api.web.cards import Seen, age, summary, zone_card
from cloud_api.web.last_hour import last_hour_line
from cloud_api.web.recent import Flows
from cloud_api.web.templating import templates_of
from cloud_api.web.words import Words
from cloud_api.web.zone_list import alphabetical, audiences_of, outlook_for, zones_seen
from cloud_api.zones import ZoneDetail

STREAM: Final = "v1/parking/stream"
"""Where the page listens, relative to itself: it may be served under any path."""


class Page:
    """Writes the page of one town. Belongs to the event loop."""

    def __init__(self, services: Services, assets: str) -> None:
        """`assets`: where scripts, styles and pictures are, relative to the page."""
        self._services = services
        self._assets = assets
        self._template = templates_of("cloud_api.web").get_template("page.html")

    @property
    def shows_people(self) -> bool:
        """Whether everybody may read people counts."""
        return Scope.READ_FLOWS in self._services.settings.everyone_may

    def start(self, place: str) -> Start | None:
        """The place of this name that one may start from; None where there is none."""
        registry = self._services.registry
        found = registry.zones.get(place) or (registry.counters.get(place) if self.shows_people else None)
        return None if found is None else Start(found.id, found.name, found.position)

    def _starts(self) -> list[Start]:
        """All of them, by name."""
        registry = self._services.registry
        found = [self.start(place) for place in (*registry.zones, *registry.counters)]
        return sorted((each for each in found if each is not None), key=lambda start: (start.name.casefold(), start.id))

    def write(self, asked: Asked, flows: Flows | None, now: datetime) -> str:
        """The page as HTML; `flows`: the last 24 hours, None while the history is away; `now`: local time."""
        services, words = self._services, asked.words
        zones = services.feed.look(now).data.zones
        seen = zones_seen(zones, asked, services.registry.zones)
        counters = counter_views(services.live, services.registry, now) if self.shows_people else []
        hours, details = services.flows.last_hours(), services.feed.details()
        foreseen = [self._foreseen(each, details[each.zone.id], asked, now) for each in seen]
        return self._template.render(
            asked=asked,
            home=Asked(words).address,
            words=words,
            catalogue=msgspec.json.encode(words).decode(),
            settings=services.settings,
            assets=self._assets,
            stream=STREAM,
            now=words.time(now),
            audiences=audiences_of(zones),
            starts=self._starts(),
            summary=summary([each.counts for each in seen], asked.audience, words),
            zones=[zone_card(each, asked.audience, words, now) for each in foreseen],
            names={
                each.zone.id: rank for rank, each in enumerate(sorted(seen, key=lambda seen: alphabetical(seen.zone)))
            },
            any_zones=bool(zones),
            shows_people=self.shows_people,
            counters=[_counter_card(view, flows, hours, words, now) for view in counters],
            history_away=flows is None,
        )

    def _foreseen(self, seen: Seen, detail: ZoneDetail, asked: Asked, now: datetime) -> Seen:
        """With what can be said of an arrival in half an hour, its time by the clocks of the town."""
        arrival = self._services.forecaster.soon(seen.zone.id, now)
        if arrival is None or seen.place is None:
            return seen
        local = replace(arrival, at=arrival.at.astimezone(now.tzinfo))
        return replace(seen, outlook=outlook_for(local, present(seen.place, detail).audience, seen.zone, asked))


def _counter_card(
    view: CounterView, flows: Flows | None, hours: Mapping[str, LastHour], words: Words, now: datetime
) -> CounterCard:
    return CounterCard(
        view=view,
        trust_name=words.trust[view.trust].name,
        age=age(view.measured_at, words, now),
        cause="" if view.cause is None else words.cause(view.cause),
        chart=None if flows is None or view.id not in flows else chart(flows[view.id], words, now),
        last_hour=last_hour_line(hours.get(view.id), words, now),
    )
