// On every page for people: judgments of earlier sessions that are still in this browser's outbox
// (a crash, a tab closed without network) are brought to the server, waited for by nobody.

import { Outbox } from "./outbox.js";
import { untilDone } from "./retrying.js";
import { configIn, Server, ServerAway } from "./server.js";

const AT_ONCE = 50;
// What is left of a browser that was killed may hold the store for a moment longer.
const TRIES_TO_OPEN = 6;

async function sendLeftovers(here) {
  // Nothing is made here for somebody who has not yet agreed to anything.
  if (!(await Outbox.exists())) return;
  for (const left of await leftBy(here)) {
    try {
      await send(await Outbox.open(left), new Server(left), left.url);
    } catch (error) {
      // They stay where they are until the next page.
      console.info(`Judgments of session ${left.session} are still kept here: ${error.message}`);
    }
  }
}

function leftBy(here) {
  let nTries = 0;
  const open = async () => {
    nTries += 1;
    return (await Outbox.open({ session: here })).otherSessions();
  };
  return untilDone(open, { mayPass: () => nTries < TRIES_TO_OPEN, onFailure: () => {} });
}

async function send(outbox, server, url) {
  const mayPass = (error) => error instanceof ServerAway;
  while (outbox.size > 0) {
    const body = { judgments: outbox.judgments.slice(0, AT_ONCE), want: 0, have: [] };
    const reply = await untilDone(() => server.post(url, body), { mayPass, onFailure: () => {} });
    const settled = await outbox.settle(reply.stored, reply.refused);
    if (settled === 0) throw new Error("the server names none of them");
  }
}

sendLeftovers(configIn(document)?.session ?? null).catch((error) => {
  // No store, no leftovers.
  console.info(`No outbox here: ${error.message}`);
});
