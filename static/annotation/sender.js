// Brings judgments from the outbox to the server and trials from the server to the page, in one
// round trip; repeats until the server lists every judgment.

import { untilDone } from "./retrying.js";
import { RequestRefused, ServerAway } from "./server.js";

const BATCH = 20;
// Browsers refuse a keepalive request above 64 kB.
const FAREWELL_BYTES = 60_000;

export class Sender extends EventTarget {
  #config;
  #server;
  #outbox;
  #upcoming;
  #viewing;
  #running = false;
  #isAskedAgain = false;
  #hasAsked = false;

  isAway = false;
  isDone = false;
  judged = 0;
  total;
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
        await this.#roundUntilAnswered();
      }
    } catch (error) {
      this.dispatchEvent(new CustomEvent("stopped", { detail: error }));
    } finally {
      this.#running = false;
      this.#tell();
    }
  }

  async #roundUntilAnswered() {
    await untilDone(() => this.#round(), {
      // A refusal may be a server in the middle of an update: the answers wait for the next one.
      mayPass: (error) => error instanceof ServerAway || error instanceof RequestRefused,
      onFailure: () => {
        this.isAway = true;
        this.#tell();
      },
    });
    this.isAway = false;
  }

  async #round() {
    const judgments = this.#outbox.judgments.slice(0, BATCH);
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
      this.refused.push(...reply.refused);
      const settled = await this.#outbox.settle(reply.stored, reply.refused);
      if (settled === 0) throw new ServerAway("The reply names none of the judgments sent.");
      this.#viewing = null;
    }
    this.judged = reply.judged;
    this.total = reply.total;
    this.isDone = reply.is_done;
    this.#hasAsked = true;
    this.#upcoming.add(reply.trials);
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }

  /** The page is going: a last try that outlives it. What fails stays in the outbox. */
  #farewell() {
    const judgments = [];
    let bytes = 0;
    for (const judgment of this.#outbox.judgments) {
      bytes += JSON.stringify(judgment).length;
      if (bytes > FAREWELL_BYTES) break;
      judgments.push(judgment);
    }
    if (judgments.length === 0) return;
    const body = { judgments, want: 0, have: [] };
    this.#server.post(this.#config.judgments_url, body, { keepalive: true }).catch(() => {});
  }
}
