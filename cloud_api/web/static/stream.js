// The stream of zones: calls `onZones(zones, now)` and `onZone(zone)` as events come, `onState("opening" | "live" | "lost")`
// as the connection comes and goes. It reconnects by itself, ever more slowly, and not while nobody looks.

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
const LONGEST_SILENCE_MS = 120_000; // beyond it we ask anew: a dead network says nothing

export function listen(url, { onZones, onZone, onState }) {
  let source = null;
  let retry = null;
  let silence = null;
  let pause = FIRST_PAUSE_MS;

  function open() {
    onState("opening");
    source = new EventSource(url);
    source.addEventListener("snapshot", (event) => {
      const answer = JSON.parse(event.data);
      pause = FIRST_PAUSE_MS;
      heard();
      onZones(answer.data.zones, Date.parse(answer.last_updated));
      onState("live");
    });
    source.addEventListener("zone", (event) => {
      heard();
      onZone(JSON.parse(event.data));
    });
    source.addEventListener("error", retryLater);
    heard();
  }

  function heard() {
    clearTimeout(silence);
    silence = setTimeout(reopen, LONGEST_SILENCE_MS);
  }

  function close() {
    clearTimeout(retry);
    clearTimeout(silence);
    source?.close();
    source = null;
  }

  function retryLater() {
    close();
    onState("lost");
    retry = setTimeout(reopen, pause * (0.75 + Math.random() / 2));
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
  }

  function reopen() {
    close();
    if (!document.hidden) open();
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : reopen()));
  window.addEventListener("online", reopen);
  window.addEventListener("offline", retryLater);
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && reopen());
  reopen();
}
