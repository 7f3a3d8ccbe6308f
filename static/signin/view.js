// @ts-check
// The sign-in page's elements: what is shown, said and focused. Text is only ever set as text.

import { inSeconds } from "./words.js";

/** @typedef {import("./wallets.js").Wallet} Wallet */
/** @typedef {import("./words.js").Advice} Advice */
/** @typedef {import("./words.js").Way} Way */
/** @typedef {"choose" | "account" | "sign" | "done"} Stage */

/** An element of the page; where the way that it belongs to is not offered, one that nobody sees. @param {string} id */
const byId = (id) => document.getElementById(id) ?? document.createElement("div");

const page = byId("signin");
const list = byId("wallets");
const status = byId("status");
const problem = byId("problem");
const journey = byId("journey");
const noWallet = byId("no-wallet");
const otherAccount = byId("other-account");

/** @type {ReturnType<typeof setInterval> | undefined} */
let countdown;

/** Says something quietly; a screen reader hears it when it is free. @param {string} words */
export function say(words) {
  if (status.textContent !== words) status.textContent = words;
}

/**
 * @param {Wallet} wallet
 * @param {{ press(): void, usedLast: boolean, first: boolean }} how
 */
export function addWallet(wallet, { press, usedLast, first }) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.rdns = wallet.id;
  button.append(icon(wallet), text("span", wallet.name, "wallet-name"));
  if (usedLast) button.append(text("span", "used last", "mark"));
  button.addEventListener("click", press);
  const item = document.createElement("li");
  item.append(button);
  // A list that is being read must not move: only before it has settled may the wallet used last go to the top.
  list[usedLast && first ? "prepend" : "append"](item);
}

/** @param {Wallet} wallet */
export function removeWallet(wallet) {
  for (const button of list.querySelectorAll("button")) if (button.dataset.rdns === wallet.id) button.closest("li")?.remove();
}

/** The list of wallets, or the words for a browser that has none. @param {{ focus?: boolean }} [how] */
export function showWallets({ focus = false } = {}) {
  const count = list.childElementCount;
  stage("choose");
  journey.hidden = true;
  list.hidden = count === 0;
  noWallet.hidden = count > 0;
  say(count === 0 ? "" : count === 1 ? "One wallet found. Press it to begin." : `${count} wallets found. Choose the one to sign in with.`);
  if (focus) list.querySelector("button")?.focus();
}

/** @param {Wallet} wallet */
export function showJourney(wallet) {
  clearProblem();
  list.hidden = true;
  noWallet.hidden = true;
  journey.hidden = false;
  otherAccount.hidden = true;
  byId("chosen-icon").replaceWith(Object.assign(icon(wallet), { id: "chosen-icon" }));
  byId("chosen-name").textContent = wallet.name;
  showOnLatch(wallet);
  showAddress(null);
  journey.tabIndex = -1;
  journey.focus({ preventScroll: true });
}

/** @param {string | null} address */
export function showAddress(address) {
  const place = byId("chosen-address");
  place.textContent = address ? `${address.slice(0, 6)}…${address.slice(-4)}` : "";
  place.className = "address small";
  place.title = address ?? "";
}

/** @param {Stage} name */
export function stage(name) {
  page.dataset.stage = name;
  step(byId("step-account"), name === "account", name === "sign" || name === "done");
  step(byId("step-sign"), name === "sign", name === "done");
}

/** @param {boolean} offered */
export function offerOtherAccount(offered) {
  otherAccount.hidden = !offered;
}

/** @param {{ changeWallet(): void, otherAccount(): void, lookAgain(): void }} on */
export function listen(on) {
  byId("change-wallet").addEventListener("click", on.changeWallet);
  otherAccount.addEventListener("click", on.otherAccount);
  byId("look-again").addEventListener("click", on.lookAgain);
}

/**
 * Says loudly what is wrong and how to go on.
 * @param {Advice} advice
 * @param {{ go(way: Way): void, back: string | null, wait?: number, manyWallets: boolean, stopped: boolean }} how
 */
