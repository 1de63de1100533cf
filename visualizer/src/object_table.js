// The objects of the heap (RESULTS.md, OBJECTS): every small block that was
// live at a sample, one row each, as typed arrays in the order of its places:
// pool, block, birth. Row i lives at the samples [birth[i], death[i]).
//
// INVARIANTS, checked here: the payload ends with its last number; an object
// lives at one sample at least and at none beyond the last.
import {MapError, VarintReader} from './map_bytes.js';

/** @typedef {import('./results.js').ObjectsHeader} ObjectsHeader */

export class ObjectTable {
  /**
   * @param {ObjectsHeader} header
   * @param {Uint8Array} bytes the decoded varints
   */
  constructor(header, bytes) {
    const {count, samples} = header;
    this.header = header;
    this.count = count;
    this.samples = samples;
    // A row needs eight bytes of payload, one a column.
    if (!(count >= 0) || bytes.length < 8 * count)
      throw new MapError(`it is too short for ${count} objects`);
    this.pool = new Uint32Array(count);
    this.block = new Uint16Array(count);
    this.birth = new Uint16Array(count);
    this.death = new Uint16Array(count);
    this.size = new Uint16Array(count);
    this.thread = new Uint16Array(count);
    this.type = new Uint16Array(count);
    this.site = new Uint16Array(count);
    const reader = new VarintReader(bytes);
    const {pool, block, birth, death} = this;
    for (let i = 0, last = 0; i < count; ++i)
      pool[i] = last += reader.next();
    for (let i = 0; i < count; ++i) {
      const same = i > 0 && pool[i] === pool[i - 1];
      block[i] = reader.next() + (same ? block[i - 1] : 0);
    }
    for (let i = 0; i < count; ++i) birth[i] = reader.next();
    for (let i = 0; i < count; ++i) {
      if (i > 0 && pool[i] === pool[i - 1] && block[i] === block[i - 1])
        birth[i] += death[i - 1];
      const life = reader.next();
      const end = life === 0 ? samples : birth[i] + life;
      if (end <= birth[i] || end > samples)
        throw new MapError(`object ${i} lives at no sample`);
      death[i] = end;
    }
    for (const column of [this.size, this.thread, this.type, this.site])
      for (let i = 0; i < count; ++i) column[i] = reader.next();
    this.owner = new Uint8Array(header.owners ? count : 0);
    for (let i = 0; i < this.owner.length; ++i) this.owner[i] = reader.next();
    if (!reader.done) throw new MapError('it goes on after its last object');
    this.told = header.told === null ? null : new Set(header.told);
  }

  /**
   * Whether all objects of this sample are here.
   * @param {number} sample
   */
  complete(sample) {
    return this.told === null || this.told.has(sample);
  }

  /**
   * The live objects of a sample, in the order of their places.
   * @param {number} sample
   * @param {(row: number) => void} visit
   */
  forLive(sample, visit) {
    const {birth, death, count} = this;
    for (let i = 0; i < count; ++i)
      if (birth[i] <= sample && death[i] > sample) visit(i);
  }

  /**
   * The live objects of pools [first, behind) at a sample.
   * @param {number} sample
   * @param {number} first
   * @param {number} behind
   * @returns {number[]} rows
   */
  liveIn(sample, first, behind) {
    const rows = [];
    for (let i = firstRow(this.pool, first);
         i < this.count && this.pool[i] < behind; ++i)
      if (this.birth[i] <= sample && this.death[i] > sample) rows.push(i);
    return rows;
  }
}

/**
 * The first row of a pool, or of what follows it. (A function: rows that come
 * from a worker have the class's methods, but not its private ones.)
 * @param {Uint32Array} pools ascending
 * @param {number} pool
 */
function firstRow(pools, pool) {
  let low = 0;
  let high = pools.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pools[middle] < pool) low = middle + 1;
    else high = middle;
  }
  return low;
}
