// Signing in by a code that is mailed, in Chromium: by keyboard and without script, with every way to be wrong; every page of it in light and
// dark, on a phone and on a desktop. LATCHKEY_TEST_PICTURES names a folder for pictures of them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DESKTOP, PHONE } from '../lib/browser.mjs';
import { claimsOf } from '../lib/flow.mjs';
import { violations } from '../lib/look.mjs';
import { startMailbox } from '../lib/mailbox.mjs';
import { allow, openRequest, person, setScene, tokensOf } from './scene.mjs';

const EXPECTED_REPLY = /Failed to load resource: the server responded with a status of 4\d\d/;

const wrong = (code) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

describe('signing in by email', () => {
  let scene;
  let mailbox;
  before(async () => {
    mailbox = await startMailbox();
    scene = await setScene({ env: { LATCHKEY_MAIL_SMTP_URL: mailbox.url, LATCHKEY_MAIL_FROM: 'The Garage <id@garage.example>', LATCHKEY_EMAIL_CODES_RESEND_AFTER: '10s' } });
  });
  after(async () => {
    await scene?.end();
    await mailbox?.stop();
  });

  test('the code is typed with the keyboard alone, and the app gets its tokens', async () => {
    const { page, context } = await person(scene, { wallet: false });
    const back = scene.app.next();
    const request = await openRequest(scene, page);
    const field = page.getByLabel('Your email address');
    await field.waitFor();
    while (!(await field.evaluate((element) => element === document.activeElement))) await page.keyboard.press('Tab');
    await page.keyboard.type('Ada@Example.com');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
    assert.match(await page.locator('main').innerText(), /ada@example\.com/);
    const code = await mailbox.code('ada@example.com');
    // The field has the focus: what is typed goes there.
    await page.keyboard.type(wrong(code));
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('you can try 4 more times').waitFor();
    await page.keyboard.type(`${code.slice(0, 3)} ${code.slice(3)}`);
    await page.keyboard.press('Enter');
    await allow(page);
    const claims = claimsOf((await tokensOf(scene, { request, arrival: await back })).id_token);
    assert.deepEqual(claims.amr, ['otp']);
    context.clean(EXPECTED_REPLY);
    await context.close();
  });

  test('it works without script, and a mail server that refuses is told at once', async () => {
    const plain = await scene.browser.newContext({ javaScriptEnabled: false });
    const page = await plain.newPage();
    await page.goto(`${scene.server.issuer}/account`);
    await page.getByLabel('Your email address').fill('bob@example.com');
    mailbox.refuse = true;
    await page.getByRole('button', { name: 'Send me a code' }).click();
    await page.getByRole('alert').getByText('The mail could not be sent').waitFor();
    mailbox.refuse = false;
    await page.getByRole('button', { name: 'Send another code' }).click();
    await page.getByRole('alert').getByText('You can ask for another one in').waitFor();
    await page.getByRole('link', { name: 'Use another address' }).click();
    await page.getByLabel('Your email address').fill('bob@garage.example');
    await page.getByRole('button', { name: 'Send me a code' }).click();
    const code = await mailbox.code('bob@garage.example');
    await page.getByLabel('The code from the mail').fill(code);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'Your account', exact: true }).waitFor();
    await plain.close();
  });

  for (const [device, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    for (const colorScheme of ['light', 'dark']) {
      test(`its pages: ${device}, ${colorScheme}`, async (t) => {
        const { page, context } = await person(scene, { viewport, colorScheme });
        const pictures = process.env.LATCHKEY_TEST_PICTURES;
        const look = async (name) => {
          await page.getByRole('heading', { level: 1 }).waitFor();
          await t.test(name, async () => {
            assert.deepEqual(await violations(page), []);
            const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
            assert.equal(wide, 0, 'nothing runs past the edge');
          });
          if (pictures) await page.screenshot({ path: `${pictures}/email-${name}-${device}-${colorScheme}.png`, fullPage: true });
        };
        const address = `a-rather-long-name-of-somebody-${device}-${colorScheme}@a-rather-long-name-of-a-domain.example`;
        await openRequest(scene, page);
        await page.locator('#wallets button').first().waitFor();
        await look('sign-in');
        await page.getByLabel('Your email address').fill('ada@example');
        await page.getByRole('button', { name: 'Send me a code' }).click();
        await page.getByRole('alert').waitFor();
        await look('no-address');
        await page.getByLabel('Your email address').fill(address);
        await page.getByRole('button', { name: 'Send me a code' }).click();
        await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
        await look('code');
        const code = await mailbox.code(address);
        await page.getByRole('button', { name: 'Send another code' }).click();
        await page.getByRole('alert').waitFor();
        await look('wait');
        for (let time = 1; time <= 5; time += 1) {
          await page.getByLabel('The code from the mail').fill(wrong(code));
          await page.getByRole('button', { name: 'Continue' }).click();
          await page.getByRole('alert').waitFor();
          if (time === 1) await look('wrong');
        }
        await page.getByText('typed wrong too often').waitFor();
        await look('over');
        mailbox.refuse = true;
        await page.getByRole('link', { name: 'Use another address' }).click();
        await page.getByLabel('Your email address').fill(`x${address}`);
        await page.getByRole('button', { name: 'Send me a code' }).click();
        await page.getByText('The mail could not be sent').waitFor();
        mailbox.refuse = false;
        await look('refused');
        context.clean(EXPECTED_REPLY);
        await context.close();
      });
    }
  }
});
