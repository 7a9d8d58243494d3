// Which settings matter: a field with data-when="mode=flicker" only where the mode is flicker.

// What is hidden is not sent either: it keeps its default.
function setShown(field, isShown) {
  field.hidden = !isShown;
  for (const control of field.querySelectorAll("input, select, textarea")) {
    control.disabled = !isShown;
  }
}

function valueOf(form, name) {
  const control = form.elements[name];
  if (control.type === "checkbox") return control.checked ? "on" : "";
  return control.value;
}

function isMet(form, condition) {
  const [name, values] = condition.split("=");
  return values.split(" ").includes(valueOf(form, name));
}

function chosenCodecs(form) {
  return new Set([...form.querySelectorAll("[name=codecs]:checked")].map((box) => box.value));
}

// Of the pairs, those of two codecs that take part; of the anchors likewise.
function offerChosenCodecs(form) {
  const codecs = chosenCodecs(form);
  for (const box of form.querySelectorAll("[name=chosen_pairs]")) {
    const isOffered = box.value.split(" ").every((name) => codecs.has(name));
    box.closest("div").hidden = !isOffered;
    if (!isOffered) box.checked = false;
  }
  for (const option of form.elements.anchor_codec.options) {
    option.hidden = option.value !== "" && !codecs.has(option.value);
  }
}

export function showWhatMatters(form) {
  for (const field of form.querySelectorAll("[data-field]")) {
    const condition = field.querySelector("[data-when]")?.dataset.when;
    if (condition) setShown(field, isMet(form, condition));
  }
  offerChosenCodecs(form);
}
