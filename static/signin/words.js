// @ts-check
// Every trouble on the way, in plain words and with a way on. Nothing here touches the page.

/** @typedef {{ id: number, name: string }} Chain */
/**
 * What is known of a trouble beside its code.
 * @typedef {object} Facts
 * @property {string} [title] the server's own title, for a code that this table does not know
 * @property {string} [said] what the wallet or the server said, as text
 * @property {number} [seconds] how long to wait
 * @property {Chain[]} [chains] the networks that are accepted
 * @property {number} [chainId] the network that the wallet is on
 */
/** @typedef {"again" | "resend" | "switch" | "wallets" | "reload" | "back"} Way */
/** @typedef {{ title: string, words: string[], said?: string, calm?: boolean, ways: { way: Way, label: string }[] }} Advice */

export class Trouble extends Error {
  /**
   * @param {string} code
   * @param {Facts} [facts]
   */
  constructor(code, facts = {}) {
    super(code);
    this.code = code;
    this.facts = facts;
  }
}

const AGAIN = { way: /** @type {Way} */ ("again"), label: "Try again" };
const WALLETS = { way: /** @type {Way} */ ("wallets"), label: "Use another wallet" };
const BACK = { way: /** @type {Way} */ ("back"), label: "Go back to the app" };

const STANDING = { way: /** @type {Way} */ ("reload"), label: "See where things stand" };

/** Networks that people often have open, to tell them where they are. @type {Record<number, string>} */
const NETWORKS = {
  1: "Ethereum", 10: "OP Mainnet", 56: "BNB Smart Chain", 100: "Gnosis", 137: "Polygon", 324: "ZKsync Era", 8453: "Base",
  42161: "Arbitrum One", 43114: "Avalanche", 59144: "Linea", 80002: "Polygon Amoy", 11155111: "Sepolia", 31337: "a local test network",
};

/** @param {number} id */
const networkName = (id) => NETWORKS[id] ?? `network ${id}`;

