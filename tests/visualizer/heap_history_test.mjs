// The map's decoder against the allocator that the payload was made from, and
// against payloads written by hand, whole, cut and wrong.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {gunzipSync} from 'node:zlib';
import {HeapHistory} from '../../visualizer/src/heap_history.js';
import {bytesOfBase64, inflate, MapError, VarintReader} from '../../visualizer/src/map_bytes.js';
import {makeResults} from './synthetic_results.mjs';

const kHeader = {encoding: 'varint+gzip+base64', arena_bytes: 1 << 18,
                 pool_bytes: 1 << 12, alignment: 8, classes: 64,
                 header_bytes: 48, samples: 1};
const kPoolsPerArena = 64;

function history(samples, ...bytes) {
  return new HeapHistory({...kHeader, samples}, Uint8Array.from(bytes));
}

/** Every arena, pool and block of a sample equals the truth. */
function expectPicture(heap, sample, picture) {
  heap.seek(sample);
  const held = [...heap.ordinals].filter((o) => o >= 0).sort((a, b) => a - b);
  assert.deepEqual(held, [...picture.arenas.keys()].sort((a, b) => a - b));
  let pools = 0;
  for (let cell = 0; cell < heap.cells; ++cell) {
    if (heap.cls[cell] === 0) {
      assert.equal(heap.live[cell], 0);
      continue;
    }
    ++pools;
    const slot = heap.slotOf(cell);
    const number = heap.ordinals[slot] * heap.poolsPerArena +
        (cell - slot * heap.poolsPerArena);
    const pool = picture.pools.get(number);
    assert.ok(pool, `pool ${number} at sample ${sample}`);
    assert.equal(heap.cls[cell], pool.cls + 1);
    assert.equal(heap.live[cell], pool.live.size);
    const {cls, blocks} = heap.blocksAt(cell, sample);
    assert.equal(cls, pool.cls + 1);
    const live = [];
    blocks.forEach((b, i) => b && live.push(i));
    assert.deepEqual(live, [...pool.live].sort((a, b) => a - b));
  }
  assert.equal(pools, picture.pools.size);
}

for (const offsets of [false, true]) {
  test(`every block of every sample, in any order (offsets: ${offsets})`, () => {
    const {results, truth} =
        makeResults({samples: 60, perSample: 1500, offsets});
    const map = results.allocators[0].map;
    const heap =
        new HeapHistory(map, gunzipSync(Buffer.from(map.data, 'base64')));
    for (let s = 0; s < 60; ++s) expectPicture(heap, s, truth[s]);
    for (const s of [59, 0, 31, 30, 58, 3, 29]) expectPicture(heap, s, truth[s]);
    assert.equal(heap.usablePools([...heap.ordinals].findIndex((o) => o >= 0)),
                 offsets ? 63 : 64);
  });
}

test('a seek backwards from a later key frame copies the earlier one', () => {
  const {results, truth} = makeResults({samples: 240, perSample: 4000});
  const map = results.allocators[0].map;
  const heap = new HeapHistory(map, gunzipSync(Buffer.from(map.data, 'base64')));
  assert.ok(heap.frames.length > 1, 'the run must need several key frames');
  for (const s of [239, 1, 120, 119, 121, 0]) expectPicture(heap, s, truth[s]);
});

test('class totals are the sums over the pools', () => {
  const {results} = makeResults({samples: 60, perSample: 1500});
  const {map, classes} = results.allocators[0];
  const heap = new HeapHistory(map, gunzipSync(Buffer.from(map.data, 'base64')));
  heap.seek(results.moments.peak);
  assert.deepEqual(heap.classTotals(), classes.peak);
  heap.seek(results.moments.end);
  assert.deepEqual(heap.classTotals(), classes.end);
});

test('by hand: one arena, one pool of the first class, blocks 0 and 2', () => {
  const heap = history(1, 1, 0, 0, 0, /**/ 1, 3, 1, /**/ 1, 3, 2, 0, 2);
  assert.equal(heap.cells, kPoolsPerArena);
  assert.equal(heap.cls[3], 1);
  assert.equal(heap.live[3], 2);
  const {blocks} = heap.blocksAt(3, 0);
  assert.equal(blocks.length, 506);  // (4096 - 48) / 8
  assert.deepEqual([...blocks.slice(0, 4)], [1, 0, 1, 0]);
});

