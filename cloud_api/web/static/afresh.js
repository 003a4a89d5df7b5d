// Parts of the page as the server writes them now: the counters, whose bars it alone draws, and what it foresees, every
// minute that somebody looks; the whole list when another audience is chosen. What the reader has opened stays open;
// while the keyboard is inside, nothing is replaced.

const EVERY_MS = 60_000;
const CHOSEN = ["languages", "summary", "choices", "list"];
let wishes = 0;

export function keepFresh() {
  setInterval(() => {
    if (!document.hidden && navigator.onLine) refresh();
  }, EVERY_MS);
}

/** Show the page of another address in place of this one: `turned`, `overtaken` by a later wish, or `failed`. */
export async function turnTo(address) {
  const wish = ++wishes;
  const fresh = await fetchPage(address);
  if (wish !== wishes) return "overtaken";
  if (fresh === null) return "failed";
  document.body.dataset.audience = fresh.body.dataset.audience;
  for (const id of CHOSEN) document.getElementById(id).replaceChildren(...fresh.getElementById(id).childNodes);
  return "turned";
}

async function refresh() {
  const fresh = await fetchPage(location.href);
  if (fresh === null || fresh.body.dataset.audience !== document.body.dataset.audience) return;
  takeArrivals(fresh);
  takeCounters(fresh);
}

function takeArrivals(fresh) {
  for (const card of document.querySelectorAll("[data-zone]")) {
    const now = fresh.getElementById(card.id)?.querySelector('[data-field="arrival"]');
    if (now) card.querySelector('[data-field="arrival"]').replaceWith(now);
  }
}

function takeCounters(fresh) {
  const section = document.getElementById("counters");
  if (!section || section.contains(document.activeElement)) return;
  for (const details of section.querySelectorAll("details[open]")) {
    fresh.getElementById(details.id)?.setAttribute("open", "");
  }
  section.replaceChildren(...fresh.getElementById("counters").childNodes);
}

/** A page as the server writes it now; null while it does not answer. */
async function fetchPage(address) {
  try {
    const answer = await fetch(address);
    if (!answer.ok) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
}
