// Access to assets in Chromium: the owner picks on the consent page, sees it on their own page, and ends it; by keyboard, and without script.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { importVehicles, vehicle } from '../lib/assets.mjs';
import { DESKTOP, PHONE } from '../lib/browser.mjs';
import { look } from '../lib/look.mjs';
import { allow, chooseWallet, openRequest, person, setScene, tokensOf } from './scene.mjs';

const EXPECTED_REPLY = /Failed to load resource: the server responded with a status of 4\d\d/;

const details = (assets, more = {}) => ({
  authorization_details: JSON.stringify([
    {
      type: 'asset_access',
      assets,
      actions: ['privilege:GetLocationHistory'],
      optional_actions: ['privilege:ExecuteCommands'],
      events: [{ event_type: '*', source: '*', ids: ['*'], tags: ['*'] }],
      purpose: 'To insure your car by the mile',
      expires_in: 7_776_000,
      ...more,
    },
  ]),
});

describe('access to assets', () => {
  let scene;
  let number = 0;
  before(async () => (scene = await setScene()));
  after(() => scene?.end());

  for (const [device, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    for (const colorScheme of ['light', 'dark']) {
      test(`${device}, ${colorScheme}: picked, granted, seen and ended`, async () => {
        const someone = await person(scene, { viewport, colorScheme });
        const { page, wallet, context } = someone;
        const seen = (what) => look(page, `assets-${what}-${device}-${colorScheme}`);
        const [first, second] = [(number += 1), (number += 1)];
        await importVehicles(scene.server, [first, second], wallet.keys[0].address);
        const request = await openRequest(scene, page, scene.client, details({ pick: { min: 1, max: 1 } }));
        await chooseWallet(page, wallet);
        await page.getByRole('group', { name: /On which of yours/ }).waitFor();
        await seen('consent');
        // Nothing is picked for them: the page says what is missing, and keeps what was chosen.
        await allow(page);
        await page.getByRole('alert').filter({ hasText: 'Choose 1; you have chosen 0.' }).waitFor();
        await seen('consent-problem');
        // By keyboard alone.
        const box = page.locator(`input[value$="${vehicle(second)}"]`);
        await box.focus();
        await page.keyboard.press('Space');
        assert.equal(await box.isChecked(), true);
        await page.getByLabel('For how long').selectOption({ label: await page.locator('option', { hasText: '7 days' }).innerText() });
        const back = scene.app.next();
        await page.getByRole('button', { name: 'Allow', exact: true }).focus();
        await page.keyboard.press('Enter');
        const arrival = await back;
        // The app's own page first, so that nothing is on its way when the next one is opened.
        await page.getByRole('heading', { name: 'Back at the app' }).waitFor();
        const tokens = await tokensOf(scene, { request, arrival });
        const [told] = tokens.authorization_details;
        assert.deepEqual([told.assets, told.actions], [[vehicle(second)], ['privilege:GetLocationHistory']], 'nothing optional that was not chosen');

        await page.goto(`${scene.server.issuer}/account/assets`);
        await page.getByText('To insure your car by the mile').waitFor();
        await seen('account-assets');
        await page.getByRole('button', { name: /^End/ }).click();
        await page.getByText('No app may use anything of yours.').waitFor();
        await page.locator('summary').click();
        await seen('ended');
        context.clean(EXPECTED_REPLY);
        await context.close();
      });
    }
  }

  test('who has nothing that fits is told what to do, and can only go back', async () => {
    const someone = await person(scene);
    const { page, wallet, context } = someone;
    await openRequest(scene, page, scene.client, details({ pick: {} }));
    await chooseWallet(page, wallet);
    await page.getByText('There is nothing here that belongs to you yet.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Allow', exact: true }).count(), 0);
    await look(page, 'assets-nothing-fits');
    const back = scene.app.next();
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.equal((await back).parameters.error, 'access_denied');
    context.clean();
    await context.close();
  });
});
