// The page in headless Chromium: it asks for nothing, answers to slider, keys
// and links, survives damaged data, prints, and is accessible.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {after, before, test} from 'node:test';
import {pathToFileURL} from 'node:url';
import {kChromium, launch, open, press, require, seek, settled} from
    './browser.mjs';
import {kSites, kTypes, makeResults} from './synthetic_results.mjs';

const kArenalab = process.env.ARENALAB ?? resolve('tools/cli/arenalab');
const skip = kChromium ? false : 'no Chromium is installed';
let browser, folder, report, results, truth, objects;

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
  folder = mkdtempSync(join(process.env.TEST_TMPDIR ?? tmpdir(), 'page-'));
  ({results, truth, objects} = makeResults({samples: 120, perSample: 3000}));
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
  // A blob is a text of the page itself: its worker's script.
  assert.deepEqual(requests.filter((url) => !url.startsWith('blob:')),
                   [pathToFileURL(report).href]);
  assert.ok(requests.some((url) => url.startsWith('blob:')), 'has a worker');
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
  for (let i = 0; errors.length === 0 && i < 1000; ++i) await settled(page);
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
  await press(page, 'ArrowRight');
  assert.match(await text(page, 'heap-words'), /pool 1:/);
  await press(page, 'ArrowDown');
  assert.match(await text(page, 'heap-words'), /pool 9:/);
  assert.equal(await page.locator('#live-region').textContent(),
               await text(page, 'heap-words'), 'the live region says it');
  const arena = (await text(page, 'heap-words')).split(',')[0];
  await press(page, ']');
  assert.notEqual((await text(page, 'heap-words')).split(',')[0], arena);
  await press(page, '[');
  assert.equal((await text(page, 'heap-words')).split(',')[0], arena);
  await press(page, 'Enter');
  await page.locator('#pool-panel').waitFor();
  assert.match(await text(page, 'pool-title'), /^Arena \d+, pool 9$/);
  await page.waitForFunction(
      () => document.activeElement?.id === 'zoom-frame');
  await press(page, 'Home');
  assert.match(await text(page, 'zoom-words'), /^block 0 of \d+ \(/);
  await press(page, 'ArrowRight');
  assert.match(await text(page, 'zoom-words'), /^block 1 of /);
  await press(page, 'Enter');
  await page.locator('#block-words').waitFor();
  assert.equal(await text(page, 'block-words'), await text(page, 'zoom-words'));
  await press(page, 'Escape');
  await page.locator('#block-words').waitFor({state: 'hidden'});
  await press(page, 'Escape');
  await page.waitForFunction(
      () => /^Arena \d+$/.test(document.getElementById('pool-title').innerText));
  assert.match(await text(page, 'pool-words'), /must go before the arena can/);
  await press(page, 'Enter');
  await page.waitForFunction(() => /, pool 9$/.test(
      document.getElementById('pool-title').innerText));
  await press(page, 'Escape');
  await page.waitForFunction(
      () => /^Arena \d+$/.test(document.getElementById('pool-title').innerText));
  await press(page, 'Backspace');
  await page.locator('#pool-panel').waitFor({state: 'hidden'});
  assert.equal(await page.evaluate(() => document.activeElement?.id),
               'heap-frame', 'the keys go on where they were');
  await press(page, 'Home');
  await press(page, 'ArrowLeft');
  assert.match(await text(page, 'heap-words'), /pool 0:/, 'stays at the edge');
  await context.close();
});

/** The objects that live at a sample, as the allocator had them. */
const liveAt = (sample) => objects.filter(
    (o) => o.birth <= sample && sample < o.death);

