// The throw-away wallet without a browser: its signatures, its address, its manners. Run: node --test tests/browser-unit
import assert from "node:assert/strict";
import { register } from "node:module";
import test from "node:test";

// In the browser `/static/…` is the server's folder; here it is the tree's.
const root = new URL("../../", import.meta.url);
register(
  "data:text/javascript," +
    encodeURIComponent(
      `export function resolve(name, context, next) {
         return next(name.startsWith("/static/") ? ${JSON.stringify(root.href)} + name.slice(1) : name, context);
       }
       export function load(url, context, next) {
         return next(url, url.includes("/static/") ? { ...context, format: "module" } : context);
       }`,
    ),
);

const { addressOf, addressOfPublicKey, checksummed, messageBytes, newKey, personalHash, personalSign } = await import("/static/dev/signer.js");
const { createProvider } = await import("/static/dev/provider.js");
const secp = await import("/static/vendor/noble-secp256k1/index.js");

const { hexToBytes, bytesToHex } = secp.etc;
const bytes = (text) => new TextEncoder().encode(text);
const hex = (text) => "0x" + bytesToHex(bytes(text));

/** The address whose key made `signature` over `text`; asserts that it is written as wallets write it. */
function recovered(text, signature) {
  assert.match(signature, /^0x[0-9a-f]{128}(1b|1c)$/);
  const raw = hexToBytes(signature.slice(2));
  const recovery = new Uint8Array(65);
  recovery[0] = raw[64] - 27;
  recovery.set(raw.subarray(0, 64), 1);
  return addressOfPublicKey(secp.recoverPublicKey(recovery, personalHash(bytes(text)), { prehash: false, isCompressed: false }));
}

/** A wallet with its own storage that gives `answers` in turn, and notes what it was asked. */
function wallet(...answers) {
  const kept = new Map();
  const asked = [];
  const provider = createProvider({
    storage: { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => void kept.set(name, value) },
    ask: async (question) => {
      asked.push(question);
      return answers.shift();
    },
  });
  return { asked, kept, request: (method, params) => provider.request({ method, params }), provider };
}

test("addresses carry the checksum of EIP-55", () => {
  // The examples of EIP-55.
  for (const address of ["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"]) {
    assert.equal(checksummed(address.slice(2)), address);
  }
  // The first account of the development mnemonic that every local chain knows.
  const known = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
  assert.equal(addressOf(known), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
});

test("a known message has the known hash and signature", async () => {
  // EIP-191 of "Some data" under this key is the example of the web3.js documentation of `accounts.sign`.
  const key = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318";
  assert.equal(bytesToHex(personalHash(bytes("Some data"))), "1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655");
  assert.equal(
    await personalSign(key, bytes("Some data")),
    "0xb91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c",
  );
});

test("what is signed recovers to the address, whatever the key and the text", async () => {
  for (const text of ["", "hello", "Ünïcödé 🔑\nsecond line", "x".repeat(4000)]) {
    const key = newKey();
    assert.equal(recovered(text, await personalSign(key, bytes(text))), addressOf(key));
  }
});

test("a message is hex or text", () => {
  assert.deepEqual(messageBytes(hex("hé")), bytes("hé"));
  assert.deepEqual(messageBytes("0x"), new Uint8Array());
  assert.deepEqual(messageBytes("0xyz"), bytes("0xyz"));
  assert.deepEqual(messageBytes("plain"), bytes("plain"));
});

test("the wallet signs what it showed, for the account it connected", async () => {
  const { request, asked } = wallet("sign");
  assert.deepEqual(await request("eth_accounts"), []);
  const [account] = await request("eth_requestAccounts");
  assert.deepEqual(await request("eth_accounts"), [account]);
  assert.equal(await request("eth_chainId"), "0x89");
  const signature = await request("personal_sign", [hex("example wants you to sign in"), account.toLowerCase()]);
  assert.deepEqual(asked, [{ text: "example wants you to sign in", address: account, chainId: "0x89" }]);
  assert.equal(recovered("example wants you to sign in", signature), account);
});

test("the key is kept, and a spoilt one is replaced", async () => {
  const { request, kept } = wallet();
  const [account] = await request("eth_requestAccounts");
  const [[name, key]] = [...kept];
  assert.equal(addressOf(key), account);
  kept.set(name, "0".repeat(64));
  assert.notEqual((await request("eth_accounts"))[0], account);
});

test("refusing signs nothing and forgetting makes a new account", async () => {
  const { request, provider } = wallet("refuse", "forget");
  const [account] = await request("eth_requestAccounts");
  await assert.rejects(request("personal_sign", [hex("a"), account]), { code: 4001 });
  assert.deepEqual(await request("eth_accounts"), [account]);

  const changes = [];
  provider.on("accountsChanged", (accounts) => changes.push(accounts));
  await assert.rejects(request("personal_sign", [hex("a"), account]), { code: 4001 });
  const [fresh] = await request("eth_accounts");
  assert.notEqual(fresh, account);
  assert.deepEqual(changes, [[fresh]]);
});

test("it signs for no other account, nor before it is connected, nor twice at a time", async () => {
  const { request } = wallet();
  await assert.rejects(request("personal_sign", [hex("a"), "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"]), { code: 4100 });

  let answer;
  const kept = new Map();
  const provider = createProvider({
    storage: { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => void kept.set(name, value) },
    ask: () => new Promise((resolve) => (answer = resolve)),
  });
  const [account] = await provider.request({ method: "eth_requestAccounts" });
  await assert.rejects(provider.request({ method: "personal_sign", params: [hex("a"), checksummed("11".repeat(20))] }), { code: 4100 });
  const first = provider.request({ method: "personal_sign", params: [hex("a"), account] });
  await assert.rejects(provider.request({ method: "personal_sign", params: [hex("b"), account] }), { code: -32002 });
  answer("sign");
  assert.equal(recovered("a", await first), account);
});

test("it switches among the networks it knows", async () => {
  const { request, provider } = wallet();
  const changes = [];
  const listener = (chain) => changes.push(chain);
  provider.on("chainChanged", listener);
  assert.equal(await request("wallet_switchEthereumChain", [{ chainId: "0x13882" }]), null);
  assert.equal(await request("eth_chainId"), "0x13882");
  await assert.rejects(request("wallet_switchEthereumChain", [{ chainId: "0x99999" }]), { code: 4902 });
  await assert.rejects(request("wallet_switchEthereumChain", []), { code: 4902 });
  provider.removeListener("chainChanged", listener);
  await request("wallet_switchEthereumChain", [{ chainId: "0x1" }]);
  assert.deepEqual(changes, ["0x13882"]);
  await assert.rejects(request("eth_sendTransaction", [{}]), { code: 4200 });
});

test("permissions name the account", async () => {
  const { request } = wallet();
  assert.deepEqual(await request("wallet_getPermissions"), []);
  const [permission] = await request("wallet_requestPermissions", [{ eth_accounts: {} }]);
  assert.equal(permission.parentCapability, "eth_accounts");
  assert.deepEqual(permission.caveats[0].value, await request("eth_accounts"));
});
