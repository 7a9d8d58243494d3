// Brings judgments from the outbox to the server and trials from the server to the page, in one
// round trip; repeats until the server lists every judgment.

import { untilDone } from "./retrying.js";
import { RequestRefused, ServerAway, SessionLost } from "./server.js";

const MOST_AT_ONCE = 20;
// Browsers refuse keepalive requests above 64 kB in all.
const FAREWELL_BYTES = 60_000;

// A refusal may be a server in the middle of an update, a lost login may be renewed in another
// tab: the answers wait for it.
const mayPass = (error) =>
  [ServerAway, RequestRefused, SessionLost].some((kind) => error instanceof kind);

export class Sender extends EventTarget {
  #config;
  #server;
  #outbox;
  #upcoming;
  #viewing;
  #running = false;
  #isAskedAgain = false;
  #hasAsked = false;
  #atOnce = MOST_AT_ONCE;
  #nSent = 0;

  isAway = false;
  /** The server does not know this browser (any more). */
  isLost = false;
  isDone = false;
  judged = 0;
  total;
  /** The session's, as the server last told it. */
  state = "active";
  refused = [];

  constructor({ config, server, outbox, upcoming, viewing }) {
    super();
    this.#config = config;
    this.total = config.total;
    this.#server = server;
    this.#outbox = outbox;
    this.#upcoming = upcoming;
    this.#viewing = viewing;
    addEventListener("pagehide", () => this.#farewell());
    // A phone's browser may end a page that went out of sight without another word.
    document.addEventListener("visibilitychange", () => document.hidden && this.#farewell());
  }

  /** Nothing is left to send, and the server has said what there is to show. */
  get isSettled() {
    return this.#hasAsked && !this.#running && this.#outbox.size === 0;
  }

  /** Sends and asks until nothing is left to do. Errors that no repetition mends are an event. */
  async wake() {
    this.#isAskedAgain = true;
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#isAskedAgain || this.#outbox.size > 0) {
        this.#isAskedAgain = false;
        await this.#untilAnswered(() => this.#round());
      }
    } catch (error) {
      this.dispatchEvent(new CustomEvent("stopped", { detail: error }));
    } finally {
      this.#running = false;
      this.#tell();
    }
  }

  /** Whether the server counts the session as finished: its reply. */
  finish() {
    return this.#untilAnswered(() => this.#server.post(this.#config.finish_url, {}));
  }

  async #untilAnswered(work) {
    const reply = await untilDone(work, {
      mayPass,
      onFailure: (error) => {
        this.isAway = true;
        this.isLost = error instanceof SessionLost;
        // It may have been too much at once for something on the way.
        if (error instanceof RequestRefused) this.#atOnce = Math.ceil(this.#nSent / 2) || 1;
        this.#tell();
      },
    });
    if (this.isAway) {
      this.isAway = this.isLost = false;
      this.#tell();
    }
    return reply;
  }

  async #round() {
    const judgments = this.#outbox.judgments.slice(0, this.#atOnce);
    this.#nSent = judgments.length;
    const want = this.#upcoming.room;
    if (judgments.length === 0 && this.#hasAsked && (want === 0 || this.isDone)) return;
    // A trial whose answer still waits here looks open to the server: it must not come again.
    const have = [...this.#upcoming.ids, ...this.#outbox.judgments.map(({ trial }) => trial)];
    const reply = judgments.length
      ? await this.#server.post(this.#config.judgments_url, {
          judgments,
          want,
          have,
          ...(this.#viewing && { viewing: this.#viewing }),
        })
      : await this.#server.post(this.#config.lease_url, { want, have });
    await this.#take(reply, judgments);
  }

  async #take(reply, judgments) {
    if (judgments.length) {
      this.#noteRefused(reply.refused, judgments);
      const settled = await this.#outbox.settle(reply.stored, reply.refused);
      if (settled === 0) throw new ServerAway("The reply names none of the judgments sent.");
      this.#viewing = null;
      // Stored all the same, but no trial comes until this browser is known again.
      if (!reply.is_known) throw new SessionLost("The answers came without a login.");
    }
    this.judged = reply.judged;
    this.total = reply.total;
    this.isDone = reply.is_done;
    this.state = reply.state;
    this.#hasAsked = true;
    this.#upcoming.add(reply.trials);
    this.#tell();
  }

  #noteRefused(refused, judgments) {
    this.refused.push(...refused);
    const ids = new Set(refused.map(({ id }) => id));
    for (const { id, trial } of judgments) if (ids.has(id)) this.#upcoming.forget(trial);
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }

  /** The page is going: a last try that outlives it. What fails stays in the outbox. */
  #farewell() {
    const judgments = [];
    let bytes = 0;
    for (const judgment of this.#outbox.judgments) {
      bytes += new Blob([JSON.stringify(judgment)]).size;
      if (bytes > FAREWELL_BYTES) break;
      judgments.push(judgment);
    }
    if (judgments.length === 0) return;
    const body = { judgments, want: 0, have: [] };
    this.#server.post(this.#config.judgments_url, body, { keepalive: true }).catch(() => {});
  }
}
