// Verifies a token's signature with WebCrypto: a compact JWS and the server's published keys come in, a verdict goes out.
// It knows of no page. Claims are not its business: the app has checked them before.

/** The algorithms of RFC 7518 §3.1 and RFC 8037 §3.1 that the server signs with, as WebCrypto names them. */
const WAYS = {
  RS256: { kty: "RSA", key: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, verify: "RSASSA-PKCS1-v1_5" },
  ES256: { kty: "EC", key: { name: "ECDSA", namedCurve: "P-256" }, verify: { name: "ECDSA", hash: "SHA-256" } },
  EdDSA: { kty: "OKP", key: { name: "Ed25519" }, verify: "Ed25519" },
};

/** Whether a token's signature fits one of the keys, and the same in words. Never throws. */
export async function verdict(token, keys) {
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
