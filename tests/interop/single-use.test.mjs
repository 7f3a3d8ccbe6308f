// One use is one use: under fifty hands at once, and across `kill -9`.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeClient } from '../lib/clients.mjs';
import { Person, authorizationRequest, redeem, userinfo } from '../lib/flow.mjs';
import { databases, makePlace, startAlone } from '../lib/server.mjs';

const HANDS = 50;
const PEOPLE = 8;
const LOGINS_BEFORE_THE_KILL = 60;

for (const database of databases) {
  describe(`codes on ${database}`, () => {
    test('fifty redemptions at once: one succeeds, and the later ones revoke its tokens', async () => {
      const server = await startAlone({ database });
      try {
        const client = await makeClient(server);
        const request = authorizationRequest(server.issuer, client);
        const { code } = await new Person(server.issuer).authorize(request.url);
        const replies = await Promise.all(Array.from({ length: HANDS }, () => redeem(server.issuer, { ...client, code, verifier: request.verifier })));
        const [won, lost] = [replies.filter(({ status }) => status === 200), replies.filter(({ status }) => status !== 200)];
        assert.equal(won.length, 1);
        assert.deepEqual(new Set(lost.map(({ status, body }) => `${status} ${body.error}`)), new Set(['400 invalid_grant']));
        assert.equal((await userinfo(server.issuer, won[0].body.access_token)).status, 401);
      } finally {
        await server.stop();
      }
    });

    test('`kill -9` in a stream of logins loses no acknowledged login and lets no code work twice', async () => {
      const place = await makePlace({ database });
      try {
        const first = await place.start();
        const client = await makeClient(place);
        const seen = { people: [], redeemed: [], unanswered: [] };
        let killed = false;
        const stream = async () => {
          while (!killed) {
            const person = new Person(first.issuer);
            const request = authorizationRequest(first.issuer, client);
            const { code } = await person.authorize(request.url);
            const one = { code, verifier: request.verifier };
            seen.people.push(person);
            seen.unanswered.push(one);
            const { status, body } = await redeem(first.issuer, { ...client, ...one });
            assert.equal(status, 200, JSON.stringify(body));
            seen.unanswered.splice(seen.unanswered.indexOf(one), 1);
            seen.redeemed.push({ ...one, token: body.access_token });
            if (seen.redeemed.length === LOGINS_BEFORE_THE_KILL) {
              killed = true;
              first.kill();
            }
          }
        };
        const ends = await Promise.allSettled(Array.from({ length: PEOPLE }, stream));
        const wrong = ends.filter(({ reason }) => reason && !(killed && reason instanceof TypeError)); // fetch's own failure is a TypeError
        assert.deepEqual(wrong, []);
        assert.ok(killed && (await first.ended).signal === 'SIGKILL');

        const { issuer, stop } = await place.start({ ports: first.ports });
        assert.equal(issuer, first.issuer);
        for (const { token } of seen.redeemed) assert.equal((await userinfo(issuer, token)).status, 200, 'an acknowledged token still counts');
        for (const person of seen.people) {
          const { url } = authorizationRequest(issuer, { ...client, prompt: 'none' });
          assert.ok((await person.authorize(url)).code, 'an acknowledged login still counts, and so does the consent');
        }
        for (const { code, verifier, token } of seen.redeemed) {
          const { status, body } = await redeem(issuer, { ...client, code, verifier });
          assert.deepEqual([status, body.error], [400, 'invalid_grant'], 'a redeemed code stays redeemed');
          assert.equal((await userinfo(issuer, token)).status, 401, 'and its second use ends what it gave');
        }
        // The server may have redeemed these without being able to say so: then never again, else once.
        for (const one of seen.unanswered) {
          const tries = [await redeem(issuer, { ...client, ...one }), await redeem(issuer, { ...client, ...one })];
          assert.ok(tries.filter(({ status }) => status === 200).length <= 1);
          assert.equal(tries[1].status, 400);
        }
        await stop();
      } finally {
        await place.end();
      }
    });
  });
}
