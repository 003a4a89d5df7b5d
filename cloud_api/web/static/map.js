// The map: a marker for every zone and counter of the lists, which remain its text alternative. Tiles are decoration:
// where they are switched off or do not come, the markers stand on plain ground.

/* global L */
import { countsOf, figure, isNumber, sentence } from "./zones.js";
import { fill, words } from "./words.js";

const CLOSEST_FIT = 17;
const MARKER_PX = 44;

export function drawMap(cards, counters) {
  document.getElementById("map-panel").hidden = false;
  const container = document.getElementById("map");
  const map = L.map(container, mapOptions());
  L.control.zoom({ zoomInTitle: words.map_zoom_in, zoomOutTitle: words.map_zoom_out }).addTo(map);
  const zones = L.layerGroup();
  const you = L.layerGroup();
  let markers = new Map();
  const drawn = {
    /** Draw these zones in place of those there are. */
    take(these) {
      zones.clearLayers();
      markers = new Map(these.map((card) => [card.dataset.zone, addZone(zones, card)]));
    },
    show(zone) {
      const marker = markers.get(zone.id);
      if (marker) showOnMarker(marker.getElement(), zone);
    },
    showYou({ lat, lon }) {
      you.clearLayers();
      const icon = L.divIcon({ className: "you", iconSize: [24, 24] });
      L.marker([lat, lon], { icon, title: words.near_you, alt: words.near_you, keyboard: false }).addTo(you);
    },
  };
  const places = [...cards, ...counters];
  if (places.length === 0) return drawn;
  map.fitBounds(L.latLngBounds(places.map(positionOf)).pad(0.15), { maxZoom: CLOSEST_FIT, animate: false });
  if (container.dataset.tiles) addTiles(map, container);
  else container.classList.add("plain");
  counters.forEach((counter) => addCounter(map, counter));
  zones.addTo(map);
  you.addTo(map);
  drawn.take(cards);
  return drawn;
}

function mapOptions() {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const mouse = matchMedia("(pointer: fine)").matches;
  return {
    zoomControl: false,
    attributionControl: false,
    scrollWheelZoom: false,
    dragging: mouse, // one finger scrolls the page, two move the map
    zoomAnimation: !still,
    fadeAnimation: !still,
    markerZoomAnimation: !still,
    maxZoom: 19,
  };
}

function positionOf(element) {
  return [Number(element.dataset.lat), Number(element.dataset.lon)];
}

function addTiles(map, container) {
  const tiles = L.tileLayer(container.dataset.tiles, { maxNativeZoom: Number(container.dataset.deepestZoom), maxZoom: 19 });
  let arrived = false;
  tiles.once("tileload", () => {
    arrived = true;
  });
  tiles.on("tileerror", () => {
    if (arrived || !map.hasLayer(tiles)) return;
    tiles.remove();
    container.classList.add("plain");
    document.getElementById("map-plain").hidden = false;
    document.getElementById("map-credit").hidden = true;
  });
  tiles.addTo(map);
}

function addMarker(map, element, pin) {
  const icon = L.divIcon({ html: pin, className: "marker", iconSize: [MARKER_PX, MARKER_PX] });
  const marker = L.marker(positionOf(element), { icon, riseOnHover: true }).addTo(map);
  marker.on("click keypress", ({ type, originalEvent }) => {
    if (type === "keypress" && !["Enter", " "].includes(originalEvent.key)) return;
    originalEvent.preventDefault();
    const target = document.getElementById(element.id); // the counters' section is taken afresh now and then
    target.scrollIntoView({ block: "center" });
    target.focus({ preventScroll: true });
  });
  return marker;
}

function addZone(map, card) {
  const pin = document.createElement("span");
  pin.className = "pin";
  const marker = addMarker(map, card, pin);
  const text = card.querySelector('[data-field="figure"]');
  const label = card.querySelector('[data-field="label"]').textContent;
  writeMarker(marker.getElement(), {
    name: card.dataset.name,
    text: text.classList.contains("is-word") ? signOf(card.dataset.trust) : text.textContent,
    sentence: `${text.textContent} ${label}`.trim(),
    trust: card.dataset.trust,
  });
  return marker;
}

/** What stands for a number that there is not: a closed zone is no riddle. */
function signOf(trust) {
  return trust === "closed" ? "–" : "?";
}

function showOnMarker(element, zone) {
  const counts = countsOf(zone);
  const text = isNumber(counts) ? figure(counts) : signOf(counts.trust);
  writeMarker(element, { name: zone.name, text, sentence: sentence(counts), trust: counts.trust });
}

function writeMarker(element, { name, text, sentence: said, trust }) {
  const spoken = fill(words.announce, { name, figure: said });
  element.dataset.trust = trust;
  element.classList.toggle("full", text === "0");
  element.title = spoken;
  element.setAttribute("aria-label", spoken);
  element.querySelector(".pin").textContent = text;
}

function addCounter(map, counter) {
  const pin = document.createElement("span");
  pin.className = "pin counter-pin";
  const element = addMarker(map, counter, pin).getElement();
  const spoken = fill(words.counter_marker, { name: counter.dataset.name });
  element.title = spoken;
  element.setAttribute("aria-label", spoken);
}
