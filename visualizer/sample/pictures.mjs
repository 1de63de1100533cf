// The pictures beside it, of report.html as it is: run after writing it anew.
//
//   node visualizer/sample/pictures.mjs
import {createRequire} from 'node:module';
import {fileURLToPath, pathToFileURL} from 'node:url';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const {chromium} = createRequire(here('../package.json'))('playwright-core');
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu']});

/** Opens the report and waits until it has drawn itself. */
async function open(width, height, hash = '', colorScheme = 'light') {
  const page = await (await browser.newContext({
    viewport: {width, height}, colorScheme, reducedMotion: 'reduce'})).newPage();
  await page.goto(pathToFileURL(here('report.html')).href + hash);
  await page.waitForFunction(() => document.documentElement.dataset.ready);
  return page;
}

/** A section as it stands, without the bar that follows the reader. */
async function picture(page, id, name) {
  await page.locator('#cursor-bar').evaluate((bar) => {
    bar.style.position = 'static';
  });
  await page.locator('#' + id).scrollIntoViewIfNeeded();
  await page.waitForTimeout(1500);
  await page.locator('#' + id).screenshot({path: here(name)});
}

const top = await open(1200, 900);
await top.screenshot({path: here('report.png')});
await picture(await open(1200, 900, '#' + [
  `s=${await top.locator('#slider').inputValue()}`, 'a=pymalloc', 'arena=35',
  'c=age'].join('&'), 'dark'), 'heap', 'map.png');
await picture(await open(1200, 900), 'pins', 'pins.png');
await picture(await open(1200, 900), 'kymograph-section', 'run.png');
await (await open(390, 844)).screenshot({path: here('phone.png')});
await browser.close();
