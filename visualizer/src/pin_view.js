// What keeps each arena at the cursor: the arenas with the fewest live blocks
// first, because those few blocks are all that stands between the arena and the
// operating system; what would come back if only some died; the blocks of one.
import {byId, html, svg} from './element.js';
import {formatBytes, formatCount} from './quantity.js';

/** @typedef {import('./object_words.js').ObjectWords} ObjectWords */
/** @typedef {import('./heap_history.js').HeapHistory} HeapHistory */
/** @typedef {{slot: number, blocks: number, bytes: number,
 *   classes: Map<number, number>}} Holding classes: class + 1 -> live blocks */

const kRows = 8;
const kBlockRows = 12;
const kRestMs = 120;
const kClassesNamed = 4;

/**
 * Every held arena of the sample sought last, fewest live blocks first.
 * @param {HeapHistory} heap
 * @returns {Holding[]}
 */
export function holdings(heap) {
  /** @type {Holding[]} */
  const list = [];
  for (let slot = 0; slot < heap.slots; ++slot) {
    if (heap.ordinals[slot] < 0) continue;
    /** @type {Holding} */
    const holding = {slot, blocks: 0, bytes: 0, classes: new Map()};
    const begin = slot * heap.poolsPerArena;
    for (let cell = begin; cell < begin + heap.poolsPerArena; ++cell) {
      const cls = heap.cls[cell];
      if (cls === 0) continue;
      const live = heap.live[cell];
      holding.blocks += live;
      holding.bytes += live * heap.blockBytes(cls);
      holding.classes.set(cls, (holding.classes.get(cls) ?? 0) + live);
    }
    list.push(holding);
  }
  return list.sort((a, b) => a.blocks - b.blocks || a.slot - b.slot);
}

/**
 * How few blocks hold a share of the arenas, the cheapest arenas first.
 * @param {Holding[]} list as holdings() sorts it
 * @param {number} share of the arenas, 0 to 1
 * @returns {{arenas: number, blocks: number}}
 */
export function cheapest(list, share) {
  const arenas = Math.ceil(list.length * share);
  let blocks = 0;
  for (const holding of list.slice(0, arenas)) blocks += holding.blocks;
  return {arenas, blocks};
}

/**
 * What would come back if the arenas with the fewest blocks lost them: for each
 * number of arenas, the blocks that must die.
 * @param {Holding[]} list as holdings() sorts it
 * @returns {number[]} element n: the blocks in the first n arenas
 */
export function releaseCurve(list) {
  const sums = [0];
  for (const {blocks} of list) sums.push(sums[sums.length - 1] + blocks);
  return sums;
}

/** @typedef {{key: number, blocks: number, bytes: number, arenas: number}}
 *   Culprit arenas: those that nothing else holds
 * @typedef {{keyOf: (row: number) => number, nameOf: (key: number) => string}}
 *   Grouping */

/**
 * The live objects of a sample by a property, those first that alone would give
 * back the most arenas.
 * @param {HeapHistory} heap sought to the sample
 * @param {import('./object_table.js').ObjectTable} objects
 * @param {(row: number) => number} keyOf
 * @returns {Culprit[]}
 */
export function culprits(heap, objects, keyOf) {
  /** @type {Map<number, Culprit>} */
  const groups = new Map();
  /** @type {Map<number, Culprit | null>} an arena's only group, or null */
  const holders = new Map();
  objects.forLive(heap.sample, (row) => {
    const key = keyOf(row);
    let group = groups.get(key);
    if (group === undefined) {
      group = {key, blocks: 0, bytes: 0, arenas: 0};
      groups.set(key, group);
    }
    group.blocks += 1;
    group.bytes += objects.size[row];
    const arena = Math.floor(objects.pool[row] / heap.poolsPerArena);
    const holder = holders.get(arena);
    if (holder === undefined) holders.set(arena, group);
    else if (holder !== group) holders.set(arena, null);
  });
  for (const holder of holders.values()) if (holder) holder.arenas += 1;
  return [...groups.values()].sort(
      (a, b) => b.arenas - a.arenas || b.blocks - a.blocks || a.key - b.key);
}

export class PinView {
  /**
   * @param {HeapHistory} heap
   * @param {import('./cursor.js').Cursor} cursor
   * @param {ObjectWords} words
   */
  constructor(heap, cursor, words) {
    this.heap = heap;
    this.cursor = cursor;
    this.words = words;
    this.objects = words.objects;
    this.rows = Array.from({length: kRows}, () => {
      const button = html('button', {type: 'button'});
      const cells = Array.from({length: 3}, () => html('td'));
      const row = html('tr', {}, [
        html('th', {scope: 'row'}, [button]), ...cells]);
      button.addEventListener('click', () => {
        cursor.move({arena: Number(button.dataset.arena), pool: null,
                     block: null});
        byId('heap').scrollIntoView({block: 'nearest'});
      });
      return {row, button, cells};
    });
    byId('pins-rows').replaceChildren(...this.rows.map(({row}) => row));
    this.#makeGroups();
  }

