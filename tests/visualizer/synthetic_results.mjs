// A results file made from the schema alone (tools/replay/RESULTS.md): a small
// pool allocator runs a program of six phases, and its heap is written as the
// map's varints. Returns the file and the truth it was made from, so that tests
// compare the page with the allocator and not with the page's own decoder.
//
//   node synthetic_results.mjs OUT.json [SAMPLES] [REQUESTS_PER_SAMPLE]
import {writeFileSync} from 'node:fs';
import {pathToFileURL} from 'node:url';
import {gzipSync} from 'node:zlib';

const kArenaBytes = 1 << 20;
const kPoolBytes = 1 << 14;
const kHeaderBytes = 48;
const kAlignment = 16;
const kClasses = 32;
const kPoolsPerArena = kArenaBytes / kPoolBytes;

/** A deterministic generator, so that every run makes the same file. */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const sizeOf = (c) => (c + 1) * kAlignment;
const capacityOf = (c) => Math.floor((kPoolBytes - kHeaderBytes) / sizeOf(c));

/** Pools, lowest address first; an arena goes when its last block does. */
class Heap {
  arenas = [];  // {ordinal, offset, used (pools with a class), released}
  pools = [];   // number -> {cls: -1 | class, live: Set, cap}
  partial = Array.from({length: kClasses}, () => new Set());
  acquired = 0;
  released = 0;

  constructor(offsets) { this.offsets = offsets; }

  allocate(cls) {
    let pool = this.partial[cls].values().next().value;
    if (pool === undefined) {
      pool = this.takePool(cls);
      this.partial[cls].add(pool);
    }
    const p = this.pools[pool];
    let block = p.free.pop();
    if (block === undefined) block = p.carved++;
    p.live.add(block);
    if (p.live.size === p.cap) this.partial[cls].delete(pool);
    return [pool, block];
  }

  takePool(cls) {
    for (const arena of this.arenas) {
      if (arena.released) continue;
      const usable = arena.offset ? kPoolsPerArena - 1 : kPoolsPerArena;
      if (arena.used === usable) continue;
      for (let i = 0; i < usable; ++i) {
        const pool = arena.ordinal * kPoolsPerArena + i;
        if (this.pools[pool]) continue;
        return this.openPool(arena, pool, cls);
      }
    }
    const ordinal = this.arenas.length;
    const offset = this.offsets ? 4096 : 0;
    this.arenas.push({ordinal, offset, used: 0, released: false});
    ++this.acquired;
    return this.openPool(this.arenas[ordinal], ordinal * kPoolsPerArena, cls);
  }

  openPool(arena, pool, cls) {
    ++arena.used;
    this.pools[pool] =
        {cls, live: new Set(), cap: capacityOf(cls), free: [], carved: 0};
    return pool;
  }

  free([pool, block]) {
    const p = this.pools[pool];
    p.live.delete(block);
    p.free.push(block);
    this.partial[p.cls].add(pool);
    if (p.live.size > 0) return;
    this.partial[p.cls].delete(pool);
    delete this.pools[pool];
    const arena = this.arenas[Math.floor(pool / kPoolsPerArena)];
    if (--arena.used === 0) {
      arena.released = true;
      ++this.released;
    }
  }

  /** What the truth and the map are made from. */
  picture() {
    const pools = new Map();
    for (const key of Object.keys(this.pools)) {
      const p = this.pools[key];
      pools.set(Number(key), {cls: p.cls, live: new Set(p.live)});
    }
    const arenas = new Map();
    for (const a of this.arenas)
      if (!a.released) arenas.set(a.ordinal, a.offset);
    return {pools, arenas};
  }
}

/** The varints of one sample: the difference of two pictures. */
export function encodeSample(before, after, put) {
  const changed = [];
  for (const [ordinal, offset] of after.arenas)
    if (!before.arenas.has(ordinal)) changed.push([ordinal, 0, offset]);
  for (const ordinal of before.arenas.keys())
    if (!after.arenas.has(ordinal)) changed.push([ordinal, 1, 0]);
  changed.sort((a, b) => a[0] - b[0]);
  put(changed.length);
  for (const [ordinal, kind, offset] of changed) {
    put(ordinal);
    put(kind);
    put(offset);
  }
  const numbers =
      [...new Set([...before.pools.keys(), ...after.pools.keys()])].sort(
          (a, b) => a - b);
  const cls = (picture, pool) => (picture.pools.get(pool)?.cls ?? -1) + 1;
  // The pools of an arena that has gone went with it.
  const classes = numbers.filter(
      (p) => cls(before, p) !== cls(after, p) &&
          after.arenas.has(Math.floor(p / kPoolsPerArena)));
  put(classes.length);
  let last = 0;
  for (const p of classes) {
    put(p - last);
    last = p;
    put(cls(after, p));
  }
  const blocks = [];
  for (const p of numbers) {
    if (!after.pools.has(p)) continue;
    const live = after.pools.get(p).live;
    const was =
        cls(before, p) === cls(after, p) ? before.pools.get(p).live : new Set();
    const toggled = [...live].filter((b) => !was.has(b)).concat(
        [...was].filter((b) => !live.has(b))).sort((a, b) => a - b);
    if (toggled.length) blocks.push([p, toggled]);
  }
  put(blocks.length);
  last = 0;
  for (const [p, toggled] of blocks) {
    put(p - last);
    last = p;
    put(toggled.length);
    let previous = 0;
    for (const b of toggled) {
      put(b - previous);
      previous = b;
    }
  }
}

