// The throw-away wallet's key: makes it, names its address, signs with it. Knows of no page and no storage.
import * as secp from "/static/vendor/noble-secp256k1/index.js";
import { keccak_256 } from "/static/vendor/noble-hashes/sha3.js";

const { bytesToHex, hexToBytes } = secp.etc;

/** A new secp256k1 secret key as 64 hexadecimal digits. */
export function newKey() {
  return bytesToHex(secp.utils.randomSecretKey());
}

/** Whether `text` is a secret key as `newKey` writes it. */
export function isKey(text) {
  return typeof text === "string" && /^[0-9a-f]{64}$/.test(text) && secp.utils.isValidSecretKey(hexToBytes(text));
}

/** The account address of a secret key, checksummed. */
export function addressOf(key) {
  return addressOfPublicKey(secp.getPublicKey(hexToBytes(key), false));
}

/** The address of an uncompressed public key (65 bytes): the last 20 bytes of the hash of its coordinates. */
export function addressOfPublicKey(publicKey) {
  return checksummed(bytesToHex(keccak_256(publicKey.subarray(1)).subarray(12)));
}

/** EIP-55: a letter is upper case where the hash's nibble of the same place is 8 or more. */
export function checksummed(digits) {
  const lower = digits.toLowerCase();
  const hash = bytesToHex(keccak_256(new TextEncoder().encode(lower)));
  return "0x" + [...lower].map((digit, place) => (parseInt(hash[place], 16) >= 8 ? digit.toUpperCase() : digit)).join("");
}

/** EIP-191, version 0x45: what `personal_sign` hashes. */
export function personalHash(message) {
  const prefix = new TextEncoder().encode(`\x19Ethereum Signed Message:\n${message.length}`);
  const whole = new Uint8Array(prefix.length + message.length);
  whole.set(prefix);
  whole.set(message, prefix.length);
  return keccak_256(whole);
}

/** Signs `message` (bytes): 0x and 65 bytes r ‖ s ‖ v, with v of 27 or 28 and a low s, as wallets give it. */
export async function personalSign(key, message) {
  const signature = await secp.signAsync(personalHash(message), hexToBytes(key), { prehash: false, format: "recovered" });
  // The library writes the recovery number in front of r and s; Ethereum writes it behind, plus 27.
  const v = (27 + signature[0]).toString(16).padStart(2, "0");
  return "0x" + bytesToHex(signature.subarray(1)) + v;
}

/** `personal_sign` takes 0x hex, or (from older apps) the text itself. */
export function messageBytes(parameter) {
  const text = String(parameter);
  return /^0x(?:[0-9a-fA-F]{2})*$/.test(text) ? hexToBytes(text.slice(2)) : new TextEncoder().encode(text);
}