test('a block in words: its address, size, type, site, thread, age, end',
     {skip}, async () => {
  const sample = results.moments.last_valley;
  const chosen = liveAt(sample).filter((o) => o.type && o.site);
  for (const object of [chosen[0], chosen[chosen.length >> 1]]) {
    const [arena, index] = [object.pool >> 6, object.pool & 63];
    const {page, context} = await open(browser, report, {
      hash: `#s=${sample}&arena=${arena}&pool=${index}&block=${object.block}`});
    const words = await text(page, 'block-words');
    const size = truth[sample].pools.get(object.pool).cls * 16 + 16;
    const address = 0x7f0000000000 + object.pool * 16384 + 48 +
        object.block * size;
    for (const part of [`0x${address.toString(16)}`, `${object.bytes} B asked`,
                        kTypes[object.type], kSites[object.site],
                        `thread ${object.thread}`])
      assert.ok(words.includes(part), `${words} lacks ${part}`);
    assert.match(words, object.death === 120 ? /still live at the end/ :
                 /freed (by request|as the interpreter ended)/);
    await context.close();
  }
});

test('colours by class, age, time to free, thread, type, site', {skip},
     async () => {
  const sample = results.moments.last_valley;
  const {page, context} = await open(browser, report, {hash: `#s=${sample}`});
  const seen = new Set();
  for (const kind of ['occupancy', 'class', 'age', 'free', 'thread', 'type',
                      'site']) {
    await page.locator('#color').selectOption(kind);
    await page.waitForFunction((k) => k === 'occupancy' ?
        !location.hash.includes('&c=') : location.hash.includes(`&c=${k}`),
                               kind);
    await settled(page);
    seen.add((await page.locator('#heap-canvas').screenshot())
        .toString('base64'));
    assert.match(await text(page, 'heap-legend'), /free but held/);
  }
  assert.equal(seen.size, 7, 'each looks different');
  // Two pools read back: one with a block that is never freed, one without.
  await page.locator('#color').selectOption('free');
  const end = results.marks.find((m) => m.name === 'finalise').sample;
  const never = new Set(liveAt(sample).filter((o) => o.death > end)
      .map((o) => o.pool));
  const all = [...truth[sample].pools.keys()];
  for (const pool of [all.find((p) => never.has(p)),
                      all.find((p) => !never.has(p))]) {
    if (pool === undefined) continue;
    await page.evaluate(([s, p]) => {
      location.hash = `s=${s}&arena=${p >> 6}&pool=${p & 63}&c=free`;
    }, [sample, pool]);
    await page.waitForFunction((p) => document.getElementById('pool-title')
        .innerText === `Arena ${p >> 6}, pool ${p & 63}`, pool);
    const color = await page.evaluate(() => {
      const move = new DOMMatrix(getComputedStyle(
          document.getElementById('heap-focus')).transform);
      return [...document.getElementById('heap-canvas').getContext('2d')
          .getImageData(move.e + 1, move.f + 1, 1, 1).data].slice(0, 3).join();
    });
    assert.equal(color === '213,94,0', never.has(pool), `pool ${pool}: ${color}`);
  }
  await context.close();
});

test('the pin board ranks by what would be given back, and leads to the block',
     {skip}, async () => {
  const sample = results.moments.last_valley;
  const {page, context} = await open(browser, report, {hash: `#s=${sample}`});
  for (const [kind, nameOf] of [['type', (o) => kTypes[o.type]],
                                ['call site', (o) => kSites[o.site]],
                                ['thread', (o) => `thread ${o.thread}`]]) {
    await page.locator('#culprit-kind').selectOption(kind);
    const groups = new Map();
    const holders = new Map();
    for (const object of liveAt(sample)) {
      const name = nameOf(object);
      groups.set(name, (groups.get(name) ?? 0) + 1);
      const arena = object.pool >> 6;
      holders.set(arena, (holders.get(arena) ?? new Set()).add(name));
    }
    const alone = (name) => [...holders.values()].filter(
        (names) => names.size === 1 && names.has(name)).length;
    const rows = await page.locator('#culprit-rows tr').allInnerTexts();
    assert.equal(rows.length, Math.min(8, groups.size), kind);
    for (const row of rows) {
      const [name, blocks, , back] = row.split('\t');
      assert.equal(Number(blocks.replace(/\D/g, '')), groups.get(name), row);
      assert.equal(back, alone(name) === 0 ? 'nothing alone' :
          `${alone(name).toFixed(alone(name) < 10 ? 2 : 1)} MiB`, row);
    }
  }
  const fewest = await page.locator('#pins-rows tr').first().innerText();
  const counts = new Map();
  for (const {pool} of liveAt(sample))
    counts.set(pool >> 6, (counts.get(pool >> 6) ?? 0) + 1);
  assert.equal(Number(fewest.split('\t')[1].replace(/\D/g, '')),
               Math.min(...counts.values()));
  await page.locator('#pins-rows button').first().click();
  await page.locator('#pin-blocks').waitFor();
  await page.locator('#pin-block-rows button').first().click();
  await page.locator('#block-words').waitFor();
  assert.match(await text(page, 'block-words'), /: live, /);
  assert.match(await page.locator('#release-curve svg')
      .getAttribute('aria-label'), /give back/);
  await context.close();
});

