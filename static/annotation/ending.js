// The ways in which a session's trials end: all answered, ended by the server, or not any more.

import { SessionFinished } from "./server.js";
import { texts } from "./texts.js";

export class Ending {
  #config;
  #cover;
  #outbox;
  #sender;
  #isLostTold = false;

  constructor({ config, cover, outbox, sender }) {
    this.#config = config;
    this.#cover = cover;
    this.#outbox = outbox;
    this.#sender = sender;
    sender.addEventListener("change", () => this.#tellLost());
  }

  /** The server ended the session (practice failed, screened out, withdrawn) and holds it all. */
  get isDue() {
    return this.#sender.state !== "active" && this.#outbox.size === 0;
  }

  /** The last page tells the outcome and its code. */
  leave() {
    this.#cover.raise("stopped", texts.finishing);
    location.replace(this.#config.thanks_url);
  }

  /** The person cannot meet what the study requires: it ends here, with that outcome's code. */
  async screenOut(server) {
    try {
      await server.post(this.#config.screen_out_url, {});
      this.leave();
    } catch (error) {
      this.stop(error);
    }
  }

  /** Every trial is answered, and the outbox is empty: does the server count the same? */
  async finish() {
    this.#cover.raise("loading", texts.finishing);
    const tellAway = () =>
      this.#sender.isAway && this.#cover.raise("loading", texts.away(this.#outbox.size));
    this.#sender.addEventListener("change", tellAway);
    let reply;
    try {
      reply = await this.#sender.finish();
    } catch (error) {
      this.stop(error);
      return;
    }
    if (reply.is_complete || reply.state !== "active") this.leave();
    else if (this.#sender.judged === 0) this.#cover.raise("stopped", texts.nothingLeft);
    else this.stop(new Error(`${reply.missing} trials are still open`));
  }

  stop(error) {
    if (error instanceof SessionFinished) {
      const text = texts.finished(this.#outbox.size);
      this.#cover.raise("stopped", text, [{ label: text.thanks, href: this.#config.thanks_url }]);
    } else {
      const text = texts.failed(error.message);
      this.#cover.raise("stopped", text, [{ label: text.again, act: () => location.reload() }]);
    }
  }

  /** Once the login is renewed, in whichever tab, this page goes on by itself. */
  #tellLost() {
    const { isLost } = this.#sender;
    if (isLost === this.#isLostTold) return;
    this.#isLostTold = isLost;
    if (!isLost) {
      this.#cover.lift("lost");
      return;
    }
    const text = texts.lost(this.#outbox.size);
    const { login_url, welcome_url } = this.#config;
    const way = login_url
      ? { label: text.logIn, href: login_url }
      : { label: text.firstPage, href: welcome_url };
    this.#cover.raise("lost", text, [way]);
  }
}
