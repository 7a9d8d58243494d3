// The viewing checks: draws the one that is due, stores its answers, goes on.

import { checkAcuity } from "./checks_acuity.js";
import { checkCard } from "./checks_card.js";
import { checkPlates } from "./checks_plates.js";
import { Server } from "./server.js";

const KINDS = { card: checkCard, colour_plates: checkPlates, acuity: checkAcuity };

const check = document.getElementById("check");
const notStored = document.getElementById("not-stored");
const { kind, session, url } = check.dataset;
const material = JSON.parse(document.getElementById("material").textContent);
const server = new Server({ session });

async function store(answers) {
  notStored.hidden = true;
  try {
    const reply = await server.post(url, { kind, ...answers });
    location.assign(reply.next);
  } catch (error) {
    // Whatever failed, the answers are still here: the person decides when to try again.
    console.info(`The answers of the check are kept on this page: ${error.message}`);
    notStored.hidden = false;
    document.getElementById("store-again").onclick = () => store(answers);
  }
}

// A page that the browser kept whole shows a check that was answered already.
addEventListener("pageshow", (event) => event.persisted && location.reload());
store(await KINDS[kind](check, material));
