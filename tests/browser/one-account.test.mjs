// One account, whole: made with a passkey, joined by a wallet, an email address and Google, signed in to by each at one app, and each way
// taken away but one. The app is npm `openid-client`, Google is npm `oidc-provider`, mails go to a mail server of the tests.
// LATCHKEY_TEST_PICTURES names a folder for pictures of the pages.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as oidc from 'openid-client';
import { DESKTOP, PHONE } from '../lib/browser.mjs';
import { GOOGLE_AMR } from '../lib/google.mjs';
import { look } from '../lib/look.mjs';
import { startMailbox } from '../lib/mailbox.mjs';
import { installPasskeys } from '../lib/passkeys.mjs';
import { startProviders } from '../lib/providers.mjs';
import { databases, until } from '../lib/server.mjs';
import { allow, chooseWallet, person, problemTitle, setScene } from './scene.mjs';

/** What the account page calls each way, and what an app reads of it (RFC 8176). */
const WAYS = {
  passkey: { kind: 'Passkey', amr: ['hwk', 'pop', 'user'] },
  web3: { kind: 'Wallet', amr: ['pop'] },
  google: { kind: 'Google', amr: GOOGLE_AMR },
  email: { kind: 'Email', amr: ['otp'] },
};
// What the app's and Google's pages say on the console is theirs. An address waits for its next code (429), and a passkey that was taken
// away is refused (400).
const EXPECTED = [/^http:\/\/127\.0\.0\.1/, /Failed to load resource: the server responded with a status of 4(00|29)/];

