// Assets and who may do what with them: made by the command line, exchanged as an app does it.
import { join, dirname } from 'node:path';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { signInByApi } from './flow.mjs';
import { makeLicense, makeLicenseKey } from './clients.mjs';
import { program } from './server.mjs';

/** The DID of a vehicle. */
export const vehicle = (tokenId) => `did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:${tokenId}`;

/** Imports vehicles of one owner; `more` are flags. */
export function importVehicles({ cli }, tokenIds, owner, more = []) {
  const lines = tokenIds.map((tokenId) => JSON.stringify({ did: vehicle(tokenId), owner, make: 'Ford', model: 'Bronco', year: 2022 }));
  return cli(['asset', 'import', '-', ...more], { input: lines.join('\n') });
}

/** Grants a client permissions on a vehicle: the grant, as it is printed. */
export function grant({ cli }, tokenId, grantee, ...permissions) {
  return cli(['grant', 'create', '--asset', vehicle(tokenId), '--grantee', grantee, '--permission', ...permissions.map((name) => `privilege:${name}`)]);
}

/** A license with an API key, and its own token from `server`: `{ clientId, redirectUri, token }`. */
export async function developer(place, issuer, options) {
  const license = await makeLicense(place, options);
  const key = await makeLicenseKey(place, license);
  const { status, body } = await signInByApi(issuer, { ...license, address: license.clientId, sign: key.sign });
  if (status !== 200) throw new Error(`no developer token: ${JSON.stringify(body)}`);
  return { ...license, token: body.access_token };
}

/** `POST /v1/tokens/exchange`: `{ status, body }`. */
export async function exchange(issuer, bearer, tokenId, permissions) {
  const reply = await fetch(`${issuer}/v1/tokens/exchange`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify({ asset: vehicle(tokenId), permissions: permissions.map((name) => `privilege:${name}`) }),
  });
  return { status: reply.status, body: await reply.json() };
}

/** The example resource server, which is built beside the program: `{ address, get(path, token), stop() }`. */
export async function startTelemetry({ server, patience = 60 }) {
  const file = join(dirname(program()), 'examples', 'telemetry');
  if (!existsSync(file)) throw new Error(`${file} is not there: \`cargo build --release --example telemetry\` makes it`);
  const child = spawn(file, ['--server', server, '--listen', '127.0.0.1:0', '--patience', String(patience)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const die = () => child.kill('SIGKILL');
  process.on('exit', die);
  const [line] = await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), once(child, 'close').then(() => ['the example ended'])]);
  const address = line.trim();
  if (!address.startsWith('http')) throw new Error(address);
  return {
    address,
    async get(path, token, headers = {}) {
      const reply = await fetch(`${address}${path}`, { headers: token ? { authorization: `Bearer ${token}`, ...headers } : headers });
      const text = await reply.text();
      return { status: reply.status, challenge: reply.headers.get('www-authenticate'), body: text ? JSON.parse(text) : undefined };
    },
    async stop() {
      process.off('exit', die);
      die();
    },
  };
}
