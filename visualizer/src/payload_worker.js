// Decodes the payloads beside the page's own thread: from base64 to typed arrays,
// which are handed over, not copied. Bundled by itself; payloads.js starts it.
import {bytesOfBase64, inflate, MapError} from './map_bytes.js';
import {meaningOf} from './payloads.js';

/** @typedef {import('./payloads.js').Job} Job */

/**
 * The typed arrays inside, to be handed over.
 * @param {object} value
 * @returns {ArrayBuffer[]}
 */
function buffersOf(value) {
  return Object.values(value).flatMap((field) => {
    const array = field?.data ?? field;
    return ArrayBuffer.isView(array) &&
        array.buffer instanceof ArrayBuffer ? [array.buffer] : [];
  });
}

addEventListener('message', async (event) => {
  const {kind, header, text} = /** @type {MessageEvent<Job>} */ (event).data;
  try {
    const bytes = await inflate(bytesOfBase64(text));
    const value = /** @type {any} */ ({...meaningOf(kind, header, bytes)});
    // Constructors do not travel.
    for (const field of Object.values(value))
      if (field && typeof field === 'object' && 'type' in field) delete field.type;
    postMessage({value}, {transfer: buffersOf(value)});
  } catch (error) {
    postMessage({
      broken: error instanceof Error ? error.message : String(error),
      expected: error instanceof MapError});
  }
});
