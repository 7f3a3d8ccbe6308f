// Two processes on one Postgres, sharing nothing else but the sealing key: what one begins, the other ends.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { makeClient, makeLicense, makeLicenseKey } from '../lib/clients.mjs';
import { Person, authorizationRequest, redeem, signInByApi, userinfo } from '../lib/flow.mjs';
import { keyPair } from '../lib/keys.mjs';
import { freshDatabase } from '../lib/postgres.mjs';
import { databases, freePorts, makePlace, until } from '../lib/server.mjs';

const skip = databases.includes('postgres') ? false : 'no Postgres among LATCHKEY_TEST_DATABASES';

describe('two processes on one Postgres', { skip }, () => {
  let database;
  let places = [];
  let servers = [];
  let issuer;
  let client;
  let doors;
  before(async () => {
    database = await freshDatabase();
    const env = { LATCHKEY_KEYS_SEALING_KEY: randomBytes(32).toString('base64url') };
    const ports = await freePorts(4);
    issuer = `http://localhost:${ports[0]}`;
    places = [await makePlace({ database: database.url, env }), await makePlace({ database: database.url, env })];
    // Both at once on an empty database: both want to lay the tables and to make the first keys.
    servers = await Promise.all(places.map((place, i) => place.start({ ports: ports.slice(i * 2, i * 2 + 2), issuer })));
    doors = servers.map(({ port }) => `http://localhost:${port}`);
    client = await makeClient(places[0]);
  });
  after(async () => {
    for (const place of places) await place.end();
    await database?.drop();
  });

  test('publish the same keys', async () => {
    const sets = await Promise.all(doors.map((door) => fetch(`${door}/keys`).then((reply) => reply.json())));
    assert.ok(sets[0].keys.length >= 3);
    assert.deepEqual(new Set(sets[0].keys.map(({ kid }) => kid)), new Set(sets[1].keys.map(({ kid }) => kid)));
  });

  test('a sign-in whose every request goes to the other one than the last', async () => {
    let turn = 0;
    const person = new Person(issuer, keyPair(), () => doors[(turn += 1) % 2]);
    for (let round = 0; round < 3; round += 1) {
      const request = authorizationRequest(issuer, client, { prompt: 'login' });
      const { code } = await person.authorize(request.url);
      const { status, body } = await redeem(doors[round % 2], { ...client, code, verifier: request.verifier });
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal((await userinfo(doors[(round + 1) % 2], body.access_token)).status, 200);
    }
  });

  test('a challenge made by one is redeemed by the other, once', async () => {
    const license = await makeLicense(places[0]);
    const key = await makeLicenseKey(places[1], license);
    const { status, body } = await signInByApi(doors[0], { ...license, address: license.clientId, sign: key.sign, submitAt: doors[1] });
    assert.equal(status, 200, JSON.stringify(body));
    for (const door of doors) assert.equal((await userinfo(door, body.access_token)).status, 200);
    await places[0].cli(['license', 'key', 'disable', '--license', license.clientId, '--address', key.address]);
    for (const door of doors) assert.equal((await userinfo(door, body.access_token)).status, 401, 'what decides access is never remembered');
  });

  test('a code made by one is redeemed by the other, and fifty hands on both get it once', async () => {
    const request = authorizationRequest(issuer, client);
    const { code } = await new Person(issuer, keyPair(), () => doors[0]).authorize(request.url);
    const hands = Array.from({ length: 50 }, (_, i) => redeem(doors[(i + 1) % 2], { ...client, code, verifier: request.verifier }));
    const statuses = (await Promise.all(hands)).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 200).length, 1);
  });

  test('a rotation by the command line reaches both, and old tokens stay good', async () => {
    const request = authorizationRequest(issuer, client);
    const { code } = await new Person(issuer, keyPair(), () => doors[0]).authorize(request.url);
    const { body } = await redeem(doors[0], { ...client, code, verifier: request.verifier });
    await places[0].cli(['keys', 'rotate']);
    const kids = async (door) => (await fetch(`${door}/keys`).then((reply) => reply.json())).keys.map(({ kid }) => kid).sort().join();
    const first = await until('the first process has the new keys', async () => {
      const now = await kids(doors[0]);
      return now.split(',').length > 6 && now;
    }, { within: 45_000, every: 250 });
    await until('the second has the same', async () => (await kids(doors[1])) === first, { within: 45_000, every: 250 });
    for (const door of doors) assert.equal((await userinfo(door, body.access_token)).status, 200);
  });
});
