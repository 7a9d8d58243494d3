// While a study's results are computed: how far they are; when they are there, the page is read anew.
const WAIT_MS = 1500;
const PATIENCE_MS = 8000;

const part = document.querySelector("[data-results-state]");
const live = (name) => part.querySelector(`[data-live="${name}"]`);

function show(state) {
  live("progress").value = state.progress;
  live("share").textContent = `${Math.floor(100 * state.progress)} %`;
  live("note").textContent = state.state === "queued" ? "waiting for a worker" : state.note;
}

async function step() {
  let wait = WAIT_MS;
  try {
    const reply = await fetch(part.dataset.resultsState, {
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!reply.ok) throw new Error(`the server answered ${reply.status}`);
    const state = await reply.json();
    if (!state.is_active || state.run !== part.dataset.run) {
      location.reload();
      return;
    }
    show(state);
  } catch (error) {
    live("trouble").textContent = `No news: ${error.message}. Asking again.`;
    wait = 4 * WAIT_MS;
  }
  setTimeout(step, document.hidden ? 4 * WAIT_MS : wait);
}

step();
