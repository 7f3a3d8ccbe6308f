// @ts-check
// Signing in with a wallet: choose one, let it show an address, sign the server's message, go on.
//
// One `Attempt` is one such walk. Whatever makes it stale (another wallet, another account, "try again") ends it, and an
// answer that comes later is dropped. The server decides everything; this script only carries messages.

import { offerPasskeys } from "./signin/passkey.js";
import { askForMessage, handInSignature } from "./signin/server.js";
import * as view from "./signin/view.js";
import { discover } from "./signin/wallets.js";
import { Trouble, advice, walletTrouble } from "./signin/words.js";

/** @typedef {import("./signin/wallets.js").Wallet} Wallet */
/** @typedef {import("./signin/words.js").Chain} Chain */
/** @typedef {"accounts" | "network" | "signing" | "sending"} Step */

/** After this long without an answer the wallet's window may be hidden or lost. */
const SILENCE_MS = 60_000;
const LAST_WALLET = "latchkey.wallet";

const page = /** @type {HTMLElement} */ (document.getElementById("signin"));
const { interaction = "", csrf = "", chains: chainList = "[]", client = "", host = "", loginHint = "" } = page.dataset;
const door = { interaction, csrf };
/** @type {Chain[]} */
const chains = JSON.parse(chainList);
const here = `/interaction/${encodeURIComponent(interaction)}`;
const otherTabs = "BroadcastChannel" in window ? new BroadcastChannel("latchkey-signin") : null;

class Attempt {
  /** @param {Wallet} wallet */
  constructor(wallet) {
    this.wallet = wallet;
    this.address = "";
    this.step = /** @type {Step} */ ("accounts");
    this.trouble = /** @type {Trouble | null} */ (null);
    this.resend = /** @type {(() => Promise<void>) | null} */ (null);
  }
}

/** Thrown where an attempt goes on after another one has taken its place. */
class Stale extends Error {}

/** @type {Attempt | null} */
let current = null;
let walletCount = 0;
let settled = false;
/** @type {WeakSet<object>} */
const heard = new WeakSet();

/**
 * Begins anew with a wallet.
 * @param {Wallet} wallet
 * @param {string} [news] why, if the person did not press anything
 */
function begin(wallet, news) {
  const attempt = new Attempt(wallet);
  current = attempt;
  hear(wallet);
  view.showJourney(wallet);
  run(attempt, () => walk(attempt, news));
}

/**
 * @param {Attempt} attempt
 * @param {() => Promise<void>} work
 */
async function run(attempt, work) {
  try {
    await work();
  } catch (error) {
    if (error instanceof Stale || current !== attempt) return;
    fail(attempt, error instanceof Trouble ? error : new Trouble("unexpected"));
  }
}

/**
 * @param {Attempt} attempt
 * @param {string} [news]
 */
async function walk(attempt, news) {
  const { wallet } = attempt;
  view.stage("account");
  view.say(news ?? `Open ${wallet.name} and let this page see your address.`);
  const accounts = addresses(await ask(attempt, "accounts", { method: "eth_requestAccounts" }));
  attempt.address = pick(accounts);
  if (!attempt.address) throw new Trouble("no_accounts");
  view.showAddress(attempt.address);

  attempt.step = "network";
  const chainId = Number(await ask(attempt, "other", { method: "eth_chainId" }));
  if (!chains.some((chain) => chain.id === chainId)) throw new Trouble("wrong_chain", { chainId });

  const { challenge, message } = await fresh(attempt, askForMessage(door, attempt.address, chainId));
  attempt.step = "signing";
  view.stage("sign");
  view.offerOtherAccount(true);
  view.say(`${news ? `${news} ` : ""}Open ${wallet.name} and sign the message.`);
  const signature = await ask(attempt, "signing", { method: "personal_sign", params: [hexOf(message), attempt.address] });

  attempt.step = "sending";
  view.offerOtherAccount(false);
  view.say("Checking the signature.");
  await send(attempt, challenge, String(signature), false);
}

/**
 * @param {Attempt} attempt
 * @param {string} challenge
 * @param {string} signature
 * @param {boolean} repeated
 */
