// The office's page made lively: only the fields of the chosen subject, a word while a report is made, print.

const form = document.querySelector(".wish");

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
