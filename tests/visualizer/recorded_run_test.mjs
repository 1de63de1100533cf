// The acceptance test of the map: a real Python run is recorded and replayed,
// and what the page draws is compared with what the replayer's list of
// placements and the trace's own text say. The expected occupancy is worked out
// here from those two texts alone; the page's decoder and the map's encoder are
// both under test.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {after, before, test} from 'node:test';
import {gunzipSync} from 'node:zlib';
import {decodePlaces, LiveTable} from '../../visualizer/src/live_table.js';
import {kCellBytes, PlaceCells} from '../../visualizer/src/place_cells.js';
import {kViridis} from '../../visualizer/src/palette.js';
import {kChromium, launch, open} from './browser.mjs';

const kArenalab = process.env.ARENALAB ?? resolve('tools/cli/arenalab');
const kCells = 50;
const kProgram = `
kept = []
for phase in range(5):
    live = []
    for i in range(6000):
        live.append({"a": i, "b": str(i) * (phase + 1),
                     "c": bytes(16 + i % 300), "d": (i, phase)})
    kept.extend(live[::97])
    live = [row for row in live if row["a"] % 50]
`;

/** A trace's text and its placements, event by event, as a heap. */
class ListedHeap {
  /**
   * @param {string} trace lines of `trace dump`
   * @param {string} placements lines of `replay --placements`
   * @param {object} map the geometry
   */
  constructor(trace, placements, map) {
    this.map = map;
    this.events = trace.split('\n').filter(
        (line) => /^(malloc|calloc|aligned|realloc|free|free-unknown) /
                      .test(line));
    this.bases = trace.split('\n')
        .map((line) => /^arena\+ (0x[0-9a-f]+|\d+) (\d+)/.exec(line))
        .filter((m) => m && Number(m[2]) === map.arena_bytes)
        .map((m) => Number(BigInt(m[1]) % BigInt(map.pool_bytes)));
    /** Event -> where its block went; null: to the second allocator. */
    this.placed = new Map();
    for (const line of placements.split('\n')) {
      const words = line.split(' ');
      if (/^\d+$/.test(words[0])) {
        this.placed.set(Number(words[0]), words[1] === 'raw' ? null :
            {arena: Number(words[1]), offset: Number(words[2])});
      }
    }
    this.where = new Map();   // id -> {pool, offset} or null
    this.pools = new Map();   // pool number -> {blocks: Set, size}
    this.done = 0;
  }

  /** @param {number} request everything below it happens */
  runTo(request) {
    for (; this.done < request; ++this.done) this.#event(this.done);
  }

  #event(n) {
    const words = this.events[n].split(' ');
    const id = words[1];
    const size = Number(words[0] === 'aligned' ? words[3] : words[2]);
    const old = this.where.get(id);
    if (words[0] === 'free-unknown') return;
    if (words[0] === 'free') {
      this.#leave(old);
      this.where.delete(id);
      return;
    }
    if (!this.placed.has(n)) return;
    const to = this.placed.get(n);
    const place = to && {pool: this.#poolOf(to), ...to};
    const same = old && place && old.arena === place.arena &&
        old.offset === place.offset;
    this.where.set(id, place);
    if (same) return;
    if (words[0] === 'realloc') this.#leave(old);
    if (place === null) return;
    const alignment = this.map.alignment;
    const blocks = this.pools.get(place.pool)?.blocks ?? new Set();
    blocks.add(place.offset);
    this.pools.set(place.pool, {blocks, size:
        Math.ceil(size / alignment) * alignment});
  }

  #leave(place) {
    if (!place) return;
    const pool = this.pools.get(place.pool);
    pool.blocks.delete(place.offset);
    if (pool.blocks.size === 0) this.pools.delete(place.pool);
  }

  #poolOf({arena, offset}) {
    const {pool_bytes: bytes, arena_bytes: arenaBytes} = this.map;
    const first = (bytes - this.bases[arena]) % bytes;
    return arena * (arenaBytes / bytes) + Math.floor((offset - first) / bytes);
  }

  /** Live and possible blocks of a pool; null when none is live. */
  occupancy(pool) {
    const known = this.pools.get(pool);
    if (known === undefined) return null;
    const {pool_bytes: bytes, header_bytes: header} = this.map;
    return {live: known.blocks.size, size: known.size,
            capacity: Math.floor((bytes - header) / known.size)};
  }
}

const skip = kChromium ? false : 'no Chromium is installed';
let browser, results, heap, report, trace;

