// docker-compose.yml, run without Docker: the image's and the file's own environment and command for the server, and for Postgres its
// own flags, user, password and database. Only what belongs to the machine is another: ports, the database's host, the data folder.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { makeClient } from '../lib/clients.mjs';
import { Person, login, userinfo } from '../lib/flow.mjs';
import { ownCluster, psql } from '../lib/postgres.mjs';
import { databases, freePorts, makePlace, program, run } from '../lib/server.mjs';

const TREE = resolve(import.meta.dirname, '../..');
const { services } = parse(readFileSync(join(TREE, 'docker-compose.yml'), 'utf8'));
const image = readFileSync(join(TREE, 'Dockerfile'), 'utf8');

/** Gives a cluster what the service `postgres` sets: its user with a password that is asked for, its database; its flags must be in force. */
async function configure(cluster, { command, environment }) {
  const { POSTGRES_USER: user, POSTGRES_PASSWORD: password, POSTGRES_DB: name } = environment;
  await psql(cluster.url, `CREATE ROLE ${user} LOGIN SUPERUSER PASSWORD '${password}'`);
  await psql(cluster.url, `CREATE DATABASE ${name} OWNER ${user}`);
  const [file] = await psql(cluster.url, 'SHOW hba_file');
  await psql(cluster.url, `COPY (VALUES ('host all postgres 127.0.0.1/32 trust'), ('host all all 127.0.0.1/32 scram-sha-256')) TO '${file}'`);
  await psql(cluster.url, 'SELECT pg_reload_conf()');
  for (const [setting, value] of command.slice(1).filter((flag) => flag !== '-c').map((flag) => flag.split('='))) {
    assert.deepEqual(await psql(cluster.url, `SHOW ${setting}`), [value]);
  }
}

describe('docker-compose.yml without Docker', { skip: databases.includes('postgres') ? false : 'no Postgres among LATCHKEY_TEST_DATABASES' }, () => {
  test('its server serves on its Postgres, and its health checks say so', async () => {
    const [postgresPort, port, operationsPort] = await freePorts(3);
    const [postgres, ...flags] = services.postgres.command;
    assert.equal(postgres, 'postgres');
    const cluster = await ownCluster(postgresPort, flags);
    const place = await makePlace({ database: 'sqlite://unused' });
    try {
      await configure(cluster, services.postgres);
      const ofImage = Object.fromEntries([...image.matchAll(/^(?:ENV)?\s+(LATCHKEY_\w+)=(\S+)/gm)].map(([, name, value]) => [name, value]));
      const given = { ...ofImage, ...services.latchkey.environment };
      const moved = {
        LATCHKEY_SERVER_LISTEN: given.LATCHKEY_SERVER_LISTEN.replace(':8080', `:${port}`),
        LATCHKEY_SERVER_ISSUER: given.LATCHKEY_SERVER_ISSUER.replace(':8080', `:${port}`),
        LATCHKEY_SERVER_OPERATIONS_LISTEN: `127.0.0.1:${operationsPort}`,
        LATCHKEY_DATABASE_URL: given.LATCHKEY_DATABASE_URL.replace('@postgres:5432/', `@127.0.0.1:${postgresPort}/`),
        LATCHKEY_DATA_DIR: place.data,
      };
      for (const name of ['LATCHKEY_SERVER_LISTEN', 'LATCHKEY_SERVER_ISSUER', 'LATCHKEY_DATABASE_URL']) assert.notEqual(moved[name], given[name], name);
      const wrong = moved.LATCHKEY_DATABASE_URL.replace(`:${services.postgres.environment.POSTGRES_PASSWORD}@`, ':wrong@');
      await assert.rejects(psql(wrong, 'SELECT 1'), /password authentication failed/);

      place.flags.length = 0; // all of it comes by the environment
      Object.assign(place.env, given, moved);
      assert.deepEqual(services.latchkey.command, ['serve']);
      const server = await place.start({ mode: services.latchkey.command[0], ports: [port, operationsPort] });

      for (const { healthcheck } of [services.latchkey, { healthcheck: { test: JSON.parse(image.match(/HEALTHCHECK[\s\S]*?CMD (\[.*\])/)[1]) } }]) {
        const [, ...check] = healthcheck.test.at(0) === 'CMD' ? healthcheck.test : ['CMD', ...healthcheck.test];
        assert.equal(check[0], '/usr/local/bin/latchkey');
        const { code, stderr } = await run(program(), check.slice(1), { env: place.env });
        assert.equal(code, 0, stderr);
      }

      const client = await makeClient(place);
      const { access_token: token } = await login(new Person(server.issuer), client);
      assert.equal((await userinfo(server.issuer, token)).status, 200);
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
      assert.match(server.words().split('\n')[0], /^\{/, 'the image logs as JSON');
      assert.notEqual((await run(program(), ['health'], { env: place.env })).code, 0, 'the check can fail');
    } finally {
      await place.end();
      await cluster.end();
    }
  });
});
