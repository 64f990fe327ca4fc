// An order's page follows its order.
//
// The socket only hints that there is news. What the news is comes from one authorised read of the timeline after
// the last entry shown, so a hint that is lost, doubled or late does no harm: reload, poll and push are the same read.

import { jitter, localiseTimes, openSocket } from "./shop.js";

const NOT_YOURS = 4403;
const QUIET_FOR = 3_000;
const POLL_EVERY = 15_000;
const STEADY_AFTER = 5_000;
const BURST = 600;

const page = document.querySelector("[data-order-live]");
const timeline = document.getElementById("timeline");
const bar = document.getElementById("live-bar");
const announcer = document.getElementById("order-announcer");

const timers = {};
const state = { shown: Number(page.dataset.sequence), socket: null, drops: 0, failures: 0, reading: false, readAgain: false, ended: false };

if ("final" in page.dataset) end();
else start();

function start() {
  window.addEventListener("online", wake);
  window.addEventListener("offline", drop);
  document.addEventListener("visibilitychange", wakeWhenSeen);
  connect();
  later("pause", QUIET_FOR, pause);
}

function end() {
  state.ended = true;
  Object.values(timers).forEach(clearTimeout);
  window.removeEventListener("online", wake);
  window.removeEventListener("offline", drop);
  document.removeEventListener("visibilitychange", wakeWhenSeen);
  drop();
  bar.hidden = true;
}

// --- The socket -----------------------------------------------------------------------------------------------

function connect() {
  stop("reconnect");
  if (state.ended || state.socket) return;
  try {
    state.socket = openSocket(page.dataset.live);
  } catch {
    reconnectLater();
    return;
  }
  const socket = state.socket;
  socket.onopen = resume;
  socket.onmessage = (message) => dispatch(JSON.parse(message.data));
  socket.onclose = (close) => {
    if (socket === state.socket) closed(close.code);
  };
}

function dispatch(hint) {
  if (hint.sequence > state.shown) read();
}

function resume() {
  stop("pause");
  stop("poll");
  bar.hidden = true;
  later("steady", STEADY_AFTER, () => {
    state.drops = 0;
  });
}

function closed(code) {
  state.socket = null;
  stop("steady");
  if (state.ended) return;
  if (code === NOT_YOURS) {
    end();
    return;
  }
  if (!timers.pause && !timers.poll) later("pause", QUIET_FOR, pause);
  reconnectLater();
}

function reconnectLater() {
  later("reconnect", jitter(state.drops), connect);
  state.drops += 1;
}

function drop() {
  const socket = state.socket;
  if (!socket) return;
  socket.close();
  socket.onopen = socket.onmessage = socket.onclose = null;
  closed(1000);
}

function pause() {
  bar.hidden = false;
  poll();
}

function poll() {
  read();
  later("poll", POLL_EVERY, poll);
}

function wake() {
  state.drops = 0;
  connect();
  read();
}

function wakeWhenSeen() {
  if (!document.hidden) wake();
}

// --- The one read ---------------------------------------------------------------------------------------------

async function read() {
  if (state.ended) return;
  if (state.reading) {
    state.readAgain = true;
    return;
  }
  state.reading = true;
  state.readAgain = false;
  stop("retry");
  try {
    await readTimeline();
    state.failures = 0;
  } catch {
    later("retry", jitter(state.failures), read);
    state.failures += 1;
  } finally {
    state.reading = false;
  }
  if (state.readAgain) read();
}

async function readTimeline() {
  const answer = await fetch(`${page.dataset.timeline}?after=${state.shown}`, { cache: "no-store" });
  if (answer.status === 204) return;
  if (answer.status === 404) {
    end();
    return;
  }
  if (!answer.ok) throw new Error(`timeline answered ${answer.status}`);
  show(new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-update]"));
}

function show(update) {
  for (const entry of update.querySelectorAll("[data-entries] > li")) append(entry);
  for (const part of update.querySelectorAll("[data-part]")) replace(part);
  localiseTimes();
  document.title = document.getElementById("order-head").dataset.title;
  announceOnce();
  if ("final" in update.dataset) end();
}

function append(entry) {
  const sequence = Number(entry.dataset.sequence);
  if (sequence <= state.shown) return;
  entry.classList.add("new");
  timeline.append(document.adoptNode(entry));
  state.shown = sequence;
}

function replace(part) {
  const old = document.getElementById(part.id);
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceWith(document.adoptNode(part));
  if (focused) (document.getElementById(focused) ?? part).focus();
}

// --- Words and times ------------------------------------------------------------------------------------------

function announceOnce() {
  later("announce", BURST, () => {
    announcer.textContent = document.getElementById("order-headline").textContent;
  });
}

// --- Waiting --------------------------------------------------------------------------------------------------

function later(name, delay, action) {
  stop(name);
  timers[name] = setTimeout(() => {
    delete timers[name];
    action();
  }, delay);
}

function stop(name) {
  clearTimeout(timers[name]);
  delete timers[name];
}