before(() => {
  if (skip) return;
  const folder = mkdtempSync(
      join(process.env.TEST_TMPDIR ?? tmpdir(), 'recorded-'));
  const at = (name) => join(folder, name);
  const arenalab = (...args) => execFileSync(
      kArenalab, args, {maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'pipe']});
  writeFileSync(at('run.py'), kProgram);
  arenalab('record', '-f', '-o', at('run.trace'), '--', 'python3', at('run.py'));
  arenalab('replay', at('run.trace'), '-a', 'pymalloc', '--repetitions', '0',
           '--samples', '80', '-f', '-o', at('run.json'),
           '--placements', at('run.placements'));
  report = at('run.html');
  arenalab('report', at('run.json'), '-f', '-o', report);
  results = JSON.parse(readFileSync(at('run.json'), 'utf8'));
  trace = at('run.trace');
  heap = new ListedHeap(
      String(arenalab('trace', 'dump', at('run.trace'))),
      readFileSync(at('run.placements'), 'utf8'), results.allocators[0].map);
});
before(async () => {
  if (!skip) browser = await launch();
});
after(() => browser?.close());

/** Fifty (sample, pool) pairs in the order of the samples, always the same. */
function choose(perArena) {
  let state = 12345;
  const next = (n) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 4294967296) * n);
  };
  const {live} = results.allocators[0].arenas;
  const samples = Array.from({length: kCells}, () => {
    const s = next(live.length);
    return live[s] > 0 ? s : live.findIndex((n) => n > 0);
  }).sort((a, b) => a - b);
  return {samples, pick: (arenas) =>
      arenas[next(arenas.length)] * perArena + next(perArena - 1)};
}

test('fifty cells of the drawn map equal the list of placements', {skip},
     async () => {
  const {page} = await open(browser, report);
  const perArena = heap.map.arena_bytes / heap.map.pool_bytes;
  const {samples, pick} = choose(perArena);
  const seen = {full: 0, partly: 0, free: 0};
  for (const sample of samples) {
    heap.runTo(results.timeline.request[sample]);
    const arenas =
        [...new Set([...heap.pools.keys()].map((p) => Math.floor(p / perArena)))];
    if (arenas.length === 0) continue;
    const pool = pick(arenas);
    const expected = heap.occupancy(pool);
    const place = [sample, Math.floor(pool / perArena), pool % perArena];
    await page.evaluate(([s, arena, index]) => {
      location.hash = `s=${s}&arena=${arena}&pool=${index}`;
    }, place);
    await page.waitForFunction(
        ([s, arena, index]) =>
            document.documentElement.dataset.sample === String(s) &&
            document.getElementById('pool-title').textContent ===
                `Arena ${arena}, pool ${index}`, place);
    const drawn = await page.evaluate(() => {
      const box = document.getElementById('heap-focus');
      const move = new DOMMatrix(getComputedStyle(box).transform);
      const size = parseFloat(box.style.width);
      const canvas = document.getElementById('heap-canvas');
      const data = canvas.getContext('2d')
          .getImageData(move.e, move.f, size, size).data;
      const colors = new Set();
      for (let i = 0; i < data.length; i += 4)
        colors.add([data[i], data[i + 1], data[i + 2]].join(','));
      return {colors: [...colors],
              words: document.getElementById('pool-words').textContent};
    });
    const where = `sample ${sample}, pool ${pool}: ${drawn.words}`;
    if (expected === null) {
      ++seen.free;
      assert.equal(drawn.colors.length, 2, `${where} must be hatched`);
      assert.match(drawn.words, /free but held/, where);
      continue;
    }
    const {live, capacity, size} = expected;
    ++seen[live === capacity ? 'full' : 'partly'];
    const level = live === capacity ? 255 :
        Math.max(1, Math.floor((live / capacity) * 255));
    assert.deepEqual(drawn.colors, [kViridis[level].join(',')],
                     `${where}; expected ${live} of ${capacity}`);
    assert.ok(drawn.words.includes(
        `${size}-byte class, ${live} of ${capacity} blocks live`), where);
  }
  // A run that showed one kind only would prove little.
  assert.ok(seen.full > 4 && seen.partly > 4, JSON.stringify(seen));
});

