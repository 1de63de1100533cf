// The page's start: reads the data blocks, makes the views, and lets the
// cursor move them all. What fails is said in a banner; the part of the page
// that the server wrote stays readable whatever happens here.
import 'uplot/dist/uPlot.min.css';
import './page.css';
import {ArenaView} from './arena_view.js';
import {ClassView} from './class_view.js';
import {Colouring, kKindNames} from './colouring.js';
import {Cursor} from './cursor.js';
import {byId, html} from './element.js';
import {HeapHistory} from './heap_history.js';
import {HeapView} from './heap_view.js';
import {KymographView} from './kymograph_view.js';
import {showLayers} from './layers_view.js';
import {LearnView} from './learn_view.js';
import {MapError} from './map_bytes.js';
import {MemoryView} from './memory_view.js';
import {hex, ObjectWords, programEndOf} from './object_words.js';
import {readLiveTable, readMap, readObjects, readPlaces} from './payloads.js';
import {PinView} from './pin_view.js';
import {listenForKeys} from './page_keys.js';
import {PlaceCells} from './place_cells.js';
import {PlaceView} from './place_view.js';
import {readResults} from './results.js';
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
 * What is read, or null, and a banner, where it is broken.
 * @template T
 * @param {Allocator | undefined} allocator
 * @param {string} what in words
 * @param {Promise<T>} reading
 * @returns {Promise<T | null>}
 */
async function orTell(allocator, what, reading) {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof MapError)) throw error;
    banner(`The ${what} of ${allocator?.spelled} cannot be shown: ${
        error.message}. Everything else on this page is complete.`);
    return null;
  }
}

/** @type {Promise<import('./live_table.js').LiveTable | null> | null} */
let liveTable = null;
/** @type {Map<number, Promise<Float64Array | null>>} */
const placesOf = new Map();

/**
 * Where an allocator put each object, decoded when it is first asked for.
 * @param {Results} results
 * @param {number} n
 * @returns {Promise<{live: import('./live_table.js').LiveTable,
 *   places: Float64Array} | null>}
 */
async function placed(results, n) {
  const allocator = results.allocators[n];
  if (!allocator?.places) return null;
  liveTable ??= orTell(allocator, 'list of live objects',
                       readLiveTable(results.live));
  const live = await liveTable;
  if (live === null) return null;
  let reading = placesOf.get(n);
  if (!reading) {
    reading = orTell(allocator, 'map', readPlaces(n, allocator.places, live));
    placesOf.set(n, reading);
  }
  const places = await reading;
  return places && {live, places};
}

/**
 * The map of an allocator that has no other.
 * @param {Results} results
 * @param {Cursor} cursor
 * @param {number} n
 */
async function placeViewOf(results, cursor, n) {
  const allocator = results.allocators[n];
  const found = allocator?.map ? null : await placed(results, n);
  byId('places').hidden = found === null;
  if (found === null) return null;
  const elsewhere = async (/** @type {number} */ row) => {
    const lines = [];
    for (let other = 0; other < results.allocators.length; ++other) {
      const there = other === n ? null : await placed(results, other);
      const {spelled} = results.allocators[other];
      if (there === null || there.places[row] === 0) continue;
      const at = there.places[row] * 8;
      const page = Math.floor(at / 4096);
      let bytes = 0;
      there.live.forLive(cursor.place.sample, (one) => {
        if (Math.floor(there.places[one] * 8 / 4096) === page)
          bytes += Math.min(4096, there.live.size[one]);
      });
      lines.push(`${spelled}: ${hex(at)}, in a page of which ${
          Math.min(100, Math.round(bytes / 40.96))} % is live`);
    }
    return lines;
  };
  return new PlaceView(results, allocator, new PlaceCells(found.live,
      found.places), cursor, programEndOf(results), elsewhere);
}

/**
 * The views of one allocator's inside. Made anew when another is chosen.
 * @param {Results} results
 * @param {Cursor} cursor
 * @param {number} n
 */
