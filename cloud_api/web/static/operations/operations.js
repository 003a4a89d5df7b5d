// The operators' page made lively: it asks again by itself, and what differs is changed in place.

import { keepFresh } from "../parts.js";

document.querySelectorAll("[data-part]").forEach(keepFresh);
