// What the chosen collection has: how many files of each codec hit their rate, and which rates.

function note(label, text) {
  let place = label.querySelector(".encoded");
  if (!place) {
    place = document.createElement("span");
    place.className = "encoded quiet";
    label.append(" ", place);
  }
  place.textContent = text;
}

export function encodedHere(form, encoded) {
  for (const box of form.querySelectorAll("[name=codecs]")) {
    const n = encoded.codecs[box.value] ?? 0;
    const label = box.closest("label");
    label.classList.toggle("absent", n === 0);
    note(label, n ? `(${n} files)` : "(not encoded here)");
  }
  const field = form.querySelector("[data-field=rates_bpp]");
  const rates = encoded.rates_bpp.map((rate) => `${rate}`).join(", ");
  note(field.querySelector(".hint"), rates ? `Encoded here: ${rates}.` : "Nothing is encoded here.");
}