/** Collects varints. */
export function varints() {
  const bytes = [];
  const put = (n) => {
    while (n >= 128) {
      bytes.push((n % 128) | 128);
      n = Math.floor(n / 128);
    }
    bytes.push(n);
  };
  return {bytes, put};
}

/** MAP of a run, from the pictures of its samples. */
export function mapOf(pictures) {
  const {bytes, put} = varints();
  let before = {pools: new Map(), arenas: new Map()};
  for (const after of pictures) {
    encodeSample(before, after, put);
    before = after;
  }
  return {
    encoding: 'varint+gzip+base64',
    arena_bytes: kArenaBytes,
    pool_bytes: kPoolBytes,
    alignment: kAlignment,
    classes: kClasses,
    header_bytes: kHeaderBytes,
    samples: pictures.length,
    data: gzipSync(Buffer.from(bytes)).toString('base64'),
  };
}

export const kTypes = ['not known', 'dict', 'tuple', 'str'];
export const kSites = ['not known', 'app/cache.py:88', 'app/parse.py:12'];

/** OBJECTS, from rows {pool, block, birth, death, bytes, thread, type, site}. */
export function objectsOf(rows, samples) {
  const {bytes, put} = varints();
  rows = [...rows].sort((a, b) => a.pool - b.pool || a.block - b.block ||
      a.birth - b.birth);
  const before = (i, key) => {
    const [a, b] = [rows[i - 1], rows[i]];
    return a && a.pool === b.pool && (key === 'block' || a.block === b.block) ?
        a : null;
  };
  rows.forEach((row, i) => put(row.pool - (rows[i - 1]?.pool ?? 0)));
  rows.forEach((row, i) => put(row.block - (before(i, 'block')?.block ?? 0)));
  rows.forEach((row, i) => put(row.birth - (before(i, 'birth')?.death ?? 0)));
  for (const {birth, death} of rows) put(death === samples ? 0 : death - birth);
  for (const key of ['bytes', 'thread', 'type', 'site'])
    for (const row of rows) put(row[key]);
  return {encoding: 'varint+gzip+base64', samples, count: rows.length,
          told: null, types: kTypes, sites: kSites,
          data: gzipSync(Buffer.from(bytes)).toString('base64')};
}

/** The smallest pool with a free list, as the model chooses it. */
function exampleOf(heap, sample) {
  let best = null;
  for (const key of Object.keys(heap.pools)) {
    const p = heap.pools[key];
    if (p.free.length < 2 || (best && p.live.size >= best.live_blocks)) continue;
    best = {sample, pool: Number(key), class: p.cls + 1,
            live_blocks: p.live.size, carved_blocks: p.carved,
            free_list: [...p.free].reverse()};
  }
  return best;
}

/** Runs the program and takes the samples. */
function run({samples, perSample, seed, offsets}) {
  const next = random(seed);
  const heap = new Heap(offsets);
  const live = [];
  const rows = {pictures: [], waterfall: [], live: [], requested: [],
                objects: [], request: [], allocated: [], released: [],
                listed: [], examples: []};
  const list = (object, death) => {
    const [pool, block] = object.where;
    if (object.birth < death)
      rows.listed.push({pool, block, death, ...object});
  };
  let requested = 0;
  let allocated = 0;
  let requests = 0;
  const phases = 6;
  const total = samples * perSample;
  for (let i = 0; i < total; ++i) {
    const phase = Math.floor((i * phases) / total);
    const within = ((i * phases) / total) % 1;
    const grow = within < 0.55;
    if (live.length === 0 || next() < (grow ? 0.78 : 0.12)) {
      const centre = (phase * 5 + Math.floor(next() * next() * 12)) % kClasses;
      const bytes = sizeOf(centre) - Math.floor(next() * kAlignment);
      live.push({where: heap.allocate(centre), bytes, keep: next() < 0.003,
                 birth: rows.request.length, thread: i % 3,
                 type: i % kTypes.length, site: phase % kSites.length});
      requested += bytes;
      allocated += bytes;
    } else {
      let at = Math.floor(next() * live.length);
      if (live[at].keep && within < 0.98) at = Math.floor(next() * live.length);
      const gone = live[at];
      if (!gone.keep || i > total * 0.97) {
        live[at] = live[live.length - 1];
        live.pop();
        heap.free(gone.where);
        list(gone, rows.request.length);
        requested -= gone.bytes;
      }
    }
    ++requests;
    if (requests % perSample) continue;
    const picture = heap.picture();
    rows.pictures.push(picture);
    rows.request.push(requests);
    rows.allocated.push(allocated);
    rows.requested.push(requested);
    rows.objects.push(live.length);
    rows.live.push(picture.arenas.size);
    rows.waterfall.push(waterfall(picture, requested));
    rows.examples.push(exampleOf(heap, rows.examples.length));
  }
  for (const object of live) list(object, samples);
  return {heap, rows};
}

