// The throw-away wallet as an EIP-1193 provider. What it needs of the page comes in: where the key is kept, and how the
// person is asked. It never signs without an answer.
import { addressOf, isKey, messageBytes, newKey, personalSign } from "./signer.js";

/** Networks that a sign-in can name: Ethereum, Polygon, Polygon Amoy, a local development chain. */
const CHAINS = ["0x1", "0x89", "0x13882", "0x7a69"];
const STORED_AS = "latchkey.throwaway-wallet.key";

/** An error with the code that EIP-1193 or EIP-1474 gives it. */
export class ProviderError extends Error {
  constructor(code, message) {
    super(message);
    this.name = "ProviderError";
    this.code = code;
  }
}

/**
 * @param {{storage: {getItem(name: string): string | null, setItem(name: string, value: string): void},
 *   ask(question: {text: string, address: string, chainId: string}): Promise<"sign" | "refuse" | "forget">}} page
 */
export function createProvider({ storage, ask }) {
  const listeners = new Map();
  let chainId = "0x89";
  let connected = false;
  let asking = false;

  function key() {
    let kept = storage.getItem(STORED_AS);
    if (!isKey(kept)) {
      kept = newKey();
      storage.setItem(STORED_AS, kept);
    }
    return kept;
  }

  function emit(event, value) {
    for (const listener of [...(listeners.get(event) ?? [])]) listener(value);
  }

  function accounts() {
    return connected ? [addressOf(key())] : [];
  }

  function connect() {
    if (!connected) {
      connected = true;
      emit("connect", { chainId });
    }
    return accounts();
  }

  function forget() {
    storage.setItem(STORED_AS, newKey());
    if (connected) emit("accountsChanged", accounts());
  }

  async function sign([message, account]) {
    const secret = key();
    const address = addressOf(secret);
    if (!connected || String(account).toLowerCase() !== address.toLowerCase()) {
      throw new ProviderError(4100, "This account is not connected to this page.");
    }
    if (asking) throw new ProviderError(-32002, "Another request is waiting for an answer.");
    asking = true;
    try {
      const bytes = messageBytes(message);
      const answer = await ask({ text: new TextDecoder().decode(bytes), address, chainId });
      if (answer === "sign") return await personalSign(secret, bytes);
      if (answer === "forget") forget();
      throw new ProviderError(4001, "The person refused to sign.");
    } finally {
      asking = false;
    }
  }

  function switchChain([wanted]) {
    const id = String(wanted?.chainId).toLowerCase();
    // EIP-3326: 4902 says that the wallet does not know the chain.
    if (!CHAINS.includes(id)) throw new ProviderError(4902, "This wallet does not know that network.");
    if (id !== chainId) {
      chainId = id;
      emit("chainChanged", chainId);
    }
    return null;
  }

  function permissions() {
    return connected ? [{ parentCapability: "eth_accounts", caveats: [{ type: "restrictReturnedAccounts", value: accounts() }] }] : [];
  }

  return Object.freeze({
    isLatchkeyThrowaway: true,
    async request({ method, params = [] }) {
      switch (method) {
        case "eth_requestAccounts":
          return connect();
        case "eth_accounts":
          return accounts();
        case "eth_chainId":
          return chainId;
        case "net_version":
          return String(parseInt(chainId, 16));
        case "personal_sign":
          return sign(params);
        case "wallet_switchEthereumChain":
          return switchChain(params);
        case "wallet_requestPermissions":
          connect();
          return permissions();
        case "wallet_getPermissions":
          return permissions();
        default:
          throw new ProviderError(4200, `The throw-away wallet does not do ${method}.`);
      }
    },
    on(event, listener) {
      listeners.set(event, [...(listeners.get(event) ?? []), listener]);
      return this;
    },
    removeListener(event, listener) {
      listeners.set(event, (listeners.get(event) ?? []).filter((known) => known !== listener));
      return this;
    },
  });
}
