// The order of the list: where a space is surely free first, then where one may be, then the full and the closed; in each
// group the shortest walk first, or else by name. Mirrors cloud_api/nearby.py and zone_list.py. A position that is told
// here stays here.

import { fill, words } from "./words.js";

const EARTH_RADIUS_M = 6_371_009;
const DETOUR = 1.3; // a walk through streets, as a multiple of the straight line
const METRES_PER_MINUTE = 80;

function hope({ trust, free, unknown }) {
  if (trust === "closed" || (free === 0 && unknown === 0)) return 2;
  return trust === "fresh" && free > 0 ? 0 : 1;
}

function metres(one, other) {
  const radians = (degrees) => (degrees * Math.PI) / 180;
  const across = Math.sin(radians(other.lat - one.lat) / 2) ** 2;
  const along = Math.sin(radians(other.lon - one.lon) / 2) ** 2;
  const chord = across + Math.cos(radians(one.lat)) * Math.cos(radians(other.lat)) * along;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(chord)));
}

/** Tell every card how far it is from here. */
export function measureFrom(cards, here) {
  for (const card of cards) {
    const away = metres(here, { lat: Number(card.dataset.lat), lon: Number(card.dataset.lon) });
    card.dataset.metres = away;
    const walk = card.querySelector('[data-field="walk"]');
    walk.textContent = fill(words.walk, { n: Math.ceil((DETOUR * away) / METRES_PER_MINUTE) });
    walk.hidden = false;
  }
}

/** Put the cards in order; `countsOf(card)` tells what is known of one, null where nothing has come yet. */
export function arrange(list, countsOf) {
  const before = [...list.children];
  if (before.some((card) => countsOf(card) === null) || list.contains(document.activeElement)) return;
  const key = (card) => [hope(countsOf(card)), Number(card.dataset.metres ?? 0), Number(card.dataset.rank)];
  const after = before.map((card) => ({ card, key: key(card) })).sort((a, b) => compare(a.key, b.key));
  if (after.some(({ card }, index) => card !== before[index])) list.replaceChildren(...after.map(({ card }) => card));
}

function compare(one, other) {
  const index = one.findIndex((value, place) => value !== other[place]);
  return index < 0 ? 0 : one[index] - other[index];
}
