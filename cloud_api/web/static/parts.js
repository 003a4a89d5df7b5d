// A part of a page that the server writes anew every second or two. What differs is changed in place, so that a finger
// on a button, the keyboard's focus and what is read aloud stay where they are.

const words = document.body.dataset;
const LOST_AFTER = 3;
const UNCHANGED = 304;

export function keepFresh(part) {
  const pulse = document.querySelector("[data-pulse]");
  let failures = 0;
  let tag = "";
  const ask = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetched(part.dataset.part, tag);
        if (answer.status !== UNCHANGED) morph(part, await bodyOf(answer));
        tag = answer.headers.get("ETag") ?? "";
        failures = 0;
      } catch {
        failures += 1;
      }
      if (pulse) show(pulse, failures);
    }
    setTimeout(ask, Number(part.dataset.every) * Math.min(2 ** failures, 8));
  };
  setTimeout(ask, Number(part.dataset.every));
}

async function fetched(name, tag) {
  const address = new URL(location.href);
  address.hash = "";
  address.searchParams.set("part", name);
  const headers = tag ? { "If-None-Match": tag } : {};
  const answer = await fetch(address, { headers, cache: "no-store", signal: AbortSignal.timeout(10_000) });
  if (!answer.ok && answer.status !== UNCHANGED) throw new Error(answer.statusText);
  return answer;
}

async function bodyOf(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.body;
}

function show(pulse, failures) {
  pulse.hidden = false;
  const lost = failures >= LOST_AFTER;
  pulse.toggleAttribute("data-lost", lost);
  const text = lost ? words.lost : words.live;
  if (pulse.textContent !== text) pulse.textContent = text;
}

/** Make what is inside `old` the same as what is inside `fresh`, touching only what differs. */
export function morph(old, fresh) {
  const wanted = [...fresh.childNodes];
  const ids = new Set(wanted.map((each) => each.id).filter(Boolean));
  wanted.forEach((node, index) => {
    const there = matching(old, node, index);
    if (!there) old.insertBefore(document.importNode(node, true), old.childNodes[index] ?? null);
    else {
      clearTheWay(old, index, there, ids);
      if (there !== old.childNodes[index]) old.insertBefore(there, old.childNodes[index] ?? null);
      align(there, node);
    }
  });
  while (old.childNodes.length > wanted.length) old.lastChild.remove();
}

function matching(old, node, index) {
  const rest = [...old.childNodes].slice(index);
  if (node.id) return rest.find((each) => each.id === node.id && each.nodeName === node.nodeName);
  const first = node.nodeType === Node.ELEMENT_NODE ? rest.find((each) => !isBlank(each)) : rest[0];
  return first && first.nodeName === node.nodeName && !first.id ? first : undefined;
}

/** Remove what stands before a node and is wanted nowhere, for a node that is moved loses the focus within it. */
function clearTheWay(old, index, there, ids) {
  while (old.childNodes[index] !== there && !ids.has(old.childNodes[index].id)) old.childNodes[index].remove();
}

function isBlank(node) {
  return node.nodeType === Node.TEXT_NODE && node.data.trim() === "";
}

function align(there, node) {
  if (there.nodeType !== Node.ELEMENT_NODE) {
    if (there.data !== node.data) there.data = node.data;
    return;
  }
  if (there.isEqualNode(node)) return;
  for (const { name, value } of node.attributes) if (there.getAttribute(name) !== value) there.setAttribute(name, value);
  for (const { name } of [...there.attributes]) {
    if (!node.hasAttribute(name) && !(name === "open" && there.nodeName === "DETAILS")) there.removeAttribute(name);
  }
  morph(there, node);
}
