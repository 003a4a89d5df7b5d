// Puts the page together: the stream rewrites the cards, the map and the summary; ages grow by themselves; changes are
// announced to screen readers now and then, not each one; then, too, the list is put in order again.

import { keepFresh, turnTo } from "./afresh.js";
import { drawMap } from "./map.js";
import { arrange, measureFrom } from "./order.js";
import { askPosition, canTellPosition } from "./position.js";
import { listen } from "./stream.js";
import { fill, moment, words } from "./words.js";
import { countsOf, forgotten, sentence, showAge, showSummary, showZone } from "./zones.js";

const AGES_EVERY_MS = 5_000;
const ANNOUNCE_EVERY_MS = 20_000;
const ANNOUNCED_AT_MOST = 3;
const FORGET_AFTER_MS = 10 * 60_000;
const TURN_EVERY_MS = 60_000;

const summary = document.getElementById("summary");
const announcer = document.getElementById("announcer");
const zones = new Map();
const unannounced = new Map();
let cards = cardsNow();
let state = "still";
let aheadOfUs = 0;
let newsAt = null;
let silentSince = null;
let turnedAt = -Infinity;
let here = null;
let shownSearch = location.search;
const map = drawMap([...cards.values()], [...document.querySelectorAll("[data-counter]")]);

function cardsNow() {
  return new Map([...document.querySelectorAll("[data-zone]")].map((card) => [card.dataset.zone, card]));
}

/** The server's clock, as far as it can be told from here. */
function now() {
  return Date.now() + aheadOfUs;
}

function show(zone) {
  const card = cards.get(zone.id);
  if (!card || countsOf(zone) === null) return;
  showZone(card, zone);
  showAge(card, zone, now());
  map.show(zone);
}

function said(zone) {
  const counts = countsOf(zone);
  return counts === null ? "" : sentence(counts);
}

function take(zone) {
  const known = zones.get(zone.id);
  if (known && said(known) !== said(zone)) unannounced.set(zone.id, zone);
  zones.set(zone.id, zone);
  newsAt = now();
  show(zone);
}

function takeAll(all, serverNow) {
  aheadOfUs = serverNow - Date.now();
  const there = new Set(all.map((zone) => zone.id));
  [...zones.keys()].filter((id) => !there.has(id)).forEach((id) => zones.delete(id));
  all.forEach(take);
  showSummary(summary, all);
  const shown = all.filter((zone) => countsOf(zone) !== null);
  const same = shown.length === cards.size && shown.every((zone) => cards.has(zone.id));
  if (!same && Date.now() - turnedAt > TURN_EVERY_MS) turnPage(location.href); // the server writes the cards
}

/** Show another audience, or the same one where zones came or went. */
async function turnPage(address) {
  turnedAt = Date.now();
  const came = await turnTo(address);
  if (came !== "turned") return came;
  cards = cardsNow();
  unannounced.clear();
  map.take([...cards.values()]);
  offerMore();
  zones.forEach(show);
  if (zones.size > 0) showSummary(summary, [...zones.values()]);
  showState(state);
  if (here) startFrom(here);
  return came;
}

function arrangeCards() {
  const list = document.getElementById("zones");
  if (list) arrange(list, (card) => (zones.has(card.dataset.zone) ? countsOf(zones.get(card.dataset.zone)) : null));
}

/** What needs scripts is offered by them. */
function offerMore() {
  document.querySelectorAll(".to-map").forEach((link) => {
    link.hidden = false;
  });
  if (!canTellPosition() || !document.getElementById("near-me")) return;
  document.getElementById("near-me").hidden = false;
  document.getElementById("near-why").hidden = false;
}

function startFrom(position) {
  here = position;
  document.getElementById("near").value = "";
  document.getElementById("order").textContent = words.nearest_first;
  measureFrom(cards.values(), here);
  map.showYou(here);
  arrangeCards();
}

function findMe() {
  const why = document.getElementById("near-why");
  announcer.textContent = why.textContent = words.near_asking;
  askPosition({
    onPosition(position) {
      startFrom(position);
      why.textContent = words.near_why;
      announcer.textContent = words.nearest_first;
    },
    onTrouble(trouble) {
      announcer.textContent = why.textContent = trouble;
    },
  });
}

async function choose(link) {
  const address = link.href;
  const came = await turnPage(address);
  if (came === "failed") location.href = address;
  if (came !== "turned") return;
  history.pushState(null, "", address);
  shownSearch = location.search;
  document.querySelector(".chip[aria-current]")?.focus();
  announcer.textContent = summary.querySelector(".free").textContent.replace(/\s+/g, " ").trim();
}

function showState(next) {
  state = next;
  if (state === "live") silentSince = null;
  else if (state !== "still") silentSince ??= Date.now();
  const status = document.getElementById("status");
  status.dataset.state = state;
  if (newsAt === null && state !== "live" && state !== "lost") return;
  writeStatus({ live: words.live, lost: words.lost }[state] ?? asOf());
}

function asOf() {
  return fill(words.as_of, { time: moment(state === "live" ? now() : newsAt).time });
}

function writeStatus(text) {
  const field = document.querySelector("#status [data-field]");
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
  zones.forEach((zone, id) => cards.has(id) && countsOf(zone) && showAge(cards.get(id), zone, now()));
}

function announce() {
  if (unannounced.size === 0) return;
  const changed = [...unannounced.values()].filter((zone) => countsOf(zone) !== null);
  unannounced.clear();
  arrangeCards();
  announcer.textContent =
    changed.length > ANNOUNCED_AT_MOST
      ? fill(words.announce_many, { n: changed.length })
      : changed.map((zone) => fill(words.announce, { name: zone.name, figure: said(zone) })).join(". ");
}

listen(document.body.dataset.stream, {
  onZones: takeAll,
  onZone(zone) {
    take(zone);
    showSummary(summary, [...zones.values()]);
  },
  onState: showState,
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.chip");
  if (event.target.closest("#near-me")) findMe();
  else if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
    event.preventDefault();
    choose(link);
  }
});
addEventListener("popstate", () => {
  if (location.search === shownSearch) return; // a jump within the page
  shownSearch = location.search;
  turnPage(location.href);
});
addEventListener("beforeprint", () => newsAt && writeStatus(asOf())); // paper is never live
addEventListener("afterprint", () => showState(state));
setInterval(growOld, AGES_EVERY_MS);
setInterval(announce, ANNOUNCE_EVERY_MS);
offerMore();
keepFresh();
