// What is known of one object, in words: the same on the map, in the lists and
// for the live region.
import {kOwnerNames} from './colouring.js';
import {formatBytes, formatCount} from './quantity.js';

/** @typedef {import('./results.js').Results} Results */
/** @typedef {import('./results.js').Allocator} Allocator */
/** @typedef {import('./heap_history.js').HeapHistory} HeapHistory */
/** @typedef {import('./object_table.js').ObjectTable} ObjectTable */

/** @param {number} address */
export function hex(address) {
  return `0x${address.toString(16)}`;
}

/**
 * The sample at which the interpreter begins to go down, or the last.
 * @param {Results} results
 */
export function programEndOf({marks, moments}) {
  return marks.find(({name}) => name === 'finalise')?.sample ?? moments.end;
}

export class ObjectWords {
  /**
   * @param {Results} results
   * @param {Allocator} allocator
   * @param {HeapHistory} heap
   * @param {ObjectTable | null} objects
   */
  constructor(results, allocator, heap, objects) {
    this.results = results;
    this.addresses = allocator.arenas?.addresses ?? null;
    this.heap = heap;
    this.objects = objects;
    this.programEnd = programEndOf(results);
  }

  /**
   * Where a block begins: its address in the recorded process where that is
   * known, else in its arena.
   * @param {number} pool
   * @param {number} block
   * @param {number} cls class + 1
   */
  place(pool, block, cls) {
    const {header, poolsPerArena, columns} = this.heap;
    const ordinal = Math.floor(pool / poolsPerArena);
    const offset = columns.arenas.get(ordinal)?.offset ?? 0;
    const lost = (header.pool_bytes - offset) % header.pool_bytes;
    const inside = lost + (pool % poolsPerArena) * header.pool_bytes +
        header.header_bytes + block * this.heap.blockBytes(cls);
    const base = this.addresses?.[ordinal];
    return base === undefined ? `arena ${ordinal} + ${hex(inside)}` :
        hex(base + inside);
  }

  /** @param {number} row */
  type(row) {
    const names = this.objects?.header.types;
    return names?.[this.objects?.type[row] ?? 0] || null;
  }

  /** @param {number} row */
  site(row) {
    const names = this.objects?.header.sites;
    return names?.[this.objects?.site[row] ?? 0] || null;
  }

  /** @param {number} row who keeps it; null: not known */
  owner(row) {
    const owner = this.objects?.owner[row] ?? 0;
    return owner > 0 && owner < 4 ? kOwnerNames[owner] : null;
  }

  /**
   * How long it has lived, in bytes that were allocated since.
   * @param {number} row
   * @param {number} sample
   */
  age(row, sample) {
    const {allocated_bytes: clock} = this.results.timeline;
    return clock[sample] - clock[this.objects?.birth[row] ?? sample];
  }

  /** @param {number} row */
  since(row) {
    const birth = this.objects?.birth[row] ?? 0;
    return `request ${formatCount(this.results.timeline.request[birth])}`;
  }

  /**
   * The phases of the run, and to which of them each sample belongs: those that
   * marks part, or tenths of a run without marks.
   * @returns {{names: string[], ofSample: number[]}}
   */
  phases() {
    const samples = this.results.timeline.request.length;
    const own = this.results.marks.filter(({name}) => name !== 'finalise');
    const all = Array.from({length: samples}, (_, sample) => sample);
    if (own.length === 0) {
      return {names: Array.from({length: 10},
                                (_, n) => `tenth ${n + 1} of the run`),
              ofSample: all.map((s) => Math.floor((10 * s) / samples))};
    }
    return {names: [`before “${own[0].name}”`,
                    ...own.map(({name}) => `after “${name}”`)],
            ofSample: all.map(
                (s) => own.filter((mark) => mark.sample < s).length)};
  }

  /** @param {number} row */
  phase(row) {
    this.#phases ??= this.phases();
    const {names, ofSample} = this.#phases;
    return names[ofSample[this.objects?.birth[row] ?? 0]];
  }

  /** @type {ReturnType<ObjectWords['phases']> | null} */
  #phases = null;

  /** @param {number} row */
  until(row) {
    const death = this.objects?.death[row] ?? 0;
    if (death >= this.results.timeline.request.length)
      return 'still live at the end';
    return death > this.programEnd ? 'freed as the interpreter ended' :
        `freed by request ${
            formatCount(this.results.timeline.request[death])}`;
  }

  /**
   * @param {number} row
   * @param {number} sample
   */
  sentence(row, sample) {
    const {objects} = this;
    if (objects === null) return '';
    const type = this.type(row);
    const site = this.site(row);
    const parts = [`${formatBytes(objects.size[row])} asked for`];
    if (type !== null) parts.push(type);
    if (site !== null) parts.push(`from ${site}`);
    const owner = this.owner(row);
    if (owner !== null) parts.push(owner);
    parts.push(`thread ${objects.thread[row]}`,
               `live since ${this.since(row)} (${
                   formatBytes(this.age(row, sample))} allocated since)`,
               this.until(row));
    return parts.join(', ');
  }
}
