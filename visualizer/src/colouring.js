// What the map's colours stand for: occupancy, or what is known of the live
// blocks. A pool has the colour of its oldest block, of the one that stays
// longest, or of what most of its blocks are; a block has its own.
import {kViridis, occupancyLevel, packed, strokeOf} from './palette.js';

/** @typedef {import('./heap_history.js').HeapHistory} HeapHistory */
/** @typedef {import('./object_table.js').ObjectTable} ObjectTable */
/** @typedef {'occupancy' | 'class' | 'age' | 'free' | 'thread' | 'type' |
 *   'site' | 'owner'} Kind */
/** @typedef {[number, number, number]} Rgb */

/** @type {Record<Kind, string>} */
export const kKindNames = {
  occupancy: 'occupancy',
  class: 'size class',
  age: 'age',
  free: 'time to free',
  thread: 'thread',
  type: 'type',
  site: 'call site',
  owner: 'who keeps it',
};

/** By the number in an object's row: 1 + Owner of the trace's format. */
export const kOwnerNames = [
  'not looked at', 'held by the program', 'interpreter’s free list',
  'immortal or interned', 'unknown'];

// Categories that have a colour of their own; the rest is grey.
const kNamed = 6;
const kNever = 255;
/** @type {Rgb} */
const kNeverColor = [213, 94, 0];

