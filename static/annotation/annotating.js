// The life of a trial in the browser: lease and decode ahead, paint, time, choose, keep, send.

import { nextFrame, stampOf } from "./clock.js";
import { Ending } from "./ending.js";
import { Gate } from "./gate.js";
import { Input } from "./input.js";
import { Interludes } from "./interludes.js";
import { keys } from "./keys.js";
import { nameOfKey } from "./key_names.js";
import { feedbackOn, Notice } from "./notice.js";
import { Onset } from "./onset.js";
import { Progress } from "./progress.js";
import { Sender } from "./sender.js";
import { Server } from "./server.js";
import { Showing } from "./showing.js";
import { Stage } from "./stage.js";
import { texts } from "./texts.js";
import { TimeLimit } from "./time_limit.js";
import { Upcoming } from "./upcoming.js";
import { measureViewing } from "./viewing.js";
import { Waiting } from "./waiting.js";

const UNDO_DEPTH = 5;
const MARK_OF_COVER = { menu: "menu", pinched: "ratio", small: "window" };

const element = (id) => document.getElementById(id);

export class Annotating {
  #config;
  #cover;
  #outbox;
  #upcoming;
  #viewing = measureViewing();
  #onset = new Onset();
  #gate;
  #stage;
  #limit;
  #sender;
  #input;
  #notice = new Notice(element("hints"), element("notice"));
  #progress;
  #interludes;
  #ending;
  #waiting;
  #names;
  #showing = null;
  // The last answers, with their pictures, newest last: what an undo can bring back.
  #history = [];
  // Entries that no undo can bring back, their pictures still on the screen.
  #spent = [];
  #isTelling = false;

  constructor(config, cover, outbox) {
    this.#viewing.onset_told_by = this.#onset.toldBy;
    this.#config = config;
    this.#cover = cover;
    this.#outbox = outbox;
    const server = new Server(config);
    const upcoming = new Upcoming(config.ahead);
    this.#upcoming = upcoming;
    // Before the stage: it must hear first that a window has changed.
    this.#gate = new Gate(config.gate, cover, [
      { label: texts.leave, href: config.welcome_url },
      { label: texts.endHere, act: () => this.#ending.screenOut(server) },
    ]);
    this.#stage = new Stage(document, config, cover);
    this.#limit = new TimeLimit(config.time_limit_s);
    const sender = new Sender({ config, server, outbox, upcoming, viewing: this.#viewing });
    this.#sender = sender;
    this.#ending = new Ending({ config, cover, outbox, sender });
    this.#waiting = new Waiting({ upcoming, sender, outbox, cover, ending: this.#ending });
    this.#progress = new Progress(config, element("count"), element("progress"));
    this.#interludes = new Interludes(config, cover);
    this.#names = config.mode === "toggle_copies" ? texts.copies : texts.sides;
    const buttons = { left: element("left"), right: element("right"), undo: element("undo") };
    if (config.allow_not_sure) buttons.not_sure = element("not-sure");
    this.#input = new Input(buttons, cover);
    this.#watchTheSender();
    this.#watchWhatIsSeen();
  }

  async run() {
    this.#sender.wake();
    for (;;) {
      const entry = await this.#waiting.next();
      if (entry === null) return this.#ending.isDue ? this.#ending.leave() : this.#ending.finish();
      this.#progress.answered ??= this.#sender.judged + this.#nWaiting();
      if (entry.supersedes === null) await this.#pause();
      this.#showing = await this.#present(entry);
      const act = await this.#answer();
      delete document.body.dataset.trial;
      if (act.isUndo) this.#bringBack();
      else await this.#take(entry, act);
      this.#stage.end();
    }
  }

  /** Trials whose answer is still here; a second answer to one is no further trial. */
  #nWaiting() {
    return this.#outbox.judgments.filter(({ supersedes }) => !supersedes).length;
  }

  /** No answer of before a pause, or of the practice, can be taken back. */
  async #pause() {
    if (await this.#interludes.pass(this.#progress, this.#sender.total)) this.#forgetHistory();
  }

