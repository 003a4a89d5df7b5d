// Puts the page together: the stream rewrites the cards, the map and the summary; ages grow by themselves; changes are
// announced to screen readers now and then, not each one.

import { keepCountersFresh } from "./counters.js";
import { drawMap } from "./map.js";
import { listen } from "./stream.js";
import { fill, words } from "./words.js";
import { forEverybody, forgotten, sentence, showAge, showSummary, showZone } from "./zones.js";

const AGES_EVERY_MS = 5_000;
const ANNOUNCE_EVERY_MS = 20_000;
const ANNOUNCED_AT_MOST = 3;
const FORGET_AFTER_MS = 10 * 60_000;

const summary = document.getElementById("summary");
const status = document.getElementById("status");
const announcer = document.getElementById("announcer");
const cards = new Map([...document.querySelectorAll("[data-zone]")].map((card) => [card.dataset.zone, card]));
const map = drawMap([...cards.values()], [...document.querySelectorAll("[data-counter]")]);

const zones = new Map();
const unannounced = new Map();
const clockTime = new Intl.DateTimeFormat("fr", {
  hour: "2-digit",
  minute: "2-digit",
  timeZone: document.body.dataset.timeZone,
});
let aheadOfUs = 0;
let newsAt = null;
let silentSince = null;

/** The server's clock, as far as it can be told from here. */
function now() {
  return Date.now() + aheadOfUs;
}

function show(zone) {
  const card = cards.get(zone.id);
  if (!card) return;
  showZone(card, zone);
  showAge(card, zone, now());
  map.show(zone);
}

function take(told) {
  const zone = forEverybody(told);
  const known = zones.get(zone.id);
  if (known && sentence(known) !== sentence(zone)) unannounced.set(zone.id, zone);
  zones.set(zone.id, zone);
  newsAt = now();
  show(zone);
}

function takeAll(all, serverNow) {
  if (all.length !== cards.size || !all.every((zone) => cards.has(zone.id))) {
    location.reload(); // zones came or went: the server writes the cards
    return;
  }
  aheadOfUs = serverNow - Date.now();
  all.forEach(take);
  showSummary(summary, [...zones.values()]);
}

function showState(state) {
  if (state === "live") silentSince = null;
  else silentSince ??= Date.now();
  status.dataset.state = state;
  if (newsAt === null && state === "opening") return;
  writeStatus({ live: words.live, lost: words.lost }[state] ?? asOf());
}

function asOf() {
  const time = status.dataset.state === "live" ? now() : newsAt;
  return fill(words.as_of, { time: clockTime.format(time) });
}

function writeStatus(text) {
  const field = status.querySelector("[data-field]");
  if (field.textContent === text) return;
  field.textContent = text;
  if (text === words.lost) announcer.textContent = text;
}

function growOld() {
  if (silentSince !== null && Date.now() - silentSince > FORGET_AFTER_MS) {
    const unknown = [...zones.values()].map(forgotten);
    unknown.forEach(show);
    showSummary(summary, unknown);
    return;
  }
  zones.forEach((zone, id) => cards.has(id) && showAge(cards.get(id), zone, now()));
}

function announce() {
  if (unannounced.size === 0) return;
  const changed = [...unannounced.values()];
  unannounced.clear();
  announcer.textContent =
    changed.length > ANNOUNCED_AT_MOST
      ? fill(words.announce_many, { n: changed.length })
      : changed.map((zone) => fill(words.announce, { name: zone.name, figure: sentence(zone) })).join(". ");
}

listen(document.body.dataset.stream, {
  onZones: takeAll,
  onZone(zone) {
    take(zone);
    showSummary(summary, [...zones.values()]);
  },
  onState: showState,
});
addEventListener("beforeprint", () => newsAt && writeStatus(asOf())); // paper is never live
addEventListener("afterprint", () => showState(status.dataset.state));
setInterval(growOld, AGES_EVERY_MS);
setInterval(announce, ANNOUNCE_EVERY_MS);
keepCountersFresh(document.getElementById("counters"));
