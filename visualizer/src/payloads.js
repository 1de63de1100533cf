// The payloads of the page, decoded: in a worker where the browser allows it, so
// that the page answers meanwhile; else here. The same code does both.
import {HeapColumns} from './heap_decoder.js';
import {bytesOfBase64, inflate, MapError} from './map_bytes.js';
import {ObjectTable} from './object_table.js';
import {readPayload} from './results.js';

/** @typedef {import('./results.js').MapHeader} MapHeader */
/** @typedef {import('./results.js').ObjectsHeader} ObjectsHeader */
/** @typedef {{kind: 'map' | 'objects', header: MapHeader | ObjectsHeader,
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
 * @param {'map' | 'objects'} kind
 * @param {number} n the allocator's number
 * @param {MapHeader | ObjectsHeader | null | undefined} header
 * @returns {Promise<HeapColumns | ObjectTable | null>} null: it has none.
 *   Throws MapError where it is broken.
 */
async function decode(kind, n, header) {
  const text = readPayload(kind, n);
  if (!header || text === null) return null;
  if (header.encoding !== 'varint+gzip+base64')
    throw new MapError(`its encoding is ${header.encoding}`);
  const answer = await askWorker({kind, header, text});
  if (answer?.broken !== undefined) {
    throw answer.expected ? new MapError(answer.broken) :
        new Error(answer.broken);
  }
  const type = kind === 'map' ? HeapColumns : ObjectTable;
  if (answer?.value)
    return Object.assign(Object.create(type.prototype), answer.value);
  const bytes = await inflate(bytesOfBase64(text));
  return new type(/** @type {any} */ (header), bytes);
}

/**
 * @param {number} n
 * @param {MapHeader | null | undefined} header
 */
export async function readMap(n, header) {
  return /** @type {HeapColumns | null} */ (await decode('map', n, header));
}

/**
 * @param {number} n
 * @param {ObjectsHeader | null | undefined} header
 */
export async function readObjects(n, header) {
  return /** @type {ObjectTable | null} */ (await decode('objects', n, header));
}
