// Doing the same thing again, ever less often, until it works; at once when the network is back.

const FIRST_DELAY_MS = 500;

function pause(delay_ms) {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      removeEventListener("online", over);
      resolve();
    };
    const timer = setTimeout(over, delay_ms);
    addEventListener("online", over);
  });
}

/** `mayPass(error)`: whether another try can help; other errors are thrown on. */
export async function untilDone(work, { longest_ms = 30_000, mayPass, onFailure }) {
  for (let delay_ms = FIRST_DELAY_MS; ; delay_ms = Math.min(2 * delay_ms, longest_ms)) {
    try {
      return await work();
    } catch (error) {
      if (!mayPass(error)) throw error;
      onFailure(error);
      await pause(delay_ms);
    }
  }
}
