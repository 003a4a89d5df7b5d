// Zones as the page writes them. Zone views of the stream come in, the cards in the document are rewritten.
// Names and causes are people's text: they go in as text, never as markup.

import { age, count, fill, noun, number, words } from "./words.js";

const PARTS = ["free", "occupied", "unknown", "closed"];

function isReserved(zone) {
  return zone.audiences.length > 0 && !zone.audiences.some(({ audience }) => audience === "public");
}

/** The zone as somebody finds it who has neither badge nor plug nor season ticket. */
export function forEverybody(zone) {
  if (zone.audiences.length === 0) return zone;
  if (isReserved(zone)) return { ...zone, capacity: 0, free: null, occupied: null, unknown: 0, closed: 0 };
  const { audience, ...counts } = zone.audiences.find((each) => each.audience === "public");
  return { ...zone, ...counts };
}

/** How many spaces are free; null also where nought is only what is left of a zone that cannot be believed. */
function shownFree(zone) {
  if (zone.free === 0 && zone.unknown > 0 && zone.trust !== "fresh") return null;
  return zone.free;
}

function label(zone, free) {
  if (free === null) return zone.trust === "closed" || isReserved(zone) ? "" : words.free_unknown;
  const text = noun(free, words.free);
  return free === 0 && zone.unknown === 0 ? `${text}, ${words.full}` : text;
}

function detail({ capacity, occupied, unknown, closed }) {
  const counts = [
    [occupied ?? 0, words.occupied_spaces],
    [unknown, words.unknown_spaces],
    [closed, words.closed_spaces],
  ];
  const pieces = counts.filter(([value]) => value > 0).map(([value, plural]) => count(value, plural));
  return [fill(words.out_of, { n: number(capacity) }), ...pieces].join(" · ");
}

export function figure(zone) {
  const free = shownFree(zone);
  if (free !== null) return number(free);
  if (zone.trust === "closed") return words.closed;
  return isReserved(zone) ? words.reserved : words.unknown;
}

/** What a zone says in one line: `5 places libres`. */
export function sentence(zone) {
  return `${figure(zone)} ${label(zone, shownFree(zone))}`.trim();
}

export function isNumber(zone) {
  return shownFree(zone) !== null;
}

/** The zone as it must be shown once the page has no news any more: nothing known. */
export function forgotten(zone) {
  const cause = { fr: words.lost_cause, en: words.lost_cause };
  const unknown = zone.capacity - zone.closed;
  return { ...zone, free: null, occupied: null, unknown, trust: "stale", cause };
}

function write(root, field, text) {
  const element = root.querySelector(`[data-field="${field}"]`);
  if (element.textContent !== text) element.textContent = text;
  return element;
}

const day = new Intl.DateTimeFormat("fr", {
  day: "2-digit", month: "2-digit", year: "numeric", timeZone: document.body.dataset.timeZone,
});
const time = new Intl.DateTimeFormat("fr", {
  hour: "2-digit", minute: "2-digit", timeZone: document.body.dataset.timeZone,
});

function closedInWords({ spaces, until, reason }) {
  const closed = { spaces: count(spaces, words.spaces_closed), reason };
  if (until === null) return fill(words.closed_for_now, closed);
  const end = new Date(until);
  return fill(words.closed_until, { ...closed, day: day.format(end), time: time.format(end) });
}

function writeClosures(card, closures) {
  const list = card.querySelector('[data-field="closures"]');
  list.hidden = closures.length === 0;
  list.replaceChildren(...closures.map((closed) => {
    const line = document.createElement("li");
    line.textContent = closedInWords(closed);
    return line;
  }));
}

function writeFigure(root, text, numeric) {
  const element = root.querySelector('[data-field="figure"]');
  if (element.textContent === text) return;
  element.textContent = text;
  element.classList.toggle("is-word", !numeric);
  element.classList.remove("changed");
  requestAnimationFrame(() => element.classList.add("changed"));
}

function drawStrip(card, zone) {
  let left = 0;
  for (const part of PARTS) {
    const width = (100 * (zone[part] ?? 0)) / Math.max(zone.capacity, 1);
    const rect = card.querySelector(`[data-part="${part}"]`);
    rect.setAttribute("x", `${left}%`);
    rect.setAttribute("width", `${width}%`);
    left += width;
  }
}

export function showZone(card, zone) {
  card.dataset.trust = zone.trust;
  writeFigure(card, figure(zone), isNumber(zone));
  write(card, "label", label(zone, shownFree(zone)));
  write(card, "trust", words.trust[zone.trust].name);
  write(card, "detail", detail(zone));
  card.querySelector(".sign use").setAttribute("href", `#sign-${zone.trust}`);
  const cause = write(card, "cause", zone.cause ? zone.cause[words.lang] : "");
  cause.hidden = zone.cause === null;
  writeClosures(card, zone.closures);
  drawStrip(card, zone);
}

/** Hide what was said of an arrival once its time has come, or once the zone is no longer known. */
function dropArrival(card, zone, now) {
  const arrival = card.querySelector('[data-field="arrival"]');
  if (zone.trust !== "fresh" || Date.parse(arrival.dataset.at) <= now) arrival.hidden = true;
}

export function showAge(card, zone, now) {
  dropArrival(card, zone, now);
  write(card, "age", age(zone.measured_at, now)).setAttribute("datetime", zone.measured_at ?? "");
}

export function showSummary(root, zones) {
  const known = zones.map(shownFree).filter((free) => free !== null);
  const sum = (key) => zones.reduce((total, zone) => total + zone[key], 0);
  const free = known.reduce((total, value) => total + value, 0);
  writeFigure(root, known.length ? number(free) : words.unknown, known.length > 0);
  write(root, "label", known.length ? noun(free, words.free) : words.free_unknown);
  write(root, "detail", detail({ capacity: sum("capacity"), unknown: sum("unknown"), closed: sum("closed") }));
}
