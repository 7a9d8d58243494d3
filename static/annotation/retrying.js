// Doing the same thing again, ever less often, until it works; at once when the network is back,
// or when somebody comes back to the page, perhaps from logging in again.

const FIRST_DELAY_MS = 500;

function pause(delay_ms) {
  return new Promise((resolve) => {
    const heard = new AbortController();
    const over = () => {
      clearTimeout(timer);
      heard.abort();
      resolve();
    };
    const timer = setTimeout(over, delay_ms);
    const { signal } = heard;
    addEventListener("online", over, { signal });
    addEventListener("focus", over, { signal });
    document.addEventListener("visibilitychange", () => document.hidden || over(), { signal });
  });
}

/**
 * `mayPass(error)`: whether another try can help; other errors are thrown on. An error may say
 * itself how long to wait (`wait_ms`).
 */
export async function untilDone(work, { longest_ms = 30_000, mayPass, onFailure }) {
  for (let delay_ms = FIRST_DELAY_MS; ; delay_ms = Math.min(2 * delay_ms, longest_ms)) {
    try {
      return await work();
    } catch (error) {
      if (!mayPass(error)) throw error;
      onFailure(error);
      await pause(Math.max(delay_ms, error.wait_ms ?? 0));
    }
  }
}
