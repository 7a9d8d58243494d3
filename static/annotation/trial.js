// Begins the trial page: one tab, its outbox, what other sessions left behind, then the trials.

import { Annotating } from "./annotating.js";
import { Cover } from "./cover.js";
import { openMenu } from "./menu.js";
import { becomeOnlyTab } from "./only_tab.js";
import { Outbox } from "./outbox.js";
import { configIn, Server } from "./server.js";
import { texts } from "./texts.js";

const element = (id) => document.getElementById(id);
const config = configIn(document);
const cover = new Cover(element("cover"));
const reload = (label) => ({ label, act: () => location.reload() });

/** Judgments of other sessions in this browser: sent along, waited for by nobody. */
async function sendLeftovers(outbox) {
  for (const [session, url] of await outbox.otherSessions()) {
    const left = await Outbox.open(session, url);
    const body = { judgments: left.judgments.slice(0, 50), want: 0, have: [] };
    try {
      const reply = await new Server(session).post(url, body);
      await left.settle(reply.stored, reply.refused);
    } catch (error) {
      // They stay where they are until the next page of any study.
      console.info(`Judgments of session ${session} are still kept here: ${error.message}`);
    }
  }
}

async function begin({ steal = false } = {}) {
  cover.raise("loading", texts.loading);
  const onLost = () => cover.raise("taken over", texts.takenOver);
  if (!(await becomeOnlyTab(config.session, { steal, onLost }))) {
    const takeOver = {
      label: texts.otherTab.takeOver,
      act: () => (cover.lift("other tab"), begin({ steal: true })),
    };
    if (navigator.locks) cover.raise("other tab", texts.otherTab, [takeOver]);
    else cover.raise("other tab", texts.otherTabOnly);
    return;
  }
  let outbox;
  try {
    outbox = await Outbox.open(config.session, config.judgments_url);
  } catch {
    cover.raise("stopped", texts.noStorage, [reload(texts.noStorage.again)]);
    return;
  }
  sendLeftovers(outbox);
  await new Annotating(config, cover, outbox).run();
}

// A page that the browser kept whole has lost its lock: it starts anew.
addEventListener("pageshow", (event) => event.persisted && location.reload());
openMenu(element("menu"), element("open-menu"), cover);
begin().catch((error) => {
  const text = texts.failed(error.message);
  cover.raise("stopped", text, [reload(text.again)]);
});