test('a pool that becomes empty and comes back starts from no block', () => {
  const heap = history(
      3, 1, 0, 0, 0, 1, 0, 1, 1, 0, 2, 0, 2, /**/ 0, 1, 0, 0, 0, /**/
      0, 1, 0, 1, 1, 0, 1, 1);
  heap.seek(1);
  assert.equal(heap.live[0], 0);
  assert.equal(heap.blocksAt(0, 1).blocks.length, 0);
  assert.deepEqual([...heap.blocksAt(0, 2).blocks.slice(0, 3)], [0, 1, 0]);
  assert.deepEqual([...heap.blocksAt(0, 0).blocks.slice(0, 3)], [1, 0, 1]);
});

test('a released arena gives its slot to the next one', () => {
  const heap = history(
      2, 1, 0, 0, 0, 1, 0, 1, 1, 0, 1, 0, /**/
      2, 0, 1, 0, 5, 0, 128, 32, 1, 192, 2, 2, 1, 192, 2, 1, 1);
  assert.equal(heap.slots, 1);
  heap.seek(1);
  assert.deepEqual([...heap.ordinals], [5]);
  assert.deepEqual([...heap.blocksAt(0, 1).blocks.slice(0, 3)], [0, 1, 0]);
  assert.equal(heap.usablePools(0), 63);
  assert.equal(heap.cls[0], 2);
  assert.deepEqual(heap.arenaTotals(), {acquired: [1, 2], released: [0, 1]});
  heap.seek(0);
  assert.deepEqual([...heap.ordinals], [0]);
});

test('a run without a single arena is an empty picture', () => {
  const heap = history(2, 0, 0, 0, 0, 0, 0);
  assert.equal(heap.cells, 0);
  heap.seek(1);
  assert.deepEqual(heap.arenaTotals(), {acquired: [0, 0], released: [0, 0]});
});

test('what breaks the rules is refused, with the sample', () => {
  const refuse = (samples, bytes, words) =>
      assert.throws(() => history(samples, ...bytes), (error) =>
          error instanceof MapError && words.test(error.message));
  refuse(1, [1, 0, 1, 0], /arena 0 is released but not held \(sample 0\)/);
  refuse(2, [1, 0, 0, 0, 0, 0, 1, 0, 0, 0], /acquired twice \(sample 1\)/);
  refuse(2, [1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 3, 1, 0],
         /pool 3 lies in no arena that is held \(sample 1\)/);
  refuse(1, [0, 0, 1, 5, 1, 0], /pool 5 lies in no arena that is held/);
  refuse(1, [1, 0, 0, 0, 1, 0, 65, 0], /class 65 is unknown/);
  refuse(1, [1, 0, 0, 0, 1, 0, 64, 1, 0, 1, 7], /no block 7/);
  refuse(2, [0, 0, 0], /ends at sample 1 of 2/);
  refuse(1, [0, 0], /ends inside a number/);
  refuse(1, [0, 0, 0, 0], /goes on after its last sample/);
});

test('varints: one byte, more, the largest an offset can need', () => {
  const reader = new VarintReader(
      Uint8Array.from([0, 127, 128, 1, 255, 255, 255, 255, 15]));
  assert.deepEqual([reader.next(), reader.next(), reader.next(), reader.next()],
                   [0, 127, 128, 4294967295]);
  assert.ok(reader.done);
  assert.throws(() => reader.next(), MapError);
  assert.throws(() => new VarintReader(new Uint8Array(12).fill(255)).next(),
                /too long/);
});

test('text that is no base64, and gzip that was cut, are refused', async () => {
  assert.throws(() => bytesOfBase64('@@@'), MapError);
  const data = makeResults({samples: 4, perSample: 500}).results.allocators[0]
      .map.data;
  const packed = bytesOfBase64(data);
  assert.ok((await inflate(packed)).length > 0);
  await assert.rejects(inflate(packed.slice(0, packed.length - 40)), MapError);
});
