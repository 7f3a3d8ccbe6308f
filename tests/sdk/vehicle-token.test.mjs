// The two published data SDKs, unmodified but for their base URLs, get a token for a vehicle: a developer token, a look at what is shared
// (the identity API), and the exchange, for the contracts that each SDK has built in.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DIMO, DimoEnvironment } from '@dimo-network/data-sdk';
import { makeLicense, makeLicenseKey } from '../lib/clients.mjs';
import { claimsOf } from '../lib/flow.mjs';
import { keyPair } from '../lib/keys.mjs';
import { databases, run, startAlone } from '../lib/server.mjs';

/** What each environment of the SDKs takes for the contract of vehicles. */
const CONTRACTS = {
  Production: 'did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF',
  Dev: 'did:erc721:80002:0x45fbCD3ef7361d156e8b16F5538AE36DEdf61Da8',
};

/**
 * Each gives `{ token }`, or what its user sees of the refusal: `{ status, body, message }`. With `privileges` it asks for these, else for what
 * it finds to be shared.
 */
const SDKS = {
  async JavaScript(server, { environment, license, key, tokenId, privileges }) {
    Object.assign(DimoEnvironment[environment], { Auth: server.issuer, Identity: `${server.issuer}/query`, TokenExchange: server.issuer });
    const silent = console.error;
    console.error = () => {}; // the SDK prints every refusal
    try {
      const dimo = new DIMO(environment);
      const developer = await dimo.auth.getDeveloperJwt({
        client_id: license.clientId,
        domain: license.redirectUri,
        private_key: key.privateKey.replace(/^0x/, ''),
      });
      const { headers } = privileges
        ? await dimo.tokenexchange.exchange({ ...developer, tokenId, privileges })
        : await dimo.tokenexchange.getVehicleJwt({ ...developer, tokenId });
      return { token: headers.Authorization.replace(/^Bearer /, '') };
    } catch (error) {
      return { status: error.statusCode, body: error.body, message: error.message };
    } finally {
      console.error = silent;
    }
  },

  async Python(server, { environment, license, key, tokenId, privileges }) {
    const script = resolve(import.meta.dirname, 'vehicle_token.py');
    const args = [script, environment, server.issuer, license.clientId, license.redirectUri, String(tokenId), ...(privileges ? [privileges.join()] : [])];
    const { code, stdout, stderr } = await run(python(), args, { input: key.privateKey });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  },
};

function python() {
  const file = process.env.LATCHKEY_TEST_PYTHON;
  if (!file || !existsSync(file)) throw new Error('LATCHKEY_TEST_PYTHON names no Python with tests/sdk/requirements.txt installed: `scripts/test sdk` makes one');
  return file;
}

