// @ts-check
// Finds the wallets of this browser: EIP-6963 announcements, early and late, and `window.ethereum` where none comes.
// What a wallet says of itself is text from a stranger: it is checked here and never becomes HTML.

/** @typedef {{ request(call: { method: string, params?: unknown[] }): Promise<unknown>, on?(event: string, heard: (value: any) => void): unknown }} Provider */
/** @typedef {{ id: string, name: string, icon: string | null, provider: Provider, fallback: boolean }} Wallet */
/** @typedef {{ found(wallet: Wallet): void, lost(wallet: Wallet): void, settled(): void }} Listener */

/** How long wallets have to announce themselves before the older way is tried. */
const PATIENCE_MS = 400;
const LONGEST_NAME = 40;
const LARGEST_ICON = 256 * 1024;

/**
 * Reports every wallet once. `settled` is called when the first wait is over; later wallets are still reported.
 * @param {Listener} listener
 */
export function discover(listener) {
  /** @type {Wallet[]} */
  const known = [];
  const uuids = new Set();

  addEventListener("eip6963:announceProvider", (event) => {
    const wallet = announced(/** @type {CustomEvent} */ (event).detail);
    if (!wallet) return;
    const uuid = String(/** @type {CustomEvent} */ (event).detail.info.uuid);
    if (uuids.has(uuid) || known.some((other) => other.id === wallet.id)) return;
    uuids.add(uuid);
    for (const other of known.filter((one) => one.fallback)) {
      known.splice(known.indexOf(other), 1);
      listener.lost(other);
    }
    known.push(wallet);
    listener.found(wallet);
  });
  dispatchEvent(new Event("eip6963:requestProvider"));

  const tryOlderWay = () => {
    const wallet = known.length === 0 ? injected() : null;
    if (!wallet) return;
    known.push(wallet);
    listener.found(wallet);
  };
  // Some wallets set `window.ethereum` late and say so with this event.
  addEventListener("ethereum#initialized", tryOlderWay);
  setTimeout(() => {
    tryOlderWay();
    listener.settled();
  }, PATIENCE_MS);
}

/**
 * @param {any} detail
 * @returns {Wallet | null}
 */
function announced(detail) {
  const info = detail?.info;
  if (!info || typeof info.uuid !== "string" || typeof detail.provider?.request !== "function") return null;
  const id = typeof info.rdns === "string" && info.rdns ? info.rdns : info.uuid;
  return { id, name: nameOf(info.name), icon: iconOf(info.icon), provider: detail.provider, fallback: false };
}

/** @returns {Wallet | null} */
function injected() {
  const provider = /** @type {any} */ (window).ethereum;
  if (typeof provider?.request !== "function") return null;
  const name = provider.isMetaMask && !provider.isBraveWallet ? "MetaMask" : "Browser wallet";
  return { id: "window.ethereum", name, icon: null, provider, fallback: true };
}

/** @param {unknown} name */
function nameOf(name) {
  const text = typeof name === "string" ? name.replace(/[\p{C}\p{Z}]+/gu, " ").trim() : "";
  return [...text].slice(0, LONGEST_NAME).join("") || "A wallet without a name";
}

/**
 * EIP-6963: the icon is a data URI of a picture. Anything else would tell its server who is signing in.
 * @param {unknown} icon
 */
function iconOf(icon) {
  const isPicture = typeof icon === "string" && icon.length <= LARGEST_ICON && /^data:image\/[a-z0-9.+-]+[;,]/i.test(icon);
  return isPicture ? icon : null;
}
