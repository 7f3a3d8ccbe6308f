// What a person is told of a passkey that did not work. Run: node --test tests/browser-unit
import assert from "node:assert/strict";
import { register } from "node:module";
import test from "node:test";

// The pages' scripts are modules whatever Node thinks of the folder.
register(
  "data:text/javascript," +
    encodeURIComponent(`export function load(url, context, next) {
      return next(url, url.includes("/static/") ? { ...context, format: "module" } : context);
    }`),
);

const { passkeyAdvice, passkeyTrouble } = await import("../../static/signin/passkey-words.js");
const { Trouble } = await import("../../static/signin/words.js");

const named = (name) => Object.assign(new Error("said by the browser"), { name });
const how = { making: false, waited: 1_000, timeout: 300_000 };

test("each error of the browser is a trouble with a title, words and a way on", () => {
  const codes = {
    NotAllowedError: ["cancelled", "cancelled_new"],
    AbortError: ["cancelled", "cancelled_new"],
    InvalidStateError: ["device_failed", "registered"],
    ConstraintError: ["unsupported", "unsupported"],
    NotSupportedError: ["unsupported", "unsupported"],
    SecurityError: ["unsafe", "unsafe"],
    UnknownError: ["device_failed", "device_failed"],
  };
  for (const [name, [using, making]] of Object.entries(codes)) {
    assert.equal(passkeyTrouble(named(name), how).code, using);
    assert.equal(passkeyTrouble(named(name), { ...how, making: true }).code, making);
  }
  assert.equal(passkeyTrouble(named("NotAllowedError"), { ...how, waited: 299_500 }).code, "timed_out");
  for (const strange of [undefined, null, "text", {}]) assert.equal(passkeyTrouble(strange, how).code, "device_failed");
});

test("every trouble has words of its own, and none speaks of a wallet", () => {
  const codes = [
    "cancelled", "cancelled_new", "timed_out", "registered", "unsupported", "unsafe", "device_failed", "not_you", "another_account",
    "network_after_signing", "interaction_gone", "wrong_browser", "too_many_requests", "temporarily_unavailable", "offline", "network",
  ];
  const titles = codes.map((code) => {
    const { title, words, ways } = passkeyAdvice(new Trouble(code), { app: null });
    assert.ok(title && words.length > 0 && words.every(Boolean), code);
    assert.doesNotMatch([title, ...words].join(" "), /wallet|sign(ed)? the message/i, code);
    assert.ok(ways.every(({ way, label }) => way !== "wallets" && label), code);
    return title;
  });
  assert.equal(new Set(titles).size, titles.length - 1, "all but the two of another account differ");
});

test("what only the server knows is told in its words", () => {
  const told = passkeyAdvice(new Trouble("passkey_unknown", { title: "A title", said: "A sentence." }), { app: "The App" });
  assert.deepEqual([told.title, told.words], ["A title", ["A sentence."]]);
  assert.match(passkeyAdvice(new Trouble("unexpected"), { app: "The App" }).words[0], /The App/);
});
