// One tab answers for a session; a second one is told so, and may take over. This is manners: what
// makes two answering tabs impossible is the outbox, which keeps nothing of the older one.

// A page that is being reloaded may hold on for a moment.
const PATIENCE_MS = 1500;

const ASKING = "anybody?";
const HOLDING = "me";
const TAKING = "not any more";

/**
 * Resolves to true when this tab is the one. `onLost` is called when another tab takes over.
 * `steal` takes over from the other one.
 */
export function becomeOnlyTab(session, { steal = false, onLost }) {
  const name = `triad-session-${session}`;
  // Web Locks exist on https and localhost only; a study on a plain local network has none.
  return navigator.locks ? byLock(name, steal, onLost) : byAsking(name, steal, onLost);
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

function byAsking(name, steal, onLost) {
  const channel = new BroadcastChannel(name);
  const hold = () => {
    channel.onmessage = ({ data }) => {
      if (data === ASKING) channel.postMessage(HOLDING);
      if (data !== TAKING) return;
      channel.close();
      onLost();
    };
    return true;
  };
  if (steal) {
    channel.postMessage(TAKING);
    return Promise.resolve(hold());
  }
  return new Promise((resolve) => {
    const patience = setTimeout(() => resolve(hold()), PATIENCE_MS / 5);
    channel.onmessage = ({ data }) => {
      if (data !== HOLDING) return;
      clearTimeout(patience);
      channel.close();
      resolve(false);
    };
    channel.postMessage(ASKING);
  });
}
