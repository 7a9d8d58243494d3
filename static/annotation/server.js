// Requests to the study's API, and the four ways in which they can fail.

const TIMEOUT_MS = 20_000;

/** No answer, or not now: the same request may be repeated, nothing is stored twice. */
export class ServerAway extends Error {}
/** This browser is no longer known as the one that began the session. */
export class SessionLost extends Error {}
/** The session was finished; it takes no more answers. */
export class SessionFinished extends Error {}
/** The server read the request and does not accept it. */
export class RequestRefused extends Error {}

export function configIn(page) {
  const script = page.getElementById("trial-config");
  return script ? JSON.parse(script.textContent) : null;
}

const tokenIn = (page) => page.querySelector("meta[name=csrf-token]").content;

export class Server {
  #session;
  #csrf;

  constructor(session) {
    this.#session = session;
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
    if (status >= 500 || status === 408 || status === 429) throw new ServerAway(`${url}: ${status}`);
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
        body: JSON.stringify({ session: this.#session, ...body }),
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

  /** A login in another tab makes our token old: read a new one from this page's own address. */
  async #renewToken() {
    let text;
    try {
      const response = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
      text = await response.text();
    } catch (error) {
      throw new ServerAway(`${location.pathname}: ${error.message}`);
    }
    const page = new DOMParser().parseFromString(text, "text/html");
    const config = configIn(page);
    if (config?.session !== this.#session) return false;
    this.#csrf = tokenIn(page);
    return true;
  }
}
