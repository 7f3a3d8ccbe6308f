// @ts-check
// Every trouble with a passkey, in plain words and with a way on. Nothing here touches the page.

import { Trouble, advice } from "./words.js";

/** @typedef {import("./words.js").Advice} Advice */
/** @typedef {import("./words.js").Way} Way */

const AGAIN = { way: /** @type {Way} */ ("again"), label: "Try again" };

/** Codes of the server, or of the way to it, that are no affair of passkeys. */
const COMMON = ["interaction_gone", "wrong_browser", "too_many_requests", "temporarily_unavailable", "offline", "network"];

/**
 * @param {Trouble} trouble
 * @param {{ app: string | null }} scene
 * @returns {Advice}
 */
export function passkeyAdvice(trouble, { app }) {
  const { code, facts } = trouble;
  switch (code) {
    case "cancelled":
      return { calm: true, title: "No passkey was used", words: ["You closed the question, or this device has no passkey for this site. Try again, or sign in in another way."], ways: [AGAIN] };
    case "cancelled_new":
      return { calm: true, title: "No passkey was made", words: ["You closed the question, so nothing happened. Try again, or choose another way."], ways: [AGAIN] };
    case "timed_out":
      return { calm: true, title: "That took too long", words: ["Your device waits a few minutes for an answer. If it showed nothing, there is no passkey for this site on it."], ways: [AGAIN] };
    case "registered":
      return { calm: true, title: "There is a passkey already", words: ["This device, or your password manager, keeps a passkey for this account. It works: there is nothing to add. To add another one, use another device."], ways: [AGAIN] };
    case "unsupported":
      return { title: "This device cannot keep passkeys for this site", words: ["It has to check that it is you, by a fingerprint, your face or a PIN. Set one of them up, or use another device."], ways: [AGAIN] };
    case "unsafe":
      return { title: "Passkeys do not work at this address", words: ["Your browser refuses them here. Sign in in another way, and tell the people who run this site."], ways: [] };
    case "device_failed":
      return { title: "Your device had a problem", words: ["It gave no answer that can be used. Try again, or use another passkey."], said: facts.said, ways: [AGAIN] };
    case "not_you":
    case "another_account":
      return { title: "That is another account", words: [facts.said ?? "This passkey belongs to another account. Use one of your own."], ways: [AGAIN] };
    case "network_after_signing":
      return { title: "The answer may not have arrived", words: ["Your passkey has answered, but the connection was lost. Send it once more: there is no need to use it again."], ways: [{ way: "resend", label: "Send again" }] };
  }
  if (COMMON.includes(code)) {
    const common = advice(trouble, { wallet: "your device", app, chains: [] });
    return { ...common, ways: common.ways.filter(({ way }) => way !== "wallets") };
  }
  // The server has words for what it alone knows.
  const theApp = app ?? "this site";
  return { title: facts.title ?? "Something went wrong", words: [facts.said ?? `That was not expected. Try again; if it stays so, tell the makers of ${theApp}.`], ways: [AGAIN] };
}

/**
 * What an error of `navigator.credentials` means (Web Authentication §5.1.3, §5.1.4). A person who says no, a device without a passkey and
 * one that nobody touched in time look alike, so that no site learns which it was; only the time tells the last one.
 * @param {any} error
 * @param {{ making: boolean, waited: number, timeout: number }} how milliseconds
 * @returns {Trouble}
 */
export function passkeyTrouble(error, { making, waited, timeout }) {
  switch (error?.name) {
    case "NotAllowedError":
      return new Trouble(waited >= timeout - 1_000 ? "timed_out" : making ? "cancelled_new" : "cancelled");
    case "AbortError":
      return new Trouble(making ? "cancelled_new" : "cancelled");
    case "InvalidStateError":
      return making ? new Trouble("registered") : new Trouble("device_failed");
    case "ConstraintError":
    case "NotSupportedError":
      return new Trouble("unsupported");
    case "SecurityError":
      return new Trouble("unsafe");
    default:
      return new Trouble("device_failed", { said: typeof error?.message === "string" ? error.message.slice(0, 200) : undefined });
  }
}