/** @param {string} color #rrggbb @returns {Rgb} */
function rgbOf(color) {
  const value = parseInt(color.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

export class Colouring {
  /**
   * @param {HeapHistory} heap
   * @param {ObjectTable | null} objects
   * @param {number} programEnd the sample at which the interpreter begins to
   *   go down: what it frees then, the program never freed
   */
  constructor(heap, objects, programEnd) {
    this.heap = heap;
    this.programEnd = programEnd;
    this.objects = objects;
    /** @type {Kind} */
    this.kind = 'occupancy';
    /** @type {Rgb[]} by level */
    this.colors = kViridis;
    this.palette = Uint32Array.from(this.colors, packed);
    /** Level of each cell, where it holds a used pool. */
    this.looks = new Int16Array(heap.cells);
    /** @type {number[]} category -> level, by rank */
    this.#levels = [];
  }

  /** @type {number[]} */
  #levels;
  /** @type {string[]} the named categories, by rank */
  #categories = [];

  /** @returns {Kind[]} what this file knows */
  kinds() {
    /** @type {Kind[]} */
    const kinds = ['occupancy', 'class'];
    if (this.objects === null) return kinds;
    kinds.push('age', 'free', 'thread');
    if (this.objects.header.types) kinds.push('type');
    if (this.objects.header.sites) kinds.push('site');
    if (this.objects.header.owners) kinds.push('owner');
    return kinds;
  }

  /** @param {Kind} kind */
  choose(kind) {
    this.kind = this.kinds().includes(kind) ? kind : 'occupancy';
    this.colors = kViridis;
    if (this.kind === 'free') {
      this.colors = [...kViridis];
      this.colors[kNever] = kNeverColor;
    }
    if (['thread', 'type', 'site', 'owner'].includes(this.kind)) this.#rank();
    this.palette = Uint32Array.from(this.colors, packed);
  }

  /** The category of an object. @param {number} row */
  #category(row) {
    const {objects, kind} = this;
    if (objects === null) return 0;
    return kind === 'type' ? objects.type[row] :
        kind === 'site' ? objects.site[row] :
        kind === 'owner' ? objects.owner[row] : objects.thread[row];
  }

  /** Gives the most frequent categories of the run a colour each. */
  #rank() {
    const {objects} = this;
    if (objects === null) return;
    /** @type {number[]} */
    const counts = [];
    for (let row = 0; row < objects.count; ++row) {
      const category = this.#category(row);
      counts[category] = (counts[category] ?? 0) + 1;
    }
    const ranked = [...counts.keys()].filter((c) => counts[c] > 0)
        .sort((a, b) => counts[b] - counts[a]);
    this.#levels = counts.map(() => kNamed);
    ranked.slice(0, kNamed).forEach((category, rank) => {
      this.#levels[category] = rank;
    });
    const names = this.kind === 'type' ? objects.header.types :
        this.kind === 'site' ? objects.header.sites :
        this.kind === 'owner' ? kOwnerNames : null;
    this.#categories = ranked.slice(0, kNamed).map(
        (category) => names ? names[category] || 'not known' :
            `thread ${category}`);
    if (ranked.length > kNamed)
      this.#categories.push(`${ranked.length - kNamed} others`);
    this.colors = Array.from({length: kNamed + 1},
                             (_, rank) => rgbOf(strokeOf(rank).color));
  }

  /**
   * An object's level.
   * @param {number} row
   * @param {number} sample
   */
  levelOf(row, sample) {
    const {objects} = this;
    if (objects === null) return 0;
    if (this.kind === 'age') {
      return Math.round(
          255 * Math.sqrt((sample - objects.birth[row]) / (sample + 1)));
    }
    if (this.kind === 'free') {
      const {samples} = objects;
      const death = objects.death[row];
      const end = sample <= this.programEnd ? this.programEnd : samples - 1;
      if (death > end) return kNever;
      return Math.round(240 * Math.sqrt((death - sample) / (end - sample)));
    }
    return this.#levels[this.#category(row)] ?? kNamed;
  }

  /**
   * Makes `looks` those of the sample that the heap was sought to.
   * @param {number} sample
   */
  prepare(sample) {
    const {heap, looks, objects} = this;
    if (this.kind === 'occupancy') {
      const capacities = Array.from({length: heap.header.classes + 1},
                                    (_, cls) => heap.capacity(cls));
      for (let cell = 0; cell < heap.cells; ++cell)
        looks[cell] = occupancyLevel(heap.live[cell],
                                     capacities[heap.cls[cell]]);
      return;
    }
    if (this.kind === 'class') {
      for (let cell = 0; cell < heap.cells; ++cell)
        looks[cell] = this.classLevel(heap.cls[cell]);
      return;
    }
    if (objects === null) return;
    looks.fill(0);
    const slots = new Map();
    heap.ordinals.forEach((ordinal, slot) => slots.set(ordinal, slot));
    const categorical = this.colors !== kViridis && this.kind !== 'free';
    const votes = new Uint16Array(kNamed + 1);
    let cell = -1;
    let pool = -1;
    const count = () => {
      if (!categorical || cell < 0) return;
      looks[cell] = votes.indexOf(Math.max(...votes));
      votes.fill(0);
    };
    objects.forLive(sample, (row) => {
      if (objects.pool[row] !== pool) {
        count();
        pool = objects.pool[row];
        const slot = slots.get(Math.floor(pool / heap.poolsPerArena));
        cell = slot === undefined ? -1 :
            slot * heap.poolsPerArena + pool % heap.poolsPerArena;
      }
      if (cell < 0) return;
      const level = this.levelOf(row, sample);
      if (categorical) ++votes[level];
      else if (level > looks[cell]) looks[cell] = level;
    });
    count();
  }

  /** @param {number} cls class + 1 */
  classLevel(cls) {
    return Math.round((255 * cls) / this.heap.header.classes);
  }

  /**
   * What the colours mean.
   * @returns {{from: string, to: string, extra: [string, string][]} |
   *   {categories: [string, string][]}} names with CSS colours
   */
  legend() {
    const css = (/** @type {Rgb} */ rgb) => `rgb(${rgb.join(',')})`;
    switch (this.kind) {
      case 'occupancy':
        return {from: 'one block live', to: 'full', extra: []};
      case 'class':
        return {from: `${this.heap.blockBytes(1)} B`,
                to: `${this.heap.blockBytes(this.heap.header.classes)} B`,
                extra: []};
      case 'age':
        return {from: 'just made', to: 'as old as the run (oldest block)',
                extra: []};
      case 'free':
        return {from: 'all blocks freed soon', to: 'late',
                extra: [['a block the program never frees', css(kNeverColor)]]};
      default:
        return {categories: this.#categories.map(
            (name, rank) => [name, css(this.colors[rank])])};
    }
  }
}
