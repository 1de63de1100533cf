// The map's varints (RESULTS.md, MAP) as columns, in one pass.
//
// A *slot* is a place in the picture that holds one arena at a time: an arena
// takes the lowest free one, so a run that makes and drops thousands of arenas
// needs no more slots than it held at once. A *cell* is a pool's place,
// slot * poolsPerArena + its index in the arena. An *entry* is one cell in one
// sample in which its pool changed: class and live blocks from then on, and
// the blocks that were toggled.
//
// INVARIANTS, checked here (MapError names the sample):
//   H1  an arena is acquired at most once and released at most once, after;
//   H2  the pools that are listed lie in arenas that are held;
//   H3  block numbers are below the capacity of the pool's class.
// `cls` is class + 1 everywhere; 0 = no block of the pool is live.
import {MapError, VarintReader} from './map_bytes.js';

/** @typedef {import('./results.js').MapHeader} MapHeader */
/** @typedef {{ordinal: number, slot: number, offset: number}} Arena */

/**
 * A typed array that grows as push_back does.
 * @template {Uint8Array | Uint16Array | Uint32Array | Int32Array} T
 */
export class Column {
  /** @param {new (size: number) => T} type */
  constructor(type) {
    this.type = type;
    this.data = new type(1024);
    this.size = 0;
  }
  /** @param {number} value */
  push(value) {
    if (this.size === this.data.length) this.reserve(this.size + 1);
    this.data[this.size++] = value;
  }
  /** @param {number} size elements that `data` has room for, at least */
  reserve(size) {
    if (size <= this.data.length) return;
    const grown = new this.type(Math.max(size, this.data.length * 2));
    grown.set(this.data);
    this.data = grown;
  }
}

/**
 * Blocks of a class that fit in a pool.
 * @param {MapHeader} header
 * @param {number} cls class + 1
 */
export function capacityOf(header, cls) {
  if (cls === 0) return 0;
  return Math.floor(
      (header.pool_bytes - header.header_bytes) / (cls * header.alignment));
}

export class HeapColumns {
  /** @type {Map<number, Arena>} every arena of the payload, by ordinal */
  arenas = new Map();
  slots = 0;
  entryCell = new Column(Uint32Array);
  entryClass = new Column(Uint8Array);
  entryLive = new Column(Uint16Array);
  /** Entry e's toggles are [entryToggle[e], entryToggle[e + 1]). */
  entryToggle = new Column(Uint32Array);
  toggles = new Column(Uint16Array);
  changeSlot = new Column(Uint32Array);
  /** The arena's ordinal, or -1: the slot is empty from here on. */
  changeOrdinal = new Column(Int32Array);