for (const database of databases) {
  // Two at a time: each waits a while for its address's next code.
  describe(`one account, on ${database}`, { concurrency: 2 }, () => {
    let scene;
    let google;
    let mailbox;
    let app;
    before(async () => {
      [mailbox, google] = await Promise.all([startMailbox(), startProviders(['google'])]);
      const env = {
        LATCHKEY_MAIL_SMTP_URL: mailbox.url,
        LATCHKEY_MAIL_FROM: 'The Garage <id@garage.example>',
        LATCHKEY_EMAIL_CODES_RESEND_AFTER: '10s',
        LATCHKEY_EMAIL_CODES_PER_NETWORK_PER_HOUR: '1000',
        LATCHKEY_EGRESS_ALLOW_PRIVATE_NETWORKS: 'true',
        LATCHKEY_PASSWORDS_ENABLED: 'true',
      };
      scene = await setScene({ database, env, config: google.config });
      google.mount(scene.server.issuer);
      const { clientId, secret } = scene.client;
      const execute = [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks];
      app = await oidc.discovery(new URL(scene.server.issuer), clientId, undefined, oidc.ClientSecretBasic(secret), { execute });
    });
    after(async () => {
      await scene?.end();
      await google?.stop();
      await mailbox?.stop();
    });

    const account = (page) => page.getByRole('heading', { name: 'Your account', exact: true }).waitFor();
    const removals = (page) => page.getByRole('link', { name: /^Remove / });

    /** Somebody in a browser with a wallet and a device for passkeys. */
    const somebody = async (name, how, wallet = {}) => {
      const one = await person(scene, { ...how, wallet });
      const phone = await installPasskeys(one.context, one.page);
      return { ...one, phone, name, email: `${name}@garage.example` };
    };

    /** The same somebody in another browser: nothing of the first one is there but what proves who they are. */
    const inAnotherBrowser = async ({ wallet, phone, name }, how) => {
      const other = await somebody(name, how, { keys: wallet.keys });
      await phone.copyTo(other.phone);
      return other;
    };

    // What somebody does to sign in, on the page that `open` opens.
    const prove = {
      async passkey({ phone }, open) {
        // With one passkey and a finger on the device, the list in the field is answered as soon as it is there.
        await phone.touch();
        await open();
      },
      async web3({ page, wallet }, open) {
        await open();
        await chooseWallet(page, wallet);
      },
      async email({ page, email }, open) {
        await open();
        // An address waits for its next code.
        await until('a code is sent', async () => {
          await page.getByLabel('Your email address').fill(email);
          const posted = page.waitForResponse((reply) => reply.request().method() === 'POST' && reply.url().endsWith('/email'));
          await page.getByRole('button', { name: 'Send me a code' }).click();
          return (await posted).status() === 303;
        }, { within: 20_000, every: 500 });
        await page.getByLabel('The code from the mail').fill(await mailbox.code(email));
        await page.getByRole('button', { name: 'Continue' }).click();
      },
      async google({ page, name }, open) {
        await open();
        await page.getByRole('button', { name: 'Continue with Google' }).click();
        await page.getByLabel('Email or phone').fill(name);
        await page.getByRole('button', { name: 'Next' }).click();
      },
    };
    const makeAccount = async ({ page, phone }, open) => {
      await open();
      await page.locator('#wallets button').first().waitFor();
      await look(page, `${page.pictures} sign in`);
      await phone.touch();
      await page.getByRole('button', { name: 'Make a new account with a passkey' }).click();
    };

    /** The whole way at the app: the claims of its ID token. `asked`: whether the person is asked to let the app know them. */
    const atApp = async (one, proof, { asked = false } = {}) => {
      const { page, phone } = one;
      const [verifier, state, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()];
      const url = oidc.buildAuthorizationUrl(app, {
        redirect_uri: scene.client.redirectUri,
        scope: 'openid email',
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        prompt: 'login',
        state,
        nonce,
      });
      await proof(one, () => page.goto(url.href));
      if (asked) await allow(page);
      await page.waitForURL((at) => at.origin === scene.app.origin);
      await phone.leave();
      const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
      return (await oidc.authorizationCodeGrant(app, new URL(page.url()), checks)).claims();
    };

    const signOut = async (page) => {
      await page.goto(`${scene.server.issuer}/logout`);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    };

    const add = async (ada, way) => {
      await ada.page.goto(`${scene.server.issuer}/account`);
      await prove[way](ada, async () => {
        await ada.page.getByRole('button', { name: 'Add a way to sign in' }).click();
        await ada.page.getByRole('heading', { name: 'Add a way to sign in' }).waitFor();
      });
      await ada.page.getByRole('status').getByText('It is added.').waitFor();
    };

    const remove = async ({ page }, way) => {
      await page.goto(`${scene.server.issuer}/account`);
      await page.getByRole('link', { name: new RegExp(`^Remove ${WAYS[way].kind} `) }).click();
      await page.getByRole('heading', { name: 'Remove a way to sign in' }).waitFor();
      await look(page, `${page.pictures} removing ${way}`);
      await page.getByRole('button', { name: 'Remove', exact: true }).click();
      await page.getByRole('status').getByText('It is removed.').waitFor();
    };

    for (const [stays, device, colorScheme] of [
      ['email', 'desktop', 'light'],
      ['passkey', 'phone', 'dark'],
      ['web3', 'phone', 'light'],
      ['google', 'desktop', 'dark'],
    ]) {
      test(`made by passkey, joined by three more, left with ${WAYS[stays].kind}: ${device}, ${colorScheme}`, async () => {
        const how = { viewport: device === 'phone' ? PHONE : DESKTOP, colorScheme };
        const ada = await somebody(`ada-${stays}`, how);
        const { page, context } = ada;
        page.pictures = `one-account ${device} ${colorScheme}`;
        const made = await atApp(ada, makeAccount, { asked: true });
        assert.deepEqual(made.amr, WAYS.passkey.amr);

        for (const way of ['email', 'web3', 'google']) await add(ada, way);
        await page.goto(`${scene.server.issuer}/account`);
        await account(page);
        assert.equal(await removals(page).count(), 4);
        await look(page, `${page.pictures} account`);

        // By each of them at the app, the one that stays at last.
        const others = Object.keys(WAYS).filter((way) => way !== stays);
        for (const way of [...others, stays]) {
          await signOut(page);
          const { sub, amr } = await atApp(ada, prove[way]);
          assert.deepEqual({ sub, amr }, { sub: made.sub, amr: WAYS[way].amr }, way);
        }

        for (const way of others) {
          await remove(ada, way);
          const elsewhere = await inAnotherBrowser(ada, how);
          if (way === 'passkey') {
            await prove.passkey(elsewhere, () => elsewhere.page.goto(`${scene.server.issuer}/account`));
            assert.equal(await problemTitle(elsewhere.page), 'This passkey is not known here');
            await elsewhere.phone.leave();
          } else {
            // It makes an account of its own, like that of anybody who is new.
            const stranger = await atApp(elsewhere, prove[way], { asked: true });
            assert.notEqual(stranger.sub, made.sub, way);
          }
          elsewhere.context.clean(...EXPECTED);
          await elsewhere.context.close();
        }

        // The last one has no button, on its own page neither; and it still leads in.
        await page.goto(`${scene.server.issuer}/account`);
        await page.getByText('It cannot be removed').waitFor();
        assert.equal(await removals(page).count(), 0);
        await look(page, `${page.pictures} account with one way`);
        await signOut(page);
        const { sub, amr } = await atApp(ada, prove[stays]);
        assert.deepEqual({ sub, amr }, { sub: made.sub, amr: WAYS[stays].amr });
        context.clean(...EXPECTED);
        await context.close();
      });
    }
  });
}
