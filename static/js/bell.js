// The bell in the header counts what its reader has not seen.
//
// The socket only hints that the count has changed; htmx then asks for it. While there is no socket, the bell asks by
// itself. Without JavaScript it is a link with the count of the moment the page was made.

import { jitter, openSocket } from "./shop.js";

const REFUSED = 4401;
const POLL_EVERY = 20_000;

const bell = document.getElementById("bell");
const unread = document.getElementById("unread");
const state = { socket: null, drops: 0, polling: 0, missed: false };

if (bell) start();

function start() {
  // A count that nobody asked for neither raises the alarm when it fails, nor ends that of something that did.
  for (const name of ["htmx:beforeRequest", "htmx:sendError", "htmx:responseError", "htmx:afterSettle"]) {
    bell.addEventListener(name, (event) => event.stopPropagation());
  }
  bell.addEventListener("htmx:beforeSwap", keepWhatIsTheSame);
  document.addEventListener("visibilitychange", catchUp);
  window.addEventListener("online", connect);
  connect();
}

function connect() {
  if (state.socket) return;
  const socket = openSocket(bell.dataset.live);
  state.socket = socket;
  socket.onmessage = () => {
    state.drops = 0;
    stopPolling();
    ask();
  };
  socket.onclose = (close) => closed(close.code);
}

function closed(code) {
  state.socket = null;
  if (!state.polling) state.polling = setInterval(ask, POLL_EVERY);
  if (code === REFUSED) return;
  setTimeout(connect, jitter(state.drops));
  state.drops += 1;
}

function stopPolling() {
  clearInterval(state.polling);
  state.polling = 0;
}

// What comes while nobody looks is asked for when somebody does: the page of an order takes its news as read.
function ask() {
  state.missed = document.hidden;
  if (!state.missed) htmx.trigger(bell, "unread-changed");
}

function catchUp() {
  if (!document.hidden && state.missed) ask();
}

// Screen readers announce what is swapped in, so the same count again is no news.
function keepWhatIsTheSame(event) {
  if (event.detail.serverResponse.trim() === unread.innerHTML.trim()) event.detail.shouldSwap = false;
}