async function send(attempt, challenge, signature, repeated) {
  try {
    finish(attempt, await fresh(attempt, handInSignature(door, challenge, signature)));
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    // The first sending may have arrived and only its answer been lost: the server's page knows.
    if (repeated && (error.code === "challenge_used" || error.code === "interaction_gone")) return location.assign(here);
    if (error.code !== "network" && error.code !== "offline") throw error;
    attempt.resend = () => send(attempt, challenge, signature, true);
    throw new Trouble("network_after_signing");
  }
}

/**
 * @param {Attempt} attempt
 * @param {string} next
 */
function finish(attempt, next) {
  view.stage("done");
  view.say("Signed in. Taking you on.");
  try {
    localStorage.setItem(LAST_WALLET, attempt.wallet.id);
  } catch {
    // A browser that keeps nothing loses only the mark beside the wallet used last.
  }
  otherTabs?.postMessage("signed-in");
  location.assign(next);
}

/**
 * Asks the wallet, and says so when it takes very long; the question itself stays open.
 * @param {Attempt} attempt
 * @param {"accounts" | "signing" | "switch" | "other"} step
 * @param {{ method: string, params?: unknown[] }} call
 */
async function ask(attempt, step, call) {
  const silence = setTimeout(() => current === attempt && fail(attempt, new Trouble("silent")), SILENCE_MS);
  try {
    const answer = await fresh(attempt, attempt.wallet.provider.request(call));
    if (attempt.trouble?.code === "silent") recover(attempt);
    return answer;
  } catch (error) {
    throw error instanceof Stale ? error : walletTrouble(error, step);
  } finally {
    clearTimeout(silence);
  }
}

/**
 * @template T
 * @param {Attempt} attempt
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
async function fresh(attempt, promise) {
  try {
    const value = await promise;
    if (current !== attempt) throw new Stale();
    return value;
  } catch (error) {
    throw current === attempt ? error : new Stale();
  }
}

/** @param {Attempt} attempt */
function recover(attempt) {
  attempt.trouble = null;
  view.clearProblem();
}

/**
 * @param {Attempt} attempt
 * @param {Trouble} trouble
 */
function fail(attempt, trouble) {
  attempt.trouble = trouble;
  if (["interaction_gone", "wrong_browser"].includes(trouble.code)) view.closeDoors();
  view.offerOtherAccount(trouble.code === "silent" && attempt.step === "signing");
  view.showProblem(advice(trouble, { wallet: attempt.wallet.name, app: client || null, chains }), {
    go: (way) => go(attempt, trouble, way),
    back: wayBack(),
    wait: trouble.code === "too_many_requests" ? (trouble.facts.seconds ?? 10) : trouble.facts.seconds,
    manyWallets: walletCount > 1,
    stopped: trouble.code !== "silent",
  });
}

/**
 * @param {Attempt} attempt
 * @param {Trouble} trouble
 * @param {import("./signin/words.js").Way} way
 */
function go(attempt, trouble, way) {
  if (way === "again") return begin(attempt.wallet);
  if (way === "wallets") return chooseAgain();
  if (way === "reload") return location.assign(here);
  recover(attempt);
  if (way === "resend") {
    view.say("Sending the signature again.");
    return run(attempt, async () => attempt.resend?.());
  }
  return run(attempt, () => switchNetwork(attempt, trouble.facts.chains?.[0] ?? chains[0]));
}

/**
 * @param {Attempt} attempt
 * @param {Chain} chain
 */
async function switchNetwork(attempt, chain) {
  view.say(`Open ${attempt.wallet.name} and let it switch to ${chain.name}.`);
  await ask(attempt, "switch", { method: "wallet_switchEthereumChain", params: [{ chainId: `0x${chain.id.toString(16)}` }] });
  begin(attempt.wallet);
}

function chooseAgain() {
  current = null;
  view.clearProblem();
  view.showWallets({ focus: true });
}

