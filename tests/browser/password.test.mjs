// Passwords on the real pages: set after the mailed code, typed without script, wrong, and changed; on a phone and on a desktop, in light and
// dark. LATCHKEY_TEST_PICTURES names a folder for pictures of them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DESKTOP, PHONE } from '../lib/browser.mjs';
import { claimsOf } from '../lib/flow.mjs';
import { look } from '../lib/look.mjs';
import { startMailbox } from '../lib/mailbox.mjs';
import { allow, openRequest, person, setScene, tokensOf } from './scene.mjs';

const EXPECTED_REPLY = /Failed to load resource: the server responded with a status of 4\d\d/;
const [PASSWORD, ANOTHER] = ['three words in a row', 'three other words in a row'];

describe('signing in with a password', () => {
  let scene;
  let mailbox;
  before(async () => {
    mailbox = await startMailbox();
    scene = await setScene({ env: { LATCHKEY_MAIL_SMTP_URL: mailbox.url, LATCHKEY_MAIL_FROM: 'The Garage <id@garage.example>', LATCHKEY_PASSWORDS_ENABLED: 'true' } });
  });
  after(async () => {
    await scene?.end();
    await mailbox?.stop();
  });

  const account = (page) => page.getByRole('heading', { name: 'Your account', exact: true }).waitFor();

  /** Makes an account by a mailed code, in that page. */
  const joined = async (page, address) => {
    await page.goto(`${scene.server.issuer}/account`);
    await page.getByLabel('Your email address').fill(address);
    await page.getByRole('button', { name: 'Send me a code' }).click();
    await page.getByLabel('The code from the mail').fill(await mailbox.code(address));
    await page.getByRole('button', { name: 'Continue' }).click();
    await account(page);
  };

  /** Types both on the sign-in page that is open. */
  const typed = async (page, address, password) => {
    const form = page.locator('form[action$="/password"]');
    await form.getByLabel('Email address').fill(address);
    await form.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in with a password' }).click();
  };

  test('it is set, typed without script, and the app reads how the person came in', async () => {
    const plain = await scene.browser.newContext({ javaScriptEnabled: false });
    const page = await plain.newPage();
    await joined(page, 'ada@example.com');
    await page.getByRole('link', { name: 'Set or change your password' }).click();
    await page.getByLabel('New password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Set password' }).click();
    await account(page);
    const back = scene.app.next();
    const request = await openRequest(scene, page, scene.client, { prompt: 'login' });
    await typed(page, 'ada@example.com', ANOTHER);
    await page.getByRole('alert').getByText('do not go together').waitFor();
    await typed(page, 'Ada@Example.com', PASSWORD);
    await allow(page);
    const claims = claimsOf((await tokensOf(scene, { request, arrival: await back })).id_token);
    assert.deepEqual(claims.amr, ['pwd']);
    await plain.close();
  });

  for (const [device, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    for (const colorScheme of ['light', 'dark']) {
      test(`its pages: ${device}, ${colorScheme}`, async () => {
        const { page, context } = await person(scene, { viewport, colorScheme, wallet: false });
        const seen = (what) => look(page, `password-${what}-${device}-${colorScheme}`);
        const address = `a-rather-long-name-of-somebody-${device}-${colorScheme}@a-rather-long-name-of-a-domain.example`;
        await joined(page, address);
        await page.goto(`${scene.server.issuer}/account/password`);
        await page.getByRole('heading', { name: 'Set a password' }).waitFor();
        await seen('set');
        // The first that others would try.
        await page.getByLabel('New password').fill(address);
        await page.getByRole('button', { name: 'Set password' }).click();
        await page.getByRole('alert').waitFor();
        await seen('refused');
        await page.getByLabel('New password').fill(PASSWORD);
        await page.getByRole('button', { name: 'Set password' }).click();
        await account(page);
        await page.getByRole('link', { name: 'Set or change your password' }).click();
        await page.getByRole('heading', { name: 'Change your password' }).waitFor();
        await page.getByText('Browsers, apps and devices that came in with the one before are signed out').waitFor();
        await seen('change');
        await page.goto(`${scene.server.issuer}/account`);
        await seen('account');
        await openRequest(scene, page, scene.client, { prompt: 'login' });
        await page.getByText('No wallet found in this browser').waitFor();
        await seen('sign-in');
        await typed(page, address, ANOTHER);
        await page.getByRole('alert').getByText('do not go together').waitFor();
        await page.getByText('No wallet found in this browser').waitFor();
        await seen('wrong');
        context.clean(EXPECTED_REPLY);
        await context.close();
      });
    }
  }
});
