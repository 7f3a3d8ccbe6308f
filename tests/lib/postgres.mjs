// Databases of their own on the Postgres that LATCHKEY_TEST_POSTGRES names.
import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

let made = 0;

/** A new, empty database: `{ url, drop() }`. */
export async function freshDatabase() {
  const server = testServer();
  const name = `outer_${process.pid}_${Date.now()}_${(made += 1)}`;
  await psql(server.href, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => psql(server.href, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** Runs one SQL text; gives the rows as lines of text, columns parted by `|`. */
export async function psql(url, sql) {
  const args = ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--set=ON_ERROR_STOP=1', '--command', sql, url];
  const { stdout } = await promisify(execFile)('psql', args);
  return stdout.split('\n').filter(Boolean);
}

function testServer() {
  const text = process.env.LATCHKEY_TEST_POSTGRES;
  if (!text) throw new Error('LATCHKEY_TEST_POSTGRES names no Postgres: `scripts/test` starts one, and LATCHKEY_TEST_DATABASES=sqlite goes without');
  return new URL(text);
}

/** A Postgres of one's own, with `postgres`'s own flags, to be stopped and started: `{ url, start(), stop(), end() }`. */
export async function ownCluster(port, flags = []) {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-postgres-'));
  const script = resolve(import.meta.dirname, '../../scripts/postgres');
  const stopNow = () => execFileSync(script, ['stop', folder]); // it is no child of ours: it must not outlive us
  process.on('exit', stopNow);
  const call = async (verb) => (await promisify(execFile)(script, [verb, folder, String(port), ...flags])).stdout.trim();
  await chmod(folder, 0o755);
  const url = await call('start');
  return {
    url,
    start: () => call('start'),
    stop: () => call('stop'),
    async end() {
      await call('stop');
      process.off('exit', stopNow);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
