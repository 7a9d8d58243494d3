// The life of a trial in the browser: lease and decode ahead, paint, time, choose, keep, send.

import { nextFrame, now, stampOf } from "./clock.js";
import { Cover } from "./cover.js";
import { Input } from "./input.js";
import { openMenu } from "./menu.js";
import { becomeOnlyTab } from "./only_tab.js";
import { Outbox } from "./outbox.js";
import { untilDone } from "./retrying.js";
import { Sender } from "./sender.js";
import { configIn, Server, ServerAway, SessionFinished, SessionLost } from "./server.js";
import { Showing } from "./showing.js";
import { SideBySide } from "./side_by_side.js";
import { texts } from "./texts.js";
import { Upcoming } from "./upcoming.js";
import { measureViewing } from "./viewing.js";

const UNDO_DEPTH = 5;
// Shorter waits pass unnoticed; a notice that flashes would not.
const SILENT_WAIT_MS = 150;
const LOOK_AGAIN_MS = 3000;

const element = (id) => document.getElementById(id);
const config = configIn(document);
const cover = new Cover(element("cover"));
const reload = (label) => ({ label, act: () => location.reload() });

class Annotating {
  #server = new Server(config.session);
  #upcoming = new Upcoming(config.ahead);
  #viewing = measureViewing();
  #stage = new SideBySide(document, cover);
  #outbox;
  #sender;
  #input;
  #showing = null;
  // The last answers, with their pictures, newest last: what an undo can bring back.
  #history = [];
  #answered = null;
  #progress = 0;

