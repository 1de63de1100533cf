// The list of objects against the allocator that it was made from, and what the
// page concludes from it, by hand.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {gunzipSync} from 'node:zlib';
import {Colouring} from '../../visualizer/src/colouring.js';
import {HeapHistory} from '../../visualizer/src/heap_history.js';
import {layersAt} from '../../visualizer/src/layers_view.js';
import {MapError} from '../../visualizer/src/map_bytes.js';
import {ObjectTable} from '../../visualizer/src/object_table.js';
import {culprits, releaseCurve} from '../../visualizer/src/pin_view.js';
import {scanRun} from '../../visualizer/src/run_scan.js';
import {makeResults, objectsOf} from './synthetic_results.mjs';

const unpacked = ({data}) => gunzipSync(Buffer.from(data, 'base64'));
const tableOf = (header) => new ObjectTable(header, unpacked(header));
const {results, truth, objects} = makeResults({samples: 60, perSample: 1500});
const [pymalloc] = results.allocators;

test('every block of every sample has its object, and no other', () => {
  const table = tableOf(pymalloc.objects);
  for (let sample = 0; sample < 60; ++sample) {
    const found = new Map();
    table.forLive(sample, (row) => {
      const pool = table.pool[row];
      found.set(pool, (found.get(pool) ?? new Set()).add(table.block[row]));
    });
    assert.deepEqual(
        [...found].sort((a, b) => a[0] - b[0]),
        [...truth[sample].pools].map(([pool, {live}]) =>
            [pool, new Set([...live].sort((a, b) => a - b))])
            .sort((a, b) => a[0] - b[0]), `sample ${sample}`);
  }
  const some = objects[objects.length >> 1];
  const [row] = table.liveIn(some.birth, some.pool, some.pool + 1).filter(
      (r) => table.block[r] === some.block);
  assert.deepEqual([table.birth[row], table.death[row], table.size[row],
                    table.thread[row], table.type[row], table.site[row]],
                   [some.birth, some.death, some.bytes, some.thread, some.type,
                    some.site]);
});

test('a list that is cut, goes on, or says nonsense is refused', () => {
  const header = pymalloc.objects;
  const bytes = unpacked(header);
  const read = (changed, some = header) => () => new ObjectTable(some, changed);
  assert.throws(read(bytes.subarray(0, bytes.length - 1)), MapError);
  assert.throws(read(bytes.subarray(0, 40)), MapError);
  assert.throws(read(Uint8Array.from([...bytes, 0])), MapError);
  assert.throws(read(bytes, {...header, samples: 5}), MapError);
  assert.throws(read(bytes, {...header, count: header.count + 1}), MapError);
});

// Two arenas of 64 pools. a: two objects in arena 0; b: one in each.
const row = (pool, block, birth, death, type) =>
    ({pool, block, birth, death, bytes: 20, thread: 0, type, site: 0});
const kRows = [row(0, 0, 0, 4, 1), row(0, 1, 1, 2, 1), row(3, 5, 0, 4, 2),
               row(64, 0, 0, 4, 2)];
const tiny = () => tableOf(objectsOf(kRows, 4));

test('only what nothing else holds is given back', () => {
  const table = tiny();
  const at = (sample) => culprits({sample, poolsPerArena: 64}, table,
                                  (r) => table.type[r]);
  assert.deepEqual(at(1), [
    {key: 2, blocks: 2, bytes: 40, arenas: 1},
    {key: 1, blocks: 2, bytes: 40, arenas: 0}]);
  assert.deepEqual(culprits({sample: 1, poolsPerArena: 64}, table, () => 7),
                   [{key: 7, blocks: 4, bytes: 80, arenas: 2}]);
  assert.deepEqual(at(2).map(({blocks}) => blocks), [2, 1]);
});

test('the release curve sums the arenas with the fewest blocks', () => {
  assert.deepEqual(releaseCurve([{blocks: 1}, {blocks: 4}, {blocks: 9}]),
                   [0, 1, 5, 14]);
});

test('a pool has the colour of its oldest block, and of the last to go', () => {
  const map = pymalloc.map;
  const heap = new HeapHistory(map, unpacked(map));
  const table = tableOf(pymalloc.objects);
  const colouring = new Colouring(heap, table, 55);
  const sample = 30;
  heap.seek(sample);
  const live = objects.filter((o) => o.birth <= sample && sample < o.death);
  for (const [kind, levelOf] of [
      ['age', (o) => Math.round(255 * Math.sqrt((30 - o.birth) / 31))],
      ['free', (o) => o.death > 55 ? 255 :
          Math.round(240 * Math.sqrt((o.death - 30) / 25))]]) {
    colouring.choose(kind);
    colouring.prepare(sample);
    for (let cell = 0; cell < heap.cells; cell += 17) {
      if (heap.cls[cell] === 0) continue;
      const slot = heap.slotOf(cell);
      const pool = heap.ordinals[slot] * 64 + cell - slot * 64;
      const levels = live.filter((o) => o.pool === pool).map(levelOf);
      assert.equal(colouring.looks[cell], Math.max(...levels), kind);
    }
  }
  colouring.choose('site');
  assert.equal(colouring.kind, 'site');
  colouring.choose('nothing');
  assert.equal(colouring.kind, 'occupancy');
  assert.deepEqual(new Colouring(heap, null, 55).kinds(),
                   ['occupancy', 'class']);
});

test('each layer is a part of the one it lies in', () => {
  for (const sample of [5, 30, 59]) {
    const layers = layersAt(results, pymalloc, sample);
    const sum = (title) => layers.find((l) => l.title === title).shares.reduce(
        (total, {bytes}) => total + bytes, 0);
    const [used] = layers.find((l) => l.title === 'arenas').shares;
    assert.equal(used.bytes, sum('pools'));
    const [live] = layers.find((l) => l.title === 'pools').shares;
    assert.equal(live.bytes, sum('blocks'));
    assert.equal(sum('arenas'), pymalloc.arenas.live[sample] * (1 << 20));
  }
});

test('one pass over the run sees what the map shows', async () => {
  const map = pymalloc.map;
  const heap = new HeapHistory(map, unpacked(map));
  const scan = await scanRun(heap, new AbortController().signal);
  assert.equal(scan.filled.length, 60);
  for (const sample of [0, 20, 59]) {
    const bytes = Array(32).fill(0);
    for (const {cls} of truth[sample].pools.values()) bytes[cls] += 1 << 14;
    assert.deepEqual([...scan.classBytes[sample]], bytes);
    const held = scan.filled[sample].filter((share) => share >= 0).length;
    assert.ok(held * scan.cellsPerRow >= truth[sample].arenas.size * 64);
  }
});
