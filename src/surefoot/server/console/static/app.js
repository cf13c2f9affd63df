// What every page does once somebody is logged in: log off when idle, say when there is no connection.
const csrf = document.querySelector('meta[name="csrf"]').content;
const idleMs = Number(document.body.dataset.idleSeconds) * 1000;
const everyMs = Math.min(60_000, idleMs / 4);
let acted = Date.now();
let told = Date.now();

for (const kind of ["pointerdown", "keydown", "wheel", "touchstart"]) {
  addEventListener(kind, () => { acted = Date.now(); }, { passive: true });
}

// Work on one page is work: the server hears of it once a minute. What lies open untouched is hidden in the end.
const tick = setInterval(async () => {
  if (Date.now() - acted > idleMs) {
    clearInterval(tick);
    document.getElementById("main").replaceChildren();
    await post("/logout");
    location.assign(`/login?away=1&next=${encodeURIComponent(location.pathname + location.search)}`);
  } else if (acted > told && Date.now() - told > everyMs) {
    told = Date.now();
    await post("/account/here");
  }
}, Math.min(5_000, everyMs));

async function post(path) {
  try {
    await fetch(path, { method: "POST", redirect: "manual", headers: { "x-csrf-token": csrf, accept: "application/json" } });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // no connection: the banner says so
  }
}

const banner = document.getElementById("offline");
const connection = () => { banner.hidden = navigator.onLine; };
addEventListener("online", connection);
addEventListener("offline", connection);
connection();
