// How it comes about, in six steps, on the smallest pool of the reader's own
// program: a block, its pool, the free list, the arena, why it stays, what
// others do. The links in the text move the page.
import {byId, html, svg} from './element.js';
import {formatBytes, formatCount} from './quantity.js';

/** @typedef {import('./results.js').Results} Results */
/** @typedef {import('./results.js').Allocator} Allocator */
/** @typedef {import('./results.js').PoolExample} PoolExample */
/** @typedef {import('./object_words.js').ObjectWords} ObjectWords */
/** @typedef {(string | Node)[]} Prose */

const kMostDrawn = 64;
const kArrows = 8;

export class LearnView {
  /**
   * @param {Results} results
   * @param {Allocator} allocator
   * @param {PoolExample} example
   * @param {ObjectWords} words
   * @param {import('./cursor.js').Cursor} cursor
   */
  constructor(results, allocator, example, words, cursor) {
    this.results = results;
    this.allocator = allocator;
    this.example = example;
    this.words = words;
    this.cursor = cursor;
    this.heap = words.heap;
    this.capacity = this.heap.capacity(example.class);
    this.blockBytes = this.heap.blockBytes(example.class);
    this.arena = Math.floor(example.pool / this.heap.poolsPerArena);
    this.pool = example.pool % this.heap.poolsPerArena;
    const free = new Set(example.free_list);
    /** @type {number[]} */
    this.live = [];
    for (let block = 0; block < example.carved_blocks; ++block)
      if (!free.has(block)) this.live.push(block);
    const {signal} = this.#listening;
    byId('learn-back').addEventListener('click', () => this.#go(-1), {signal});
    byId('learn-next').addEventListener('click', () => this.#go(1), {signal});
    this.#show();
  }

  #listening = new AbortController();
  #step = 0;

  leave() {
    this.#listening.abort();
  }

  /** @param {number} by */
  #go(by) {
    this.#step = Math.max(0, Math.min(5, this.#step + by));
    this.#show();
    byId('live-region').textContent =
        `${byId('learn-title').textContent}. ${byId('learn-text').textContent}`;
  }

  /**
   * A word that moves the page there.
   * @param {string} text
   * @param {number | null} pool
   * @param {number | null} block
   */
  #link(text, pool, block) {
    const button = html('button', {type: 'button', class: 'link'}, [text]);
    button.addEventListener('click', () => {
      this.cursor.move({sample: this.example.sample, arena: this.arena, pool,
                        block});
      byId('heap').scrollIntoView({block: 'start'});
    });
    return button;
  }

