// What a browser can do beyond the links and forms, which all work without this: the page follows
// the templates as they are saved, keys press its buttons, and nothing scrolls away.

document.documentElement.classList.add("scripted-page");
const root = new URL(".", document.currentScript.src);
const part = (id) => document.getElementById(id);
let asked = 0;

// ---- another state of the page, without leaving it ----

async function show(address, { sent, isBack } = {}) {
  const number = ++asked;
  const answer = await fetch(address, sent ? { method: "POST", body: sent } : {});
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (number !== asked) return; // a newer one was asked for meanwhile
  if (!page.getElementById("stage")) {
    location.assign(address);
    return;
  }
  if (!sent && !isBack && address !== location.href) history.pushState(null, "", address);
  document.title = page.title;
  const focused = document.activeElement?.id;
  for (const id of ["bar", "status", "problem"]) renew(part(id), page.getElementById(id));
  stage(part("stage"), page.getElementById("stage"));
  if (focused && !document.activeElement?.id) part(focused)?.focus();
  fit();
}

// What somebody has typed or opened outlives a new state.
function renew(old, fresh) {
  if (old.innerHTML === fresh.innerHTML) return;
  const live = old.querySelector("#live")?.textContent;
  for (const field of old.querySelectorAll("[data-keep]")) fresh.querySelector(`#${field.id}`).value = field.value;
  for (const open of old.querySelectorAll("details[open]")) fresh.querySelector(`#${open.id}`).open = true;
  old.replaceChildren(...fresh.childNodes);
  if (live) part("live").textContent = live;
}

// Pictures are exchanged one by one, each once the new one is there, at the place it was scrolled to.
function stage(old, fresh) {
  const kinds = (of) => [...of.querySelectorAll(".preview")].map((preview) => preview.className).join();
  const isSameKind = old.className === fresh.className;
  if (isSameKind && old.matches(".of-mail") && kinds(old) && kinds(old) === kinds(fresh)) {
    old.dataset.stamp = fresh.dataset.stamp;
    old.querySelector(".subject").replaceWith(fresh.querySelector(".subject"));
    old.querySelector(".strip").className = fresh.querySelector(".strip").className;
    const coming = fresh.querySelectorAll(".preview");
    old.querySelectorAll(".preview").forEach((preview, number) => exchange(preview, coming[number]));
  } else {
    const scrolled = isSameKind ? old.scrollTop : 0;
    const within = [...old.querySelectorAll("iframe")].map((frame) => frame.contentWindow.scrollY);
    old.replaceWith(fresh);
    fresh.scrollTop = scrolled;
    fresh.querySelectorAll("iframe").forEach((frame, number) => {
      const again = () => frame.contentWindow.scrollTo(0, within[number] ?? 0);
      frame.addEventListener("load", again, { once: true });
    });
  }
}

function exchange(old, fresh) {
  old.querySelector("figcaption").textContent = fresh.querySelector("figcaption").textContent;
  const frames = [...old.querySelectorAll("iframe")];
  const shown = frames[0], coming = fresh.querySelector("iframe");
  if (frames.at(-1).getAttribute("src") === coming.getAttribute("src")) return;
  frames.slice(1).forEach((frame) => frame.remove()); // what was coming is outdated
  coming.className = "coming";
  coming.addEventListener("load", () => {
    if (!coming.isConnected) return;
    coming.contentWindow.scrollTo(0, shown.contentWindow.scrollY);
    coming.className = "";
    shown.remove();
  }, { once: true });
  shown.after(coming);
}

// ---- pictures as large as there is room ----

function fit() {
  for (const strip of document.querySelectorAll(".strip")) {
    const wide = [...strip.children].reduce((sum, preview) => sum + parseInt(getComputedStyle(preview).getPropertyValue("--wide")), 0);
    const gaps = 16 * (strip.children.length - 1);
    const least = strip.clientWidth < 600 ? strip.clientWidth / 360 : 0.4; // else it scrolls
    const scale = Math.min(1, Math.max(least, (strip.clientWidth - gaps) / wide));
    strip.style.setProperty("--scale", scale.toFixed(4));
  }
}

// ---- what leads to another state ----

const failed = () => { part("live").textContent = "○ not connected"; };
const go = (address, how) => show(address, how).catch(failed);

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("#bar a, #status a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(link.href);
});

document.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target, typed = new URLSearchParams(new FormData(form));
  if (form.method === "post") go(form.action, { sent: typed });
  else go(`${form.action}?${typed}`);
});

document.addEventListener("change", (event) => {
  if (event.target.matches(".fill select, .fill input")) event.target.form.requestSubmit();
});

addEventListener("popstate", () => go(location.href, { isBack: true }));
addEventListener("resize", fit);

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !part("keys")?.checked) return;
  if (event.key === "Escape") for (const open of document.querySelectorAll("details[open]")) open.open = false;
  if (event.target.matches?.("input:not([type=checkbox]), select, textarea")) return;
  const pressed = document.querySelector(`[aria-keyshortcuts="${CSS.escape(event.key)}"]:not([aria-current])`);
  if (!pressed) return;
  event.preventDefault();
  pressed.click();
  const sheet = pressed.tagName === "SUMMARY" && pressed.parentElement;
  if (sheet.open) sheet.querySelector("input:not([type=hidden])")?.focus();
}

// Who has clicked into a picture types into it.
const listen = (frame) => frame.contentWindow.addEventListener("keydown", press);

document.addEventListener("keydown", press);
document.addEventListener("load", (event) => { if (event.target.tagName === "IFRAME") listen(event.target); }, true);
document.querySelectorAll("iframe").forEach(listen);

// ---- the templates as they are saved ----

// A page that nobody sees does not ask: a browser has few connections for each site.
let news;

function follow() {
  news?.close();
  if (document.hidden) return;
  news = new EventSource(new URL("changes", root));
  news.onopen = () => { part("live").textContent = "● live"; };
  news.onerror = failed;
  news.onmessage = (event) => {
    if (event.data !== part("stage").dataset.stamp) go(location.href);
  };
}

document.addEventListener("visibilitychange", follow);
follow();
fit();
