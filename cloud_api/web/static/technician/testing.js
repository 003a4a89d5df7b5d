// While a test goes on, the gateway is asked again and again to show the sensor's frames: each time for a minute.

const AGAIN_MS = 55_000;

if (!new URLSearchParams(location.search).has("errands")) listen();
setInterval(listen, AGAIN_MS);

async function listen() {
  const address = new URL("test", location.href);
  address.search = location.search;
  try {
    const body = new URLSearchParams({ step: "listen" });
    const answer = await fetch(address, { method: "POST", body, signal: AbortSignal.timeout(10_000) });
    if (!answer.redirected) return;
    history.replaceState(null, "", answer.url);
    document.querySelectorAll("form[data-progress]").forEach((form) => {
      const action = new URL(form.action);
      action.search = location.search;
      form.action = action.href;
    });
  } catch {
    // Without network the page says so; the next time will do.
  }
}
