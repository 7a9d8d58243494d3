// The live parts of a study's page: asked for again with the page, written into the old ones.
const WAIT_MS = 5000;
// Little happens in a study that is not open, but somebody may open it.
const LONG_WAIT_MS = 30000;
const LONGEST_WAIT_MS = 60000;
// A restarting server keeps its port: a request may wait there for nobody.
const PATIENCE_MS = 12000;

const news = document.querySelector("[data-watch]");
const usualWait = () => (news.dataset.watch === "open" ? WAIT_MS : LONG_WAIT_MS);
let wait = usualWait();
let timer = 0;

// In place as far as the old and the new are built alike: what has the focus keeps it, what was
// scrolled stays where it is, and only what changed is touched.
function renew(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  const isAlike =
    old.nodeName === fresh.nodeName && old.childNodes.length === fresh.childNodes.length;
  if (old.nodeType === Node.TEXT_NODE && fresh.nodeType === Node.TEXT_NODE) {
    old.data = fresh.data;
  } else if (isAlike && old.nodeType === Node.ELEMENT_NODE) {
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    [...old.childNodes].forEach((child, place) => renew(child, fresh.childNodes[place]));
  } else if (!old.contains(document.activeElement)) {
    old.replaceWith(document.importNode(fresh, true));
  }
}

async function ask() {
  const reply = await fetch(location.href, { signal: AbortSignal.timeout(PATIENCE_MS) });
  // Logged out meanwhile: the page that came instead says nothing of the study.
  if (!reply.ok || reply.redirected) throw new Error("the server does not show this page any more");
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  const state = page.querySelector("[data-watch]")?.dataset.watch;
  // Opened, paused or closed: other buttons, another head.
  if (state !== news.dataset.watch && !document.activeElement?.matches("input")) {
    location.reload();
    return;
  }
  for (const old of document.querySelectorAll("[data-live]")) {
    const fresh = page.querySelector(`[data-live="${old.dataset.live}"]`);
    if (fresh) renew(old, fresh);
  }
}

async function step() {
  try {
    if (!document.hidden) await ask();
    news.textContent = "";
    wait = usualWait();
  } catch (error) {
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    const reason = error.name === "TimeoutError" ? "the server does not answer" : error.message;
    news.textContent = `No news: ${reason}. Asking again in ${Math.round(wait / 1000)} s.`;
  }
  timer = setTimeout(step, wait);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden || !timer) return;
  clearTimeout(timer);
  timer = 0;
  step();
});

timer = setTimeout(step, wait);
