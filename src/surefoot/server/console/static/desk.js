// The desk's comfort: keys, live updates, autosave, the heartbeat, the countdown. Every verb is a plain form and works without it.

const desk = document.querySelector(".desk");
const token = () => document.querySelector('meta[name="csrf"]').content;
const $ = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

function toast(text, href) {
  const box = document.createElement("div");
  box.className = "toast";
  if (href) {
    const link = document.createElement("a");
    link.href = href;
    link.textContent = text;
    box.append(link);
  } else box.textContent = text;
  $("[data-toasts]")?.append(box);
  setTimeout(() => box.remove(), 8000);
}

async function post(path, fields, { background = false, keepalive = false } = {}) {
  const headers = { "content-type": "application/x-www-form-urlencoded", "x-csrf-token": token(), accept: "application/json" };
  if (background) headers["x-surefoot-background"] = "1";
  return fetch(path, { method: "POST", headers, body: new URLSearchParams(fields), keepalive });
}

// --- Offline -----------------------------------------------------------------------------------------------------------

const offline = $("#offline"); // of every page; here it also shows when the server does not answer
const reconnected = new Set();
function connected(yes) {
  if (!offline || offline.hidden === yes) return;
  offline.hidden = yes;
  if (yes) for (const each of reconnected) each();
}
addEventListener("offline", () => connected(false));
addEventListener("online", () => connected(true));
if (!navigator.onLine) connected(false);

// --- Live updates ------------------------------------------------------------------------------------------------------

function live(onEvent) {
  if (!desk.dataset.events) return;
  const source = new EventSource(desk.dataset.events); // the browser comes back by itself and says the last id it saw
  source.addEventListener("case", (event) => onEvent(JSON.parse(event.data)));
  source.addEventListener("open", () => connected(true));
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) {
      toast("Live updates ended. Load the page again to log in.", location.href);
    } else connected(navigator.onLine);
  });
  addEventListener("pagehide", () => source.close());
}

// --- The queue ---------------------------------------------------------------------------------------------------------

