// Signs a message as wallets do (`personal_sign`, EIP-191), for the tour of the README. Needs Node 20.19 or later, installs nothing.
//
//   printf %s "$MESSAGE" | PRIVATE_KEY=0x… node docs/sign.mjs
//
// The message comes on standard input as it is; the signature goes to standard output: 0x, then r, s and v (27 or 28).
import { readFileSync } from 'node:fs';
import { keccak_256 } from '../static/vendor/noble-hashes/sha3.js';
import { signAsync } from '../static/vendor/noble-secp256k1/index.js';

const secret = Buffer.from((process.env.PRIVATE_KEY ?? '').replace(/^0x/, ''), 'hex');
if (secret.length !== 32) {
  console.error('PRIVATE_KEY must be 0x and 64 hexadecimal digits');
  process.exit(1);
}
const message = readFileSync(0);
const hash = keccak_256(Buffer.concat([Buffer.from(`\x19Ethereum Signed Message:\n${message.length}`), message]));
const [recovery, ...rs] = await signAsync(hash, secret, { prehash: false, format: 'recovered' });
console.log(`0x${Buffer.from(rs).toString('hex')}${(27 + recovery).toString(16)}`);
