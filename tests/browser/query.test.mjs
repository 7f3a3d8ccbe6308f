// Trying queries of the identity API in Chromium: with the keyboard, over the demo's vehicles, in light and dark, on a phone and on a desktop.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DESKTOP, PHONE } from '../lib/browser.mjs';
import { violations } from '../lib/look.mjs';
import { person, setScene } from './scene.mjs';

describe('the page for queries', () => {
  let scene;
  before(async () => (scene = await setScene({ mode: 'dev' })));
  after(() => scene?.end());

  test('asks what is typed, and shows the answer and the refusal', async () => {
    const { page, context } = await person(scene);
    await page.goto(`${scene.server.issuer}/playground`);
    await page.getByRole('link', { name: 'Try queries' }).click();
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText(/^Answered after/).waitFor();
    const { data } = JSON.parse(await page.locator('#answer').innerText());
    assert.deepEqual([data.vehicle.tokenDID, data.vehicle.sacds.totalCount], ['did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:7', 1]);
    for (const sample of await page.locator('#sample option').allInnerTexts()) {
      await page.getByLabel('Begin with').selectOption({ label: sample });
      await page.getByRole('button', { name: 'Ask' }).click();
      await page.getByText(/^(Answered|Refused) after/).waitFor();
      assert.equal(JSON.parse(await page.locator('#answer').innerText()).errors, undefined, sample);
    }
    const query = page.getByLabel('Query, in GraphQL');
    await query.fill('query ($id: Int!) { vehicle(tokenId: $id) { tokenId } }');
    await page.getByLabel('Variables, as JSON').fill('{"id": 99}');
    await query.press('Control+Enter');
    await page.getByText(/^Refused after/).waitFor();
    assert.match(await page.locator('#answer').innerText(), /NOT_FOUND/);
    await page.getByLabel('Variables, as JSON').fill('{');
    await query.press('Control+Enter');
    await page.getByText('The variables are no JSON.').waitFor();
    await context.close();
  });

  for (const screen of [PHONE, DESKTOP]) {
    for (const colorScheme of ['light', 'dark']) {
      test(`can be read by everybody: ${screen.width} px, ${colorScheme}`, async () => {
        const { page, context } = await person(scene, { viewport: screen, colorScheme });
        await page.goto(`${scene.server.issuer}/playground/query`);
        await page.getByRole('button', { name: 'Ask' }).click();
        await page.getByText(/^Answered after/).waitFor();
        assert.deepEqual(await violations(page), []);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'nothing is wider than the screen');
        await context.close();
      });
    }
  }
});
