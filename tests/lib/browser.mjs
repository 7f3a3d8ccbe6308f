// Chromium as Debian packages it, and contexts in which any error on the console or against the CSP is remembered.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** Starts Chromium. `CHROMIUM` names another one than the system's. */
export function launch() {
  const executablePath = process.env.CHROMIUM ?? PLACES.find((place) => existsSync(place));
  if (!executablePath) throw new Error('there is no Chromium: `apt-get install chromium`, or name it in CHROMIUM');
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] });
}

/**
 * A browser context of one person. `problems` fills with console errors, uncaught exceptions and CSP violations; `clean()`
 * asserts that there were none but those that `expected` (regular expressions) names.
 */
export async function openContext(browser, { viewport = DESKTOP, colorScheme = 'light', javaScriptEnabled = true } = {}) {
  const context = await browser.newContext({ viewport, colorScheme, javaScriptEnabled, locale: 'en-GB', reducedMotion: 'reduce' });
  context.setDefaultTimeout(10_000);
  const problems = [];
  const note = (page, text) => problems.push(`${page?.url() ?? ''}: ${text}`);
  context.on('console', (message) => message.type() === 'error' && note(message.page(), message.text()));
  context.on('weberror', (error) => note(error.page(), String(error.error())));
  await context.exposeBinding('reportViolation', ({ page }, text) => note(page, text));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.reportViolation(`CSP ${event.effectiveDirective} refused ${event.blockedURI || event.sample}`);
    });
  });
  return Object.assign(context, {
    problems,
    clean(...expected) {
      assert.deepEqual(problems.filter((problem) => !expected.some((pattern) => pattern.test(problem))), []);
    },
  });
}
