// Where the reader is: asked for by a tap on the button and never otherwise, told to this page and to nobody else.

import { words } from "./words.js";

const PATIENCE_MS = 15_000;
const GOOD_FOR_MS = 60_000;

export function canTellPosition() {
  return isSecureContext && "geolocation" in navigator;
}

/** Calls `onPosition({ lat, lon })`, or `onTrouble(words)`. */
export function askPosition({ onPosition, onTrouble }) {
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => onPosition({ lat: coords.latitude, lon: coords.longitude }),
    ({ code, PERMISSION_DENIED }) => onTrouble(code === PERMISSION_DENIED ? words.near_refused : words.near_failed),
    { timeout: PATIENCE_MS, maximumAge: GOOD_FOR_MS, enableHighAccuracy: false },
  );
}
