// The real program in a process of its own: free ports, a data folder and a database that nobody else uses, and an end to all of it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freshDatabase } from './postgres.mjs';

const READY_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 40_000;
const running = new Set();

process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

/** The databases that tests run on, `['sqlite', 'postgres']` unless LATCHKEY_TEST_DATABASES names fewer. */
export const databases = (process.env.LATCHKEY_TEST_DATABASES ?? 'sqlite postgres').split(/[\s,]+/).filter(Boolean);

/** The program under test: LATCHKEY_TEST_PROGRAM, or the release build. */
export function program() {
  const target = process.env.CARGO_TARGET_DIR ?? resolve(import.meta.dirname, '../../target');
  const file = process.env.LATCHKEY_TEST_PROGRAM ?? join(target, 'release', 'latchkey');
  if (!existsSync(file)) throw new Error(`${file} is not there: \`cargo build --release\` makes it, LATCHKEY_TEST_PROGRAM names another`);
  return file;
}

/** `count` TCP ports that were free a moment ago, all different. */
export async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/**
 * A place for servers: a data folder, a database and a configuration. `start()` runs one there (several may share it),
 * `cli()` runs a command on it, `end()` stops everything and removes it.
 *
 * @param {{ database?: 'sqlite' | 'postgres' | string, config?: string, env?: Record<string, string> }} options
 *   `config` is the text of a configuration file; a `database` that is a URL is used as it is.
 */
export async function makePlace({ database = 'sqlite', config, env = {} } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-test-'));
  const data = join(folder, 'data');
  const fresh = database === 'postgres' ? await freshDatabase() : undefined;
  const url = fresh?.url ?? (database === 'sqlite' ? `sqlite://${join(data, 'latchkey.db')}` : database);
  const configFile = join(folder, 'latchkey.toml');
  if (config) await writeFile(configFile, config);

  const settings = { ...plainEnvironment(), ...QUIET_LIMITS, ...env };
  const flags = [...(config ? ['--config', configFile] : []), '--database', url, '--data', data];
  const servers = [];

  const place = {
    folder,
    data,
    database: url,
    flags,
    env: settings,

    /** Runs `latchkey serve` (or `dev`) and waits until it is ready. */
    async start({ mode = 'serve', ports, env: more = {}, issuer } = {}) {
      const server = await startServer({ place, mode, ports: ports ?? (await freePorts(2)), env: { ...settings, ...more }, issuer });
      servers.push(server);
      return server;
    },

    /** Runs a command to its end: `{ code, stdout, stderr }`. */
    run: (args, { input, env: more = {} } = {}) => run(program(), [...args, ...flags], { input, env: { ...settings, ...more } }),

    /** Runs a command that must succeed, and gives what it printed: parsed when it is JSON, undefined when it is nothing. */
    async cli(args, options) {
      const { code, stdout, stderr } = await place.run(args, options);
      if (code !== 0) throw new Error(`latchkey ${args.join(' ')} exited ${code}: ${stderr}${stdout}`);
      return stdout.trim() === '' ? undefined : JSON.parse(stdout);
    },

    async end() {
      await Promise.all(servers.map((server) => server.stop()));
      await fresh?.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return place;
}

/** A place with one server that is ready, the common case: the server's members, and its `place`. `stop()` ends both. */
export async function startAlone({ mode, issuer, ...options } = {}) {
  const place = await makePlace(options);
  try {
    const server = await place.start({ mode, issuer });
    return { ...server, place, cli: place.cli, stop: () => place.end() };
  } catch (error) {
    await place.end();
    throw error;
  }
}

/** Runs a program to its end, bounded: `{ code, signal, stdout, stderr }`. */
export async function run(file, args, { input = '', env = process.env, within = 60_000, cwd } = {}) {
  const child = spawn(file, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  running.add(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), within);
  const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)];
  child.stdin.on('error', () => {}).end(input);
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);
  running.delete(child);
  return { code, signal, stdout: stdout(), stderr: stderr() };
}

/** Asks again and again until `probe` gives something truthy; throws after `within` milliseconds. */
export async function until(what, probe, { within = 10_000, every = 20 } = {}) {
  const end = Date.now() + within;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${within} ms: ${what}`);
    await new Promise((done) => setTimeout(done, every));
  }
}

async function startServer({ place, mode, ports: [port, operationsPort], env, issuer = `http://localhost:${port}` }) {
  const operations = `http://127.0.0.1:${operationsPort}`;
  const child = spawn(program(), [mode, ...place.flags], {
    cwd: place.folder,
    env: {
      LATCHKEY_SERVER_LISTEN: `127.0.0.1:${port}`,
      LATCHKEY_SERVER_OPERATIONS_LISTEN: `127.0.0.1:${operationsPort}`,
      LATCHKEY_SERVER_ISSUER: issuer,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)];
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child);
    return { code, signal };
  });
  const words = () => `${stderr()}${stdout()}`;

  let gone;
  ended.then((how) => (gone = how));
  await until('the server is ready', async () => {
    if (gone) throw new Error(`the server ended (${gone.code ?? gone.signal}) before it was ready:\n${words()}`);
    return fetch(`${operations}/readyz`).then((reply) => reply.ok, () => false);
  }, { within: READY_WITHIN_MS }).catch((error) => {
    child.kill('SIGKILL');
    throw new Error(`${error.message}\n${words()}`);
  });

  const end = async (signal) => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    const how = await ended;
    clearTimeout(timer);
    return how;
  };
  return {
    issuer,
    operations,
    port,
    ports: [port, operationsPort],
    pid: child.pid,
    child,
    words,
    stdout,
    stderr,
    ended,
    /** Asks it to stop (SIGTERM) and waits: `{ code, signal }`. */
    stop: () => end('SIGTERM'),
    /** `kill -9`. */
    kill: () => end('SIGKILL'),
  };
}

// Tests come fast from one address; the limits have tests of their own.
const QUIET_LIMITS = {
  LATCHKEY_LIMITS_CHALLENGES_PER_MINUTE: '1000000',
  LATCHKEY_LIMITS_FAILURES_PER_MINUTE: '1000000',
  LATCHKEY_LIMITS_SIGNINS_PER_MINUTE: '1000000',
  LATCHKEY_LIMITS_VISITS_PER_MINUTE: '1000000',
  LATCHKEY_LIMITS_DEVICES_PER_MINUTE: '1000000',
  LATCHKEY_LIMITS_USER_CODES_PER_MINUTE: '1000000',
  LATCHKEY_LIMITS_USER_CODES_IN_ALL_PER_MINUTE: '1000000',
};

// What the tests' own settings are made of must not reach the program as its configuration.
function plainEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LATCHKEY_')));
}

function gather(stream) {
  const parts = [];
  stream.setEncoding('utf8').on('data', (part) => parts.push(part));
  return () => parts.join('');
}
