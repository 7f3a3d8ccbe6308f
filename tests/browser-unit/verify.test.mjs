// The playground's verification of signatures, with tokens that node signs. Run: node --test tests/browser-unit
import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "node:test";

// The tree's files have no package.json to say that they are modules.
const source = readFileSync(new URL("../../static/playground/verify.js", import.meta.url), "utf8");
const { verdict } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

const base64url = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

const KEYS = {
  RS256: { ...generateKeyPairSync("rsa", { modulusLength: 2048 }), hash: "sha256" },
  ES256: { ...generateKeyPairSync("ec", { namedCurve: "P-256" }), hash: "sha256" },
  EdDSA: { ...generateKeyPairSync("ed25519"), hash: null },
};
const PUBLISHED = Object.entries(KEYS).map(([alg, { publicKey }]) => ({ ...publicKey.export({ format: "jwk" }), kid: `key-of-${alg}`, alg, use: "sig" }));

function token(alg, { header = {}, payload = { sub: "a" } } = {}) {
  const signed = `${base64url({ alg, kid: `key-of-${alg}`, ...header })}.${base64url(payload)}`;
  const { privateKey, hash } = KEYS[alg];
  return `${signed}.${sign(hash, Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

for (const alg of Object.keys(KEYS)) {
  test(`${alg}: a signature is verified, and a change is seen`, async () => {
    const good = token(alg);
    assert.deepEqual(await verdict(good, PUBLISHED), { verified: true, words: `signature verified (${alg}, key key-of-${alg[0]}…)` });

    const [header, , signature] = good.split(".");
    const changed = [header, base64url({ sub: "b" }), signature].join(".");
    assert.deepEqual(await verdict(changed, PUBLISHED), { verified: false, words: "The signature does not fit the key." });
    const withoutKey = PUBLISHED.filter((key) => key.alg !== alg);
    assert.equal((await verdict(good, withoutKey)).verified, false);
  });
}

test("the algorithm is the key's, whatever the token says", async () => {
  for (const alg of ["none", "HS256", "ES256", "PS256"]) {
    const { verified, words } = await verdict(token("RS256", { header: { alg } }), PUBLISHED);
    assert.equal(verified, false);
    assert.match(words, /does not fit the key/);
  }
});

test("what is no signed token is said to be none", async () => {
  const [header, payload, signature] = token("ES256").split(".");
  for (const text of ["", "opaque", "a.b", "a.b.c", `${header}.${payload}`, `${header}.${payload}.`, `${header}.${payload}.${signature}.more`, "!.!.!"]) {
    assert.equal((await verdict(text, PUBLISHED)).verified, false, text);
  }
});
