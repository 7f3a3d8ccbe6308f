// The samples of the older token exchange's own documentation, by `curl`, against `latchkey dev` with its demo license and demo assets.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { claimsOf, signInByApi } from '../lib/flow.mjs';
import { keyPair } from '../lib/keys.mjs';
import { databases, run, startAlone } from '../lib/server.mjs';

const VEHICLE = 'did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:7';
const MANUFACTURER = 'did:ethr:137:0x90C4D6113Ec88dd4BDf12f26DB2b3998fd13A144';

// Each `-d` as it is printed there.
const SAMPLES = {
  history: `{
"asset": "did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:7",
"permissions": [
"privilege:GetNonLocationHistory",
"privilege:GetLocationHistory"
]
}`,
  events: `{
"asset": "did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:7",
"permissions": ["privilege:GetLiveData"],
"cloudEvents": {
"events": [
{
"eventType": "dimo.attestation",
"source": "*",
"ids": ["*"],
"tags": ["insurance, registration"]
}
]
}
}`,
  manufacturer: `{
"asset": "did:ethr:137:0x90C4D6113Ec88dd4BDf12f26DB2b3998fd13A144",
"permissions": [
"privilege:ManufacturerMintDevice",
"privilege:ManufacturerDeviceDefinitionInsert"
]
}`,
  audience: `{
"asset": "did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:7",
"permissions": [
"privilege:GetNonLocationHistory",
"privilege:GetLocationHistory"
],
"audience": ["my-app"]
}`,
};

for (const database of databases) {
  describe(`the exchange's samples on ${database}`, () => {
    let server, token, demo;
    before(async () => {
      server = await startAlone({ mode: 'dev', database });
      demo = JSON.parse(await readFile(join(server.place.data, 'demo-license.json'), 'utf8'));
      const key = keyPair(demo.apiKeyPrivateKey);
      const redirectUri = `${server.issuer}/playground/callback`;
      const { status, body } = await signInByApi(server.issuer, { clientId: demo.clientId, redirectUri, address: demo.clientId, sign: key.sign });
      assert.equal(status, 200, JSON.stringify(body));
      token = body.access_token;
    });
    after(() => server?.stop());

    async function exchange(body, bearer = token) {
      const { code, stdout, stderr } = await run('curl', [
        ...['--silent', '--show-error', '--write-out', '\n%{http_code}', '-X', 'POST', `${server.issuer}/v1/tokens/exchange`],
        ...['-H', `Authorization: Bearer ${bearer}`, '-H', 'Content-Type: application/json', '-d', body],
      ]);
      assert.equal(code, 0, stderr);
      const [, text, status] = stdout.match(/^([^]*)\n(\d+)$/);
      return { status: Number(status), body: JSON.parse(text) };
    }

    const given = async (sample) => {
      const { status, body } = await exchange(SAMPLES[sample]);
      assert.equal(status, 200, JSON.stringify(body));
      return claimsOf(body.token);
    };

    test('give tokens with the claims that resource servers read', async () => {
      const claims = await given('history');
      assert.deepEqual(
        { ...claims, iat: 0, nbf: 0, exp: claims.exp - claims.iat, jti: '' },
        {
          iss: `${server.issuer}/assets`,
          sub: demo.clientId,
          client_id: demo.clientId,
          aud: ['dimo.zone'],
          iat: 0,
          nbf: 0,
          exp: 600,
          jti: '',
          asset: VEHICLE,
          permissions: ['privilege:GetLocationHistory', 'privilege:GetNonLocationHistory'],
          cloud_events: { events: [] },
          contract_address: '0xba5738a18d83d41847dffbdc6101d37c69c9b0cf',
          token_id: '7',
          privilege_ids: [1, 4],
        },
      );
      const events = await given('events');
      assert.deepEqual(events.cloud_events.events, [{ event_type: 'dimo.attestation', source: '*', ids: ['*'], tags: ['insurance, registration'] }]);
      assert.deepEqual(events.privilege_ids, [6]);
      const manufacturer = await given('manufacturer');
      assert.deepEqual([manufacturer.asset, manufacturer.privilege_ids, manufacturer.token_id], [MANUFACTURER, [1, 5], undefined]);
      assert.deepEqual((await given('audience')).aud, ['my-app']);
    });

    test('and each refusal says why', async () => {
      const other = await exchange(SAMPLES.history.replace(':7"', ':1"'));
      assert.deepEqual([other.status, other.body.reason], [403, 'not_shared']);
      assert.match(other.body.message, /^Address 0x[0-9a-fA-F]{40} lacks permissions \[privilege:GetLocationHistory, privilege:GetNonLocationHistory\] for asset did:/);
      const more = await exchange(SAMPLES.manufacturer.replace('ManufacturerMintDevice', 'ManufacturerFactoryReset'));
      assert.deepEqual([more.status, more.body.reason, more.body.missing], [403, 'missing_permissions', ['privilege:ManufacturerFactoryReset']]);
      assert.equal((await exchange('{')).status, 400);
      assert.equal((await exchange(SAMPLES.history, 'x')).status, 401);
      const [grant] = await server.cli(['grant', 'list', '--asset', VEHICLE]);
      await server.cli(['grant', 'revoke', grant.id]);
      const revoked = await exchange(SAMPLES.history);
      assert.deepEqual([revoked.status, revoked.body.reason], [403, 'revoked']);
    });
  });
}
