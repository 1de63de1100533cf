// Every object of any size that lived at a sample (RESULTS.md, LIVE), one row
// each in the order of their births, and where an allocator put them (PLACES).
// The columns that object_table.js has too have its names.
import {MapError, VarintReader} from './map_bytes.js';

/** @typedef {import('./results.js').LiveHeader} LiveHeader */

export class LiveTable {
  /**
   * @param {LiveHeader} header
   * @param {Uint8Array} bytes the decoded varints
   */
  constructor(header, bytes) {
    const {count, samples} = header;
    if (!(count >= 0) || bytes.length < 6 * count)
      throw new MapError(`it is too short for ${count} objects`);
    this.header = header;
    this.count = count;
    this.samples = samples;
    this.birth = new Uint16Array(count);
    this.death = new Uint16Array(count);
    this.size = new Float64Array(count);
    this.thread = new Uint16Array(count);
    this.type = new Uint16Array(count);
    this.site = new Uint16Array(count);
    this.owner = new Uint8Array(header.owners ? count : 0);
    const reader = new VarintReader(bytes);
    for (let i = 0, last = 0; i < count; ++i)
      this.birth[i] = last += reader.next();
    for (let i = 0; i < count; ++i) {
      const life = reader.next();
      const end = life === 0 ? samples : this.birth[i] + life;
      if (end <= this.birth[i] || end > samples)
        throw new MapError(`object ${i} lives at no sample`);
      this.death[i] = end;
    }
    for (const column of [this.size, this.thread, this.type, this.site])
      for (let i = 0; i < count; ++i) column[i] = reader.next();
    for (let i = 0; i < this.owner.length; ++i) this.owner[i] = reader.next();
    if (!reader.done) throw new MapError('it goes on after its last object');
  }

  /** Whether all objects of this sample are here. @param {number} sample */
  complete(sample) {
    const {told} = this.header;
    return told === null || told.includes(sample);
  }

  /**
   * @param {number} sample
   * @param {(row: number) => void} visit
   */
  forLive(sample, visit) {
    const {birth, death, count} = this;
    for (let i = 0; i < count && birth[i] <= sample; ++i)
      if (death[i] > sample) visit(i);
  }
}

/**
 * The address of each row, in units of eight bytes; 0: it has none.
 * @param {ArrayLike<number>} sizes
 * @param {Uint8Array} bytes
 */
export function decodePlaces(sizes, bytes) {
  const places = new Float64Array(sizes.length);
  const last = new Float64Array(128);
  const reader = new VarintReader(bytes);
  for (let i = 0; i < sizes.length; ++i) {
    const size = sizes[i];
    const key = size <= 1024 ? (size + 15) >> 4 :
        54 + Math.floor(Math.log2(size)) + 1;
    const zigzag = reader.next();
    const half = Math.floor(zigzag / 2);
    places[i] = last[key] += zigzag % 2 ? -half - 1 : half;
  }
  if (!reader.done) throw new MapError('it goes on after its last object');
  return places;
}
