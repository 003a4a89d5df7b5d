// The office's page made lively: only the fields of the chosen subject, a word while a report is made, print, charts to
// be explored.

const form = document.querySelector(".wish[data-making]");

function showFieldsOfKind() {
  const kind = form.elements.kind.value;
  for (const part of form.querySelectorAll("[data-for]")) {
    const wanted = part.dataset.for.split(" ").includes(kind);
    part.hidden = !wanted;
    for (const control of part.querySelectorAll("input, select")) control.disabled = !wanted;
  }
}

if (form) {
  form.addEventListener("change", showFieldsOfKind);
  form.addEventListener("submit", () => {
    form.querySelector(".making").textContent = form.dataset.making;
    form.querySelector("button.main").setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => {
    form.querySelector(".making").textContent = "";
    form.querySelector("button.main").removeAttribute("aria-busy");
    showFieldsOfKind();
  });
  showFieldsOfKind();
}

const print = document.querySelector("[data-print]");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}

for (const link of document.querySelectorAll(".share a")) link.textContent = link.href;

for (const button of document.querySelectorAll("[data-explore]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const figure = button.closest("figure");
    const reading = figure.querySelector(".reading");
    button.setAttribute("aria-busy", "true");
    reading.textContent = button.dataset.making;
    try {
      const { explore } = await import("./explore.js");
      await explore(figure, new URL(button.dataset.explore, document.baseURI).href);
      button.hidden = true;
    } catch {
      reading.textContent = button.dataset.failed;
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}
