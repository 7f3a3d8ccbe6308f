// A page as people with other eyes and other screens meet it: axe finds nothing, and nothing runs past the edge.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds in the page: a line for each violation, with the place. */
export async function violations(page) {
  await page.evaluate(`${AXE};undefined`);
  return page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
    return violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ target }) => target.join(' ')).join(', ')})`);
  });
}

/** Looks at the page as it is. LATCHKEY_TEST_PICTURES names a folder for a picture of it, called `name`. */
export async function look(page, name) {
  await page.getByRole('heading', { level: 1 }).waitFor();
  assert.deepEqual(await violations(page), [], name);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wide, 0, `${name}: nothing runs past the edge`);
  const folder = process.env.LATCHKEY_TEST_PICTURES;
  if (folder) await page.screenshot({ path: `${folder}/${name.replaceAll(/[^a-z0-9]+/g, '-')}.png`, fullPage: true });
}
