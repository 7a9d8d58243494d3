// One tab answers for a session; a second one is told so.

// A page that is being reloaded may hold on for a moment.
const PATIENCE_MS = 1500;

/**
 * Resolves to true when this tab is the one. `onLost` is called when another tab takes over.
 * `steal` takes over from the other one.
 */
export function becomeOnlyTab(session, { steal = false, onLost }) {
  const name = `triad-session-${session}`;
  // Web Locks exist on https and localhost only; a study on a plain local network has none.
  return navigator.locks ? byLock(name, steal, onLost) : byAsking(name);
}

function byLock(name, steal, onLost) {
  return new Promise((resolve) => {
    let isHeld = false;
    const untilClosed = () => {
      isHeld = true;
      resolve(true);
      return new Promise(() => {});
    };
    const options = steal ? { steal } : { signal: AbortSignal.timeout(PATIENCE_MS) };
    navigator.locks.request(name, options, untilClosed).catch(() => {
      if (isHeld) onLost();
      else resolve(false);
    });
  });
}

function byAsking(name) {
  const channel = new BroadcastChannel(name);
  return new Promise((resolve) => {
    const patience = setTimeout(() => {
      channel.onmessage = ({ data }) => data === "anybody?" && channel.postMessage("me");
      resolve(true);
    }, PATIENCE_MS / 5);
    channel.onmessage = ({ data }) => {
      if (data !== "me") return;
      clearTimeout(patience);
      channel.close();
      resolve(false);
    };
    channel.postMessage("anybody?");
  });
}
