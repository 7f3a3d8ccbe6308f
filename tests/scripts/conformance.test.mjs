// scripts/conformance: what it must not let pass.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run } from '../lib/server.mjs';

const TREE = resolve(import.meta.dirname, '../..');
const document = readFileSync(join(TREE, 'docs/conformance.md'), 'utf8');
const names = [...new Set([...document.matchAll(/`(conformance::[^`]+oidcc[^`]+)`/g)].map(([, name]) => name))];
const row = document.split('\n').find((line) => line.startsWith('| `oidcc-max-age-1` |'));
const proof = row.match(/`conformance::[^`]+`/)[0];

describe('scripts/conformance', () => {
  let folder;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'latchkey-conformance-'))));
  after(() => rm(folder, { recursive: true, force: true }));

  /** Runs the check on a document and on a log in which every test passed, but for what `change` makes of it. */
  const check = async (text, change = (log) => log) => {
    const [file, log] = [join(folder, 'conformance.md'), join(folder, 'unit.log')];
    await writeFile(file, text);
    await writeFile(log, change(names.map((name) => `test ${name} ... ok\n`).join('')));
    const { code, stdout } = await run(join(TREE, 'scripts/conformance'), [log], { env: { ...process.env, DOCUMENT: file } });
    return { code, stdout };
  };
  const mustSay = async (words, text, change) => {
    const { code, stdout } = await check(text, change);
    assert.equal(code, 1, stdout);
    assert.match(stdout, words);
  };

  test('the document as it is passes', async () => {
    const { code, stdout } = await check(document);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^\d+ modules in 7 plans: \d+ with a test that passed, \d+ with a reason; 0 problems$/m);
  });

  test('a row without a test and without a reason fails', () => mustSay(/oidcc-max-age-1: neither a test nor a reason/, document.replace(row, row.replace(proof, ''))));
  test('a few words are no reason', () => mustSay(/oidcc-max-age-1: neither/, document.replace(row, row.replace(proof, 'Does not apply: later.'))));
  test('a row that says nothing of what is checked fails', () => mustSay(/nothing says what it checks/, document.replace(row, `| \`oidcc-max-age-1\` |  | ${proof} |`)));
  test('a module without a row fails', () => mustSay(/oidcc-max-age-1 has 0 rows/, document.replace(`${row}\n`, '')));
  test('a plan that is missing fails', () => mustSay(/oidcc-3rd_party-init-login has 0 rows/, document.slice(0, document.indexOf('## oidcc-3rdparty'))));
  test('a module that is in no plan fails', () => mustSay(/oidcc-invented: no such module/, document.replace(row, `${row}\n${row.replace('oidcc-max-age-1', 'oidcc-invented')}`)));
  test('the name of a test that is gone fails', () => mustSay(/oidcc_max_age_1::gone did not run/, document.replace(row, row.replace('::query', '::gone'))));
  test('another module’s test is no proof', () => mustSay(/has not the id in its name/, document.replace(row, row.replace(proof, '`conformance::happy::oidcc_server::query`'))));
  test('a test that failed is no proof', () => mustSay(/oidcc_max_age_1::query did not pass/, document, (log) => log.replace(/(oidcc_max_age_1::query \.\.\.) ok/, '$1 FAILED')));
  test('a test that was left out is no proof', () => mustSay(/oidcc_max_age_1::query did not pass/, document, (log) => log.replace(/(oidcc_max_age_1::query \.\.\.) ok/, '$1 ignored')));
  test('a test that no row names fails', () => mustSay(/no row names conformance::more::oidcc_new/, document, (log) => `${log}test conformance::more::oidcc_new::query ... ok\n`));
  test('a Node test must be there', () => mustSay(/none.test.mjs: oidcc-max-age-1 is not there/, document.replace(row, row.replace(proof, '`tests/interop/none.test.mjs: oidcc-max-age-1`'))));
});
