// The page's start: reads the data blocks, makes the views, and lets the
// cursor move them all. What fails is said in a banner; the part of the page
// that the server wrote stays readable whatever happens here.
import 'uplot/dist/uPlot.min.css';
import './page.css';
import {ArenaView} from './arena_view.js';
import {ClassView} from './class_view.js';
import {Cursor} from './cursor.js';
import {byId, html} from './element.js';
import {HeapHistory} from './heap_history.js';
import {showHeapLegend} from './heap_legend.js';
import {HeapView} from './heap_view.js';
import {bytesOfBase64, inflate, MapError} from './map_bytes.js';
import {MemoryView} from './memory_view.js';
import {PinView} from './pin_view.js';
import {readMapText, readResults} from './results.js';
import {Slider} from './slider.js';
import {showThroughput} from './throughput_view.js';
import {WaterfallView} from './waterfall_view.js';

/** @typedef {import('./results.js').Results} Results */
/** @typedef {import('./results.js').Allocator} Allocator */

/** @param {string} text */
function banner(text) {
  byId('banners').append(
      html('p', {class: 'warning', role: 'alert'}, [html('b', {}, [text])]));
}

/**
 * The heap's history of one allocator; null, and a banner, where its payload
 * is broken; null where it has none.
 * @param {Results} results
 * @param {number} n
 * @returns {Promise<HeapHistory | null>}
 */
async function readHeap(results, n) {
  const allocator = results.allocators[n];
  const text = readMapText(n);
  if (allocator === undefined || allocator.map === null || text === null)
    return null;
  try {
    if (allocator.map.encoding !== 'varint+gzip+base64')
      throw new MapError(`its encoding is ${allocator.map.encoding}`);
    return new HeapHistory(allocator.map, await inflate(bytesOfBase64(text)));
  } catch (error) {
    if (!(error instanceof MapError)) throw error;
    banner(`The heap map of ${allocator.spelled} cannot be shown: ${
        error.message}. Everything else on this page is complete.`);
    return null;
  }
}

/**
 * The views of one allocator's inside. Made anew when another is chosen.
 * @param {Results} results
 * @param {Cursor} cursor
 * @param {number} n
 */
async function insideOf(results, cursor, n) {
  const allocator = results.allocators[n];
  const heap = await readHeap(results, n);
  byId('heap').hidden = heap === null;
  byId('pins').hidden = heap === null;
  byId('turnover').hidden = heap === null;
  byId('waterfall-section').hidden = allocator?.waterfall == null;
  byId('class-section').hidden = allocator?.classes == null;
  byId('arena-section').hidden = allocator?.arenas == null;
  for (const id of ['arena-chart', 'arena-turnover', 'class-rows', 'waterfall'])
    byId(id).replaceChildren();
  return {
    allocator,
    heap,
    map: heap && new HeapView(heap, cursor),
    pins: heap && new PinView(heap, cursor),
    waterfall: allocator?.waterfall ? new WaterfallView(results, allocator) :
                                      null,
    classes: allocator?.classes ? new ClassView(allocator.classes.size_bytes) :
                                  null,
    arenas: allocator?.arenas ?
        new ArenaView(results, allocator, heap, cursor) : null,
  };
}

/**
 * Without a map the file knows the classes at three moments only; the nearest
 * one before the cursor is shown and named.
 * @param {Results} results
 * @param {Awaited<ReturnType<typeof insideOf>>} inside
 * @param {number} sample
 */
function showClasses(results, inside, sample) {
  const {classes} = inside.allocator;
  if (inside.classes === null || classes === null) return;
  if (inside.heap) {
    inside.classes.show(inside.heap.classTotals(), '');
    return;
  }
  const {peak, last_valley: valley} = results.moments;
  if (valley !== null && classes.last_valley && sample >= valley &&
      sample < results.moments.end)
    inside.classes.show(classes.last_valley, 'At the last valley.');
  else if (sample >= peak && sample === results.moments.end)
    inside.classes.show(classes.end, 'At the end.');
  else inside.classes.show(classes.peak, 'At the peak.');
}

/** @param {() => void} changed called when the colours are others */
function watchTheme(changed) {
  const root = document.documentElement;
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const button = byId('theme');
  const label = () => {
    const isDark = (root.dataset.theme ?? (dark.matches ? 'dark' : 'light')) ===
        'dark';
    button.textContent = isDark ? 'Light colours' : 'Dark colours';
    return isDark;
  };
  label();
  button.hidden = false;
  button.addEventListener('click', () => {
    root.dataset.theme = label() ? 'light' : 'dark';
    label();
    try {
      localStorage.setItem('arenalab-theme', root.dataset.theme);
    } catch {
      // Some browsers give files no storage; the choice lasts for this view.
    }
    changed();
  });
  dark.addEventListener('change', () => {
    label();
    changed();
  });
}

async function start() {
  const results = readResults();
  const names = results.allocators.map((a) => a.spelled);
  const withInside = results.allocators.flatMap(
      (a, n) => a.map || a.waterfall || a.arenas ? [n] : []);
  const cursor = new Cursor(
      {sample: results.moments.last_valley ?? results.moments.peak, allocator: names[withInside[0] ?? 0] ?? '',
       arena: null, pool: null},
      results.timeline.request.length, names);

  document.documentElement.classList.add('js');
  byId('explore').hidden = false;
  const slider = new Slider(results, cursor);
  const memory = new MemoryView(results, cursor);
  showThroughput(results.allocators);
  showHeapLegend();

  const choice = /** @type {HTMLSelectElement} */ (byId('inside'));
  choice.append(...withInside.map(
      (n) => html('option', {value: names[n]}, [names[n]])));
  byId('inside-label').hidden = withInside.length < 2;
  choice.addEventListener('change', () => cursor.move(
      {allocator: choice.value, arena: null, pool: null}));

  let shown = '';
  /** @type {Awaited<ReturnType<typeof insideOf>> | null} */
  let inside = null;
  const draw = async () => {
    const {allocator} = cursor.place;
    if (allocator !== shown) {
      shown = allocator;
      choice.value = allocator;
      inside = await insideOf(results, cursor, names.indexOf(allocator));
      const {heap} = inside;
      if (heap)
        slider.addMoments(results.timeline.request.flatMap(
            (_, s) => heap.arenasChange(s) ? [s] : []));
    }
    const {sample} = cursor.place;
    const begin = performance.now();
    slider.show(sample);
    memory.show(sample);
    inside?.map?.show(sample);
    performance.clearMeasures('scrub');
    performance.measure('scrub', {start: begin, end: performance.now()});
    if (inside === null) return;
    inside.pins?.show();
    inside.waterfall?.show(sample);
    inside.arenas?.show(sample);
    showClasses(results, inside, sample);
  };
  // One drawing a frame, however fast the slider moves.
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(async () => {
      waiting = false;
      await draw();
      document.documentElement.dataset.sample = String(cursor.place.sample);
    });
  };
  cursor.addEventListener('change', soon);
  watchTheme(() => {
    memory.refresh();
    inside?.arenas?.refresh();
    inside?.map?.refresh();
  });
  await draw();
  document.documentElement.dataset.sample = String(cursor.place.sample);
  document.documentElement.dataset.ready = 'yes';
}

start().catch((error) => {
  banner(`This page's drawing failed (${
      error instanceof Error ? error.message : error}). The verdict and the ` +
      `tables are complete.`);
  document.documentElement.dataset.ready = 'failed';
});
