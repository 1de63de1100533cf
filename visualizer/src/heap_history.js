// What every pool of the heap held at every sample, ready to be sought.
//
// Key frames (the whole heap at a sample) are kept so that no more than about
// kEntriesPerFrame entries lie between two:
//
//   seek(sample)             copy the key frame at or before it, play entries
//   blocksAt(cell, sample)   the cell's own entries from its last clearing
//
// Slots, cells and entries are those of heap_decoder.js.
import {capacityOf, HeapColumns} from './heap_decoder.js';

const kEntriesPerFrame = 16384;

/** @typedef {import('./results.js').MapHeader} MapHeader */
/** @typedef {{sample: number, cls: Uint8Array, live: Uint16Array,
 *   ordinals: Int32Array}} Frame */

export class HeapHistory {
  /**
   * @param {MapHeader} header
   * @param {Uint8Array | HeapColumns} bytes the decoded varints, or what was
   *   read from them
   */
  constructor(header, bytes) {
    this.header = header;
    this.columns = bytes instanceof HeapColumns ? bytes :
        new HeapColumns(header, bytes);
    this.poolsPerArena = this.columns.poolsPerArena;
    this.slots = this.columns.slots;
    this.cells = this.slots * this.poolsPerArena;
    /** Of the sample sought last: class + 1 (0 none) and live blocks a cell. */
    this.cls = new Uint8Array(this.cells);
    this.live = new Uint16Array(this.cells);
    /** The arena in each slot, -1 none. */
    this.ordinals = new Int32Array(this.slots).fill(-1);
    this.sample = -1;
    /** @type {Frame[]} */
    this.frames = [];
    this.#indexCells();
    this.#makeFrames();
    this.seek(0);
  }

  /** @type {Uint32Array} */
  #cellFirst = new Uint32Array(0);
  /** @type {Uint32Array} */
  #entryOfCell = new Uint32Array(0);

  /** @param {number} cls class + 1 */
  capacity(cls) {
    return capacityOf(this.header, cls);
  }

  /** @param {number} cls class + 1 */
  blockBytes(cls) {
    return cls * this.header.alignment;
  }

  /**
   * Pools that fit in the arena of a slot: one fewer than otherwise where its
   * base is not a multiple of the pool size. 0 where there is no arena.
   * @param {number} slot
   */
  usablePools(slot) {
    const arena = this.columns.arenas.get(this.ordinals[slot]);
    if (arena === undefined) return 0;
    return arena.offset === 0 ? this.poolsPerArena : this.poolsPerArena - 1;
  }

  /** @param {number} cell */
  slotOf(cell) {
    return Math.floor(cell / this.poolsPerArena);
  }

