// Zones as one audience finds them. Zone views of the stream come in, the cards in the document are rewritten.
// Names and causes are people's text: they go in as text, never as markup. Mirrors cloud_api/web/cards.py.

import { age, count, fill, moment, noun, number, words } from "./words.js";

const PARTS = ["free", "occupied", "unknown", "closed"];
const EVERYBODY = "public";

export function audience() {
  return document.body.dataset.audience;
}

/** What the page's audience finds in a zone; null where it has no space there. */
export function countsOf(zone) {
  const own = zone.audiences.find((each) => each.audience === audience());
  if (own) return own;
  return zone.audiences.length === 0 && audience() === EVERYBODY ? untold(zone) : null;
}

/** Nobody tells whose the spaces are: how many everybody finds is not known. */
function untold(zone) {
  const fresh = zone.trust === "fresh";
  const cause = { fr: words.untold, en: words.untold };
  return {
    ...zone,
    free: null,
    occupied: null,
    unknown: zone.capacity - zone.closed,
    trust: fresh ? "unknown" : zone.trust,
    cause: fresh ? cause : zone.cause,
    trend: null,
  };
}

/** How many spaces are free; null also where nought is only what is left of a zone that cannot be believed. */
function shownFree(counts) {
  if (counts.free === 0 && counts.unknown > 0 && counts.trust !== "fresh") return null;
  return counts.free;
}

function label(counts, free) {
  const its = words.audiences[audience()];
  if (free === null) return counts.trust === "closed" ? "" : its.unknown;
  const text = noun(free, its.free);
  return free === 0 && counts.unknown === 0 ? `${text}, ${words.full}` : text;
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

export function figure(counts) {
  const free = shownFree(counts);
  if (free !== null) return number(free);
  return counts.trust === "closed" ? words.closed : words.unknown;
}

/** What a zone says in one line: `5 places libres`. */
export function sentence(counts) {
  return `${figure(counts)} ${label(counts, shownFree(counts))}`.trim();
}

export function isNumber(counts) {
  return shownFree(counts) !== null;
}

/** The zone as it must be shown once the page has no news any more: nothing known. */
export function forgotten(zone) {
  const cause = { fr: words.lost_cause, en: words.lost_cause };
  const forget = (counts) => ({
    ...counts, free: null, occupied: null, unknown: counts.capacity - counts.closed, trust: "stale", cause, trend: null,
  });
  return { ...forget(zone), audiences: zone.audiences.map(forget) };
}

function write(root, field, text) {
  const element = root.querySelector(`[data-field="${field}"]`);
  if (element.textContent !== text) element.textContent = text;
  return element;
}

function closedInWords({ spaces, until, reason }) {
  const closed = { spaces: count(spaces, words.spaces_closed), reason };
  if (until === null) return fill(words.closed_for_now, closed);
  return fill(words.closed_until, { ...closed, ...moment(new Date(until)) });
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

function writeTrend(card, trend) {
  const moves = trend !== null && trend.direction !== "steady";
  const element = write(card, "trend", moves ? words.trend[trend.direction] : "");
  element.hidden = !moves;
  element.dataset.direction = trend?.direction ?? "";
}

function drawStrip(card, counts) {
  let left = 0;
  for (const part of PARTS) {
    const width = (100 * (counts[part] ?? 0)) / Math.max(counts.capacity, 1);
    const rect = card.querySelector(`[data-part="${part}"]`);
    rect.setAttribute("x", `${left}%`);
    rect.setAttribute("width", `${width}%`);
    left += width;
  }
}

export function showZone(card, zone) {
  const counts = countsOf(zone);
  card.dataset.trust = counts.trust;
  writeFigure(card, figure(counts), isNumber(counts));
  write(card, "label", label(counts, shownFree(counts)));
  write(card, "trust", words.trust[counts.trust].name);
  write(card, "detail", detail(counts));
  card.querySelector(".sign use").setAttribute("href", `#sign-${counts.trust}`);
  const closures = counts.closed > 0 ? zone.closures : [];
  const isSaid = counts.cause === null || (counts.trust === "closed" && closures.length > 0);
  write(card, "cause", isSaid ? "" : counts.cause[words.lang]).hidden = isSaid;
  writeTrend(card, counts.trend);
  writeClosures(card, closures);
  drawStrip(card, counts);
}

/** Hide what was said of an arrival once its time has come, or once the zone is no longer known. */
function dropArrival(card, counts, now) {
  const arrival = card.querySelector('[data-field="arrival"]');
  const late = arrival.dataset.at && Date.parse(arrival.dataset.at) <= now;
  if (counts.trust !== "fresh" || late) arrival.hidden = true;
}

export function showAge(card, zone, now) {
  const counts = countsOf(zone);
  dropArrival(card, counts, now);
  write(card, "age", age(counts.measured_at, now)).setAttribute("datetime", counts.measured_at ?? "");
}

export function showSummary(root, zones) {
  const seen = zones.map(countsOf).filter((counts) => counts !== null);
  const its = words.audiences[audience()];
  const known = seen.map(shownFree).filter((free) => free !== null);
  const sum = (key) => seen.reduce((total, counts) => total + counts[key], 0);
  const free = known.reduce((total, value) => total + value, 0);
  writeFigure(root, known.length ? number(free) : words.unknown, known.length > 0);
  write(root, "label", known.length ? noun(free, its.free) : its.unknown);
  write(root, "detail", detail({ capacity: sum("capacity"), unknown: sum("unknown"), closed: sum("closed") }));
}
