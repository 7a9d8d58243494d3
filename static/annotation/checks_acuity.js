// Landolt rings of decreasing size: where the gap is, by arrow key or button.

const QUARTER_TURNS = { right: 0, down: 1, left: 2, up: 3 };
const KEYS = { ArrowRight: "right", ArrowDown: "down", ArrowLeft: "left", ArrowUp: "up" };
// Nothing is read any more: the smaller rings need not be asked for.
const IN_A_ROW_NOT_SEEN = 3;

/** The ring is five gaps wide, its line and its gap one; black on white, in device pixels. */
function draw(canvas, gap_px, direction) {
  const size = Math.round(canvas.clientWidth * devicePixelRatio);
  canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, size, size);
  context.translate(size / 2, size / 2);
  context.rotate((QUARTER_TURNS[direction] * Math.PI) / 2);
  context.strokeStyle = "#000";
  context.lineWidth = gap_px;
  context.beginPath();
  context.arc(0, 0, 2 * gap_px, 0, 2 * Math.PI);
  context.stroke();
  context.fillRect(gap_px, -gap_px / 2, 2 * gap_px, gap_px);
}

/** Resolves to {answers}: for each ring a direction, or "" for not seen. */
export function checkAcuity(check, { gaps_px, rings_a_size, directions }) {
  const canvas = check.querySelector("#ring");
  const count = check.querySelector("#count");
  const answers = [];

  const show = () => {
    const gap_px = gaps_px[Math.floor(answers.length / rings_a_size)];
    draw(canvas, gap_px, directions[answers.length]);
    count.textContent = count.dataset.pattern
      .replace("{number}", answers.length + 1)
      .replace("{total}", directions.length);
  };
  show();
  addEventListener("resize", () => answers.length < directions.length && show());

  return new Promise((resolve) => {
    const answer = (text) => {
      if (answers.length === directions.length) return;
      answers.push(text);
      const isBlind =
        answers.length >= IN_A_ROW_NOT_SEEN &&
        answers.slice(-IN_A_ROW_NOT_SEEN).every((found) => found === "");
      if (isBlind || answers.length === directions.length) resolve({ answers });
      else show();
    };
    for (const button of check.querySelectorAll("[data-answer]")) {
      button.addEventListener("click", () => answer(button.dataset.answer));
    }
    addEventListener("keydown", (event) => {
      const isPlain = !event.repeat && !event.ctrlKey && !event.altKey && !event.metaKey;
      if (!isPlain || !KEYS[event.key]) return;
      event.preventDefault();
      answer(KEYS[event.key]);
    });
  });
}