function queue() {
  const box = $("#queue");
  let waiting = false;
  let again = false;
  const rows = () => new Set(all("tr[data-case]", box).map((row) => row.dataset.case));
  async function refresh() {
    if (waiting) {
      again = true;
      return;
    }
    waiting = true;
    try {
      const answer = await fetch(desk.dataset.fragment, { headers: { "x-surefoot-background": "1", accept: "text/html" } });
      if (answer.redirected || !answer.ok) return;
      const html = await answer.text();
      const before = rows();
      const focused = document.activeElement?.closest?.("tr[data-case]")?.dataset.case;
      const opened = all("details[open]", box).map((each) => each.closest("tr").dataset.case);
      box.innerHTML = html; // rendered and escaped by the server
      for (const row of all("tr[data-case]", box)) if (!before.has(row.dataset.case)) row.classList.add("fresh");
      for (const id of opened) $(`tr[data-case="${CSS.escape(id)}"] details`, box)?.setAttribute("open", "");
      if (focused) $(`tr[data-case="${CSS.escape(focused)}"] a`, box)?.focus();
      const fresh = [...rows()].filter((id) => !before.has(id)).length;
      if (fresh) toast(fresh === 1 ? "A new case waits." : `${fresh} new cases wait.`);
      connected(true);
    } catch {
      connected(false);
    } finally {
      waiting = false;
      if (again) {
        again = false;
        setTimeout(refresh, 500);
      }
    }
  }
  let soon;
  live((event) => {
    if (event.kind === "delivered" && event.mine) toast("Delivered.", `/desk/cases/${event.case}`);
    clearTimeout(soon);
    soon = setTimeout(refresh, 150); // many changes at once are one look
  });
  reconnected.add(refresh);
  setInterval(() => document.visibilityState === "visible" && refresh(), 30000); // waits and priorities grow by themselves
  const step = (by) => {
    const links = all("td.question a", box);
    const at = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
    links[Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  };
  keys.set("j", () => step(1));
  keys.set("k", () => step(-1));
  keys.set("p", () => $("tr:focus-within details summary", box)?.click());
}

// --- A case ------------------------------------------------------------------------------------------------------------

function openCase() {
  const form = $("form[data-answer]");
  const text = $("#text");
  const id = desk.dataset.case;
  const fence = desk.dataset.fence;
  let dirty = false;
  let lost = false;
  let sending = false; // a form is on its way: what it causes is not news
  for (const each of all("form:not([method=dialog])")) each.addEventListener("submit", () => (sending = true));

  live((event) => {
    if (event.case !== id) {
      if (event.kind === "delivered" && event.mine) toast("Delivered.", `/desk/cases/${event.case}`);
      return;
    }
    if (sending || event.kind === "autosaved") return;
    if (event.kind === "delivered") return location.replace(`/desk/cases/${id}`);
    if (fence && !event.mine && event.kind !== "claimed") lose(`It is ${event.state || event.kind} now.`);
    else if (fence && event.state && event.state !== "claimed") lose(`It is ${event.state} now.`);
    else if (!fence && !text?.value) location.reload();
  });

  function lose(why) {
    if (lost) return;
    lost = true;
    const box = document.createElement("div");
    box.className = "told bad";
    box.setAttribute("role", "alert");
    box.append("You do not hold this case any more. ", why, " What you wrote is still here; ");
    const link = document.createElement("a");
    link.href = `/desk/cases/${id}`;
    link.textContent = "look at the case as it is now";
    link.target = "_blank";
    box.append(link, ".");
    form?.before(box);
    for (const button of all(".answer button")) if (!button.matches("[data-insert]")) button.disabled = true;
    box.scrollIntoView({ block: "nearest" });
  }

  if (fence) {
    const beat = async () => {
      if (lost) return;
      try {
        const answer = await post(`/desk/cases/${id}/heartbeat`, { fence }, { background: true });
        connected(true);
        if (answer.status === 409) lose("Its lease ended and somebody else may have it.");
        if (answer.status === 401) toast("You are logged off. Log in in another tab; your text stays here.", "/login");
      } catch {
        connected(false);
      }
    };
    setInterval(beat, Math.max(1, Number(desk.dataset.beat)) * 1000);
    reconnected.add(beat);
  }

  // How long the case was looked at: the human minutes of its bill. Reloads and other verbs of this window go on counting.
  if (fence) {
    const name = `desk-${id}-${fence}`;
    setInterval(() => {
      if (document.visibilityState !== "visible") return;
      const seconds = Number(sessionStorage.getItem(name) ?? 0) + 1;
      sessionStorage.setItem(name, seconds);
      for (const field of all("[data-seconds]")) field.value = seconds;
    }, 1000);
  }

  if (fence && text && form) {
    const saved = $("[data-saved]");
    const count = $("[data-count]");
    let timer;
    async function save(keepalive = false) {
      clearTimeout(timer);
      if (!dirty || lost || sending) return;
      const said = text.value;
      try {
        const answer = await post(`/desk/cases/${id}/autosave`, { fence, text: said }, { keepalive });
        connected(true);
        if (answer.ok) {
          dirty = text.value !== said;
          saved.textContent = `Saved ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
        } else if (answer.status === 409) lose("Its lease ended and somebody else may have it.");
        else saved.textContent = answer.status === 413 ? "Too long to be saved." : "Not saved.";
      } catch {
        saved.textContent = "Not saved yet: no connection.";
        connected(false);
      }
    }
    const counted = () => {
      if (!count) return;
      const most = Number(count.dataset.longest);
      count.textContent = text.value.length > most * 0.8 ? `${text.value.length} of ${most} characters` : "";
      count.classList.toggle("over", text.value.length > most);
    };
    text.addEventListener("input", () => {
      dirty = true;
      saved.textContent = "";
      counted();
      clearTimeout(timer);
      timer = setTimeout(save, 800);
    });
    reconnected.add(() => save());
    addEventListener("visibilitychange", () => document.visibilityState === "hidden" && save(true));
    addEventListener("beforeunload", (event) => dirty && !sending && event.preventDefault());

    // Each verb keeps its own text, so that a look at another verb loses nothing.
    const texts = {};
    const draft = text.dataset.draftText ?? "";
    const label = $("[data-text-label]");
    const words = { edit: "The draft, edited", replace: "Your own answer", ask: "What you ask them", reject: "What they are told instead (may stay empty)" };
    const sends = { edit: "Send the edited draft", replace: "Send my answer", ask: "Ask back", reject: "Reject the draft" };
    const chosen = () => $('input[name="verb"]:checked', form)?.value;
    let verb = chosen();
    function choose() {
      const now = chosen();
      if (!now) return;
      if (now !== verb) {
        texts[verb] = text.value;
        text.value = texts[now] ?? (now === "edit" ? draft : "");
        verb = now;
      }
      label.textContent = words[now];
      text.placeholder = words[now];
      const send = $("[data-send]", form);
      if (send) send.firstChild.textContent = `${sends[now]} `;
      counted();
    }
    for (const radio of all('input[name="verb"]', form)) radio.addEventListener("change", choose);
    if (verb) choose();
    for (const button of all("[data-insert]")) {
      button.addEventListener("click", (event) => {
        event.preventDefault(); // a link where there is no script
        const own = $('input[name="verb"][value="replace"]', form);
        if (verb !== "replace" && own) {
          own.checked = true;
          choose();
        }
        const past = $('input[name="past"]', form);
        if (past && button.dataset.past) past.value = button.dataset.past;
        text.setRangeText(button.dataset.insert, text.selectionStart, text.selectionEnd, "end");
        text.dispatchEvent(new Event("input"));
        text.focus();
      });
    }
    keys.set("g", () => {
      const radios = all('input[name="general"]', form);
      const other = radios.find((radio) => !radio.checked);
      if (!other) return;
      other.checked = true;
      toast(other.value ? "For everybody who asks this." : "For this person only.");
    });
  }

  const undo = $("[data-undo]");
  if (undo) {
    const until = Date.now() + Number(undo.dataset.seconds) * 1000; // the server's remaining time: clocks may differ
    const whole = Number(undo.dataset.seconds) * 1000 || 1;
    const tick = () => {
      const left = Math.max(0, until - Date.now());
      $("[data-left]", undo).textContent = Math.ceil(left / 1000);
      $(".progress span", undo).style.transform = `scaleX(${left / whole})`;
      if (left) requestAnimationFrame(tick);
      else setTimeout(() => sending || location.replace(`/desk/cases/${id}`), 1500); // when no event came before
    };
    tick();
  }

  const marks = all(".draft mark");
  const mark = (by) => {
    if (!marks.length) return;
    const at = marks.indexOf(document.activeElement);
    marks[(at + by + marks.length) % marks.length].focus();
  };
  keys.set("]", () => mark(1));
  keys.set("[", () => mark(marks.includes(document.activeElement) ? -1 : 0));
  const first = $("[data-first]");
  if (first && !document.querySelector("[autofocus]") && !first.matches("textarea")) first.focus();
}

// --- Like cases --------------------------------------------------------------------------------------------------------

function alike() {
  const field = $("[data-batch] [data-seconds]"); // the time of the batch; a refused form comes back with what was spent before
  if (!field) return;
  setInterval(() => {
    if (document.visibilityState === "visible") field.value = Number(field.value) + 1;
  }, 1000);
}

// --- Keys --------------------------------------------------------------------------------------------------------------

const keys = new Map();
const help = $("#keys");
const on = $("[data-keys-on]");
if (on) {
  on.checked = localStorage.getItem("desk-keys") !== "off";
  const show = () => document.documentElement.classList.toggle("keys-off", !on.checked);
  on.addEventListener("change", () => {
    localStorage.setItem("desk-keys", on.checked ? "on" : "off");
    show();
  });
  show();
}
for (const button of all("[data-help]")) button.addEventListener("click", () => help.showModal());

function act(element) {
  const details = element.closest("details:not([open])");
  if (details && element.tagName !== "SUMMARY") details.open = true;
  if (element.matches("input[type=radio]")) {
    element.checked = true;
    element.dispatchEvent(new Event("change", { bubbles: true }));
    const text = $("#text");
    text?.focus();
    text?.setSelectionRange(text.value.length, text.value.length);
  } else if (element.tagName === "SUMMARY") {
    element.parentElement.open = true;
    $("select, input:not([type=hidden]), button", element.parentElement)?.focus();
  } else element.click();
}

addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]");
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
    const send = $("[data-send]");
    if (send && !send.disabled) {
      event.preventDefault();
      send.click();
    }
    return;
  }
  if (event.key === "Escape" && typing) {
    event.preventDefault();
    typing.blur();
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat || help?.open) return;
  if (event.key === "?") {
    event.preventDefault();
    help?.showModal();
    return;
  }
  if (on && !on.checked) return;
  const own = keys.get(event.key);
  const element = own ? null : $(`[data-key="${CSS.escape(event.key)}"]:not([disabled])`);
  if (!own && !element) return;
  event.preventDefault();
  if (own) own();
  else act(element);
});

if (desk?.dataset.desk === "queue") queue();
if (desk?.dataset.desk === "case") openCase();
if (desk?.dataset.desk === "alike") alike();
document.documentElement.classList.add("js"); // what only a script can do is shown from now on
