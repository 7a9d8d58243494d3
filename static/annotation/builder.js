// The study builder: shows the settings that matter for what is chosen, and counts while one types.
// Without it every setting is shown, and a button counts.

import { encodedHere } from "./builder_codecs.js";
import { showWhatMatters } from "./builder_fields.js";
import { offerPower } from "./builder_power.js";
import { nameFromTitle } from "./builder_name.js";

const WAIT_MS = 350;
// Long words, and what is never sent by address.
const NOT_COUNTED = new Set(["csrfmiddlewaretoken", "question", "instructions", "consent"]);

const form = document.querySelector("form.builder");
const takes = form.querySelector(".takes");
const live = form.querySelector("[data-live=forecast]");
let timer = 0;
let asked = 0;

form.querySelector("[data-without-scripts]").hidden = true;

function typed() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (!NOT_COUNTED.has(name)) query.append(name, value);
  }
  return query;
}

async function count() {
  asked += 1;
  const mine = asked;
  takes.classList.add("counting");
  try {
    const reply = await fetch(`${form.dataset.countUrl}?${typed()}`, {
      headers: { Accept: "application/json" },
    });
    if (!reply.ok) throw new Error(`${reply.status}`);
    const counted = await reply.json();
    // A slow answer to what was typed before says nothing about what is there now.
    if (mine === asked) show(counted);
  } catch {
    if (mine === asked) live.textContent = "No news from the server; the count is not known.";
  } finally {
    if (mine === asked) takes.classList.remove("counting");
  }
}

function show(counted) {
  const wasOpen = live.querySelector("details")?.open;
  live.innerHTML = counted.html;
  const details = live.querySelector("details");
  if (details && wasOpen) details.open = true;
  for (const [name, text] of Object.entries(counted.texts)) {
    const place = form.querySelector(`[data-known="${name}"]`);
    if (place) place.textContent = text;
  }
  encodedHere(form, counted.encoded);
}

function changed() {
  showWhatMatters(form);
  clearTimeout(timer);
  timer = setTimeout(count, WAIT_MS);
}

form.addEventListener("input", changed);
form.addEventListener("change", changed);
showWhatMatters(form);
nameFromTitle(form);
offerPower(form, typed);
count();
