// Ethereum key pairs for tests: an address and `personal_sign` (EIP-191), from a private key of 32 bytes.
import { randomBytes } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';

/** The key pair of `privateKey` (0x and 64 digits), or a new one: `{ privateKey, address, sign(text) }`. */
export function keyPair(privateKey = `0x${randomBytes(32).toString('hex')}`) {
  const secret = bytes(privateKey);
  const point = secp256k1.getPublicKey(secret, false);
  const address = checksummed(hex(keccak_256(point.slice(1)).slice(12)));
  return {
    privateKey,
    address,
    /** 0x and 65 bytes r, s, v with v of 27 or 28, as wallets answer `personal_sign`. */
    sign(text) {
      const [recovery, ...rs] = secp256k1.sign(personalHash(text), secret, { prehash: false, format: 'recovered' });
      return `0x${hex(rs)}${(27 + recovery).toString(16)}`;
    },
  };
}

/** What EIP-191 version 0x45 hashes: `text` is a string, or the 0x hex of its UTF-8 bytes as wallets take it. */
export function personalHash(text) {
  const body = /^0x([0-9a-f]{2})*$/i.test(text) ? bytes(text) : new TextEncoder().encode(text);
  const head = new TextEncoder().encode(`\x19Ethereum Signed Message:\n${body.length}`);
  return keccak_256(Buffer.concat([head, body]));
}

/** The address with the letters' case of EIP-55. */
export function checksummed(address) {
  const digits = address.toLowerCase().replace(/^0x/, '');
  const hash = hex(keccak_256(new TextEncoder().encode(digits)));
  return `0x${[...digits].map((digit, i) => (parseInt(hash[i], 16) > 7 ? digit.toUpperCase() : digit)).join('')}`;
}

const hex = (data) => Buffer.from(data).toString('hex');
const bytes = (text) => Uint8Array.from(Buffer.from(text.replace(/^0x/, ''), 'hex'));