  #listening = new AbortController();
  /** @type {Record<string, Grouping>} */
  #groups = {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #waiting;
  #shownOnce = false;

  leave() {
    this.#listening.abort();
    clearTimeout(this.#waiting);
  }

  #makeGroups() {
    const {objects, words, heap} = this;
    byId('culprits').hidden = objects === null;
    byId('pin-blocks').hidden = true;
    if (objects === null) return;
    const {types, sites} = objects.header;
    if (types) {
      this.#groups['type'] = {keyOf: (row) => objects.type[row],
                              nameOf: (key) => types[key] || 'not known'};
    }
    if (sites) {
      this.#groups['call site'] = {keyOf: (row) => objects.site[row],
                                   nameOf: (key) => sites[key] || 'not known'};
    }
    const phases = words.phases();
    this.#groups['phase of birth'] = {
      keyOf: (row) => phases.ofSample[objects.birth[row]],
      nameOf: (key) => phases.names[key]};
    const step = heap.header.alignment;
    this.#groups['size class'] = {
      keyOf: (row) => Math.max(1, Math.ceil(objects.size[row] / step)),
      nameOf: (key) => `${key * step} B`};
    this.#groups['thread'] = {keyOf: (row) => objects.thread[row],
                              nameOf: (key) => `thread ${key}`};
    this.#groups['end'] = {
      keyOf: (row) => objects.death[row] > words.programEnd ? 1 : 0,
      nameOf: (key) => key ? 'never freed by the program' : 'freed later'};
    const choice = /** @type {HTMLSelectElement} */ (byId('culprit-kind'));
    choice.replaceChildren(...Object.keys(this.#groups).map(
        (name) => html('option', {value: name}, [name])));
    choice.addEventListener('change', () => this.#showCulprits(),
                            {signal: this.#listening.signal});
  }

  /** Shows the sample that the heap was sought to. */
  show() {
    const {heap} = this;
    const list = holdings(heap);
    const all = list.reduce((sum, holding) => sum + holding.blocks, 0);
    const half = cheapest(list, 0.5);
    byId('pins-words').textContent = list.length === 0 ?
        'No arena is held at this moment.' :
        `${formatCount(half.arenas)} of the ${formatCount(list.length)} held ` +
            `arenas (${formatBytes(half.arenas * heap.header.arena_bytes)}) ` +
            `are kept by ${formatCount(half.blocks)} of the ` +
            `${formatCount(all)} live blocks. Those with the fewest:`;
    this.rows.forEach(({row, button, cells}, i) => {
      const holding = list[i];
      row.hidden = holding === undefined;
      if (holding === undefined) return;
      const ordinal = heap.ordinals[holding.slot];
      button.dataset.arena = String(ordinal);
      button.textContent = `arena ${ordinal}`;
      cells[0].textContent = formatCount(holding.blocks);
      cells[1].textContent = formatBytes(holding.bytes);
      cells[2].textContent = this.#classes(holding);
    });
    this.#showRelease(list);
    this.#showBlocks(list);
    // All live objects are looked at: when the slider has come to rest.
    clearTimeout(this.#waiting);
    if (this.#shownOnce) {
      this.#waiting = setTimeout(() => this.#showCulprits(), kRestMs);
    } else {
      this.#showCulprits();
    }
    this.#shownOnce = true;
  }

  /** @param {Holding[]} list */
  #showRelease(list) {
    const arenaBytes = this.heap.header.arena_bytes;
    const sums = releaseCurve(list);
    const host = byId('release-curve');
    const width = Math.max(240, Math.min(520, host.clientWidth));
    const height = 170;
    const left = 66;
    const most = Math.log10(sums[sums.length - 1] + 1) || 1;
    const x = (/** @type {number} */ blocks) =>
        left + (width - left - 12) * Math.log10(blocks + 1) / most;
    const y = (/** @type {number} */ arenas) =>
        8 + (height - 40) * (1 - arenas / Math.max(1, list.length));
    const within = (/** @type {number} */ blocks) => {
      let n = 0;
      while (n + 1 < sums.length && sums[n + 1] <= blocks) ++n;
      return n;
    };
    const steps = [1, 10, 100, 1000, 10000].filter(
        (blocks) => blocks <= sums[sums.length - 1]);
    const words = list.length === 0 ? 'Nothing is held.' :
        'If the right blocks died: ' + [...steps, sums[sums.length - 1]].map(
            (blocks) => `${formatCount(blocks)} give back ${
                formatBytes(within(blocks) * arenaBytes)}`).join(', ') + '.';
    const root = svg('svg', {width, height, viewBox: `0 0 ${width} ${height}`,
                             role: 'img', 'aria-label': words});
    for (const blocks of [0, ...steps]) {
      root.append(svg('line', {x1: x(blocks), x2: x(blocks), y1: 8,
                               y2: height - 32, class: 'axis'}),
                  svg('text', {x: x(blocks), y: height - 16,
                               'text-anchor': 'middle'},
                      [formatCount(blocks)]));
    }
    for (const share of [0, 0.5, 1]) {
      const arenas = list.length * share;
      root.append(svg('line', {x1: left, x2: width - 12, y1: y(arenas),
                               y2: y(arenas), class: 'axis'}),
                  svg('text', {x: left - 6, y: y(arenas) + 4,
                               'text-anchor': 'end'},
                      [formatBytes(arenas * arenaBytes)]));
    }
    let path = `M${x(0)} ${y(0)}`;
    sums.forEach((blocks, arenas) => {
      path += `H${x(blocks).toFixed(1)}V${y(arenas).toFixed(1)}`;
    });
    root.append(svg('path', {d: path, class: 'curve'}),
                svg('text', {x: width - 12, y: height - 2,
                             'text-anchor': 'end'}, ['blocks that die']));
    host.replaceChildren(root);
    byId('release-words').textContent = words;
  }

  #showCulprits() {
    const {objects, heap} = this;
    if (objects === null) return;
    const complete = objects.complete(heap.sample);
    byId('culprit-note').textContent = complete ? '' :
        'This file lists all objects at the peak, the valleys, the end and ' +
            `${formatCount(objects.told?.size ?? 0)} moments in all; this is ` +
            'not one of them, so short-lived objects are missing here.';
    const choice = /** @type {HTMLSelectElement} */ (byId('culprit-kind'));
    const {keyOf, nameOf} = this.#groups[choice.value];
    const list = culprits(heap, objects, keyOf);
    const arenaBytes = heap.header.arena_bytes;
    byId('culprit-rows').replaceChildren(...list.slice(0, kRows).map(
        (culprit) => html('tr', {}, [
          html('th', {scope: 'row'}, [nameOf(culprit.key)]),
          html('td', {}, [formatCount(culprit.blocks)]),
          html('td', {}, [formatBytes(culprit.bytes)]),
          html('td', {}, [culprit.arenas === 0 ? 'nothing alone' :
              formatBytes(culprit.arenas * arenaBytes)])])));
  }

  /**
   * The live blocks of the cursor's arena.
   * @param {Holding[]} list
   */
  #showBlocks(list) {
    const {objects, words, heap, cursor} = this;
    const {arena} = cursor.place;
    const slot = arena === null ? -1 : heap.ordinals.indexOf(arena);
    byId('pin-blocks').hidden = objects === null || slot < 0;
    if (objects === null || arena === null || slot < 0) return;
    const first = arena * heap.poolsPerArena;
    const rows = objects.liveIn(heap.sample, first,
                                first + heap.poolsPerArena);
    const {types, sites} = objects.header;
    const blocks = list.find((holding) => holding.slot === slot)?.blocks ?? 0;
    byId('pin-blocks-title').textContent = `What lives in arena ${arena}`;
    byId('pin-blocks-words').textContent =
        `${formatCount(blocks)} blocks` + (rows.length > kBlockRows ?
            `; the ${kBlockRows} that are the oldest:` : ':');
    rows.sort((a, b) => objects.birth[a] - objects.birth[b] || a - b);
    byId('pin-block-rows').replaceChildren(...rows.slice(0, kBlockRows).map(
        (row) => {
          const pool = objects.pool[row] - first;
          const block = objects.block[row];
          const button = html('button', {type: 'button', class: 'link'},
                              [`pool ${pool}, block ${block}`]);
          button.addEventListener('click', () => {
            cursor.move({pool, block});
            byId('heap').scrollIntoView({block: 'nearest'});
          });
          const what = [types && words.type(row), sites && words.site(row)]
              .filter(Boolean).join(' · ');
          return html('tr', {}, [
            html('th', {scope: 'row'}, [button]),
            html('td', {}, [`${objects.size[row]} B`]),
            html('td', {}, [what || `thread ${objects.thread[row]}`]),
            html('td', {}, [formatBytes(words.age(row, heap.sample))]),
            html('td', {}, [words.phase(row)]),
            html('td', {}, [words.until(row)])]);
        }));
  }

  /** @param {Holding} holding */
  #classes({classes}) {
    const named = [...classes].sort((a, b) => b[1] - a[1]);
    const words = named.slice(0, kClassesNamed).map(
        ([cls, live]) => `${formatCount(live)} × ${this.heap.blockBytes(cls)} B`);
    if (named.length > kClassesNamed)
      words.push(`${named.length - kClassesNamed} more classes`);
    return words.join(', ');
  }
}
