// On every page for people: judgments of earlier sessions that are still in this browser's outbox
// (a crash, a tab closed without network) are brought to the server, waited for by nobody.

import { Outbox } from "./outbox.js";
import { configIn, Server } from "./server.js";

const AT_ONCE = 50;

async function sendLeftovers(here) {
  // Nothing is made here for somebody who has not yet agreed to anything.
  if (!(await Outbox.exists())) return;
  const outbox = await Outbox.open({ session: here });
  for (const left of await outbox.otherSessions()) {
    try {
      await send(await Outbox.open(left), new Server(left), left.url);
    } catch (error) {
      // They stay where they are until the next page.
      console.info(`Judgments of session ${left.session} are still kept here: ${error.message}`);
    }
  }
}

async function send(outbox, server, url) {
  while (outbox.size > 0) {
    const body = { judgments: outbox.judgments.slice(0, AT_ONCE), want: 0, have: [] };
    const reply = await server.post(url, body);
    const settled = await outbox.settle(reply.stored, reply.refused);
    if (settled === 0) throw new Error("the server names none of them");
  }
}

sendLeftovers(configIn(document)?.session ?? null).catch((error) => {
  // No store, no leftovers.
  console.info(`No outbox here: ${error.message}`);
});
