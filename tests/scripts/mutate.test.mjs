// scripts/mutate --check: every text of tests/mutations.mjs is where it is said to be, and what it must not let pass.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run } from '../lib/server.mjs';
import { mutations, without } from '../mutations.mjs';

const TREE = resolve(import.meta.dirname, '../..');
const good = {
  line: '1',
  name: 'redirect-uri-exact',
  file: 'src/domain/redirect_uri.rs',
  from: '«self.text == requested» || self.admits_other_port(requested)',
  to: 'true',
  fails: ['redirect_uri::only_the_same_bytes_are_admitted'],
};
const sql = {
  line: '9',
  name: 'code-works-once',
  file: 'src/store/codes.rs',
  sql: 'WHERE code_hash = $1 AND client_id = $2 AND redeemed_at IS NULL',
  to: 'WHERE code_hash = $1 AND client_id = $2',
  fails: ['redeem::of_fifty_redemptions_one_succeeds_and_the_others_revoke_it'],
};
// As if there were nothing to take out anywhere.
const lines = Object.fromEntries(mutations.flatMap(({ line }) => line.split(' ')).concat(Object.keys(without)).map((line) => [line, 'none']));

describe('scripts/mutate --check', () => {
  let folder;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'latchkey-mutate-'))));
  after(() => rm(folder, { recursive: true, force: true }));

  /** Runs the check over these mutations in place of the tree's own. */
  const check = async (table, rows = lines) => {
    const file = join(folder, `${Math.random()}.mjs`);
    await writeFile(file, `export const mutations = ${JSON.stringify(table)}, without = ${JSON.stringify(rows)};`);
    return run(join(TREE, 'scripts/mutate'), ['--check'], { env: { ...process.env, MUTATIONS: file } });
  };
  const mustSay = async (words, ...table) => {
    const { code, stderr } = await check(table);
    assert.equal(code, 1, stderr);
    assert.match(stderr, words);
  };

  test('the table as it is passes', async () => {
    const { code, stdout, stderr } = await run(join(TREE, 'scripts/mutate'), ['--check'], { env: process.env });
    assert.equal(code, 0, stderr);
    assert.ok(stdout.startsWith(`${mutations.length} mutations: `), stdout);
  });
  test('two that are right pass', async () => assert.equal((await check([good, sql])).code, 0));

  test('a text that is gone fails', () => mustSay(/its text stands 0 times in src\/domain\/redirect_uri\.rs/, { ...good, from: 'self.text == asked_for' }));
  test('a text that stands twice fails', () => mustSay(/its text stands \d\d+ times/, { ...good, from: '(' }));
  test('a file that is gone fails', () => mustSay(/stands 0 times in src\/gone\.rs/, { ...good, file: 'src/gone.rs' }));
  test('half a mark fails', () => mustSay(/it is marked wrongly/, { ...good, from: good.from.replace('»', '') }));
  test('SQL is of the store', () => mustSay(/it is marked wrongly/, { ...sql, file: good.file }));
  test('a change that is none fails', () => mustSay(/it changes nothing/, { ...sql, to: sql.sql }));
  test('one that names no test fails', () => mustSay(/it names no test/, { ...good, fails: [] }));
  test('a test that is gone fails', () => mustSay(/there is no test redirect_uri::gone/, { ...good, fails: ['redirect_uri::gone'] }));
  test('a further place that is gone fails', () => mustSay(/stands 0 times/, { ...good, also: [{ ...sql, sql: 'WHERE gone' }] }));
  test('a name that is there twice fails', () => mustSay(/it is there twice/, good, good));
  test('a row without a mutation fails', async () => {
    const { code, stderr } = await check([good], { ...lines, 9: undefined });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^no mutation is of row 9 of tests\/security\.md$/m);
  });
  test('what stands behind nothing fails', () => mustSay(/there is no gone/, { ...good, behind: 'gone' }));
  test('what fails without it anyway fails', () => mustSay(/nothing shows that it stands behind/, good, { ...good, name: 'other', behind: good.name }));
});
