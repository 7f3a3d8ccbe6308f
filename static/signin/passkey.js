// @ts-check
// Passkeys on the sign-in page: used by a button, chosen from the list that the browser shows in a field, or made. The server asks and
// decides; this script carries its question to the browser and the answer back.

import { passkeyAdvice, passkeyTrouble } from "./passkey-words.js";
import { post, whereTo } from "./server.js";
import * as view from "./view.js";
import { Trouble } from "./words.js";

/** A question lives five minutes; the one that waits behind the field is asked anew before that. */
const RENEW_MS = 4 * 60_000;

/** After these there is nothing left to sign in to. */
const OVER = ["interaction_gone", "wrong_browser"];

/**
 * @typedef {object} Scene
 * @property {import("./server.js").Door} door
 * @property {string} here the address of this visit
 * @property {string | null} app
 * @property {string | null} back where the person came from
 * @property {() => void} started what else was going on is over
 * @property {() => void} signedIn
 */

/** @param {Scene} scene */
export function offerPasskeys(scene) {
  const section = document.getElementById("passkey");
  if (!section) return;
  if (typeof window.PublicKeyCredential !== "function" || !navigator.credentials) {
    const sorry = document.getElementById("no-passkey");
    if (sorry) sorry.hidden = false;
    return;
  }
  section.hidden = false;
  const passkeys = new Passkeys(scene);
  document.getElementById("passkey-use")?.addEventListener("submit", (event) => {
    event.preventDefault();
    passkeys.run(() => passkeys.use());
  });
  document.getElementById("passkey-new")?.addEventListener("click", () => passkeys.run(() => passkeys.make()));
  passkeys.wait();
}

class Passkeys {
  /** @param {Scene} scene */
  constructor(scene) {
    this.scene = scene;
    this.busy = false;
    this.waiting = /** @type {AbortController | null} */ (null);
  }

  /**
   * @param {() => Promise<void>} work
   * @param {() => Promise<void>} [again] what "try again" does
   */
  async run(work, again = work) {
    if (this.busy) return;
    this.busy = true;
    this.waiting?.abort();
    this.scene.started();
    view.clearProblem();
    try {
      await work();
    } catch (error) {
      this.busy = false;
      const trouble = error instanceof Trouble ? error : new Trouble("unexpected");
      this.fail(trouble, again);
      if (!OVER.includes(trouble.code)) this.wait();
    }
  }

  async use() {
    view.say("Answer the question of your browser.");
    const { challenge, publicKey } = await this.ask("options");
    const credential = await this.hear(publicKey, false, () => navigator.credentials.get({ publicKey: requestOf(publicKey) }));
    view.say("Checking your passkey.");
    await this.send("assertion", challenge, assertionOf(credential));
  }

  async make() {
    view.say("Answer the question of your browser.");
    const { challenge, publicKey } = await this.ask("register-options");
    const credential = await this.hear(publicKey, true, () => navigator.credentials.create({ publicKey: creationOf(publicKey) }));
    view.say("Keeping your passkey.");
    await this.send("registration", challenge, registrationOf(credential));
  }

  /** The browser's list in a field (conditional mediation): its question stays open until a passkey is chosen there. */
  async wait() {
    const field = document.querySelector("input[autocomplete~='webauthn']");
    if (!field || !(await conditional())) return;
    for (;;) {
      const controller = new AbortController();
      this.waiting = controller;
      let renewed = false;
      try {
        const { challenge, publicKey } = await this.ask("options");
        if (controller.signal.aborted) return;
        // A field for something else, such as an address, shows the passkeys too; then ours would be one too many.
        const own = document.getElementById("passkey-field");
        if (own && !document.querySelector("input[autocomplete~='webauthn']:not(#passkey-name)")) own.hidden = false;
        const renew = setTimeout(() => ((renewed = true), controller.abort()), RENEW_MS);
        /** @type {Credential | null} */
        let credential;
        try {
          credential = await navigator.credentials.get({ publicKey: requestOf(publicKey), mediation: "conditional", signal: controller.signal });
        } finally {
          clearTimeout(renew);
        }
        if (!credential || this.busy) return;
        const chosen = /** @type {PublicKeyCredential} */ (credential);
        this.waiting = null;
        return void this.run(() => this.send("assertion", challenge, assertionOf(chosen)), () => this.use());
      } catch {
        // Whoever did not ask is told nothing; the button says what is wrong.
        if (!renewed) return;
        await shown();
      }
    }
  }