test('layers, the whole run and the lesson', {skip}, async () => {
  const sample = results.moments.last_valley;
  const {page, context} = await open(browser, report, {hash: `#s=${sample}`});
  assert.match(await text(page, 'layers'), /arenas[^]*pools[^]*blocks/);
  await page.locator('#kymograph-section').scrollIntoViewIfNeeded();
  await page.waitForFunction(
      () => document.documentElement.dataset.kymograph === 'yes');
  // No column before the first arena, and the place of the cursor.
  const drawn = await page.evaluate((s) => {
    const canvas = document.getElementById('kymograph');
    const {data} = canvas.getContext('2d').getImageData(
        s, 0, 1, canvas.height);
    return {width: canvas.width, colors: new Set(data).size};
  }, sample);
  assert.equal(drawn.width, 120);
  assert.ok(drawn.colors > 3);
  assert.match(await text(page, 'kymograph-words'), /less than a quarter full/);
  const {example} = results.allocators[0];
  assert.ok((await text(page, 'learn-text')).includes(
      `of ${example.class * 16} bytes`));
  for (let step = 2; step <= 6; ++step) {
    await page.locator('#learn-next').click();
    assert.ok((await text(page, 'learn-title')).startsWith(`${step} of 6`));
    assert.ok(await page.locator('#learn-picture svg').isVisible());
    if (step !== 3) continue;
    assert.ok((await text(page, 'learn-text')).includes(
        `block ${example.free_list[0]} and the one after it block ${
            example.free_list[1]}`), await text(page, 'learn-text'));
  }
  assert.ok(await page.locator('#learn-next').isDisabled());
  await page.locator('#learn-back').click();
  await page.locator('#learn-back').click();
  await page.locator('#learn-text button').click();
  await page.waitForFunction(
      (arena) => location.hash.includes(`arena=${arena}`), example.pool >> 6);
  assert.match(await text(page, 'untold'), /What a replay cannot tell/);
  await context.close();
});