/** @param {Chain[]} chains */
function oneOf(chains) {
  const names = chains.map((chain) => chain.name);
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

/** @param {number} seconds */
export const inSeconds = (seconds) => (seconds === 1 ? "1 second" : `${seconds} seconds`);

/**
 * @param {Trouble} trouble
 * @param {{ wallet: string, app: string | null, chains: Chain[] }} scene
 * @returns {Advice}
 */
export function advice({ code, facts }, { wallet, app, chains: ours }) {
  const chains = facts.chains?.length ? facts.chains : ours;
  const first = chains[0]?.name ?? "the right network";
  const theApp = app ?? "the app";
  const switchTo = { way: /** @type {Way} */ ("switch"), label: `Switch to ${first}` };
  const beginAgain = app ? `Go back to ${app} and begin again.` : "Go back and begin again.";
  const howToAdd = `In ${wallet}, open the list of networks and add ${first} (its number is ${chains[0]?.id ?? "unknown"}). Then come back and try again.`;

  switch (code) {
    case "refused_accounts":
      return { calm: true, title: "You kept your address to yourself", words: [`${wallet} was told not to show it, so nothing was shared. To sign in here, this page has to see your address.`], ways: [AGAIN, WALLETS] };
    case "refused_signing":
      return { calm: true, title: "The message was not signed", words: ["You said no in your wallet, so nothing happened. Signing costs nothing and moves nothing: it only shows that the wallet is yours."], ways: [AGAIN, WALLETS] };
    case "refused_switch":
      return { calm: true, title: "The network stayed as it was", words: [`Your wallet was told not to switch. To sign in, it has to be on ${oneOf(chains)}.`], ways: [switchTo, AGAIN] };
    case "pending":
      return { calm: true, title: `${wallet} is already asking you something`, words: [`Open ${wallet} (its icon is near the address bar, or on your phone) and answer what it asks. Then try again here.`], ways: [AGAIN, WALLETS] };
    case "silent":
      return { calm: true, title: `Still waiting for ${wallet}`, words: ["Its window may be hidden behind this one. Open the wallet and answer there: this page goes on by itself. If the wallet shows no question, try again."], ways: [AGAIN, WALLETS] };
    case "no_accounts":
      return { title: `${wallet} showed no account`, words: [`Open ${wallet}, unlock it, and see that it has an account and lets this site see it. Then try again.`], ways: [AGAIN, WALLETS] };
    case "locked":
      return { title: `${wallet} is locked`, words: [`Open ${wallet} and unlock it, and let this site see your account. Then try again.`], ways: [AGAIN, WALLETS] };
    case "disconnected":
      return { title: `${wallet} is not connected`, words: ["The wallet says it has no connection to its network. Look at your internet connection and at the wallet, then try again."], ways: [AGAIN, WALLETS] };
    case "unsupported":
      return { title: `${wallet} cannot sign in here`, words: ["It says that it cannot do what a sign-in needs. Another wallet may."], ways: [WALLETS, AGAIN] };
    case "wallet_failed":
      return { title: `${wallet} had a problem`, words: ["It did not say yes or no. Try again, or use another wallet."], said: facts.said, ways: [AGAIN, WALLETS] };

    case "wrong_chain":
    case "chain_not_supported": {
      const where = facts.chainId ? `Your wallet is on ${networkName(facts.chainId)}. ` : "";
      return { title: "Your wallet is on another network", words: [`${where}To sign in, it has to be on ${oneOf(chains)}. Switching costs nothing.`], ways: [switchTo, AGAIN] };
    }
    case "chain_unknown":
      return { title: `${wallet} does not know ${first} yet`, words: [howToAdd], ways: [AGAIN, WALLETS] };
    case "switch_unsupported":
      return { title: "The wallet has to be switched by hand", words: [`${wallet} does not let a page switch its network. Open it, choose ${first}, and come back: this page goes on when you have.`], ways: [AGAIN, WALLETS] };

    case "challenge_expired":
      return { title: "The message was too old", words: ["A message to sign is good for a few minutes only. Ask for a new one and sign that."], ways: [{ way: "again", label: "Ask again" }, WALLETS] };
    case "challenge_used":
      return { title: "That message was used already", words: ["Each message works once, and this one did. If you are not signed in, ask for a new one and sign that."], ways: [{ way: "again", label: "Ask again" }, STANDING] };
    case "signature_invalid":
      return { title: "The signature does not fit the address", words: ["It may come from another account than the one you chose.", "If this is a smart account (a contract wallet, such as a Safe), it is not supported yet: use an ordinary account."], ways: [AGAIN, WALLETS] };
    case "account_disabled":
      return { title: "This account is switched off", words: ["The people who run this server have switched it off. They can tell you why. Another wallet has an account of its own."], ways: [WALLETS] };
    case "interaction_gone":
      return { title: "This sign-in is over", words: [`It was finished elsewhere, or left open for too long. ${beginAgain}`], ways: [BACK, STANDING] };
    case "wrong_browser":
      return { title: "This sign-in belongs to another browser", words: [`It was begun elsewhere, or this browser has forgotten it (its cookies are blocked or were cleared). ${app ? `Open ${app} in this browser and begin again.` : "Begin again in this browser."}`], ways: [BACK] };
    case "too_many_requests":
      return { title: "Too many tries", words: ["To keep guessers out, there is a short wait before the next one."], ways: [AGAIN] };
    case "temporarily_unavailable":
      return { title: "The server is busy", words: ["It cannot sign anyone in at this moment. Nothing you did is wrong. Wait a little and try again."], ways: [AGAIN] };

    case "offline":
      return { title: "You are offline", words: ["There is no internet connection. When it is back, try again: nothing is lost."], ways: [AGAIN] };
    case "network":
      return { title: "The server did not answer", words: ["The connection was lost on the way. Look at your internet connection and try again."], ways: [AGAIN] };
    case "network_after_signing":
      return { title: "The signature may not have arrived", words: ["You signed, but the connection was lost. Send it once more: there is no need to sign again."], ways: [{ way: "resend", label: "Send again" }] };
    default:
      return { title: facts.title ?? "Something went wrong", words: [facts.said ?? `That was not expected. Try again; if it stays so, tell the makers of ${theApp}.`], ways: [AGAIN, WALLETS] };
  }
}

/**
 * What a wallet's error means (EIP-1193 and EIP-1474 codes; wallets also wrap them or put them in words).
 * @param {any} error
 * @param {"accounts" | "signing" | "switch" | "other"} step
 * @returns {Trouble}
 */
export function walletTrouble(error, step) {
  const code = Number(error?.data?.originalError?.code ?? error?.code);
  const said = typeof error?.message === "string" ? error.message.slice(0, 200) : undefined;
  if (code === 4001 || error?.code === "ACTION_REJECTED" || /\b(user|request) (rejected|denied|cancell?ed)/i.test(said ?? "")) {
    return new Trouble(step === "other" ? "wallet_failed" : `refused_${step}`, { said });
  }
  if (code === -32002) return new Trouble("pending");
  if (step === "switch" && (code === 4902 || /unrecognized chain/i.test(said ?? ""))) return new Trouble("chain_unknown");
  if (code === 4100 || /\block(ed)?\b/i.test(said ?? "")) return new Trouble("locked");
  if (code === 4900 || code === 4901) return new Trouble("disconnected");
  if (code === 4200 || code === -32601) return new Trouble(step === "switch" ? "switch_unsupported" : "unsupported");
  return new Trouble("wallet_failed", { said });
}
