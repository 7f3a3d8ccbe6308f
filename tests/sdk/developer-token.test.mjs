// The two published data SDKs, unmodified but for their base URL, sign a developer in with a license's API key.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DIMO, DimoEnvironment } from '@dimo-network/data-sdk';
import { makeLicense, makeLicenseKey } from '../lib/clients.mjs';
import { claimsOf, userinfo } from '../lib/flow.mjs';
import { keyPair } from '../lib/keys.mjs';
import { databases, run, startAlone } from '../lib/server.mjs';

/** Each gives `{ token }`, or `{ status, message }` of the refusal as its user sees it. */
const SDKS = {
  async JavaScript(server, license, key) {
    DimoEnvironment.Dev.Auth = server.issuer;
    const silent = console.error;
    console.error = () => {}; // the SDK prints every refusal
    try {
      const dimo = new DIMO('Dev');
      const { headers } = await dimo.auth.getDeveloperJwt({
        client_id: license.clientId,
        domain: license.redirectUri,
        private_key: key.privateKey.replace(/^0x/, ''),
      });
      return { token: headers.Authorization.replace(/^Bearer /, '') };
    } catch (error) {
      return { status: error.statusCode, message: error.message };
    } finally {
      console.error = silent;
    }
  },

  async Python(server, license, key) {
    const script = resolve(import.meta.dirname, 'developer_token.py');
    const { code, stdout, stderr } = await run(python(), [script, server.issuer, license.clientId, license.redirectUri], { input: key.privateKey });
    assert.equal(code, 0, stderr);
    const { reply, status, body } = JSON.parse(stdout);
    return reply ? { token: reply.access_token } : { status, message: body?.message };
  },
};

function python() {
  const file = process.env.LATCHKEY_TEST_PYTHON;
  if (!file || !existsSync(file)) throw new Error('LATCHKEY_TEST_PYTHON names no Python with tests/sdk/requirements.txt installed: `scripts/test sdk` makes one');
  return file;
}

for (const database of databases) {
  for (const [language, developerToken] of Object.entries(SDKS)) {
    describe(`the ${language} data SDK on ${database}`, () => {
      let server;
      before(async () => (server = await startAlone({ database })));
      after(() => server?.stop());

      test('obtains a developer token with an API key, and neither it nor the next is good once the key is disabled', async () => {
        const license = await makeLicense(server);
        const [key, other] = [await makeLicenseKey(server, license), await makeLicenseKey(server, license)];
        const { token, ...refusal } = await developerToken(server, license, key);
        assert.ok(token, JSON.stringify(refusal));
        const claims = claimsOf(token);
        assert.deepEqual([claims.aud, claims.ethereum_address, claims.provider_id], [license.clientId, license.clientId, 'web3']);
        assert.ok(claims.exp - claims.iat > 13 * 86_400, 'these SDKs do not renew');
        assert.equal((await userinfo(server.issuer, token)).status, 200);

        await server.cli(['license', 'key', 'disable', '--license', license.clientId, '--address', key.address]);
        assert.equal((await userinfo(server.issuer, token)).status, 401, 'at once');
        const refused = await developerToken(server, license, key);
        assert.equal(refused.token, undefined);
        assert.ok(refused.status >= 400 && refused.status < 500);
        assert.match(refused.message, /Could not verify signature\./);
        assert.ok((await developerToken(server, license, other)).token, 'the license’s other key still is');
      });

      test('a key that is no license’s is refused in words that its user sees', async () => {
        const license = await makeLicense(server, { alias: 'second' });
        const { token, message } = await developerToken(server, license, keyPair());
        assert.equal(token, undefined);
        assert.match(message, /Could not verify signature\./);
      });
    });
  }
}
