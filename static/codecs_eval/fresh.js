// Parts of a page that change while runs work: fetched again with the page, put in place of the old.
const WAIT_MS = 4000;

async function renew() {
  const reply = await fetch(location.href);
  if (!reply.ok) return;
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  for (const old of document.querySelectorAll("[data-fresh]")) {
    const renewed = page.querySelector(`[data-fresh="${old.dataset.fresh}"]`);
    if (!renewed || old.contains(document.activeElement)) continue;
    for (const ticked of old.querySelectorAll("input:checked")) {
      const again = renewed.querySelector(`input[value="${CSS.escape(ticked.value)}"]`);
      if (again) again.checked = true;
    }
    old.replaceWith(document.adoptNode(renewed));
  }
}

async function step() {
  if (!document.querySelector("[data-fresh][data-active]")) return;
  try {
    if (!document.hidden) await renew();
  } finally {
    setTimeout(step, WAIT_MS);
  }
}

setTimeout(step, WAIT_MS);