for (const database of databases) {
  describe(`a vehicle's token by the data SDKs on ${database}`, () => {
    const owner = keyPair();
    let server;
    before(async () => {
      server = await startAlone({ database, env: { LATCHKEY_IDENTITY_REGISTRY_PUBLIC: 'true' } });
      const vehicles = Object.entries({ Production: [11, 12], Dev: [21, 22] }).flatMap(([environment, ids]) =>
        ids.map((id) => ({ did: `${CONTRACTS[environment]}:${id}`, owner: owner.address, make: 'Ford', model: 'Mustang Mach-E', year: 2023 })),
      );
      await server.cli(['asset', 'import', '-'], { input: vehicles.map((vehicle) => JSON.stringify(vehicle)).join('\n') });
    });
    after(() => server?.stop());

    for (const [language, vehicleToken] of Object.entries(SDKS)) {
      for (const [environment, tokenId] of [['Production', 11], ['Dev', 21]]) {
        test(`${language}, ${environment}: what was shared is in the token, and nothing once the grant is revoked`, async () => {
          const did = `${CONTRACTS[environment]}:${tokenId}`;
          const license = await makeLicense(server, { alias: `${language} ${environment}` });
          const key = await makeLicenseKey(server, license);
          const ask = () => vehicleToken(server, { environment, license, key, tokenId });
          // Shared with somebody else, but not with this license.
          const other = await makeLicense(server, { alias: `another than ${language} ${environment}` });
          await server.cli(['grant', 'create', '--asset', did, '--grantee', other.clientId, '--permission', 'privilege:ExecuteCommands']);
          const before = await ask();
          assert.equal(before.token, undefined);

          const permissions = ['privilege:GetNonLocationHistory', 'privilege:GetLocationHistory', 'privilege:GetLiveData'];
          const grant = await server.cli(['grant', 'create', '--asset', did, '--grantee', license.clientId, '--permission', ...permissions]);
          // A second grant adds to it, and the SDKs read the first entry that is theirs.
          const more = await server.cli(['grant', 'create', '--asset', did, '--grantee', license.clientId, '--permission', 'privilege:GetVINCredential']);
          const { token, ...refusal } = await ask();
          assert.ok(token, JSON.stringify(refusal));
          const claims = claimsOf(token);
          assert.deepEqual(
            [claims.iss, claims.sub, claims.aud, claims.asset, claims.token_id, claims.contract_address, claims.privilege_ids],
            [`${server.issuer}/assets`, license.clientId, ['dimo.zone'], did, String(tokenId), did.split(':')[3].toLowerCase(), [1, 4, 5, 6]],
          );
          assert.deepEqual(claims.permissions, ['privilege:GetLiveData', 'privilege:GetLocationHistory', 'privilege:GetNonLocationHistory', 'privilege:GetVINCredential']);
          assert.ok(claims.exp - claims.iat <= 600);

          await server.cli(['grant', 'revoke', more.id]);
          assert.deepEqual(claimsOf((await ask()).token).privilege_ids, [1, 4, 6], 'at once');
          await server.cli(['grant', 'revoke', grant.id]);
          const revoked = await ask();
          assert.equal(revoked.token, undefined);
          // The SDKs look first, and ask for nothing that is not shared; whoever asks all the same is told why.
          const told = await vehicleToken(server, { environment, license, key, tokenId, privileges: [1] });
          assert.deepEqual([told.status, told.body.reason, told.body.missing], [403, 'revoked', ['privilege:GetNonLocationHistory']]);
          assert.match(told.body.message, new RegExp(`^Address ${license.clientId} lacks permissions \\[privilege:GetNonLocationHistory\\] for asset ${did}$`));
        });
      }
    }

    test('a token id of the other contract is another vehicle', async () => {
      const license = await makeLicense(server, { alias: 'of one contract' });
      const key = await makeLicenseKey(server, license);
      await server.cli(['grant', 'create', '--asset', `${CONTRACTS.Dev}:22`, '--grantee', license.clientId, '--permission', 'privilege:GetLiveData']);
      for (const vehicleToken of Object.values(SDKS)) {
        assert.ok((await vehicleToken(server, { environment: 'Dev', license, key, tokenId: 22 })).token);
        assert.equal((await vehicleToken(server, { environment: 'Production', license, key, tokenId: 22 })).token, undefined);
      }
    });

    test('what else the SDKs ask of the identity API is answered', async () => {
      Object.assign(DimoEnvironment.Production, { Identity: `${server.issuer}/query` });
      const dimo = new DIMO('Production');
      const { data, errors } = await dimo.identity.countDimoVehicles();
      assert.deepEqual([data, errors], [{ vehicles: { totalCount: 4 } }, undefined]);
      const owned = await dimo.identity.listVehicleDefinitionsPerAddress({ address: owner.address, limit: 3 });
      const vehicle = { aftermarketDevice: null, syntheticDevice: null, definition: { make: 'Ford', model: 'Mustang Mach-E', year: 2023 } };
      assert.deepEqual([owned.data.vehicles.nodes, owned.errors], [[vehicle, vehicle, vehicle], undefined]);
      const script = resolve(import.meta.dirname, 'identity_queries.py');
      const { code, stdout, stderr } = await run(python(), [script, server.issuer, owner.address]);
      assert.equal(code, 0, stderr);
      const { count, definitions, one } = JSON.parse(stdout);
      assert.deepEqual(count, { data: { vehicles: { totalCount: 4 } } });
      assert.deepEqual(definitions, { data: { vehicles: { nodes: [vehicle, vehicle, vehicle] } } });
      assert.deepEqual(one, { data: { vehicle } });
    });
  });
}
