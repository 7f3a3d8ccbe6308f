// From a grant to the data and back: an app exchanges its token, a resource server serves, the grant ends, and it is over; on every replica.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { developer, exchange, grant, importVehicles, startTelemetry, vehicle } from '../lib/assets.mjs';
import { makeClient } from '../lib/clients.mjs';
import { Person, authorizationRequest, claimsOf, redeem } from '../lib/flow.mjs';
import { keyPair } from '../lib/keys.mjs';
import { freshDatabase } from '../lib/postgres.mjs';
import { formsOf } from '../lib/visitor.mjs';
import { databases, freePorts, makePlace, until } from '../lib/server.mjs';

/** How often the resource server fetches keys at most. */
const PATIENCE_S = 1;
const SECRET = 'a-secret-of-the-outer-tests-0123456789ab';
// The resource server's own client, which may ask about tokens that are for it.
const config = (issuer) => `
[[clients]]
id = "telemetry"
name = "Telemetry"
secret = "${SECRET}"
grant_types = ["client_credentials"]

[[resources]]
uri = "${issuer.replace('localhost', '127.0.0.1')}/telemetry"
name = "Telemetry"
clients = ["telemetry"]
asset_audiences = ["dimo.zone"]
`;

for (const database of databases) {
  describe(`the life of a grant on ${database}`, () => {
    let fresh, places, issuer, doors, telemetry;
    before(async () => {
      const ports = await freePorts(4);
      issuer = `http://localhost:${ports[0]}`;
      const env = { LATCHKEY_KEYS_SEALING_KEY: randomBytes(32).toString('base64url'), LATCHKEY_KEYS_PUBLISH_AHEAD: '0s' };
      fresh = database === 'postgres' ? await freshDatabase() : undefined;
      const place = { database: fresh?.url ?? database, env, config: config(issuer) };
      // SQLite has one server; of Postgres there are two, which share nothing else.
      places = [await makePlace(place), ...(fresh ? [await makePlace(place)] : [])];
      doors = [];
      for (const [i, one] of places.entries()) {
        const { port } = await one.start({ ports: ports.slice(i * 2, i * 2 + 2), issuer });
        doors.push(`http://localhost:${port}`);
      }
      telemetry = await startTelemetry({ server: issuer, patience: PATIENCE_S });
    });
    after(async () => {
      await telemetry?.stop();
      for (const place of places ?? []) await place.end();
      await fresh?.drop();
    });

    const isActive = async (token) => {
      const reply = await fetch(`${doors.at(-1)}/token/introspect`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`telemetry:${SECRET}`).toString('base64')}` },
        body: new URLSearchParams({ token }),
      });
      assert.equal(reply.status, 200);
      return (await reply.json()).active;
    };

    test('granted, exchanged, served, revoked', async () => {
      const place = places[0];
      await importVehicles(place, [1], keyPair().address);
      const app = await developer(place, doors[0], { alias: 'the app' });
      for (const door of doors) assert.equal((await exchange(door, app.token, 1, ['GetCurrentLocation'])).body.reason, 'not_shared');
      const given = await grant(place, 1, app.clientId, 'GetCurrentLocation');
      const { status, body } = await exchange(doors.at(-1), app.token, 1, ['GetCurrentLocation']);
      assert.equal(status, 200, JSON.stringify(body));
      const path = `/vehicles/${vehicle(1)}/location`;
      assert.equal((await telemetry.get(path, body.token)).status, 200);
      assert.equal(await isActive(body.token), true);

      await place.cli(['grant', 'revoke', given.id]);
      for (const door of doors) {
        const refused = await exchange(door, app.token, 1, ['GetCurrentLocation']);
        assert.deepEqual([refused.status, refused.body.reason], [403, 'revoked'], 'at once');
      }
      assert.equal(await isActive(body.token), false, 'at once');
      // Who checks by itself serves as long as the token lives, and that is ten minutes at most.
      assert.equal((await telemetry.get(path, body.token)).status, 200);
      const { exp, iat } = claimsOf(body.token);
      assert.ok(exp - iat <= 600);
    });

    test('granted on the consent page, exchanged by both doors, served, and ended by the owner', async () => {
      const place = places[0];
      const owner = new Person(issuer);
      await importVehicles(place, [4, 5], owner.wallet.address);
      const app = await makeClient(place, { id: 'garage', more: ['--grant-type', 'authorization_code', 'urn:ietf:params:oauth:grant-type:token-exchange'] });
      const action = 'privilege:GetCurrentLocation';
      const details = [{ type: 'asset_access', assets: [vehicle(4)], actions: [action], purpose: 'To find your car', expires_in: 86_400 }];
      const request = authorizationRequest(issuer, { ...app, authorization_details: JSON.stringify(details) });
      const { code } = await owner.authorize(request.url);
      const { status, body: tokens } = await redeem(issuer, { ...app, code, verifier: request.verifier });
      assert.equal(status, 200, JSON.stringify(tokens));
      const [told] = tokens.authorization_details;
      assert.deepEqual([told.type, told.assets, told.actions], ['asset_access', [vehicle(4)], [action]]);

      const own = await exchange(doors.at(-1), tokens.access_token, 4, ['GetCurrentLocation']);
      assert.equal(own.status, 200, JSON.stringify(own.body));
      const standard = async (door) => {
        const reply = await fetch(`${door}/token`, {
          method: 'POST',
          headers: { authorization: `Basic ${Buffer.from(`${app.clientId}:${app.secret}`).toString('base64')}` },
          body: new URLSearchParams({
            grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
            subject_token: tokens.access_token,
            subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
            resource: vehicle(4),
            scope: action,
          }),
        });
        return { status: reply.status, body: await reply.json() };
      };
      const exchanged = await standard(doors.at(-1));
      assert.equal(exchanged.status, 200, JSON.stringify(exchanged.body));
      const path = `/vehicles/${vehicle(4)}/location`;
      for (const token of [own.body.token, exchanged.body.access_token]) {
        assert.equal((await telemetry.get(path, token)).status, 200);
        assert.equal(await isActive(token), true);
        // Neither is good for another vehicle of the same owner.
        assert.equal((await telemetry.get(`/vehicles/${vehicle(5)}/location`, token)).status, 403);
      }

      const page = await owner.get(`${issuer}/account/assets`);
      const end = formsOf(page.text).find((form) => form.action === '/account/grants/end' && form.fields.grant === told.grant_id);
      await owner.post(end.action, end.fields);
      for (const door of doors) {
        const refused = await exchange(door, tokens.access_token, 4, ['GetCurrentLocation']);
        assert.deepEqual([refused.status, refused.body.reason], [403, 'revoked'], 'at once, on every replica');
        assert.equal((await standard(door)).status, 400);
      }
      assert.equal(await isActive(own.body.token), false, 'at once');
      assert.equal((await telemetry.get(path, own.body.token)).status, 200, 'within the life of the token');
    });

    test('what the old owner granted ends when the vehicle changes hands, and comes back only if the new one grants', async () => {
      const place = places[0];
      await importVehicles(place, [2], keyPair().address);
      const app = await developer(place, doors[0], { alias: 'of a vehicle that is sold' });
      await grant(place, 2, app.clientId, 'GetCurrentLocation');
      const { body } = await exchange(doors.at(-1), app.token, 2, ['GetCurrentLocation']);
      assert.equal(await isActive(body.token), true);
      await importVehicles(place, [2], keyPair().address, ['--transfer']);
      for (const door of doors) {
        const refused = await exchange(door, app.token, 2, ['GetCurrentLocation']);
        assert.deepEqual([refused.status, refused.body.reason], [403, 'owner_changed']);
      }
      assert.equal(await isActive(body.token), false);
      await grant(place, 2, app.clientId, 'GetCurrentLocation');
      for (const door of doors) assert.equal((await exchange(door, app.token, 2, ['GetCurrentLocation'])).status, 200);
    });

    test('a resource server follows when the keys of assets are rotated', async () => {
      const place = places[0];
      await importVehicles(place, [3], keyPair().address);
      const app = await developer(place, doors[0], { alias: 'of a new key' });
      await grant(place, 3, app.clientId, 'GetCurrentLocation');
      const token = async () => (await exchange(doors[0], app.token, 3, ['GetCurrentLocation'])).body.token;
      const serves = async (text) => (await telemetry.get(`/vehicles/${vehicle(3)}/location`, text)).status;
      const kid = (text) => JSON.parse(Buffer.from(text.split('.')[0], 'base64url')).kid;
      const old = await token();
      assert.equal(await serves(old), 200);
      await place.cli(['keys', 'rotate']);
      const next = await until('the server signs with the next key', async () => {
        const text = await token();
        return kid(text) !== kid(old) && text;
      }, { within: 60_000, every: 500 });
      await new Promise((done) => setTimeout(done, PATIENCE_S * 1_000));
      assert.deepEqual([await serves(next), await serves(old)], [200, 200]);
    });
  });
}
