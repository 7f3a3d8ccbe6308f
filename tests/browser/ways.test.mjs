// Several ways into one account, as a person has them: a second wallet is added, the first one removed. Each page of it on a phone and on a
// desktop, in light and dark. LATCHKEY_TEST_PICTURES names a folder for pictures of them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DESKTOP, PHONE } from '../lib/browser.mjs';
import { claimsOf } from '../lib/flow.mjs';
import { violations } from '../lib/look.mjs';
import { installWallet } from '../lib/wallet.mjs';
import { allow, chooseWallet, openRequest, person, problemTitle, setScene, tokensOf } from './scene.mjs';

const EXPECTED_REPLY = /Failed to load resource: the server responded with a status of 403/;

describe('several ways into one account', () => {
  let scene;
  before(async () => (scene = await setScene()));
  after(() => scene?.end());

  const account = (page) => page.getByRole('heading', { name: 'Your account', exact: true }).waitFor();

  /** The `sub` that an app reads when the person comes in by that wallet. */
  const subjectBy = async (page, wallet, { asked }) => {
    const back = scene.app.next();
    const request = await openRequest(scene, page, scene.client, { prompt: 'login' });
    await chooseWallet(page, wallet);
    if (asked) await allow(page);
    const arrival = await back;
    return claimsOf((await tokensOf(scene, { request, arrival })).id_token).sub;
  };

  for (const [device, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    for (const colorScheme of ['light', 'dark']) {
      test(`a wallet is added and the first one removed: ${device}, ${colorScheme}`, async (t) => {
        const { page, wallet: first, context } = await person(scene, { viewport, colorScheme, wallet: { name: 'First Wallet', rdns: 'test.latchkey.first' } });
        const second = await installWallet(context, { name: 'Second Wallet', rdns: 'test.latchkey.second' });
        const look = async (name) => {
          await page.getByRole('heading', { level: 1 }).waitFor();
          await t.test(name, async () => {
            assert.deepEqual(await violations(page), []);
            const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
            assert.equal(wide, 0, 'nothing runs past the edge');
          });
          const folder = process.env.LATCHKEY_TEST_PICTURES;
          if (folder) await page.screenshot({ path: `${folder}/ways-${name.replaceAll(' ', '-')}-${device}-${colorScheme}.png`, fullPage: true });
        };

        await page.goto(`${scene.server.issuer}/account`);
        await chooseWallet(page, first);
        await account(page);
        await page.getByText('It cannot be removed').waitFor();
        assert.equal(await page.getByRole('link', { name: /^Remove/ }).count(), 0);
        await look('account with one way');

        await page.getByRole('button', { name: 'Add a way to sign in' }).click();
        await page.getByRole('heading', { name: 'Add a way to sign in' }).waitFor();
        await page.locator('#wallets button').nth(1).waitFor();
        await look('adding');
        await chooseWallet(page, second);
        await account(page);
        await page.getByRole('status').getByText('It is added.').waitFor();
        await look('account with two ways');

        await page.locator('summary', { hasText: second.keys[0].address }).click();
        await page.getByLabel('Your name for it').nth(1).fill('The blue one');
        await page.getByRole('button', { name: 'Save name' }).click();
        await page.getByText('The blue one').first().waitFor();

        await page.getByRole('link', { name: `Remove Wallet ${first.keys[0].address}` }).click();
        await page.getByRole('heading', { name: 'Remove a way to sign in' }).waitFor();
        assert.match(await page.locator('main').innerText(), /After this you can sign in with\s+Wallet\s+The blue one/);
        await look('removing, to be proved');
        await page.getByRole('button', { name: 'Go on' }).click();
        await page.getByRole('heading', { name: 'Is it you?' }).waitFor();
        await page.locator('#wallets button').nth(1).waitFor();
        await look('is it you');
        await chooseWallet(page, first);
        assert.equal(await problemTitle(page), 'This is the one you want to remove');
        await page.reload();
        await chooseWallet(page, second);
        await page.getByRole('button', { name: 'Remove', exact: true }).waitFor();
        await look('removing');
        await page.getByRole('button', { name: 'Remove', exact: true }).click();
        await account(page);
        await page.getByRole('status').getByText('It is removed.').waitFor();
        assert.doesNotMatch(await page.locator('main').innerText(), new RegExp(first.keys[0].address));
        assert.equal(await page.getByRole('link', { name: /^Remove/ }).count(), 0);
        context.clean(EXPECTED_REPLY);
        await context.close();
      });
    }
  }

  test('the page of the last way has no button', async () => {
    const { page, wallet, context } = await person(scene);
    await page.goto(`${scene.server.issuer}/account`);
    await chooseWallet(page, wallet);
    await account(page);
    await page.goto(`${scene.server.issuer}/account/ways/remove?provider=web3&subject=${wallet.keys[0].address}`);
    await page.getByText('This is the only way').waitFor();
    assert.equal(await page.locator('main button').count(), 0);
    assert.deepEqual(await violations(page), []);
    await page.getByRole('link', { name: 'Back to your account' }).click();
    await account(page);
    context.clean();
    await context.close();
  });

  test('one session ends from another browser', async () => {
    const [here, there] = [await person(scene), await person(scene)];
    there.wallet.keys = here.wallet.keys;
    for (const { page, wallet } of [here, there]) {
      await page.goto(`${scene.server.issuer}/account`);
      await chooseWallet(page, wallet);
      await account(page);
    }
    await here.page.reload();
    await here.page.getByRole('button', { name: /^End the session of/ }).click();
    await account(here.page);
    assert.equal(await here.page.locator('section[aria-labelledby="sessions-title"] li').count(), 1);
    await there.page.reload();
    await there.page.locator('#signin').waitFor();
    for (const { context } of [here, there]) {
      context.clean();
      await context.close();
    }
  });

  test('an app knows one person by both', async () => {
    const { page, wallet: first, context } = await person(scene, { wallet: { name: 'First Wallet', rdns: 'test.latchkey.first' } });
    const second = await installWallet(context, { name: 'Second Wallet', rdns: 'test.latchkey.second' });
    const known = await subjectBy(page, first, { asked: true });
    await page.goto(`${scene.server.issuer}/account`);
    await page.getByRole('button', { name: 'Add a way to sign in' }).click();
    await chooseWallet(page, second);
    await account(page);
    assert.equal(await subjectBy(page, second, { asked: false }), known);
    context.clean();
    await context.close();
  });
});