  /**
   * @param {"options" | "register-options"} step
   * @returns {Promise<{ challenge: string, publicKey: any }>}
   */
  async ask(step) {
    const { challenge, publicKey } = await post(this.scene.door, `passkey/${step}`, {});
    if (typeof challenge !== "string" || typeof publicKey?.challenge !== "string") throw new Trouble("unexpected");
    return { challenge, publicKey };
  }

  /**
   * @param {any} publicKey
   * @param {boolean} making
   * @param {() => Promise<Credential | null>} call
   * @returns {Promise<PublicKeyCredential>}
   */
  async hear(publicKey, making, call) {
    const began = performance.now();
    try {
      const credential = await call();
      if (credential instanceof PublicKeyCredential) return credential;
    } catch (error) {
      throw passkeyTrouble(error, { making, waited: performance.now() - began, timeout: publicKey.timeout ?? 300_000 });
    }
    throw new Trouble("device_failed");
  }

  /**
   * @param {"assertion" | "registration"} step
   * @param {string} challenge
   * @param {Record<string, unknown>} credential
   * @param {boolean} [repeated]
   */
  async send(step, challenge, credential, repeated = false) {
    try {
      const next = whereTo(await post(this.scene.door, `passkey/${step}`, { challenge, credential }));
      view.stage("done");
      view.say("Signed in. Taking you on.");
      this.scene.signedIn();
      location.assign(next);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      // The first sending may have arrived and only its answer been lost: the server's page knows.
      if (repeated && (error.code === "challenge_used" || error.code === "interaction_gone")) return location.assign(this.scene.here);
      if (error.code !== "network" && error.code !== "offline") throw error;
      throw Object.assign(new Trouble("network_after_signing"), { resend: () => this.send(step, challenge, credential, true) });
    }
  }

  /**
   * @param {Trouble & { resend?: () => Promise<void> }} trouble
   * @param {() => Promise<void>} again
   */
  fail(trouble, again) {
    const { here, app, back } = this.scene;
    if (OVER.includes(trouble.code)) view.closeDoors();
    view.showProblem(passkeyAdvice(trouble, { app }), {
      go: (way) => (way === "reload" ? location.assign(here) : this.run(way === "resend" && trouble.resend ? trouble.resend : again, again)),
      back,
      wait: trouble.code === "too_many_requests" ? (trouble.facts.seconds ?? 10) : trouble.facts.seconds,
      manyWallets: false,
      stopped: false,
    });
  }
}

async function conditional() {
  try {
    return (await PublicKeyCredential.isConditionalMediationAvailable?.()) === true;
  } catch {
    return false;
  }
}

/** Waits until somebody looks at the page. */
async function shown() {
  while (document.hidden) await new Promise((seen) => document.addEventListener("visibilitychange", seen, { once: true }));
}

// Bytes travel as base64url: older browsers cannot read and write these objects as JSON by themselves.

/** @param {string} text */
function bytes(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
}

/** @param {ArrayBuffer} buffer */
function text(buffer) {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** @param {any[] | undefined} list */
const withBytes = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

/** @param {any} options */
const requestOf = (options) => ({ ...options, challenge: bytes(options.challenge), allowCredentials: withBytes(options.allowCredentials) });

/** @param {any} options */
const creationOf = (options) => ({
  ...options,
  challenge: bytes(options.challenge),
  user: { ...options.user, id: bytes(options.user.id) },
  excludeCredentials: withBytes(options.excludeCredentials),
});

/** @param {PublicKeyCredential} credential */
function assertionOf(credential) {
  const response = /** @type {AuthenticatorAssertionResponse} */ (credential.response);
  return {
    ...outer(credential),
    response: {
      authenticatorData: text(response.authenticatorData),
      clientDataJSON: text(response.clientDataJSON),
      signature: text(response.signature),
      userHandle: response.userHandle ? text(response.userHandle) : null,
    },
  };
}

/** @param {PublicKeyCredential} credential */
function registrationOf(credential) {
  const response = /** @type {AuthenticatorAttestationResponse} */ (credential.response);
  return {
    ...outer(credential),
    response: {
      attestationObject: text(response.attestationObject),
      clientDataJSON: text(response.clientDataJSON),
      transports: response.getTransports?.() ?? [],
    },
  };
}

/** @param {PublicKeyCredential} credential */
const outer = (credential) => ({ id: credential.id, rawId: text(credential.rawId), type: credential.type, clientExtensionResults: {} });
