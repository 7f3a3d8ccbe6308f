// Back-channel logout with real time and a real kill: an app that is down for a while hears of the logout, although the server died too.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { makeClient } from '../lib/clients.mjs';
import { Person, claimsOf, login } from '../lib/flow.mjs';
import { databases, freePorts, makePlace, until } from '../lib/server.mjs';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** How long the app is down: a minute, or as long as the tests are told to take. */
const DOWN_MS = Number(process.env.LATCHKEY_TEST_APP_DOWN_SECONDS ?? 60) * 1_000;

/** An app's endpoint: what it was told, by the time it was told. */
async function startEndpoint(port) {
  const heard = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    heard.push({ path: request.url, method: request.method, token: new URLSearchParams(body).get('logout_token') });
    response.writeHead(200, { 'cache-control': 'no-store' }).end();
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    heard,
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** The claims of a token that one of the published keys has signed. */
async function verified(issuer, token) {
  const [header, payload, signature] = token.split('.');
  const { kid, typ, alg } = JSON.parse(Buffer.from(header, 'base64url'));
  assert.deepEqual([typ, alg], ['logout+jwt', 'RS256']);
  const { keys } = await (await fetch(`${issuer}/keys`)).json();
  const key = createPublicKey({ key: keys.find((one) => one.kid === kid), format: 'jwk' });
  assert.ok(verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url')));
  return claimsOf(token);
}

// Side by side: most of it is waiting.
describe('back-channel logout', { concurrency: true }, () => {
  for (const database of databases) {
    test(`an app that is down hears afterwards, though the server is killed in between, on ${database}`, async (t) => {
      const place = await makePlace({ database, env: { LATCHKEY_EGRESS_ALLOW_PRIVATE_NETWORKS: 'true' } });
      const [port] = await freePorts(1);
      const logoutUri = `http://127.0.0.1:${port}/ended`;
      let endpoint;
      try {
        const first = await place.start();
        const client = await makeClient(place, { more: ['--backchannel-logout-uri', logoutUri] });
        const other = await makeClient(place, { id: 'other', more: ['--backchannel-logout-uri', `${logoutUri}?other`] });
        const person = new Person(first.issuer);
        const { id_token: idToken } = await login(person, client);
        await login(person, other);

        // The app is down. Nobody waits for it, and the server is killed right behind its answer.
        const began = Date.now();
        const answer = await person.get(`${first.issuer}/logout?${new URLSearchParams({ id_token_hint: idToken })}`);
        assert.equal(answer.headers.get('location'), '/logged-out');
        assert.ok(Date.now() - began < 2_000, 'the person waited for the app');
        await first.kill();
        const second = await place.start({ ports: first.ports });
        await until('it has tried in vain', async () => /could not be told/.test(second.words()), { within: 30_000 });
        // Once more, in the middle of its tries.
        await second.kill();
        await new Promise((done) => setTimeout(done, Math.max(0, DOWN_MS - (Date.now() - began))));
        const third = await place.start({ ports: first.ports });
        endpoint = await startEndpoint(port);
        await until('both apps have heard', async () => endpoint.heard.length >= 2, { within: 150_000, every: 100 });
        t.diagnostic(`down for ${DOWN_MS / 1_000} s, told ${Math.round((Date.now() - began) / 1_000)} s after the logout`);

        assert.deepEqual(endpoint.heard.map(({ method, path }) => `${method} ${path}`).sort(), ['POST /ended', 'POST /ended?other']);
        const { token } = endpoint.heard.find(({ path }) => path === '/ended');
        const claims = await verified(third.issuer, token);
        const { sub, sid } = claimsOf(idToken);
        const { iat, exp, jti, ...rest } = claims;
        assert.deepEqual(rest, { iss: third.issuer, aud: client.clientId, sub, sid, events: { [EVENT]: {} } });
        assert.ok(jti && exp - iat <= 120 && Math.abs(iat - Date.now() / 1_000) < 30, 'the token is made when it is sent');
      } finally {
        await endpoint?.stop();
        await place.end();
      }
    });
  }
});