export function showProblem(advice, { go, back, wait, manyWallets, stopped }) {
  clearProblem();
  page.toggleAttribute("data-stopped", stopped);
  say("");
  problem.toggleAttribute("data-calm", advice.calm === true);
  problem.append(text("h2", advice.title), ...advice.words.map((words) => text("p", words)));
  if (advice.said) problem.append(text("p", advice.said, "said"));
  const actions = document.createElement("div");
  actions.className = "actions";
  for (const { way, label } of advice.ways) {
    if (way === "back" && !back) continue;
    // With one wallet there is no other to use; as the only way on it stays, since the wallet may get another account.
    if (way === "wallets" && !manyWallets && advice.ways.length > 1) continue;
    const control = way === "back" ? link(label, String(back)) : button(label, () => go(way));
    if (way === "wallets" && !manyWallets) control.textContent = "Start over";
    control.className = actions.childElementCount === 0 ? "button button-main" : "button";
    actions.append(control);
  }
  if (actions.childElementCount) problem.append(actions);
  const first = actions.querySelector("button");
  if (wait && first) holdBack(first, wait);
  problem.focus();
}

/** Where nothing is left to sign in to or to cancel, the buttons for it would only lead to the same news. */
export function closeDoors() {
  journey.hidden = true;
  byId("cancel").hidden = true;
}

export function clearProblem() {
  clearInterval(countdown);
  page.removeAttribute("data-stopped");
  problem.replaceChildren();
}

/** Another tab of this browser has signed in. @param {string} href */
export function showElsewhere(href) {
  byId("elsewhere").replaceChildren("You signed in in another tab. ", link("Continue here", href));
}

/**
 * Counts down on the button; the numbers are for the eye only, the end is said.
 * @param {HTMLButtonElement} held
 * @param {number} seconds
 */
function holdBack(held, seconds) {
  const label = held.textContent ?? "";
  const end = performance.now() + seconds * 1000;
  held.setAttribute("aria-disabled", "true");
  held.setAttribute("aria-live", "off");
  const tick = () => {
    const left = Math.ceil((end - performance.now()) / 1000);
    held.textContent = left > 0 ? `${label} in ${inSeconds(left)}` : label;
    if (left > 0) return;
    clearInterval(countdown);
    held.removeAttribute("aria-disabled");
    say("You can try again now.");
  };
  tick();
  countdown = setInterval(tick, 250);
}

/** The latch's first tile carries the chosen wallet's picture, if it has one. @param {Wallet} wallet */
function showOnLatch(wallet) {
  if (!wallet.icon) return;
  const picture = document.createElement("img");
  picture.alt = "";
  picture.width = picture.height = 30;
  picture.src = wallet.icon;
  byId("latch-wallet").replaceChildren(picture);
}

/** @param {Wallet} wallet */
function icon(wallet) {
  const place = text("span", wallet.icon ? "" : [...wallet.name][0].toUpperCase(), "wallet-icon");
  place.setAttribute("aria-hidden", "true");
  if (!wallet.icon) return place;
  const picture = document.createElement("img");
  picture.alt = "";
  picture.addEventListener("error", () => place.replaceChildren([...wallet.name][0].toUpperCase()));
  picture.src = wallet.icon;
  place.append(picture);
  return place;
}

/**
 * @param {HTMLElement} item
 * @param {boolean} now
 * @param {boolean} done
 */
function step(item, now, done) {
  if (now) item.setAttribute("aria-current", "step");
  else item.removeAttribute("aria-current");
  item.toggleAttribute("data-done", done);
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} words
 * @param {string} [className]
 */
function text(tag, words, className = "") {
  const element = document.createElement(tag);
  element.textContent = words;
  if (className) element.className = className;
  return element;
}

/**
 * @param {string} label
 * @param {() => void} press
 */
function button(label, press) {
  const element = text("button", label);
  element.type = "button";
  element.addEventListener("click", () => element.getAttribute("aria-disabled") || press());
  return element;
}

/**
 * @param {string} label
 * @param {string} href
 */
function link(label, href) {
  const element = text("a", label);
  element.href = href;
  return element;
}
