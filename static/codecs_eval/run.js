// A run's page while it works: asks for what changed, writes it down, slows down when nothing does.
import { drawCurves } from "./curves.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 10000;
// A restarting server keeps its port: a request may wait there for nobody.
const PATIENCE_MS = 8000;

const page = document.querySelector("[data-state-url]");
const live = (name) => page.querySelector(`[data-live="${name}"]`);
const series = new Map();
let lastLine = Number(page.dataset.line);
let lastPoint = 0;
let wait = FIRST_WAIT_MS;
let timer = 0;

export function durationText(seconds) {
  if (seconds === null) return "";
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function addLines(lines) {
  const log = live("log");
  if (!lines.length) return;
  live("no-lines")?.remove();
  log.hidden = false;
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 24;
  for (const line of lines) {
    log.append(`${line.at.slice(11, 19)}  ${line.text}\n`);
    lastLine = line.id;
  }
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

function addPoints(points) {
  for (const point of points) {
    if (!series.has(point.name)) series.set(point.name, new Map());
    series.get(point.name).set(point.step, point.value);
    lastPoint = point.id;
  }
  if (!points.length) return;
  page.querySelector("#curves").hidden = false;
  drawCurves(live("curves"), series);
}

function show(state) {
  live("progress").value = state.progress;
  live("share").textContent = `${Math.floor(100 * state.progress)} %`;
  live("note").textContent = state.is_cancel_wanted ? "stopping at the next step" : state.note;
  live("elapsed").textContent = durationText(state.elapsed_s) || "–";
  live("remaining").textContent =
    state.remaining_s === null ? "–" : `about ${durationText(state.remaining_s)}`;
  addLines(state.lines);
  addPoints(state.points);
}

async function ask() {
  const url = `${page.dataset.stateUrl}?line=${lastLine}&point=${lastPoint}`;
  const reply = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!reply.ok) throw new Error(`the server answered ${reply.status}`);
  return reply.json();
}

async function step() {
  try {
    const state = await ask();
    show(state);
    live("trouble").textContent = "";
    // The finished page (result, links, error) is the server's to write.
    if (state.state !== page.dataset.state) return location.reload();
    if (!state.is_active && !state.points.length) return undefined;
    const isMoving = state.lines.length || state.points.length || state.state === "running";
    wait = isMoving ? FIRST_WAIT_MS : Math.min(wait * 1.5, LONGEST_WAIT_MS);
  } catch (error) {
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    const reason = error.name === "TimeoutError" ? "the server does not answer" : error.message;
    live("trouble").textContent = `No news: ${reason}. Asking again in ${Math.round(wait / 1000)} s.`;
  }
  timer = setTimeout(step, document.hidden ? LONGEST_WAIT_MS : wait);
  return undefined;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden || !timer) return;
  clearTimeout(timer);
  step();
});

step();