  /**
   * Makes `cls`, `live` and `ordinals` those of a sample.
   * @param {number} sample
   */
  seek(sample) {
    if (sample === this.sample) return;
    let low = 0;
    let high = this.frames.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.frames[middle].sample <= sample) low = middle;
      else high = middle - 1;
    }
    const frame = this.frames[low];
    let from = this.sample;
    // Going on from here is as good as the frame where no frame lies between.
    if (from < frame.sample || from > sample) {
      this.cls.set(frame.cls);
      this.live.set(frame.live);
      this.ordinals.set(frame.ordinals);
      from = frame.sample;
    }
    this.#play(from + 1, sample);
    this.sample = sample;
  }

  /**
   * Which blocks of a pool were live.
   * @param {number} cell
   * @param {number} sample
   * @returns {{cls: number, blocks: Uint8Array}} one element a block, 1 = live
   */
  blocksAt(cell, sample) {
    const {entryClass, entryToggle, toggles, sampleEntry} = this.columns;
    const end = sampleEntry[sample + 1];
    const first = this.#cellFirst[cell];
    let last = first;
    while (last < this.#cellFirst[cell + 1] && this.#entryOfCell[last] < end)
      ++last;
    const cls =
        last === first ? 0 : entryClass.data[this.#entryOfCell[last - 1]];
    const blocks = new Uint8Array(this.capacity(cls));
    // Back to the entry that gave the pool its class, then forwards.
    let begin = last;
    while (begin > first &&
           entryClass.data[this.#entryOfCell[begin - 1]] === cls)
      --begin;
    for (let i = begin; cls !== 0 && i < last; ++i) {
      const entry = this.#entryOfCell[i];
      const to = entryToggle.data[entry + 1];
      for (let t = entryToggle.data[entry]; t < to; ++t)
        blocks[toggles.data[t]] ^= 1;
    }
    return {cls, blocks};
  }

  /**
   * Pools, live and free blocks of each class at the sample sought last.
   * @returns {import('./results.js').ClassRow}
   */
  classTotals() {
    const zeros = () => /** @type {number[]} */ (
        Array(this.header.classes).fill(0));
    const row = {pools: zeros(), used_blocks: zeros(), free_blocks: zeros()};
    for (let cell = 0; cell < this.cells; ++cell) {
      const cls = this.cls[cell];
      if (cls === 0) continue;
      row.pools[cls - 1] += 1;
      row.used_blocks[cls - 1] += this.live[cell];
      row.free_blocks[cls - 1] += this.capacity(cls) - this.live[cell];
    }
    return row;
  }

  /**
   * Arenas acquired and released from the start to each sample.
   * @returns {{acquired: number[], released: number[]}}
   */
  arenaTotals() {
    const {sampleChange, changeOrdinal} = this.columns;
    const acquired = [];
    const released = [];
    let come = 0;
    let gone = 0;
    for (let sample = 0; sample < this.header.samples; ++sample) {
      for (let c = sampleChange[sample]; c < sampleChange[sample + 1]; ++c) {
        if (changeOrdinal.data[c] < 0) ++gone;
        else ++come;
      }
      acquired.push(come);
      released.push(gone);
    }
    return {acquired, released};
  }

  /**
   * Whether an arena came or went in a sample.
   * @param {number} sample
   */
  arenasChange(sample) {
    const {sampleChange} = this.columns;
    return sampleChange[sample] !== sampleChange[sample + 1];
  }

  /**
   * @param {number} from
   * @param {number} to inclusive
   */
  #play(from, to) {
    const {sampleEntry, sampleChange, entryCell, entryClass, entryLive,
           changeSlot, changeOrdinal} = this.columns;
    for (let e = sampleEntry[from]; e < sampleEntry[to + 1]; ++e) {
      const cell = entryCell.data[e];
      this.cls[cell] = entryClass.data[e];
      this.live[cell] = entryLive.data[e];
    }
    for (let c = sampleChange[from]; c < sampleChange[to + 1]; ++c)
      this.ordinals[changeSlot.data[c]] = changeOrdinal.data[c];
  }

  /** The entries of each cell, in order: a counting sort. */
  #indexCells() {
    const {entryCell} = this.columns;
    this.#cellFirst = new Uint32Array(this.cells + 1);
    for (let e = 0; e < entryCell.size; ++e)
      ++this.#cellFirst[entryCell.data[e] + 1];
    for (let c = 0; c < this.cells; ++c)
      this.#cellFirst[c + 1] += this.#cellFirst[c];
    this.#entryOfCell = new Uint32Array(entryCell.size);
    const at = this.#cellFirst.slice();
    for (let e = 0; e < entryCell.size; ++e)
      this.#entryOfCell[at[entryCell.data[e]]++] = e;
  }

  /** Plays the whole run once; leaves the state at the last sample. */
  #makeFrames() {
    const {sampleEntry} = this.columns;
    let entries = Infinity;
    for (let sample = 0; sample < this.header.samples; ++sample) {
      this.#play(sample, sample);
      entries += sampleEntry[sample + 1] - sampleEntry[sample];
      if (entries < kEntriesPerFrame) continue;
      this.frames.push({sample, cls: this.cls.slice(), live: this.live.slice(),
                        ordinals: this.ordinals.slice()});
      entries = 0;
    }
    this.sample = this.header.samples - 1;
  }
}
