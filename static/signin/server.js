// @ts-check
// The questions to the server. An answer that is not a yes becomes a `Trouble` with the server's code for it.

import { Trouble } from "./words.js";

const PATIENCE_MS = 30_000;

/** @typedef {{ interaction: string, csrf: string }} Door */

/**
 * @param {Door} door
 * @param {string} address
 * @param {number} chainId
 * @returns {Promise<{ challenge: string, message: string }>}
 */
export async function askForMessage(door, address, chainId) {
  const answer = await post(door, "wallet/challenge", { address, chain_id: chainId });
  if (typeof answer.challenge !== "string" || typeof answer.message !== "string") throw new Trouble("unexpected");
  return { challenge: answer.challenge, message: answer.message };
}

/**
 * @param {Door} door
 * @param {string} challenge
 * @param {string} signature
 * @returns {Promise<string>} where to go next, on this server
 */
export async function handInSignature(door, challenge, signature) {
  return whereTo(await post(door, "wallet/signature", { challenge, signature }));
}

/**
 * @param {any} answer
 * @returns {string} where to go next, on this server
 */
export function whereTo(answer) {
  const next = typeof answer.next === "string" ? new URL(answer.next, location.href) : null;
  if (next?.origin !== location.origin) throw new Trouble("unexpected");
  return next.href;
}

/**
 * @param {Door} door
 * @param {string} step its path below the visit's
 * @param {Record<string, unknown>} body
 * @returns {Promise<any>}
 */
export async function post(door, step, body) {
  const path = `/interaction/${encodeURIComponent(door.interaction)}/${step}`;
  /** @type {Response} */
  let reply;
  try {
    reply = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": door.csrf },
      body: JSON.stringify(body),
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw new Trouble(navigator.onLine ? "network" : "offline");
  }
  const answer = await reply.json().catch(() => null);
  if (reply.ok && answer) return answer;
  throw refusal(reply, answer);
}

/**
 * @param {Response} reply
 * @param {any} answer
 */
function refusal(reply, answer) {
  const code = typeof answer?.error === "string" ? answer.error : codeOf(reply.status);
  const wait = Number.parseInt(reply.headers.get("Retry-After") ?? "", 10);
  return new Trouble(code, {
    seconds: Number.isFinite(wait) ? Math.min(Math.max(wait, 1), 3600) : undefined,
    chains: Array.isArray(answer?.chains) ? answer.chains : undefined,
    title: typeof answer?.title === "string" ? answer.title : undefined,
    said: typeof answer?.message === "string" ? answer.message : undefined,
  });
}

/** What a status means when something before the server answered in its place. @param {number} status */
function codeOf(status) {
  if (status === 410) return "interaction_gone";
  if (status === 429) return "too_many_requests";
  return status >= 500 ? "temporarily_unavailable" : "unexpected";
}