  /** @param {number} block */
  #address(block) {
    return this.words.place(this.example.pool, block, this.example.class);
  }

  /** @returns {{title: string, text: Prose}[]} */
  #steps() {
    const {example, capacity, blockBytes, heap, live} = this;
    const {header} = heap;
    const moment = this.results.moments.last_valley === example.sample ?
        'the last valley' : 'the peak';
    const first = live[0] ?? 0;
    const {free_list: list} = example;
    const poolName = this.#link(`pool ${this.pool} of arena ${this.arena}`,
                                this.pool, null);
    const arenas = this.allocator.arenas;
    const counts = this.results.allocators.filter(
        (a) => a.rss_bytes !== null && a.name !== 'null' && a.name !== 'bump');
    return [
      {title: 'A block', text: [
        `A request of up to ${header.classes * header.alignment} bytes gets a ` +
        `block. Sizes go in steps of ${header.alignment} bytes, so this one, ` +
        `of ${blockBytes} bytes, serves requests of ${
            blockBytes - header.alignment + 1} to ${blockBytes}. It is `,
        this.#link(`block ${first}`, this.pool, first),
        `, and lies at ${this.#address(first)}.`]},
      {title: 'Its pool', text: [
        `Blocks of one size share a pool of ${
            formatBytes(header.pool_bytes)}: a header of ${
            header.header_bytes} bytes, then ${capacity} blocks. This is `,
        poolName, ` of your program at ${moment}: ${example.live_blocks} of ${
            capacity} blocks live, the rest is free, and only requests of ` +
        `this size can use it.`]},
      {title: 'The free list', text: [
        'A freed block holds, in its own first word, the address of the ' +
        'block that was freed before it. The header points at the first. ' +
        `The next request of this size gets `,
        this.#link(`block ${list[0]}`, this.pool, list[0] ?? 0),
        list.length > 1 ? ' and the one after it ' : '',
        list.length > 1 ?
            this.#link(`block ${list[1]}`, this.pool, list[1]) : '',
        `: last in, first out. ${example.carved_blocks < capacity ?
            `Blocks from ${example.carved_blocks} on were never handed out.` :
            'Every block was handed out once.'}`]},
      {title: 'Its arena', text: [
        `${heap.poolsPerArena} pools lie in an arena of ${
            formatBytes(header.arena_bytes)}, `,
        this.#link(`arena ${this.arena}`, null, null),
        '. The system gives and takes back whole arenas only.']},
      {title: 'Why it stays', text: [
        `pymalloc cannot move a block: Python holds its address. So ${
            live.length === 1 ? 'this one live block keeps' :
                `these ${live.length} live blocks keep`} the pool, and any ` +
        `pool in use keeps its arena: ${formatBytes(header.arena_bytes)} for ` +
        `${formatBytes(example.live_blocks * blockBytes)} here. Of ${
            formatCount(arenas?.created)} arenas ${
            formatCount(arenas?.live[example.sample])} are held at ${moment}. ` +
        `Free its last blocks, or make them elsewhere or earlier, and it goes.`]},
      {title: 'What others do', text: [
        'The same requests, the same moment, resident: ' + counts.map((a) =>
            `${a.spelled} ${formatBytes(a.rss_bytes?.[example.sample])}`)
            .join(', ') + '. Allocators that hand back pages, not arenas, ' +
        'need a free page of a few KiB rather than a free arena; one that ' +
        'keeps sizes together as pymalloc does is pinned alike.']},
    ];
  }

  #show() {
    const steps = this.#steps();
    const step = steps[this.#step];
    byId('learn-title').textContent =
        `${this.#step + 1} of ${steps.length}: ${step.title}`;
    byId('learn-text').replaceChildren(...step.text);
    /** @type {HTMLButtonElement} */ (byId('learn-back')).disabled =
        this.#step === 0;
    /** @type {HTMLButtonElement} */ (byId('learn-next')).disabled =
        this.#step === steps.length - 1;
    this.#draw();
  }

  /** The pool, or a part of it that holds a live block, with its list. */
  #draw() {
    const {example, capacity, live, heap} = this;
    const host = byId('learn-picture');
    const width = Math.max(260, Math.min(660, host.clientWidth));
    const cell = 34;
    const columns = Math.max(4, Math.floor((width - 12) / cell));
    if (this.#step >= 3) {
      this.#drawArena(width);
      return;
    }
    const shown = Math.min(capacity, kMostDrawn, columns * 4);
    const middle = this.#step === 2 ? example.free_list[0] : live[0] ?? 0;
    const begin = Math.max(0, Math.min(capacity - shown,
                                       middle - Math.floor(shown / 2)));
    const rows = Math.ceil(shown / columns);
    const height = 54 + rows * (cell + 14);
    const root = svg('svg', {width, height, viewBox: `0 0 ${width} ${height}`,
      role: 'img', 'aria-label': `Blocks ${begin} to ${begin + shown - 1} of ` +
          `the pool: ${live.length} live in all; the free list begins ` +
          example.free_list.slice(0, 8).join(', ')});
    const x = (/** @type {number} */ n) => 6 + ((n - begin) % columns) * cell;
    const y = (/** @type {number} */ n) =>
        44 + Math.floor((n - begin) / columns) * (cell + 14);
    root.append(svg('rect', {x: 6, y: 4, width: width - 12, height: 24,
                             class: 'learn-header'}),
                svg('text', {x: 14, y: 21}, [
                  `header: ${live.length} live, first free: block ${
                      example.free_list[0]}`]));
    const alive = new Set(live);
    const place = new Map(example.free_list.map((block, i) => [block, i]));
    for (let n = begin; n < begin + shown; ++n) {
      const kind = alive.has(n) ? 'live' :
          n >= example.carved_blocks ? 'virgin' : 'free';
      const on = this.#step === 0 && n === live[0] ? ' on' : '';
      root.append(svg('rect', {x: x(n), y: y(n), width: cell - 4,
                               height: cell - 4, rx: 4,
                               class: `learn-block ${kind}${on}`}),
                  svg('text', {x: x(n) + (cell - 4) / 2, y: y(n) + 20,
                               class: `learn-number ${kind}`}, [String(n)]));
      if (this.#step === 2 && (place.get(n) ?? 99) < 12) {
        root.append(svg('text', {x: x(n) + (cell - 4) / 2, y: y(n) + 41,
                                 class: 'learn-order'},
                        [`${(place.get(n) ?? 0) + 1}.`]));
      }
    }
    if (this.#step === 2) {
      const center = (/** @type {number} */ n) =>
          [x(n) + (cell - 4) / 2, y(n) + 2];
      const inside = example.free_list.slice(0, kArrows + 1).filter(
          (n) => n >= begin && n < begin + shown);
      for (let i = 0; i + 1 < inside.length; ++i) {
        const [x1, y1] = center(inside[i]);
        const [x2, y2] = center(inside[i + 1]);
        root.append(svg('path', {class: 'learn-link', d: `M${x1} ${y1}Q${
            (x1 + x2) / 2} ${Math.min(y1, y2) - 16} ${x2} ${y2}`}),
                    svg('circle', {class: 'learn-tip', cx: x2, cy: y2, r: 3}));
      }
    }
    host.replaceChildren(root);
    byId('learn-key').textContent = `Filled: live. Outlined: free${
        this.#step === 2 ? ', with its place in the free list' :
            ''}. Dotted: never handed out. Blocks ${begin} to ${
        begin + shown - 1} of ${capacity}; each is ${
        heap.blockBytes(example.class)} bytes.`;
  }

  /** @param {number} width */
  #drawArena(width) {
    const {heap, example} = this;
    const columns = Math.ceil(Math.sqrt(heap.poolsPerArena)) * 2;
    const cell = Math.min(30, Math.floor((width - 12) / columns));
    const rows = Math.ceil(heap.poolsPerArena / columns);
    const root = svg('svg', {width, height: rows * cell + 12, role: 'img',
      viewBox: `0 0 ${width} ${rows * cell + 12}`,
      'aria-label': `The ${heap.poolsPerArena} pools of arena ${this.arena}`});
    const here = heap.sample;
    heap.seek(example.sample);
    const slot = heap.ordinals.indexOf(this.arena);
    let used = 0;
    for (let i = 0; i < heap.poolsPerArena; ++i) {
      const cls = slot < 0 ? 0 : heap.cls[slot * heap.poolsPerArena + i];
      used += cls === 0 ? 0 : 1;
      root.append(svg('rect', {x: 6 + (i % columns) * cell,
        y: 6 + Math.floor(i / columns) * cell, width: cell - 3,
        height: cell - 3, rx: 3, class: `learn-block ${
            cls === 0 ? 'free' : 'live'}${i === this.pool ? ' on' : ''}`}));
    }
    heap.seek(here);
    byId('learn-picture').replaceChildren(root);
    byId('learn-key').textContent = `Filled: the ${used} pools in use. ` +
        `Outlined: free. Ringed: the pool of this story.`;
  }
}