test('the slider is a native range; Shift finds the next event', {skip},
     async () => {
  const {page, context} = await open(browser, report);
  await page.locator('#slider').focus();
  await press(page, 'Home');
  await page.waitForFunction(
      () => document.documentElement.dataset.sample === '0');
  await press(page, 'ArrowRight');
  await page.waitForFunction(
      () => document.documentElement.dataset.sample === '1');
  await press(page, 'End');
  await page.waitForFunction(
      () => document.documentElement.dataset.sample === '119');
  await press(page, 'Shift+ArrowLeft');
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

test('play goes through the run, and stops', {skip}, async () => {
  const {page, context} = await open(browser, report, {hash: '#s=100'});
  await page.locator('#play').click();
  await page.waitForFunction(
      () => document.documentElement.dataset.sample === '119');
  await page.waitForFunction(
      () => document.getElementById('play').textContent === 'play');
  // Both in one task, before it can have played on.
  assert.equal(await page.evaluate(() => {
    const play = document.getElementById('play');
    const slider = document.getElementById('slider');
    play.click();
    const words = play.textContent;
    slider.value = '90';
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    return words;
  }), 'stop');
  await page.waitForFunction(
      () => document.getElementById('play').textContent === 'play');
  await settled(page);
  assert.equal(await page.locator('html').getAttribute('data-sample'), '90');
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
      () => document.documentElement.dataset.sample === '20');
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
  const listed = structuredClone(results);
  listed.allocators[0].objects.data = cut(listed.allocators[0].objects.data);
  const {page, context} = await open(browser, write('broken', listed));
  assert.match(await text(page, 'banners'), /list of objects of pymalloc cannot/);
  assert.ok(await page.locator('#heap').isVisible(), 'the map is whole');
  assert.ok(await page.locator('#culprits').isHidden());
  await context.close();
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
                !e.closest('#heap-frame, #zoom-frame, #pin-blocks, ' +
                           '#culprits, .visually-hidden, thead'))
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

test('two million requests: a small page, soon there, a quick scrub', {skip},
     async () => {
  const big = makeResults({samples: 500, perSample: 4200}).results;
  const path = write('big', big);
  const bytes = statSync(path).size;
  assert.ok(bytes < 150e3 + 2.1 * 6e6, `${bytes} bytes`);
  const {page, context} = await open(browser, path);
  const {painted, ready} = await page.evaluate(() => ({
    painted: performance.getEntriesByName('first-contentful-paint')[0]
        ?.startTime ?? 0,
    ready: performance.getEntriesByName('ready')[0].startTime}));
  console.log(`${(bytes / 1e6).toFixed(2)} MB; painted after ${
      painted.toFixed(0)} ms, ready after ${ready.toFixed(0)} ms`);
  // The goals are 200 ms, and 600 ms for each million. Others use the machine
  // as well: this is only about what no reader would wait for.
  assert.ok(painted < 20e3 && ready < 60e3, `${painted}, ${ready} ms`);
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
  // The goal is a p95 of 4 ms; a tenth of a second is where a slider drags.
  assert.ok(times[40] < 100, `median ${times[40]} ms`);
  await context.close();
});

test('?, / and the link work anywhere', {skip}, async () => {
  const {page, errors, context} = await open(browser, report);
  await page.keyboard.press('?');
  await page.locator('#keys').waitFor({state: 'visible'});
  await page.keyboard.press('Escape');
  await page.locator('#keys').waitFor({state: 'hidden'});
  const goTo = async (words) => {
    await page.keyboard.press('/');
    await page.locator('#goto').waitFor({state: 'visible'});
    await page.locator('#goto-text').fill(words);
    await page.keyboard.press('Enter');
  };
  await goTo('nowhere at all');
  assert.match(await text(page, 'goto-words'), /Nothing here is called/);
  await page.locator('#goto-close').click();
  for (const [words, sample] of [['peak', results.moments.peak], ['end',
       results.moments.end], [String(results.timeline.request[7]), 7]]) {
    await goTo(words);
    await page.waitForFunction(
        (s) => document.documentElement.dataset.sample === String(s), sample);
  }
  await goTo('arena 0 pool 1');
  await page.locator('#pool-panel').waitFor({state: 'visible'});
  await page.locator('#copy-link').click();
  await page.waitForFunction(() => location.hash.includes('pool=1'));
  assert.match(await text(page, 'copy-link'), /^Link/);
  // A key pressed while the focus is still in the dialog that just closed.
  await page.keyboard.press('/');
  await page.locator('#goto').waitFor({state: 'visible'});
  await page.evaluate(() => {
    const field = document.getElementById('goto-text');
    field.closest('dialog').close();
    field.dispatchEvent(
        new KeyboardEvent('keydown', {key: '/', bubbles: true}));
  });
  await page.locator('#goto').waitFor({state: 'visible'});
  assert.deepEqual(errors, []);
  await context.close();
});
