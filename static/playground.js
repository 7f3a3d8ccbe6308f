// The account of a sign-in, or of a device: verifies the tokens' signatures in this browser, and copies what is to be copied.

import { keepPolling } from "./playground/device.js";
import { verdict } from "./playground/verify.js";

offerCopies(document);
keepPolling(document.getElementById("poll"), offerCopies);
await verifyAll();

function offerCopies(part) {
  for (const button of part.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

async function verifyAll() {
  const rows = [...document.querySelectorAll("#verdict [data-token]")];
  if (rows.length === 0) return;
  const verdicts = await fetch("/keys", { headers: { accept: "application/json" }, cache: "no-cache" })
    .then((response) => (response.ok ? response.json() : Promise.reject(new Error(`/keys answers ${response.status}`))))
    .then(({ keys }) => Promise.all(rows.map((row) => verdict(tokenOf(row), keys))))
    .catch((problem) => rows.map(() => ({ verified: false, words: `The keys could not be had: ${problem.message}` })));
  rows.forEach((row, place) => show(row, verdicts[place]));
}

function tokenOf(row) {
  return document.getElementById(`raw-${row.dataset.token}`).textContent.trim();
}

function show(row, { verified, words }) {
  const said = row.querySelector(".pg-said");
  said.textContent = words;
  said.dataset.verified = String(verified);
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const told = document.getElementById("copied");
  try {
    await navigator.clipboard.writeText(source.textContent);
    const before = button.textContent;
    button.textContent = "Copied";
    told.textContent = "Copied.";
    setTimeout(() => {
      button.textContent = before;
      told.textContent = "";
    }, 2000);
  } catch {
    // Where the browser denies the clipboard, the text is selected, ready for the keyboard.
    source.closest("details")?.setAttribute("open", "");
    getSelection().selectAllChildren(source);
    told.textContent = "The browser does not allow copying. The text is selected: copy it with the keyboard.";
  }
}
