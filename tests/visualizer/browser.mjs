// Headless Chromium for the page's tests: opens a report over file://, and
// keeps a list of every request and every error that the page makes.
import {createRequire} from 'node:module';
import {existsSync} from 'node:fs';
import {resolve} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';

const kModules = process.env.PAGE_MODULES ??
    fileURLToPath(new URL('../../visualizer/node_modules', import.meta.url));
export const require = createRequire(resolve(kModules, 'x.js'));

export const kChromium =
    ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
        .find((path) => existsSync(path));

/** How long a condition may take to come true; a machine may be busy. */
const kPatienceMs = 120e3;

/** A started browser; the caller closes it. */
export function launch() {
  const {chromium} = require('playwright-core');
  return chromium.launch({
    timeout: kPatienceMs,
    executablePath: kChromium,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
}

/**
 * Opens a page and waits until it says that it is ready.
 * @returns {Promise<{page, context, requests: string[], errors: string[]}>}
 */
export async function open(browser, file, options = {}) {
  const {hash = '', ...settings} = options;
  const context = await browser.newContext({
    viewport: {width: 1280, height: 900}, deviceScaleFactor: 1,
    reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'UTC', ...settings});
  context.setDefaultTimeout(kPatienceMs);
  const page = await context.newPage();
  const requests = [];
  const errors = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(pathToFileURL(resolve(file)).href + hash);
  if (settings.javaScriptEnabled !== false)
    await page.waitForFunction(
        () => document.documentElement.dataset.ready !== undefined);
  return {page, context, requests, errors};
}

/**
 * Waits for the drawing that an event so far has asked for: what is asked of a
 * frame is done in the order of asking, and this asks last.
 */
export function settled(page) {
  return page.evaluate(() => new Promise(
      (done) => requestAnimationFrame(() => setTimeout(done))));
}

/** Presses a key, and waits until the page has drawn what it changed. */
export async function press(page, key) {
  await page.keyboard.press(key);
  await settled(page);
}

/** Moves the cursor and waits until the page has drawn it. */
export async function seek(page, sample) {
  await page.evaluate((s) => {
    const slider = document.getElementById('slider');
    slider.value = String(s);
    slider.dispatchEvent(new Event('input', {bubbles: true}));
  }, sample);
  await page.waitForFunction(
      (s) => document.documentElement.dataset.sample === String(s), sample);
}
