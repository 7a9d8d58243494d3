// Begins the trial page: one tab, its outbox, then the trials.

import "./leftovers.js";
import { Annotating } from "./annotating.js";
import { Cover } from "./cover.js";
import { keepHints } from "./hints.js";
import { KeyTable } from "./key_table.js";
import { keys } from "./keys.js";
import { openMenu } from "./menu.js";
import { becomeOnlyTab } from "./only_tab.js";
import { Outbox } from "./outbox.js";
import { configIn } from "./server.js";
import { texts } from "./texts.js";

const element = (id) => document.getElementById(id);
const config = configIn(document);
const cover = new Cover(element("cover"));
const reload = (label) => ({ label, act: () => location.reload() });

async function begin({ steal = false } = {}) {
  cover.raise("loading", texts.loading);
  const onLost = () => cover.raise("taken over", texts.takenOver);
  if (!(await becomeOnlyTab(config.session, { steal, onLost }))) {
    const takeOver = {
      label: texts.otherTab.takeOver,
      act: () => (cover.lift("other tab"), begin({ steal: true })),
    };
    cover.raise("other tab", texts.otherTab, [takeOver]);
    return;
  }
  let outbox;
  try {
    outbox = await Outbox.open({ ...config, url: config.judgments_url }, { onLost });
  } catch {
    cover.raise("stopped", texts.noStorage, [reload(texts.noStorage.again)]);
    return;
  }
  await new Annotating(config, cover, outbox).run();
}

// A page that the browser kept whole has lost its lock: it starts anew.
addEventListener("pageshow", (event) => event.persisted && location.reload());
openMenu(element("menu"), element("open-menu"), cover, new KeyTable(document, keys, config));
keepHints(document, keys);
begin().catch((error) => {
  const text = texts.failed(error.message);
  cover.raise("stopped", text, [reload(text.again)]);
});
