// Requests to the study's API, and the four ways in which they can fail.

const TIMEOUT_MS = 20_000;
const LONGEST_WAIT_MS = 60_000;

/** No answer, or not now: the same request may be repeated, nothing is stored twice. */
export class ServerAway extends Error {
  /** How long the server asks to be left alone. */
  wait_ms;

  constructor(message, wait_ms = 0) {
    super(message);
    this.wait_ms = wait_ms;
  }
}
/** This browser is not known as the one that began the session, until it logs in again. */
export class SessionLost extends Error {}
/** The session was finished; it takes no more answers. */
export class SessionFinished extends Error {}
/** The server read the request and does not accept it. */
export class RequestRefused extends Error {}

export function configIn(page) {
  const script = page.getElementById("trial-config");
  return script ? JSON.parse(script.textContent) : null;
}

/** Retry-After in seconds; a date in it, or nonsense, is left to our own pauses. */
function waitAskedBy(response) {
  const asked_s = Number(response.headers.get("Retry-After"));
  return asked_s > 0 ? Math.min(1000 * asked_s, LONGEST_WAIT_MS) : 0;
}

/** In a page of ours, whichever: beside the trials, or in the form of the first page. */
function tokenIn(page) {
  const field = page.querySelector("input[name=csrfmiddlewaretoken]");
  return page.querySelector("meta[name=csrf-token]")?.content ?? field?.value ?? "";
}

export class Server {
  #who;
  #csrf;

  /** `key` lets a browser bring the session's answers even when it is not known any more. */
  constructor({ session, key }) {
    this.#who = { session, key };
    this.#csrf = tokenIn(document);
  }

  async post(url, body, { keepalive = false } = {}) {
    let response = await this.#send(url, body, keepalive);
    if (response.status === 403 && !keepalive && (await this.#renewToken())) {
      response = await this.#send(url, body, keepalive);
    }
    const { status } = response;
    if (status === 401 || status === 403 || response.type === "opaqueredirect") {
      throw new SessionLost(`${url}: ${status}`);
    }
    if (status === 409) throw new SessionFinished(url);
    if (status >= 500 || status === 408 || status === 429) {
      throw new ServerAway(`${url}: ${status}`, waitAskedBy(response));
    }
    if (!response.ok) throw new RequestRefused(`${url}: ${status}`);
    try {
      return await response.json();
    } catch (error) {
      // The line broke in the middle of the reply.
      throw new ServerAway(`${url}: ${error.message}`);
    }
  }

  async #send(url, body, keepalive) {
    try {
      return await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": this.#csrf },
        body: JSON.stringify({ ...this.#who, ...body }),
        credentials: "same-origin",
        cache: "no-store",
        redirect: "manual",
        keepalive,
        signal: keepalive ? undefined : AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      throw new ServerAway(`${url}: ${error.message}`);
    }
  }

  /** A login in another tab makes our token old: read a new one where this page came from. */
  async #renewToken() {
    let text;
    try {
      const response = await fetch(location.href, {
        cache: "no-store",
        credentials: "same-origin",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.status >= 500) throw new Error(response.status);
      text = await response.text();
    } catch (error) {
      throw new ServerAway(`${location.pathname}: ${error.message}`);
    }
    const token = tokenIn(new DOMParser().parseFromString(text, "text/html"));
    if (token) this.#csrf = token;
    return token !== "";
  }
}
