// A person in a hurry, inside the page: answers as soon as the page takes an answer, takes answers
// back, reloads at the worst moments. Tells the test what it saw and did, before it does it.
// CHAOS is replaced by the test: {seed, undo, reload, jump, press}: chances, for each trial, and
// the last one for each look at a cover that offers something.

(() => {
  const chaos = CHAOS;
  if (window !== top) return;
  const load = Number(localStorage.getItem("chaos-load") ?? 0) + 1;
  localStorage.setItem("chaos-load", load);

  // mulberry32: the same choices for the same seed and page load.
  let state = (chaos.seed * 1000 + load) >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };

  // A computer whose date is wrong, and is put right, and is wrong again.
  const ActualDate = Date;
  let jump_ms = 0;
  window.Date = class extends ActualDate {
    constructor(...given) {
      if (given.length) super(...given);
      else super(ActualDate.now() + jump_ms);
    }
    static now() {
      return ActualDate.now() + jump_ms;
    }
  };

  const tell = (...what) => window.chaosTell(...what);
  const press = (key) => dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
  // The page takes no answer in its first 200 ms.
  const LOOK_MS = 205;

  let shown = null;
  let since_ms = 0;
  let isBusy = false;

  function reload() {
    tell("leaves by a reload after a press");
    location.reload();
  }

  async function answer(trial) {
    const side = random() < 0.5 ? "left" : "right";
    await tell("presses", trial, side);
    if (document.body.dataset.trial !== trial) return;
    press(side === "left" ? "ArrowLeft" : "ArrowRight");
    if (random() < chaos.reload) setTimeout(reload, 30 * random());
    // Not taken: something stood in front of the pictures. Again in a moment.
    since_ms = performance.now();
  }

  async function takeBack() {
    await tell("takes back");
    press("Backspace");
  }

  async function see(trial) {
    shown = trial;
    since_ms = performance.now();
    tell("sees", trial);
    if (random() < chaos.jump) {
      jump_ms = (random() - 0.5) * 40 * 365 * 86_400_000;
      tell("sets the clock");
    }
    if (random() < chaos.undo && !document.getElementById("undo").disabled) await takeBack();
  }

  /** Whatever the cover offers: go on here, load again, to the first page. */
  function obey() {
    const offer = document.querySelector("#cover:not([hidden]) .actions :is(a, button)");
    if (!offer || random() > chaos.press) return;
    tell(`follows the cover: ${offer.textContent}`);
    offer.click();
  }

  async function look() {
    if (isBusy) return;
    isBusy = true;
    const trial = document.body?.dataset.trial;
    if (trial === undefined) obey();
    else if (trial !== shown) await see(trial);
    else if (performance.now() - since_ms >= LOOK_MS) await answer(trial);
    isBusy = false;
  }

  function agree() {
    tell("leaves for the first page");
    document.querySelector("input[name=consent]")?.click();
    document.querySelector("main form button, main a.button")?.click();
  }

  const page = location.pathname.split("/").at(-1);
  if (page === "thanks") tell("is thanked");
  else if (page === "trial") {
    tell("opens the page");
    setInterval(look, 10);
  } else if (location.pathname.startsWith("/s/")) addEventListener("load", agree);
  else tell("leaves for another page");
})();