function waterfall(picture, requested) {
  let used = 0, headers = 0, tails = 0, freeBlocks = 0, rest = 0;
  for (const {cls, live} of picture.pools.values()) {
    used += live.size * sizeOf(cls);
    headers += kHeaderBytes;
    tails += kPoolBytes - kHeaderBytes - capacityOf(cls) * sizeOf(cls);
    freeBlocks += (capacityOf(cls) - live.size) * sizeOf(cls);
  }
  let usable = 0;
  for (const offset of picture.arenas.values()) {
    usable += offset ? kPoolsPerArena - 1 : kPoolsPerArena;
    rest += offset ? kPoolBytes : 0;
  }
  const freePools = (usable - picture.pools.size) * kPoolBytes;
  return [requested, used - requested, headers, tails, freeBlocks, freePools,
          rest, 8192];
}

/** A whole results file; `truth` holds what the heap was at each sample. */
export function makeResults(options = {}) {
  const {samples = 240, perSample = 4000, seed = 7, offsets = false} = options;
  const {heap, rows} = run({samples, perSample, seed, offsets});
  const held = rows.waterfall.map((w) => w.reduce((a, b) => a + b, 0));
  const peak = held.indexOf(Math.max(...held));
  const valleys = [];
  for (let i = 1; i + 1 < samples; ++i) {
    const window = rows.requested.slice(Math.max(0, i - 15), i + 16);
    if (rows.requested[i] === Math.min(...window)) valleys.push(i);
  }
  const lastValley = valleys.length ? valleys[valleys.length - 1] : null;
  const summary = (h, c) => ({
    peak_held_bytes: Math.max(...h), peak_committed_bytes: Math.max(...c),
    last_valley_held_bytes: lastValley === null ? null : h[lastValley],
    last_valley_committed_bytes: lastValley === null ? null : c[lastValley],
    end_held_bytes: h[samples - 1], end_committed_bytes: c[samples - 1],
    peak_rss_bytes: Math.max(...c), end_rss_bytes: c[samples - 1],
    last_valley_rss_bytes: lastValley === null ? null : c[lastValley], jw1: 0.62, jw2: 0.21, jw3: 0.34,
    jw4: 0.19, drain_bytes: h[samples - 1]});
  const next = random(seed + 1);
  const times = (centre) =>
      Array.from({length: 12}, () => centre * (1 + (next() - 0.4) * 0.12));
  const time = (centre, ratio, verdict) => ({
    gross_ns_per_event: times(centre), again_ns_per_event: times(centre),
    gross_median: centre, net_median: centre - 2.1, ratio_to_pymalloc: ratio &&
        {median: ratio, low: ratio * 0.96, high: ratio * 1.05, verdict}});
  const classRow = (s) => {
    const row = {pools: Array(kClasses).fill(0), used_blocks:
        Array(kClasses).fill(0), free_blocks: Array(kClasses).fill(0)};
    for (const {cls, live} of rows.pictures[s].pools.values()) {
      row.pools[cls] += 1;
      row.used_blocks[cls] += live.size;
      row.free_blocks[cls] += capacityOf(cls) - live.size;
    }
    return row;
  };
  const committed = held.map((h, i) =>
      Math.max(rows.requested[i], Math.round(h * 0.93)));
  const pymalloc = {
    name: 'pymalloc', spelled: 'pymalloc', settings: {},
    label: 'replayed exactly', version: 'cpython-3.11', library: null,
    sha256: null, held_bytes: held, committed_bytes: committed,
    rss_bytes: committed.map((c) => c + 40960),
    waterfall: {parts: ['requested', 'rounding', 'pool_headers', 'pool_tails',
      'free_blocks', 'free_pools', 'arena_rest', 'metadata'],
      bytes: rows.waterfall},
    large: {held_bytes: held.map(() => 786432)},
    arenas: {arena_bytes: kArenaBytes, pool_bytes: kPoolBytes,
      created: heap.acquired, released: heap.released,
      high_water: Math.max(...rows.live), live_at_end: rows.live[samples - 1],
      live: rows.live,
      addresses: Array.from({length: heap.acquired}, (_, k) =>
          0x7f0000000000 + k * kArenaBytes + (offsets ? 4096 : 0))},
    classes: {size_bytes: Array.from({length: kClasses}, (_, c) => sizeOf(c)),
      peak: classRow(peak),
      last_valley: lastValley === null ? null : classRow(lastValley),
      end: classRow(samples - 1)},
    summary: summary(held, committed),
    time: time(14.2, 1, 'no difference'), map: mapOf(rows.pictures),
    objects: objectsOf(rows.listed, samples),
    example: rows.examples[lastValley ?? peak]};
  const other = (name, version, factor, ns, ratio, verdict) => {
    let smooth = 0;
    const c = rows.requested.map((r, i) => {
      smooth = Math.max(r * 1.08, smooth * factor);
      return Math.round(smooth + 900000 + i * 40);
    });
    return {name, spelled: name, settings: {}, label: 'counterfactual', version,
      library: null, sha256: null, held_bytes: null, committed_bytes: c,
      rss_bytes: c, waterfall: null, large: null, arenas: null, classes: null,
      summary: {...summary(c, c), peak_held_bytes: null,
        last_valley_held_bytes: null, end_held_bytes: null, drain_bytes: null},
      time: time(ns, ratio, verdict), map: null};
  };
  const page = (b) => Math.ceil(b / 4096) * 4096;
  const mib = (b) => (b / 1048576).toFixed(1) + ' MiB';
  const results = {
    schema: 'arenalab.results/1', tool: '0.1.0', complete: true,
    command: ['arenalab', 'replay', 'phases.trace', '-o', 'phases.json'],
    machine: {cpu: 'a synthetic processor', cores: 4, kernel: '6.1.0',
      libc: 'glibc 2.36', page_bytes: 4096, memory_bytes: 16 << 30 >>> 0,
      thp: 'madvise', aslr: 2},
    trace: {file: 'phases.trace', hash: 'f00d'.repeat(8),
      requests: samples * perSample, program: 'python3 phases.py',
      python: '3.11.2', geometry: 'cpython-3.10+', process: 4242,
      allocator: 'pymalloc', started: '2026-11-20T12:00:00Z',
      duration_ns: samples * 1e7, threads: 1, lost: 0, waited_ns: 0,
      by_kind: {alloc: 600000, realloc: 12000, free: 348000},
      by_layer: {raw: 0, mem: 90000, obj: 870000}, warnings: []},
    verify: {served: samples * perSample, compared: samples * perSample,
      mismatches: 0, first: null, status: 'equal', reason: ''},
    options: {scope: 'python', touch: 'header', clock: 'allocated bytes',
      repetitions: 12, second_allocator: 'system', time: 'clock stopped'},
    timeline: {request: rows.request, allocated_bytes: rows.allocated,
      time_ns: rows.request.map((r) => Math.round(r * 2500)),
      requested_bytes: rows.requested, requested_small_bytes: rows.requested,
      live_objects: rows.objects},
    marks: [{name: 'phase two', request: rows.request[Math.floor(samples / 6)],
      sample: Math.floor(samples / 6)}, {name: 'finalise',
      request: rows.request[Math.floor(samples * 0.97)],
      sample: Math.floor(samples * 0.97)}],
    moments: {peak, valleys, last_valley: lastValley, end: samples - 1},
    limits: {load: rows.requested, page_load: rows.requested.map(page),
      class_repack: rows.requested.map((r) => Math.round(r * 1.09))},
    allocators: [pymalloc,
      other('mimalloc', '2.0.9', 0.97, 11.1, 0.78, 'faster'),
      other('jemalloc', '5.3.0', 0.9, 16.9, 1.19, 'slower'),
      other('system', 'glibc 2.36', 0.93, 21.4, 1.5, 'slower')],
    verdict: {lines: [
      `At its peak pymalloc holds ${mib(held[peak])} for ` +
          `${mib(rows.requested[peak])} asked for.`,
      `${rows.live[samples - 1]} of ${heap.acquired} arenas are still held ` +
          `at the end.`,
      'mimalloc would hold less and run 22 % faster [18, 25].']}};
  return {results, truth: rows.pictures, objects: rows.listed};
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [, , out, samples, perSample] = process.argv;
  const {results} = makeResults({samples: Number(samples ?? 240),
                                 perSample: Number(perSample ?? 4000)});
  writeFileSync(out, JSON.stringify(results));
}
