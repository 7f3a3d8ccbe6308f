// A wallet for Chromium pages: it announces itself by EIP-6963, and what it answers is decided here, in the test.
import { randomUUID } from 'node:crypto';
import { keyPair } from './keys.mjs';

const ICON = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" rx="2" fill="#37f"/></svg>')}`;

/** EIP-1193's and EIP-3085's errors. */
export const REFUSED = { code: 4001, message: 'User rejected the request.' };
export const UNKNOWN_CHAIN = { code: 4902, message: 'Unrecognized chain ID.' };
/** What `answer` returns for a window that nobody ever answers. */
export const NEVER = Symbol('never');

/**
 * Installs a wallet into every page of a browser context, those opened later included.
 *
 * @param {import('playwright-core').BrowserContext} context
 * @param {{ keys?: object[], chainId?: number, name?: string, rdns?: string, announce?: boolean, legacy?: boolean }} options
 *   `announce: false` with `legacy: true` is a wallet that has only `window.ethereum`.
 * @returns the wallet: `keys` (the first is the selected account), `chainId`, `requests` (what pages asked), and `answer`,
 *   which a test may set: `(method, params) => value | undefined | { code, message } | NEVER`; undefined means the usual answer.
 */
export async function installWallet(context, options = {}) {
  const wallet = {
    keys: options.keys ?? [keyPair()],
    chainId: options.chainId ?? 137,
    info: { uuid: randomUUID(), name: options.name ?? 'Test Wallet', rdns: options.rdns ?? 'test.latchkey.wallet', icon: ICON },
    requests: [],
    answer: () => undefined,
    /** Selects another account, and tells the page as wallets do. */
    async selectAccount(page, key) {
      wallet.keys = [key, ...wallet.keys.filter((other) => other !== key)];
      await tell(page, 'accountsChanged', [key.address.toLowerCase()]);
    },
    async selectChain(page, chainId) {
      wallet.chainId = chainId;
      await tell(page, 'chainChanged', hexadecimal(chainId));
    },
  };
  const binding = `walletRequest_${wallet.info.uuid.replaceAll('-', '')}`;
  const tell = (page, event, value) => page.evaluate(([name, e, v]) => window[name](e, v), [`${binding}_tell`, event, value]);

  await context.exposeBinding(binding, async ({ page }, method, params) => {
    wallet.requests.push({ method, params });
    const said = await wallet.answer(method, params, page);
    if (said === NEVER) return new Promise(() => {});
    if (said?.code !== undefined) return { error: said };
    return said === undefined ? usualAnswer(wallet, method, params) : { result: said };
  });
  await context.addInitScript(inPage, {
    binding,
    info: wallet.info,
    announce: options.announce ?? true,
    legacy: options.legacy ?? false,
  });
  return wallet;
}

function usualAnswer(wallet, method, params = []) {
  const addresses = wallet.keys.map((key) => key.address.toLowerCase());
  switch (method) {
    case 'eth_requestAccounts':
    case 'eth_accounts':
      return { result: addresses };
    case 'eth_chainId':
      return { result: hexadecimal(wallet.chainId) };
    case 'wallet_requestPermissions':
      return { result: [{ parentCapability: 'eth_accounts' }] };
    case 'wallet_revokePermissions':
      return { result: null };
    case 'wallet_switchEthereumChain':
      wallet.chainId = Number(params[0].chainId);
      return { result: null };
    case 'personal_sign': {
      const key = wallet.keys.find((one) => one.address.toLowerCase() === params[1].toLowerCase());
      return key ? { result: key.sign(params[0]) } : { error: { code: 4100, message: 'The account is not this wallet’s.' } };
    }
    default:
      return { error: { code: 4200, message: `The wallet does not know ${method}.` } };
  }
}

const hexadecimal = (number) => `0x${number.toString(16)}`;

// Runs in the page, before the page's own scripts.
function inPage({ binding, info, announce, legacy }) {
  const listeners = new Map();
  const provider = {
    async request({ method, params }) {
      const { result, error } = await window[binding](method, params);
      if (error) throw Object.assign(new Error(error.message), { code: error.code });
      return result;
    },
    on(event, listener) {
      listeners.set(event, [...(listeners.get(event) ?? []), listener]);
      return provider;
    },
    removeListener(event, listener) {
      listeners.set(event, (listeners.get(event) ?? []).filter((one) => one !== listener));
      return provider;
    },
  };
  window[`${binding}_tell`] = (event, value) => (listeners.get(event) ?? []).forEach((listener) => listener(value));
  if (legacy) window.ethereum = provider;
  if (!announce) return;
  const detail = Object.freeze({ info: Object.freeze(info), provider });
  const say = () => window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }));
  window.addEventListener('eip6963:requestProvider', say);
  say();
}