  #forgetHistory() {
    this.#spent.push(...this.#history.splice(0));
  }

  async #present(entry) {
    const showing = new Showing(entry);
    await nextFrame();
    this.#stage.reveal();
    this.#stage.show(entry);
    this.#spent.splice(0).forEach((spent) => spent.close());
    element("undo").disabled = this.#history.length === 0;
    this.#cover.lift("loading");
    await this.#stamp(showing, entry);
    while (this.#cover.isUp) {
      await this.#cover.lifted();
      await nextFrame();
      await this.#stamp(showing, entry);
    }
    this.#stage.begin(showing.painted_ms);
    this.#limit.begin(showing, () => this.#takeAway());
    document.body.dataset.trial = entry.trial.id;
    return showing;
  }

  /** Inside the frame that shows the pictures. */
  async #stamp(showing, entry) {
    const words = this.#progress.show(entry, this.#sender.total);
    this.#gate.begin();
    const { at_ms, told } = await this.#onset.of(words);
    showing.paintedAt(at_ms);
    if (told !== this.#onset.toldBy) showing.note(`onset told by ${told}`);
  }

  #takeAway() {
    this.#showing.mark("time_up");
    this.#showing.note("time up");
    this.#stage.hide();
    element("gone").textContent = texts.timeUp;
  }

  /** The first act that counts: an answer before the pictures were looked at does not. */
  async #answer() {
    for (;;) {
      const act = await this.#input.next(this.#showing);
      const missing = act.isUndo ? null : this.#stage.missing(act.at_ms);
      if (!missing) {
        this.#gate.end();
        this.#limit.end();
        this.#notice.clear();
        return act;
      }
      this.#showing.note(`unseen ${act.side}`, act.at_ms);
      this.#notice.say(texts.lookFirst(missing, nameOfKey(keys.keyFor("switch"))));
    }
  }

  async #take(entry, act) {
    const { trial } = entry;
    const viewed = this.#stage.measured(act.at_ms);
    await this.#keep(this.#showing.judgment(act, viewed, this.#viewing.clock_resolution_ms));
    if (trial.is_practice) {
      this.#forgetHistory();
      if (trial.feedback) await this.#tellHowItWas(act.side, trial.feedback);
    }
    element("gone").textContent = "";
  }

  async #tellHowItWas(side, expected) {
    this.#isTelling = true;
    element("undo").disabled = true;
    element("gone").textContent = "";
    this.#stage.reveal();
    element(expected).classList.add("expected");
    await this.#notice.untilGoneOn(feedbackOn(side, expected, this.#names));
    element(expected).classList.remove("expected");
    this.#isTelling = false;
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
    if (entry.supersedes === null) this.#progress.advance(this.#sender.total);
    entry.supersedes = judgment.id;
    this.#history.push(entry);
    if (this.#history.length > UNDO_DEPTH) this.#spent.push(this.#history.shift());
    this.#sender.wake();
    this.#showState();
  }

  #bringBack() {
    element("gone").textContent = "";
    this.#upcoming.putBack(this.#history.pop());
  }

  #showState() {
    const { refused, isAway } = this.#sender;
    const state = element("state");
    if (refused.length) state.textContent = texts.refused(refused.length, refused.at(-1).reason);
    else if (isAway) state.textContent = texts.waiting(this.#outbox.size);
    else if (this.#outbox.size === 0) state.textContent = texts.saved;
    // In between, for the blink of a round trip, the words stay as they are.
  }

  #watchTheSender() {
    this.#sender.addEventListener("change", () => {
      this.#showState();
      // Not in the middle of a practice trial's feedback: it is read first.
      if (this.#ending.isDue && !this.#isTelling) this.#ending.leave();
    });
    this.#sender.addEventListener("stopped", ({ detail }) => this.#ending.stop(detail));
  }

  #watchWhatIsSeen() {
    const unseen = (at) => this.#showing?.setUnseen(document.hidden || this.#cover.isUp, at);
    document.addEventListener("visibilitychange", (event) => {
      const at = stampOf(event);
      this.#showing?.note(document.hidden ? "hidden" : "shown", at);
      unseen(at);
    });
    this.#cover.addEventListener("change", ({ detail }) => {
      const { isUp } = this.#cover;
      this.#showing?.note(`${isUp ? "covered" : "uncovered"}: ${detail}`);
      if (isUp && detail in MARK_OF_COVER) this.#showing?.mark(MARK_OF_COVER[detail]);
      unseen();
    });
    this.#gate.addEventListener("change", ({ detail }) => {
      detail.kinds.forEach((kind) => this.#showing?.mark(kind));
    });
    this.#stage.addEventListener("change", ({ detail }) => this.#showing?.note(detail));
  }
}
