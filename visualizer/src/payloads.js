// The payloads of the page, decoded: in a worker where the browser allows it, so
// that the page answers meanwhile; else here. The same code does both.
import {HeapColumns} from './heap_decoder.js';
import {bytesOfBase64, inflate, MapError} from './map_bytes.js';
import {ObjectTable} from './object_table.js';
import {decodePlaces, LiveTable} from './live_table.js';
import {readLive, readPayload} from './results.js';

/** @typedef {import('./results.js').MapHeader} MapHeader */
/** @typedef {import('./results.js').ObjectsHeader} ObjectsHeader */
/** @typedef {import('./results.js').LiveHeader} LiveHeader */
/** @typedef {{kind: 'map' | 'objects' | 'live' | 'places',
 *   header: MapHeader | ObjectsHeader | LiveHeader | Float64Array,
 *   text: string}} Job
 * @typedef {{value?: object, broken?: string, expected?: boolean}} Answer */

/**
 * The worker's script, put in by bundle.mjs.
 * @type {string | undefined}
 */
const kWorkerSource = // @ts-ignore: no such global is declared; the bundle puts a text here.
    globalThis.ARENALAB_WORKER_SOURCE;

/**
 * @param {Job} job
 * @returns {Promise<Answer | null>} null: there is no worker to be had
 */
function askWorker(job) {
  if (!kWorkerSource || typeof Worker === 'undefined')
    return Promise.resolve(null);
  const url = URL.createObjectURL(
      new Blob([kWorkerSource], {type: 'text/javascript'}));
  return new Promise((resolve) => {
    /** @type {Worker | null} */
    let worker = null;
    const done = (/** @type {Answer | null} */ answer) => {
      worker?.terminate();
      URL.revokeObjectURL(url);
      resolve(answer);
    };
    try {
      worker = new Worker(url);
      worker.addEventListener('message', (event) => done(event.data));
      worker.addEventListener('error', () => done(null));
      worker.postMessage(job);
    } catch {
      done(null);
    }
  });
}

/**
 * What a payload means; in the worker or here.
 * @param {Job['kind']} kind
 * @param {any} header of `places`: the sizes of the live objects
 * @param {Uint8Array} bytes
 */
export function meaningOf(kind, header, bytes) {
  switch (kind) {
    case 'map':
      return new HeapColumns(header, bytes);
    case 'objects':
      return new ObjectTable(header, bytes);
    case 'live':
      return new LiveTable(header, bytes);
    default:
      return {places: decodePlaces(header, bytes)};
  }
}

const kTypes = {map: HeapColumns, objects: ObjectTable, live: LiveTable,
                places: Object};

/**
 * @param {Job['kind']} kind
 * @param {any} header
 * @param {string} encoding
 * @param {string | null} text
 * @returns {Promise<any>} null: it has none. Throws MapError where it is broken.
 */
async function decode(kind, header, encoding, text) {
  if (!header || text === null) return null;
  if (encoding !== 'varint+gzip+base64')
    throw new MapError(`its encoding is ${encoding}`);
  const answer = await askWorker({kind, header, text});
  if (answer?.broken !== undefined) {
    throw answer.expected ? new MapError(answer.broken) :
        new Error(answer.broken);
  }
  if (answer?.value)
    return Object.assign(Object.create(kTypes[kind].prototype), answer.value);
  return meaningOf(kind, header, await inflate(bytesOfBase64(text)));
}

/**
 * @param {number} n
 * @param {MapHeader | null | undefined} header
 */
export async function readMap(n, header) {
  return /** @type {HeapColumns | null} */ (await decode(
      'map', header, header?.encoding ?? '', readPayload('map', n)));
}

/**
 * @param {number} n
 * @param {ObjectsHeader | null | undefined} header
 */
export async function readObjects(n, header) {
  return /** @type {ObjectTable | null} */ (await decode(
      'objects', header, header?.encoding ?? '', readPayload('objects', n)));
}

/**
 * @param {LiveHeader | null | undefined} header
 * @returns {Promise<LiveTable | null>}
 */
export function readLiveTable(header) {
  return decode('live', header, header?.encoding ?? '', readLive());
}

/**
 * Where an allocator put each row of the table, in units of eight bytes.
 * @param {number} n
 * @param {{encoding: string} | null | undefined} header
 * @param {LiveTable} live
 * @returns {Promise<Float64Array | null>}
 */
export async function readPlaces(n, header, live) {
  if (!header) return null;
  const got = await decode('places', live.size, header.encoding,
                           readPayload('places', n));
  return got?.places ?? null;
}
