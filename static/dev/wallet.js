// The throw-away wallet of `latchkey dev`: for people who have no wallet at hand. It announces itself like any installed
// one (EIP-6963), keeps its key in this browser's localStorage, and asks before each signature. `serve` does not have it.
import { createProvider } from "./provider.js";

const ICON =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96"><rect width="96" height="96" rx="20" fill="#7a3e00"/>' +
      '<circle cx="34" cy="48" r="14" fill="none" stroke="#fff" stroke-width="8"/>' +
      '<path d="M48 48h32M68 48v14M80 48v10" fill="none" stroke="#fff" stroke-width="8" stroke-linecap="round"/></svg>',
  );

const provider = createProvider({ storage: keptStorage(), ask: askPerson });
const detail = Object.freeze({
  info: Object.freeze({
    uuid: crypto.randomUUID(),
    name: "Throw-away wallet (development only)",
    icon: ICON,
    rdns: "dev.latchkey.throwaway",
  }),
  provider,
});

function announce() {
  window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
}

const style = document.createElement("link");
style.rel = "stylesheet";
style.href = "/dev/wallet.css";
document.head.append(style);
window.addEventListener("eip6963:requestProvider", announce);
announce();

/** The browser's storage; where it is denied, a key that lives as long as the page. */
function keptStorage() {
  try {
    localStorage.getItem("");
    return localStorage;
  } catch {
    const kept = new Map();
    return { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => void kept.set(name, value) };
  }
}

/** Shows what is to be signed and waits for the person: "sign", "refuse" (also by Escape) or "forget". */
function askPerson({ text, address, chainId }) {
  return new Promise((resolve) => {
    const dialog = element("dialog", { className: "throwaway-wallet" });
    dialog.setAttribute("aria-labelledby", "throwaway-title");
    dialog.setAttribute("aria-describedby", "throwaway-words");

    const message = element("pre", { className: "throwaway-message", id: "throwaway-message", textContent: text, tabIndex: 0 });
    message.setAttribute("role", "region");
    message.setAttribute("aria-label", "Message to sign");

    const form = element("form", { method: "dialog", className: "throwaway-buttons" });
    const sign = element("button", { value: "sign", className: "throwaway-sign", textContent: "Sign", autofocus: true });
    const refuse = element("button", { value: "refuse", className: "throwaway-refuse", textContent: "Refuse" });
    const forget = element("button", { value: "forget", className: "throwaway-forget", textContent: "Forget this key and make a new one" });
    form.append(sign, refuse, forget);

    dialog.append(
      element("p", { className: "throwaway-badge", textContent: "Throw-away wallet · development only" }),
      element("h2", { id: "throwaway-title", textContent: "Sign this message?" }),
      element("p", {
        id: "throwaway-words",
        textContent: "This wallet’s key lies readable in this browser. Never give it anything of value.",
      }),
      facts([
        ["Account", address],
        ["Network", String(parseInt(chainId, 16))],
      ]),
      message,
      form,
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "sign" || dialog.returnValue === "forget" ? dialog.returnValue : "refuse");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function facts(pairs) {
  const list = element("dl", { className: "throwaway-facts" });
  for (const [name, value] of pairs) list.append(element("dt", { textContent: name }), element("dd", { textContent: value }));
  return list;
}

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}
