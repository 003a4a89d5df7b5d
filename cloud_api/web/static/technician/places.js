// Where a device goes: the places nearest to the telephone first, or chosen on a map, or found by a few letters; and the
// street's own words for the directions of the place that is chosen.

/* global L */
const SHOWN = 8;
const EARTH_M = 6_371_000;
const form = document.getElementById("placing");

if (form) prepare();

function prepare() {
  const list = document.getElementById("places");
  const places = [...list.querySelectorAll("label[data-lat]")];
  const shown = { all: places.length <= SHOWN, letters: "" };
  const find = document.getElementById("find");
  const all = document.getElementById("all");
  const show = () => {
    const fitting = places.filter((each) => plain(each.dataset.name).includes(plain(shown.letters)));
    const few = shown.all || shown.letters ? fitting : fitting.slice(0, SHOWN);
    places.forEach((each) => (each.hidden = !few.includes(each) && !each.querySelector("input").checked));
    all.hidden = shown.all || shown.letters !== "";
  };
  find.addEventListener("input", () => {
    shown.letters = find.value;
    show();
  });
  all.addEventListener("click", () => {
    shown.all = true;
    show();
  });
  document.getElementById("filter").hidden = places.length <= SHOWN;
  const map = drawMap(places);
  form.addEventListener("change", () => tellDirections(places));
  form.addEventListener("restored", () => tellDirections(places));
  offerPosition((here) => {
    places.sort((one, other) => distance(one, here) - distance(other, here));
    places.forEach((each) => {
      each.querySelector("[data-distance]").textContent = `${metres(distance(each, here))} · `;
      list.append(each);
    });
    shown.all = false;
    show();
    map.showYou(here);
  });
  show();
  tellDirections(places);
}

function tellDirections(places) {
  const directions = document.getElementById("directions");
  if (!directions) return;
  const chosen = places.find((each) => each.querySelector("input").checked);
  directions.hidden = !chosen?.dataset.in;
  if (directions.hidden) return;
  for (const which of ["in", "out"]) {
    directions.querySelector(`[data-direction=${which}]`).textContent = chosen.dataset[which];
  }
}

function offerPosition(onPosition) {
  const button = document.getElementById("near");
  const said = document.getElementById("near-said");
  if (!isSecureContext || !("geolocation" in navigator)) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    said.textContent = form.dataset.asking;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        said.textContent = form.dataset.done;
        onPosition({ lat: coords.latitude, lon: coords.longitude });
      },
      () => (said.textContent = form.dataset.refused),
      { timeout: 15_000, maximumAge: 10_000, enableHighAccuracy: true },
    );
  });
}

function drawMap(places) {
  const container = document.getElementById("map");
  container.hidden = false;
  const mouse = matchMedia("(pointer: fine)").matches;
  const map = L.map(container, { attributionControl: false, scrollWheelZoom: false, dragging: mouse, maxZoom: 20 });
  map.fitBounds(L.latLngBounds(places.map(at)).pad(0.2), { maxZoom: 18, animate: false });
  if (container.dataset.tiles) {
    const deepest = Number(container.dataset.deepestZoom);
    L.tileLayer(container.dataset.tiles, { maxNativeZoom: deepest, maxZoom: 20 }).addTo(map);
    document.getElementById("map-credit").hidden = false;
  }
  for (const place of places) {
    const dot = document.createElement("span");
    dot.className = "dot";
    const icon = L.divIcon({ html: dot, className: "pin", iconSize: [48, 48] });
    const marker = L.marker(at(place), { icon, title: place.dataset.name, alt: place.dataset.name }).addTo(map);
    marker.on("click keypress", () => {
      const radio = place.querySelector("input");
      radio.checked = true;
      place.hidden = false;
      radio.dispatchEvent(new Event("change", { bubbles: true }));
      radio.dispatchEvent(new Event("input", { bubbles: true }));
      place.scrollIntoView({ block: "center" });
      radio.focus({ preventScroll: true });
    });
    place.querySelector("input").addEventListener("change", () => map.panTo(at(place)));
  }
  return {
    showYou({ lat, lon }) {
      L.marker([lat, lon], { icon: L.divIcon({ className: "you", iconSize: [24, 24] }), keyboard: false }).addTo(map);
      map.setView([lat, lon], 18);
    },
  };
}

function at(place) {
  return [Number(place.dataset.lat), Number(place.dataset.lon)];
}

function distance(place, here) {
  const [lat, lon] = at(place);
  const radians = Math.PI / 180;
  const x = (lon - here.lon) * radians * Math.cos(lat * radians);
  return EARTH_M * Math.hypot(x, (lat - here.lat) * radians);
}

function metres(distance) {
  return distance < 1000 ? `${Math.round(distance)} m` : `${(distance / 1000).toFixed(1)} km`;
}

function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
