// The account of a sign-in: verifies the tokens' signatures in this browser, and copies what is to be copied.

/** The algorithms of RFC 7518 §3.1 and RFC 8037 §3.1 that the server signs with, as WebCrypto names them. */
const WAYS = {
  RS256: { kty: "RSA", key: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, verify: "RSASSA-PKCS1-v1_5" },
  ES256: { kty: "EC", key: { name: "ECDSA", namedCurve: "P-256" }, verify: { name: "ECDSA", hash: "SHA-256" } },
  EdDSA: { kty: "OKP", key: { name: "Ed25519" }, verify: "Ed25519" },
};

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}
await verifyAll();

async function verifyAll() {
  const rows = [...document.querySelectorAll("#verdict [data-token]")];
  if (rows.length === 0) return;
  const verdicts = await fetch("/keys", { headers: { accept: "application/json" }, cache: "no-cache" })
    .then((response) => (response.ok ? response.json() : Promise.reject(new Error(`/keys answers ${response.status}`))))
    .then(({ keys }) => Promise.all(rows.map((row) => verdict(tokenOf(row), keys))))
    .catch((problem) => rows.map(() => ({ verified: false, words: `The keys could not be had: ${problem.message}` })));
  rows.forEach((row, place) => show(row, verdicts[place]));
}

function tokenOf(row) {
  return document.getElementById(`raw-${row.dataset.token}`).textContent.trim();
}

function show(row, { verified, words }) {
  const said = row.querySelector(".pg-said");
  said.textContent = words;
  said.dataset.verified = String(verified);
}

/** Whether a token's signature fits one of the keys, and the same in words. Never throws. */
async function verdict(token, keys) {
  try {
    const [header, payload, signature, more] = token.split(".");
    if (signature === undefined || more !== undefined) return no("It is no signed token.");
    const { alg, kid } = JSON.parse(new TextDecoder().decode(decode(header)));
    const jwk = keys.find((key) => key.kid === kid);
    if (!jwk) return no("No published key has its key id.");
    const way = WAYS[alg];
    // The algorithm is the key's, not what the token says of itself.
    if (!way || (jwk.alg ?? alg) !== alg || jwk.kty !== way.kty) return no(`Its algorithm (${alg}) does not fit the key.`);
    const { kty, n, e, crv, x, y } = jwk;
    const key = await crypto.subtle.importKey("jwk", clean({ kty, n, e, crv, x, y }), way.key, false, ["verify"]);
    const signed = new TextEncoder().encode(`${header}.${payload}`);
    const fits = await crypto.subtle.verify(way.verify, key, decode(signature), signed);
    return fits ? { verified: true, words: `signature verified (${alg}, key ${kid.slice(0, 8)}…)` } : no("The signature does not fit the key.");
  } catch (problem) {
    return no(`This browser cannot check it: ${problem.message}`);
  }
}

function no(words) {
  return { verified: false, words };
}

function decode(base64url) {
  const binary = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

function clean(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const told = document.getElementById("copied");
  try {
    await navigator.clipboard.writeText(source.textContent);
    const before = button.textContent;
    button.textContent = "Copied";
    told.textContent = "Copied.";
    setTimeout(() => {
      button.textContent = before;
      told.textContent = "";
    }, 2000);
  } catch {
    // Where the browser denies the clipboard, the text is selected, ready for the keyboard.
    source.closest("details")?.setAttribute("open", "");
    getSelection().selectAllChildren(source);
    told.textContent = "The browser does not allow copying. The text is selected: copy it with the keyboard.";
  }
}