test('every pool of every tenth sample has the listed live blocks and objects',
     {skip}, async () => {
  const {ObjectTable} = await import('../../visualizer/src/object_table.js');
  const {HeapHistory} = await import('../../visualizer/src/heap_history.js');
  const {gunzipSync} = await import('node:zlib');
  const map = results.allocators[0].map;
  const history =
      new HeapHistory(map, gunzipSync(Buffer.from(map.data, 'base64')));
  const again = new ListedHeap('', '', map);
  Object.assign(again, {events: heap.events, bases: heap.bases,
                        placed: heap.placed});
  const {objects} = results.allocators[0];
  const table = new ObjectTable(
      objects, gunzipSync(Buffer.from(objects.data, 'base64')));
  assert.equal(objects.told, null, 'a short run is listed whole');
  const perArena = history.poolsPerArena;
  for (let s = 0; s < map.samples; s += 10) {
    again.runTo(results.timeline.request[s]);
    history.seek(s);
    const drawn = new Map();
    for (let cell = 0; cell < history.cells; ++cell) {
      if (history.cls[cell] === 0) continue;
      const slot = history.slotOf(cell);
      drawn.set(history.ordinals[slot] * perArena + (cell - slot * perArena),
                history.live[cell]);
    }
    assert.deepEqual(
        [...drawn].sort((a, b) => a[0] - b[0]),
        [...again.pools].map(([pool, {blocks}]) => [pool, blocks.size])
            .sort((a, b) => a[0] - b[0]), `sample ${s}`);
    const listed = new Map();
    table.forLive(s, (row) => listed.set(
        table.pool[row], (listed.get(table.pool[row]) ?? 0) + 1));
    assert.deepEqual([...listed].sort((a, b) => a[0] - b[0]),
                     [...drawn].sort((a, b) => a[0] - b[0]), `objects, ${s}`);
  }
});

test('the live blocks of each arena are those that the replayer counted',
     {skip}, async () => {
  const {HeapHistory} = await import('../../visualizer/src/heap_history.js');
  const {cheapest, holdings} =
      await import('../../visualizer/src/pin_view.js');
  const {gunzipSync} = await import('node:zlib');
  const {map, arenas} = results.allocators[0];
  const history =
      new HeapHistory(map, gunzipSync(Buffer.from(map.data, 'base64')));
  let compared = 0;
  for (const moment of ['peak', 'last_valley', 'end']) {
    const counted = arenas.live_blocks[moment];
    if (counted === null) continue;
    history.seek(results.moments[moment]);
    const list = holdings(history);
    assert.deepEqual(list.map((h) => h.blocks), counted, moment);
    const half = Math.ceil(counted.length / 2);
    assert.deepEqual(cheapest(list, 0.5), {arenas: half,
      blocks: counted.slice(0, half).reduce((a, b) => a + b, 0)}, moment);
    compared += counted.length;
  }
  assert.ok(compared > 0);
});

test('the processes of a run: what they used together, by hand', () => {
  const run = mkdtempSync(
      join(process.env.TEST_TMPDIR ?? tmpdir(), 'processes-'));
  // Milliseconds, then KiB of Rss, Pss and private pages.
  const traces = {
    'a.trace': [10, 1, 1e9, '0 1000 800 700 100 2000 1500 1200'],
    'a.11.trace': [11, 10, 1.05e9, '0 600 500 400 50 600 550 450'],
  };
  for (const [name, [pid, parent, clock, readings]] of Object.entries(traces)) {
    writeFileSync(join(run, 'text'), `meta python 3.11.2
meta run r1
meta process ${pid}
meta parent-process ${parent}
meta started-clock-ns ${clock}
meta readings ${readings}
malloc 1 24
malloc 2 24
free 1
`);
    execFileSync(kArenalab, ['trace', 'import', join(run, 'text'), '-o',
                             join(run, name)], {stdio: 'pipe'});
  }
  execFileSync(kArenalab, ['replay', join(run, 'a.trace'), '-a', 'pymalloc',
                           '--repetitions', '0'], {stdio: 'pipe'});
  const {processes} = JSON.parse(readFileSync(join(run, 'a.json'), 'utf8'));
  const kib = 1024;
  assert.equal(processes.duration_ns, 1e8);
  assert.equal(processes.worst, 0);
  assert.equal(processes.peak_pss_bytes, (1500 + 550) * kib);
  assert.equal(processes.peak_private_bytes, (1200 + 450) * kib);
  assert.match(processes.words, /^2 processes, .* Process 10 has the most/);
  const [first, second] = processes.members;
  assert.deepEqual([first.process, second.process], [10, 11]);
  assert.deepEqual([first.is_this, second.is_this], [true, false]);
  const {length} = first.pss_bytes;
  assert.equal(first.pss_bytes[0], 800 * kib);
  assert.equal(first.pss_bytes[length - 2], 800 * kib, 'until the next reading');
  assert.equal(first.pss_bytes[length - 1], 1500 * kib);
  assert.equal(second.pss_bytes[length / 2 - 2], null, 'before it began');
  assert.equal(second.pss_bytes[length / 2 + 1], 500 * kib);
  assert.equal(second.private_bytes[length - 1], 450 * kib);
});

