// Enhancements of every page. Each form and link works without this file.

const SHORTEST_WAIT = 500;
const LONGEST_WAIT = 30_000;

const trouble = document.getElementById("trouble");
const announcer = document.getElementById("announcer");

document.addEventListener("htmx:sendError", (event) => showTrouble(event.detail.elt));
document.addEventListener("htmx:responseError", (event) => showTrouble(event.detail.elt));
document.addEventListener("htmx:beforeRequest", hideTrouble);
document.addEventListener("htmx:afterSettle", (event) => {
  announce(event.target);
  moveFocus(event.detail.requestConfig);
});
document.addEventListener("click", openDrawer);
document.addEventListener("focusin", showWhole);
document.addEventListener("submit", sendOnce);
document.addEventListener("submit", returnHere);
window.addEventListener("pageshow", allowSending);
localiseTimes();

function showTrouble(source) {
  trouble.replaceChildren(document.getElementById("trouble-words").content.cloneNode(true));
  trouble.querySelector("button").addEventListener("click", () => repeat(source));
  trouble.hidden = false;
}

function hideTrouble() {
  trouble.hidden = true;
}

function repeat(source) {
  const form = source.closest("form");
  if (form) form.requestSubmit();
  else source.click();
}

function announce(swapped) {
  const news = swapped.querySelector?.("[data-announce]");
  if (news) announcer.textContent = news.textContent;
}

// A link that turns a page says where reading goes on; everything else keeps its focus.
function moveFocus(request) {
  const selector = request?.elt?.dataset.focus;
  if (selector) document.querySelector(selector)?.focus({ preventScroll: true });
}

// Browsers leave a link at the edge of a row that scrolls half hidden.
function showWhole(event) {
  if (event.target.closest(".categories")) event.target.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// The browser itself keeps the focus in a modal dialog, closes it with Escape, and gives the focus back.
async function openDrawer(event) {
  const link = event.target.closest("a[data-drawer]");
  const drawer = document.getElementById("drawer");
  if (!link || !drawer || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  await htmx.ajax("GET", link.href, { source: link, target: "#drawer-cart", swap: "innerHTML" });
  if (drawer.querySelector("#cart")) drawer.showModal();
}

// The server gives one order for one key however often it is asked; this only spares the second request.
function sendOnce(event) {
  const form = event.target;
  if (!("once" in form.dataset)) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  form.querySelector("button").setAttribute("aria-disabled", "true");
}

// Listings change the address without a new page: the language switch leads back to what is shown now.
function returnHere(event) {
  if (event.target.matches(".languages")) event.target.elements.next.value = location.pathname + location.search;
}

function allowSending() {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelector("button").removeAttribute("aria-disabled");
  }
}

// The server writes times in UTC; a buyer reads them by the clock on the wall.
export function localiseTimes() {
  for (const time of document.querySelectorAll("time[data-clock]")) localise(time);
}

function localise(time) {
  const at = new Date(time.dateTime);
  const today = at.toDateString() === new Date().toDateString();
  const style = today ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" };
  time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, { ...style, hourCycle: "h23" }).format(at);
  time.removeAttribute("data-clock");
}

// --- What follows the server live -----------------------------------------------------------------------------

export function openSocket(path) {
  return new WebSocket(new URL(path, location.href.replace(/^http/, "ws")));
}

// Full jitter: anything between nothing and a bound that doubles, so that a crowd does not come back all at once.
export function jitter(attempt) {
  return Math.random() * Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** attempt);
}
