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
  for (const name of ["address", "papers"]) typed.delete(name);  // of no use for a preview
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

// Where the operator asks for a proof of work: the number whose hash is known, found before the form is sent.
const proof = document.querySelector("input[data-challenge]");

async function prove() {
  const { algorithm, challenge, maxnumber, salt, signature } = await (await fetch(proof.dataset.challenge)).json();
  for (let number = 0; number <= maxnumber; number++) {
    const octets = await crypto.subtle.digest(algorithm, new TextEncoder().encode(salt + number));
    const hash = Array.from(new Uint8Array(octets), (octet) => octet.toString(16).padStart(2, "0")).join("");
    if (hash === challenge) return btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
  }
}

if (proof) form.addEventListener("submit", async (event) => {
  if (proof.value || event.submitter?.hasAttribute("formaction")) return;
  event.preventDefault();
  proof.value = await prove().catch(() => "-");  // the answer then says what is missing
  form.requestSubmit(event.submitter);
});