test('run of a program that forks: the worst process is a click away', {skip},
     async () => {
  const run = mkdtempSync(join(process.env.TEST_TMPDIR ?? tmpdir(), 'forks-'));
  writeFileSync(join(run, 'app.py'), `
import os
table = [str(i) for i in range(3000)]
if os.fork() == 0:
    table = [{"n": i, "s": str(i)} for i in range(60000)]
    os._exit(0)
os.wait()
`);
  execFileSync(kArenalab, ['run', '-a', 'pymalloc', '--repetitions', '0', '-o',
                           join(run, 'app.html'), '--', 'python3',
                           join(run, 'app.py')], {stdio: 'pipe'});
  const {page, errors, context} = await open(browser, join(run, 'app.html'));
  const rows = page.locator('.processes tbody tr');
  assert.equal(await rows.count(), 2);
  const {processes} = JSON.parse(readFileSync(join(run, 'app.json'), 'utf8'));
  // The kernel may not have been asked in the child's short life; then it is
  // the parent that has the most.
  const row = rows.nth(processes.worst);
  assert.match(await row.innerText(), /worst/);
  const link = row.getByRole('link');
  const name = await row.locator('th').innerText();
  await link.click();
  await page.waitForFunction(
      () => document.documentElement.dataset.ready !== undefined);
  assert.ok(await page.locator('#heap').isVisible(), name);
  assert.equal(await page.locator('.processes tbody tr').nth(processes.worst)
      .getByRole('link').getAttribute('href'), '#heap');
  assert.deepEqual(errors, []);
  await context.close();
});

test('the map of another allocator: every live byte is in it, none twice',
     {skip}, async () => {
  const other = mkdtempSync(join(tmpdir(), 'places-'));
  execFileSync(kArenalab, ['replay', trace, '-a', 'pymalloc,mimalloc',
                           '--repetitions', '0', '--samples', '80',
                           '--no-oracle', '--clock', 'stopped', '-o',
                           join(other, 'run.json')], {stdio: 'pipe'});
  execFileSync(kArenalab, ['report', join(other, 'run.json')], {stdio: 'pipe'});
  const {live, allocators, timeline, moments} =
      JSON.parse(readFileSync(join(other, 'run.json'), 'utf8'));
  const bytes = ({data}) => gunzipSync(Buffer.from(data, 'base64'));
  const table = new LiveTable(live, bytes(live));
  assert.equal(live.told, null, 'all samples are told');
  for (const {spelled, places: payload} of allocators) {
    const places = decodePlaces(table.size, bytes(payload));
    const cells = new PlaceCells(table, places);
    // There and back: by what changes between, and from key frames.
    const {length} = timeline.request;
    for (const sample of [moments.peak, 3, length - 1, 70, 71, 0, moments.end]) {
      cells.seek(sample);
      assert.equal(cells.bytes.reduce((sum, n) => sum + n, 0),
                   timeline.requested_bytes[sample], `${spelled}, ${sample}`);
    }
    cells.seek(moments.peak);
    for (let cell = 0; cell < cells.cells; ++cell) {
      let behind = 0;
      for (const row of cells.liveIn(cell)) {
        const at = places[row] * 8;
        assert.ok(at >= behind, `${spelled}: two blocks at ${at}`);
        behind = at + table.size[row];
      }
      assert.ok(cells.bytes[cell] <= kCellBytes);
    }
  }
  const {page, errors, context} = await open(
      browser, join(other, 'run.report.html'),
      {hash: `#s=${moments.peak}&a=mimalloc`});
  assert.ok(await page.locator('#places').isVisible());
  assert.ok(await page.locator('#heap').isHidden());
  assert.match(await page.locator('#places').innerText(), /counterfactual/);
  await page.locator('#places-frame').focus();
  // To a cell that holds something, and in to one of its blocks.
  while (!/ live, /.test(await page.locator('#places-words').innerText()))
    await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.locator('#places-panel').waitFor({state: 'visible'});
  await page.waitForFunction(
      () => document.activeElement?.id === 'places-zoom');
  await page.keyboard.press('Home');
  await page.locator('#places-elsewhere li').first().waitFor();
  assert.match(await page.locator('#places-block-words').innerText(),
               /^0x[0-9a-f]+: .* asked for/);
  assert.match(await page.locator('#places-elsewhere').innerText(),
               /^pymalloc: 0x[0-9a-f]+, in a page of which/);
  await page.keyboard.press('Escape');
  await page.locator('#places-panel').waitFor({state: 'hidden'});
  assert.deepEqual(errors, []);
  await context.close();
});
