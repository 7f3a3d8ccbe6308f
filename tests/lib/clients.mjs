// The registrations that the outer tests use, made by the command line as an operator makes them.
import { checksummed, keyPair } from './keys.mjs';

const SECRET = 'a-secret-of-the-outer-tests-0123456789ab';
/** A redirect URI that nobody listens at: for people whose browser has no screen. */
export const REDIRECT = 'http://127.0.0.1:1/callback';

/** A confidential client: what the flow's helpers take. */
export async function makeClient({ cli }, { id = 'garage', redirectUri = REDIRECT, more = [] } = {}) {
  await cli(['client', 'create', '--id', id, '--name', 'The Garage', '--secret', SECRET, '--redirect-uri', redirectUri, ...more]);
  return { clientId: id, secret: SECRET, redirectUri };
}

/** A public client. */
export async function makePublicClient({ cli }, { id = 'phone', redirectUri = REDIRECT } = {}) {
  await cli(['client', 'create', '--id', id, '--name', 'The Phone App', '--public', '--redirect-uri', redirectUri]);
  return { clientId: id, redirectUri };
}

/** A developer license. */
export async function makeLicense({ cli }, { alias = 'fleet', redirectUri = REDIRECT, more = [] } = {}) {
  const clientId = checksummed(keyPair().address);
  await cli(['license', 'create', '--alias', alias, '--owner', keyPair().address, '--client-id', clientId, '--redirect-uri', redirectUri, ...more]);
  return { clientId, redirectUri };
}

/** A new API key of a license, as the command line makes it: a key pair. */
export async function makeLicenseKey({ cli }, license) {
  const { address, privateKey } = await cli(['license', 'key', 'add', '--license', license.clientId]);
  const pair = keyPair(privateKey);
  if (pair.address !== address) throw new Error(`the printed key belongs to ${pair.address}, not to ${address}`);
  return pair;
}