  /**
   * @param {MapHeader} header
   * @param {Uint8Array} bytes
   */
  constructor(header, bytes) {
    this.header = header;
    this.poolsPerArena = Math.floor(header.arena_bytes / header.pool_bytes);
    if (!(this.poolsPerArena > 0) || !(header.alignment > 0))
      throw new MapError('its geometry is empty');
    const samples = header.samples;
    /** Entries of sample s are [sampleEntry[s], sampleEntry[s + 1]). */
    this.sampleEntry = new Uint32Array(samples + 1);
    this.sampleChange = new Uint32Array(samples + 1);
    this.#capacity = Array.from(
        {length: header.classes + 1}, (_, cls) => capacityOf(header, cls));
    const reader = new VarintReader(bytes);
    for (let sample = 0; sample < samples; ++sample) {
      if (reader.done)
        throw new MapError(`it ends at sample ${sample} of ${samples}`);
      this.#sample = sample;
      this.#readArenas(reader);
      this.#readPools(reader);
      this.sampleEntry[sample + 1] = this.entryCell.size;
      this.sampleChange[sample + 1] = this.changeSlot.size;
    }
    if (!reader.done) throw new MapError('it goes on after its last sample');
    this.entryToggle.push(this.toggles.size);
  }

  /** @type {number[]} */
  #capacity;
  #sample = 0;
  /** @type {number[]} slots of released arenas */
  #freeSlots = [];
  /** @type {Set<number>} */
  #held = new Set();
  // The heap while decoding, by cell.
  #cls = new Column(Uint8Array);
  #live = new Column(Uint16Array);
  /** @type {Uint8Array[]} */
  #blocks = [];

  /** @param {string} what @returns {never} */
  #fail(what) {
    throw new MapError(`${what} (sample ${this.#sample})`);
  }

  /** @param {VarintReader} reader */
  #readArenas(reader) {
    const count = reader.next();
    for (let i = 0; i < count; ++i) {
      const ordinal = reader.next();
      const kind = reader.next();
      const offset = reader.next();
      if (kind === 0) {
        if (this.arenas.has(ordinal))
          this.#fail(`arena ${ordinal} is acquired twice`);
        let lowest = 0;
        for (let f = 1; f < this.#freeSlots.length; ++f)
          if (this.#freeSlots[f] < this.#freeSlots[lowest]) lowest = f;
        const slot = this.#freeSlots.length ?
            this.#freeSlots.splice(lowest, 1)[0] :
            this.slots++;
        this.arenas.set(ordinal, {ordinal, slot, offset});
        this.#held.add(ordinal);
        this.#cls.reserve(this.slots * this.poolsPerArena);
        this.#live.reserve(this.slots * this.poolsPerArena);
        this.changeSlot.push(slot);
        this.changeOrdinal.push(ordinal);
        continue;
      }
      const arena = this.arenas.get(ordinal);
      if (kind !== 1 || arena === undefined || !this.#held.delete(ordinal))
        this.#fail(`arena ${ordinal} is released but not held`);
      this.#clear(arena.slot);
      this.#freeSlots.push(arena.slot);
      this.changeSlot.push(arena.slot);
      this.changeOrdinal.push(-1);
    }
  }

  /**
   * An arena takes its pools with it; they are not listed.
   * @param {number} slot
   */
  #clear(slot) {
    const begin = slot * this.poolsPerArena;
    for (let cell = begin; cell < begin + this.poolsPerArena; ++cell) {
      if (this.#cls.data[cell] === 0) continue;
      this.#cls.data[cell] = 0;
      this.#live.data[cell] = 0;
      this.#entry(cell, this.toggles.size);
    }
  }

  /**
   * @param {number} pool as the payload numbers it
   * @returns {number}
   */
  #cellOf(pool) {
    const ordinal = Math.floor(pool / this.poolsPerArena);
    const arena = this.arenas.get(ordinal);
    if (arena === undefined || !this.#held.has(ordinal))
      this.#fail(`pool ${pool} lies in no arena that is held`);
    return arena.slot * this.poolsPerArena + (pool % this.poolsPerArena);
  }

  /**
   * Merges the two lists of a sample, classes and blocks, both in the order of
   * the pools, into entries.
   * @param {VarintReader} reader
   */
  #readPools(reader) {
    const changes = reader.next();
    /** @type {number[]} */
    const changed = [];
    /** @type {number[]} */
    const changedClass = [];
    let pool = 0;
    for (let i = 0; i < changes; ++i) {
      pool += reader.next();
      const cls = reader.next();
      if (cls > this.header.classes) this.#fail(`class ${cls} is unknown`);
      changed.push(pool);
      changedClass.push(cls);
    }
    let next = 0;
    // Gives each changed pool below `limit` its class; the entry of the last
    // one, if it is `limit` itself, is left to the caller, who has its blocks.
    const clearUpTo = (/** @type {number} */ limit) => {
      while (next < changed.length && changed[next] <= limit) {
        const cell = this.#cellOf(changed[next]);
        const cls = changedClass[next];
        this.#cls.data[cell] = cls;
        this.#live.data[cell] = 0;
        this.#blocks[cell] = new Uint8Array(this.#capacity[cls]);
        if (changed[next] !== limit) this.#entry(cell, this.toggles.size);
        ++next;
      }
    };
    const lists = reader.next();
    pool = 0;
    for (let i = 0; i < lists; ++i) {
      pool += reader.next();
      clearUpTo(pool);
      const cell = this.#cellOf(pool);
      const firstToggle = this.toggles.size;
      this.#readBlocks(reader, pool, cell);
      this.#entry(cell, firstToggle);
    }
    clearUpTo(Number.MAX_SAFE_INTEGER);
  }

  /**
   * @param {VarintReader} reader
   * @param {number} pool
   * @param {number} cell
   */
  #readBlocks(reader, pool, cell) {
    const capacity = this.#capacity[this.#cls.data[cell]];
    const blocks = this.#blocks[cell];
    const count = reader.next();
    let live = this.#live.data[cell];
    let block = 0;
    for (let b = 0; b < count; ++b) {
      block += reader.next();
      if (block >= capacity) this.#fail(`pool ${pool} has no block ${block}`);
      blocks[block] ^= 1;
      live += blocks[block] ? 1 : -1;
      this.toggles.push(block);
    }
    this.#live.data[cell] = live;
  }

  /**
   * @param {number} cell
   * @param {number} firstToggle
   */
  #entry(cell, firstToggle) {
    this.entryCell.push(cell);
    this.entryClass.push(this.#cls.data[cell]);
    this.entryLive.push(this.#live.data[cell]);
    this.entryToggle.push(firstToggle);
  }
}