async function insideOf(results, cursor, n) {
  const allocator = results.allocators[n];
  const [columns, listed] = await Promise.all([
    orTell(allocator, 'heap map', readMap(n, allocator?.map)),
    orTell(allocator, 'list of objects', readObjects(n, allocator?.objects))]);
  const placesView = await placeViewOf(results, cursor, n);
  const heap = columns && allocator.map ?
      new HeapHistory(allocator.map, columns) : null;
  const objects = heap && listed;
  const words = heap && new ObjectWords(results, allocator, heap, objects);
  const colouring =
      heap && new Colouring(heap, objects, programEndOf(results));
  for (const id of ['heap', 'pins', 'turnover', 'kymograph-section'])
    byId(id).hidden = heap === null;
  byId('learn').hidden = words === null || !allocator.example;
  byId('waterfall-section').hidden = allocator?.waterfall == null;
  byId('layers-section').hidden = allocator?.waterfall == null;
  byId('class-section').hidden = allocator?.classes == null;
  byId('arena-section').hidden = allocator?.arenas == null;
  for (const id of ['arena-chart', 'arena-turnover', 'class-rows', 'waterfall',
                    'layers'])
    byId(id).replaceChildren();
  for (const label of document.querySelectorAll('.known'))
    label.textContent = allocator?.label ?? '';
  byId('color').replaceChildren(...(colouring?.kinds() ?? []).map(
      (kind) => html('option', {value: kind}, [kKindNames[kind]])));
  const map = heap && colouring && words &&
      new HeapView(heap, cursor, colouring, words);
  const pins = heap && words && new PinView(heap, cursor, words);
  const kymograph = heap && new KymographView(results, heap, cursor);
  const learn = words && allocator.example ?
      new LearnView(results, allocator, allocator.example, words, cursor) :
      null;
  return {
    allocator,
    heap,
    map,
    pins,
    placesView,
    kymograph,
    waterfall: allocator?.waterfall ? new WaterfallView(results, allocator) :
                                      null,
    classes: allocator?.classes ? new ClassView(allocator.classes.size_bytes) :
                                  null,
    arenas: allocator?.arenas ?
        new ArenaView(results, allocator, heap, cursor) : null,
    leave() {
      for (const view of [map, pins, placesView, kymograph, learn]) view?.leave();
    },
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
      (a, n) => a.map || a.waterfall || a.arenas || a.places ? [n] : []);
  const cursor = new Cursor(
      {sample: results.moments.last_valley ?? results.moments.peak, allocator: names[withInside[0] ?? 0] ?? '',
       arena: null, pool: null, block: null, color: 'occupancy'},
      results.timeline.request.length, names);

  document.documentElement.classList.add('js');
  byId('explore').hidden = false;
  const slider = new Slider(results, cursor);
  const memory = new MemoryView(results, cursor);
  listenForKeys(results, cursor);
  showThroughput(results.allocators);

  const choice = /** @type {HTMLSelectElement} */ (byId('inside'));
  choice.append(...withInside.map(
      (n) => html('option', {value: names[n]}, [names[n]])));
  byId('inside-label').hidden = withInside.length < 2;
  choice.addEventListener('change', () => cursor.move(
      {allocator: choice.value, arena: null, pool: null, block: null}));
  const color = /** @type {HTMLSelectElement} */ (byId('color'));
  color.addEventListener('change', () => cursor.move({color: color.value}));

  let shown = '';
  /** @type {Awaited<ReturnType<typeof insideOf>> | null} */
  let inside = null;
  const draw = async () => {
    const {allocator} = cursor.place;
    if (allocator !== shown) {
      shown = allocator;
      choice.value = allocator;
      inside?.leave();
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
    inside.placesView?.show(sample);
    inside.waterfall?.show(sample);
    inside.kymograph?.show(sample);
    if (inside.allocator?.waterfall)
      showLayers(results, inside.allocator, sample);
    color.value = cursor.place.color;
    if (color.selectedIndex < 0) color.value = 'occupancy';
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
    inside?.placesView?.refresh();
    inside?.kymograph?.refresh();
  });
  await draw();
  document.documentElement.dataset.sample = String(cursor.place.sample);
  performance.mark('ready');
  document.documentElement.dataset.ready = 'yes';
}

start().catch((error) => {
  banner(`This page's drawing failed (${
      error instanceof Error ? error.message : error}). The verdict and the ` +
      `tables are complete.`);
  document.documentElement.dataset.ready = 'failed';
});
