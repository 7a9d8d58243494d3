// The life of a trial in the browser: lease and decode ahead, paint, time, choose, keep, send.

import { nextFrame, now, stampOf } from "./clock.js";
import { Input } from "./input.js";
import { untilDone } from "./retrying.js";
import { Sender } from "./sender.js";
import { Server, ServerAway, SessionFinished, SessionLost } from "./server.js";
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

export class Annotating {
  #config;
  #cover;
  #outbox;
  #server;
  #upcoming;
  #viewing = measureViewing();
  #stage;
  #sender;
  #input;
  #showing = null;
  // The last answers, with their pictures, newest last: what an undo can bring back.
  #history = [];
  #answered = null;
  #progress = 0;

  constructor(config, cover, outbox) {
    this.#config = config;
    this.#cover = cover;
    this.#outbox = outbox;
    this.#server = new Server(config.session);
    this.#upcoming = new Upcoming(config.ahead);
    this.#stage = new SideBySide(document, cover);
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
        this.#cover.raise("loading", texts.noneFree);
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
        this.#sender.wake();
        continue;
      }
      if (now() >= silentUntil) this.#cover.raise("loading", this.#whyWaiting(entry));
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
    this.#cover.lift("loading");
    // The frame that we are in now holds the new pictures; it reaches the screen when the next
    // frame begins. That frame's own time, not the time at which its callback came to run, is
    // therefore the earliest moment at which they can be seen.
    showing.paintedAt(await nextFrame());
    while (this.#cover.isUp) {
      await this.#cover.lifted();
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
          this.#cover.raise("not kept", texts.notKept, [{ label: texts.notKept.again, act: again }]),
        );
        this.#cover.lift("not kept");
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
    this.#cover.raise("loading", texts.finishing);
    let reply;
    try {
      reply = await untilDone(() => this.#server.post(this.#config.finish_url, {}), {
        mayPass: (error) => error instanceof ServerAway,
        onFailure: () => this.#cover.raise("loading", texts.away(this.#outbox.size)),
      });
    } catch (error) {
      return this.#stop(error);
    }
    if (reply.is_complete) location.replace(this.#config.thanks_url);
    else if (this.#sender.judged === 0) this.#cover.raise("stopped", texts.nothingLeft);
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
      this.#cover.raise("stopped", text, [{ label: text.firstPage, href: this.#config.welcome_url }]);
    } else if (error instanceof SessionFinished) {
      const text = texts.finished(n);
      this.#cover.raise("stopped", text, [{ label: text.thanks, href: this.#config.thanks_url }]);
    } else {
      const text = texts.failed(error.message);
      this.#cover.raise("stopped", text, [{ label: text.again, act: () => location.reload() }]);
    }
  }

  #watchWhatIsSeen() {
    const unseen = (at) => this.#showing?.setUnseen(document.hidden || this.#cover.isUp, at);
    document.addEventListener("visibilitychange", (event) => {
      const at = stampOf(event);
      this.#showing?.note(document.hidden ? "hidden" : "shown", at);
      unseen(at);
    });
    this.#cover.addEventListener("change", ({ detail }) => {
      this.#showing?.note(`${this.#cover.isUp ? "covered" : "uncovered"}: ${detail}`);
      unseen();
    });
    this.#stage.addEventListener("change", ({ detail }) => this.#showing?.note(detail));
  }
}