/** EIP-2255: the wallet shows its own list of accounts. The message that is waiting stays good if nothing changes. */
async function chooseAccount() {
  const attempt = current;
  if (!attempt) return;
  const { name, provider } = attempt.wallet;
  view.say(`Open ${name} and choose the account.`);
  try {
    await provider.request({ method: "wallet_requestPermissions", params: [{ eth_accounts: {} }] });
    if (current === attempt) begin(attempt.wallet);
  } catch (error) {
    if (current !== attempt) return;
    const { code } = walletTrouble(error, "accounts");
    if (code === "pending") return view.say(`Close the question that ${name} shows, then choose another account.`);
    if (code === "refused_accounts") return view.say(`The account stays as it is. Open ${name} and sign the message.`);
    view.offerOtherAccount(false);
    view.say(`${name} offers no choice here. Change the account in ${name} itself: this page notices and begins again with it.`);
  }
}

/** Listens, once for each wallet, to what the person does in it. @param {Wallet} wallet */
function hear(wallet) {
  const { provider } = wallet;
  if (heard.has(provider) || typeof provider.on !== "function") return;
  heard.add(provider);
  provider.on("accountsChanged", (value) => current?.wallet === wallet && accountsChanged(current, addresses(value)));
  provider.on("chainChanged", (value) => current?.wallet === wallet && chainChanged(current, Number(value)));
}

/**
 * @param {Attempt} attempt
 * @param {string[]} accounts
 */
function accountsChanged(attempt, accounts) {
  const waitedForOne = ["pending", "locked", "no_accounts"].includes(attempt.trouble?.code ?? "");
  if (waitedForOne && accounts.length > 0) return begin(attempt.wallet);
  const walking = !attempt.trouble || attempt.trouble.code === "silent";
  const address = pick(accounts);
  if (!walking || (attempt.step !== "network" && attempt.step !== "signing") || same(address, attempt.address)) return;
  if (address) return begin(attempt.wallet, "You changed the account, so this begins again with the new one.");
  // The old message is no longer worth an answer.
  const over = new Attempt(attempt.wallet);
  current = over;
  fail(over, new Trouble("no_accounts"));
}

/**
 * @param {Attempt} attempt
 * @param {number} chainId
 */
function chainChanged(attempt, chainId) {
  const waitedForIt = ["wrong_chain", "chain_not_supported", "chain_unknown", "refused_switch", "switch_unsupported"];
  if (waitedForIt.includes(attempt.trouble?.code ?? "") && chains.some((chain) => chain.id === chainId)) begin(attempt.wallet);
}

/** @param {unknown} value */
function addresses(value) {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string" && /^0x[0-9a-f]{40}$/i.test(one)) : [];
}

/** The account that the app hinted at, if the wallet showed it; else the first. @param {string[]} accounts */
function pick(accounts) {
  return accounts.find((address) => same(address, loginHint)) ?? accounts[0] ?? "";
}

/**
 * @param {string} one
 * @param {string} other
 */
function same(one, other) {
  return one.toLowerCase() === other.toLowerCase();
}

/** @param {string} message */
function hexOf(message) {
  return `0x${Array.from(new TextEncoder().encode(message), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** The app's address, if the person came from the very host that is registered for it; or their account. */
function wayBack() {
  if (!client) return "/account";
  const from = URL.canParse(document.referrer) ? new URL(document.referrer) : null;
  return from && from.host === host && from.protocol.startsWith("http") ? from.href : null;
}

function lastWallet() {
  try {
    return localStorage.getItem(LAST_WALLET);
  } catch {
    return null;
  }
}

if (document.getElementById("wallets")) {
  view.listen({ changeWallet: chooseAgain, otherAccount: chooseAccount, lookAgain: () => location.reload() });
  view.say("Looking for wallets in this browser.");
  discover({
    found(wallet) {
      walletCount += 1;
      view.addWallet(wallet, { press: () => begin(wallet), usedLast: wallet.id === lastWallet(), first: !settled });
      if (!current) view.showWallets();
    },
    lost(wallet) {
      walletCount -= 1;
      view.removeWallet(wallet);
    },
    settled() {
      settled = true;
      if (!current) view.showWallets();
    },
  });
}

offerPasskeys({
  door,
  here,
  app: client || null,
  back: wayBack(),
  started: () => (current = null),
  signedIn: () => otherTabs?.postMessage("signed-in"),
});

otherTabs?.addEventListener("message", (event) => event.data === "signed-in" && view.showElsewhere(here));
// Who leaves is not called back by a wallet's late answer.
document.getElementById("cancel")?.addEventListener("submit", () => (current = null));
