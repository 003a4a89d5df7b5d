// Forms on a weak network. What is typed is kept on the telephone until the server has answered; a submit is tried again
// and again with the same request number, so that nothing is done twice; the page says what it waits for.

const words = document.body.dataset;
const PAUSES_S = [1, 2, 4, 8, 15];
const PATIENCE_MS = 20_000;
const PREFIX = "passerelle-form ";

/** `data-kept` names what is kept of a form; `data-sent` marks one that holds nothing typed; `data-draft` what it ends. */
export function keepForms() {
  document.querySelectorAll("form[data-kept]").forEach((form) => keep(form, PREFIX + form.dataset.kept));
  document.querySelectorAll("form[data-kept], form[data-sent]").forEach((form) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form, new FormData(form, event.submitter));
    });
  });
}

function keep(form, name) {
  restore(form, name);
  form.addEventListener("input", () => write(form, name));
}

function write(form, name) {
  const secret = new Set([...form.querySelectorAll("[data-secret]")].map((field) => field.name));
  const values = [...new FormData(form)].filter(([key, value]) => typeof value === "string" && !secret.has(key));
  try {
    localStorage.setItem(name, JSON.stringify(values));
  } catch {
    // A telephone that is full keeps the page, and the form on it.
  }
}

function restore(form, name) {
  const kept = JSON.parse(localStorage.getItem(name) ?? "null");
  if (!kept) return;
  const values = new Map(kept);
  for (const field of form.elements) {
    if (!field.name || ["file", "hidden"].includes(field.type)) continue;
    if (field.type === "checkbox") field.checked = values.has(field.name);
    else if (field.type === "radio") field.checked = values.get(field.name) === field.value;
    else if (values.has(field.name) && field.nodeName !== "BUTTON") field.value = values.get(field.name);
  }
  form.dispatchEvent(new Event("restored"));
  say(words.kept);
}

async function send(form, body) {
  const buttons = form.querySelectorAll("button");
  buttons.forEach((button) => (button.disabled = true));
  const bar = waitingBar();
  for (let tries = 0; ; tries += 1) {
    bar.textContent = words.pending;
    const answer = await tried(form, body);
    if (answer) {
      if (answer.redirected) localStorage.removeItem(PREFIX + form.dataset.draft);
      bar.remove();
      await show(answer);
      return;
    }
    await pause(bar, PAUSES_S[Math.min(tries, PAUSES_S.length - 1)]);
  }
}

/** The server's answer; null where there is none, or where what stands between says that it is away. */
async function tried(form, body) {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(form.action, { method: "POST", body, signal });
    return [429, 502, 503, 504].includes(answer.status) ? null : answer;
  } catch {
    return null;
  }
}

async function show(answer) {
  if (answer.redirected) {
    location.assign(answer.url);
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = page.querySelector("main");
  if (!main) {
    location.reload();
    return;
  }
  for (const name of ["href", "action", "src"]) {
    main.querySelectorAll(`[${name}]`).forEach((each) => {
      each.setAttribute(name, new URL(each.getAttribute(name), answer.url).href); // they are relative to their own page
    });
  }
  document.querySelector("main").replaceWith(document.importNode(main, true));
  document.title = page.title;
  keepForms();
  window.scrollTo(0, 0);
  const trouble = document.querySelector("main [role=alert]");
  (trouble ?? document.querySelector("main")).focus();
  if (trouble) say(trouble.textContent);
}

async function pause(bar, seconds) {
  for (let left = seconds; left > 0; left -= 1) {
    bar.textContent = words.retry.replace("{n}", left);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, 1000);
      addEventListener("online", () => { clearTimeout(timer); resolve(); }, { once: true });
    });
  }
}

function waitingBar() {
  const bar = document.createElement("p");
  bar.className = "waiting";
  bar.setAttribute("role", "status");
  document.querySelector("main").append(bar);
  return bar;
}

function say(text) {
  const said = document.getElementById("said");
  if (said) said.textContent = text;
}
