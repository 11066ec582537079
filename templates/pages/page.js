// What a browser can do beyond the forms, which all work without this.

// The reader's time zone, where the form has only the operator's.
const zones = document.querySelector("select[data-guess]");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zones && zone) {
  if (![...zones.options].some((option) => option.value === zone)) zones.add(new Option(zone, zone));
  zones.value = zone;
}

// The preview, while somebody types: the page that the Preview button leads to, without leaving.
const form = document.querySelector("form[data-preview]");
const shown = document.getElementById("preview");
let waiting, asked = 0;

async function preview() {
  const number = ++asked;
  const typed = new FormData(form);
  typed.delete("address");
  const answer = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams(typed) });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("preview");
  if (fresh && number === asked) shown.replaceChildren(...fresh.childNodes);
}

form?.addEventListener("input", (event) => {
  if (event.target.id === "address") return;
  clearTimeout(waiting);
  waiting = setTimeout(() => preview().catch(() => {}), 500);
});