  constructor(outbox) {
    this.#outbox = outbox;
    this.#sender = new Sender({
      config,
      server: this.#server,
      outbox,
      upcoming: this.#upcoming,
      viewing: this.#viewing,
    });
    this.#sender.addEventListener("change", () => this.#showState());
    this.#sender.addEventListener("stopped", ({ detail }) => this.#stop(detail));
    const buttons = { left: element("left"), right: element("right"), undo: element("undo") };
    if (config.allow_not_sure) buttons.not_sure = element("not-sure");
    this.#input = new Input(buttons, cover);
    this.#watchWhatIsSeen();
  }

  async run() {
    this.#sender.wake();
    for (;;) {
      const entry = await this.#nextEntry();
      if (entry === null) return this.#finish();
      this.#showing = await this.#present(entry);
      const act = await this.#input.next(this.#showing);
      delete document.body.dataset.trial;
      if (act.isUndo) this.#bringBack();
      else await this.#keep(this.#showing.judgment(act, this.#viewing.clock_resolution_ms));
    }
  }

  /** The first trial whose pictures are here; null when there is none left. */
  async #nextEntry() {
    const silentUntil = now() + SILENT_WAIT_MS;
    for (;;) {
      const entry = this.#upcoming.first;
      if (entry?.pictures) return entry;
      if (!entry && this.#sender.isSettled) {
        if (this.#sender.isDone) return null;
        cover.raise("loading", texts.noneFree);
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
        this.#sender.wake();
        continue;
      }
      if (now() >= silentUntil) cover.raise("loading", this.#whyWaiting(entry));
      await this.#somethingChanged(silentUntil - now());
    }
  }

  #whyWaiting(entry) {
    if (entry?.failure) return texts.notLoading(entry.failure.message);
    if (this.#sender.isAway) return texts.away(this.#outbox.size);
    return texts.loading;
  }

  #somethingChanged(atMost_ms) {
    return new Promise((resolve) => {
      const stop = new AbortController();
      const changed = () => {
        stop.abort();
        resolve();
      };
      if (atMost_ms > 0) setTimeout(changed, atMost_ms);
      this.#upcoming.addEventListener("change", changed, { signal: stop.signal });
      this.#sender.addEventListener("change", changed, { signal: stop.signal });
    });
  }

  async #present(entry) {
    const showing = new Showing(entry);
    await nextFrame();
    this.#stage.show(entry);
    this.#count(entry);
    cover.lift("loading");
    // The frame that we are in now holds the new pictures; it reaches the screen when the next
    // frame begins. That frame's own time, not the time at which its callback came to run, is
    // therefore the earliest moment at which they can be seen.
    showing.paintedAt(await nextFrame());
    while (cover.isUp) {
      await cover.lifted();
      await nextFrame();
      showing.paintedAt(await nextFrame());
    }
    document.body.dataset.trial = entry.trial.id;
    return showing;
  }

  #count(entry) {
    this.#answered ??= this.#sender.judged + this.#outbox.size;
    entry.number ??= this.#answered + 1;
    const total = Math.max(this.#sender.total, entry.number);
    element("count").textContent = texts.of(entry.number, total);
    this.#progress = Math.max(this.#progress, this.#answered / total);
    element("progress").setAttribute("aria-valuenow", Math.round(100 * this.#progress));
    element("progress").firstElementChild.style.width = `${100 * this.#progress}%`;
    element("undo").disabled = this.#history.length === 0;
  }

  /** On disk before the next trial is shown. */
  async #keep(judgment) {
    for (let isKept = false; !isKept; ) {
      try {
        await this.#outbox.put(judgment);
        isKept = true;
      } catch {
        await new Promise((again) =>
          cover.raise("not kept", texts.notKept, [{ label: texts.notKept.again, act: again }]),
        );
        cover.lift("not kept");
      }
    }
    const entry = this.#upcoming.shift();
    if (entry.supersedes === null) this.#answered += 1;
    entry.supersedes = judgment.id;
    this.#history.push(entry);
    if (this.#history.length > UNDO_DEPTH) this.#history.shift().close();
    this.#sender.wake();
    this.#showState();
  }

  #bringBack() {
    this.#upcoming.putBack(this.#history.pop());
  }

  async #finish() {
    cover.raise("loading", texts.finishing);
    let reply;
    try {
      reply = await untilDone(() => this.#server.post(config.finish_url, {}), {
        mayPass: (error) => error instanceof ServerAway,
        onFailure: () => cover.raise("loading", texts.away(this.#outbox.size)),
      });
    } catch (error) {
      return this.#stop(error);
    }
    if (reply.is_complete) location.replace(config.thanks_url);
    else if (this.#sender.judged === 0) cover.raise("stopped", texts.nothingLeft);
    else this.#stop(new Error(`${reply.missing} trials are still open`));
  }

  #showState() {
    const { refused, isAway } = this.#sender;
    const state = element("state");
    if (refused.length) state.textContent = texts.refused(refused.length, refused.at(-1).reason);
    else if (isAway) state.textContent = texts.waiting(this.#outbox.size);
    else if (this.#outbox.size === 0) state.textContent = texts.saved;
    // In between, for the blink of a round trip, the words stay as they are.
  }

  #stop(error) {
    const n = this.#outbox.size;
    if (error instanceof SessionLost) {
      const text = texts.lost(n);
      cover.raise("stopped", text, [{ label: text.firstPage, href: config.welcome_url }]);
    } else if (error instanceof SessionFinished) {
      const text = texts.finished(n);
      cover.raise("stopped", text, [{ label: text.thanks, href: config.thanks_url }]);
    } else {
      const text = texts.failed(error.message);
      cover.raise("stopped", text, [reload(text.again)]);
    }
  }

  #watchWhatIsSeen() {
    const unseen = (at) => this.#showing?.setUnseen(document.hidden || cover.isUp, at);
    document.addEventListener("visibilitychange", (event) => {
      const at = stampOf(event);
      this.#showing?.note(document.hidden ? "hidden" : "shown", at);
      unseen(at);
    });
    cover.addEventListener("change", ({ detail }) => {
      this.#showing?.note(`${cover.isUp ? "covered" : "uncovered"}: ${detail}`);
      unseen();
    });
    this.#stage.addEventListener("change", ({ detail }) => this.#showing?.note(detail));
  }
}

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
  await new Annotating(outbox).run();
}

// A page that the browser kept whole has lost its lock: it starts anew.
addEventListener("pageshow", (event) => event.persisted && location.reload());
openMenu(element("menu"), element("open-menu"), cover);
begin().catch((error) => {
  const text = texts.failed(error.message);
  cover.raise("stopped", text, [reload(text.again)]);
});
