// Counters: every minute that somebody looks, the section is taken afresh from the server, which alone draws bars.
// What the reader has opened stays open; while the keyboard is inside, nothing is replaced.

const EVERY_MS = 60_000;

export function keepCountersFresh(section) {
  setInterval(() => {
    if (!document.hidden && navigator.onLine && !section.contains(document.activeElement)) refresh(section);
  }, EVERY_MS);
}

async function refresh(section) {
  const fresh = await fetchSection(section.id);
  if (fresh === null || section.contains(document.activeElement)) return;
  for (const details of section.querySelectorAll("details[open]")) {
    fresh.querySelector(`#${CSS.escape(details.id)}`)?.setAttribute("open", "");
  }
  section.replaceChildren(...fresh.childNodes);
}

/** The section as the server writes it now; null while the server does not answer. */
async function fetchSection(id) {
  try {
    const answer = await fetch(location.href);
    if (!answer.ok) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
  } catch {
    return null;
  }
}
