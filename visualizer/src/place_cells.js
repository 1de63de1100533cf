// The address space of one allocator as cells of 64 KiB, sixteen pages each:
// which cells any object was ever in, in which regions they lie, and how many
// live bytes each has at a sample.
//
// Seeking goes from the last sample by what was born and what died between, or
// from a key frame where that is nearer.

export const kCellBytes = 65536;
export const kPageBytes = 4096;
// A gap of more addresses than that begins another region.
const kGapCells = 16;
const kFrameEvery = 64;

/** @typedef {import('./live_table.js').LiveTable} LiveTable */

export class PlaceCells {
  /**
   * @param {LiveTable} live
   * @param {Float64Array} places units of eight bytes, 0: none
   */
  constructor(live, places) {
    this.live = live;
    this.places = places;
    const numbers = new Set();
    for (let i = 0; i < live.count; ++i) {
      if (places[i] === 0) continue;
      const first = Math.floor(places[i] * 8 / kCellBytes);
      const last = Math.floor(
          (places[i] * 8 + Math.max(1, live.size[i]) - 1) / kCellBytes);
      for (let n = first; n <= last; ++n) numbers.add(n);
    }
    /** Address / 64 KiB of each cell, ascending. */
    this.numbers = Float64Array.from(numbers).sort();
    this.cells = this.numbers.length;
    /** @type {number[]} the first cell of each region */
    this.regions = [];
    for (let c = 0; c < this.cells; ++c)
      if (c === 0 || this.numbers[c] - this.numbers[c - 1] > kGapCells)
        this.regions.push(c);
    this.bytes = new Float64Array(this.cells);
    this.sample = -1;
    this.#deaths = Uint32Array.from({length: live.count}, (_, i) => i)
        .sort((a, b) => live.death[a] - live.death[b]);
    this.#index();
  }

  /** @type {Uint32Array} rows by death */
  #deaths;
  /** @type {Uint32Array} behind the last row that is born at a sample */
  #bornTo = new Uint32Array(0);
  #diedTo = new Uint32Array(0);
  /** @type {Float64Array[]} */
  #frames = [];

  #index() {
    const {live} = this;
    const samples = live.samples;
    this.#bornTo = new Uint32Array(samples + 1);
    this.#diedTo = new Uint32Array(samples + 1);
    for (let s = 0, b = 0, d = 0; s < samples; ++s) {
      while (b < live.count && live.birth[b] <= s) ++b;
      while (d < live.count && live.death[this.#deaths[d]] <= s) ++d;
      this.#bornTo[s] = b;
      this.#diedTo[s] = d;
    }
    for (let s = 0; s < samples; s += kFrameEvery) {
      this.#go(s);
      this.#frames.push(this.bytes.slice());
    }
  }

  /** The cell of an address / 64 KiB. @param {number} number */
  cellOf(number) {
    let low = 0;
    let high = this.cells;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.numbers[middle] < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * @param {number} row
   * @param {(cell: number, bytes: number) => void} visit each cell it touches
   */
  forCells(row, visit) {
    if (this.places[row] === 0) return;
    let from = this.places[row] * 8;
    const behind = from + Math.max(1, this.live.size[row]);
    let cell = this.cellOf(Math.floor(from / kCellBytes));
    while (from < behind) {
      const next = (Math.floor(from / kCellBytes) + 1) * kCellBytes;
      // One of no bytes has a place all the same.
      visit(cell++, this.live.size[row] === 0 ? 0 :
          Math.min(next, behind) - from);
      from = next;
    }
  }

  /** @param {number} sample */
  #go(sample) {
    const add = (/** @type {number} */ row, /** @type {number} */ sign) =>
        this.forCells(row, (cell, bytes) => {
          this.bytes[cell] += sign * bytes;
        });
    const was = this.sample;
    const born = was < 0 ? 0 : this.#bornTo[was];
    const died = was < 0 ? 0 : this.#diedTo[was];
    for (let i = born; i < this.#bornTo[sample]; ++i) add(i, 1);
    for (let i = this.#bornTo[sample]; i < born; ++i) add(i, -1);
    for (let i = died; i < this.#diedTo[sample]; ++i) add(this.#deaths[i], -1);
    for (let i = this.#diedTo[sample]; i < died; ++i) add(this.#deaths[i], 1);
    this.sample = sample;
  }

  /** Makes `bytes` those of a sample. @param {number} sample */
  seek(sample) {
    const frame = Math.floor(sample / kFrameEvery);
    if (Math.abs(sample - this.sample) > sample % kFrameEvery) {
      this.bytes.set(this.#frames[frame]);
      this.sample = frame * kFrameEvery;
    }
    this.#go(sample);
  }

  /**
   * The live rows that touch a cell, by address.
   * @param {number} cell
   */
  liveIn(cell) {
    /** @type {number[]} */
    const rows = [];
    const begin = this.numbers[cell] * kCellBytes;
    this.live.forLive(this.sample, (row) => {
      const at = this.places[row] * 8;
      if (at !== 0 && at < begin + kCellBytes &&
          at + Math.max(1, this.live.size[row]) > begin)
        rows.push(row);
    });
    return rows.sort((a, b) => this.places[a] - this.places[b]);
  }
}
