// From the page's text to the map's bytes: base64, gzip, varints.
// Errors: every reader throws MapError with one line that says what is broken;
// the page shows it in a banner and keeps everything else.

/** The map's payload cannot be read. */
export class MapError extends Error {}

/**
 * @param {string} text base64
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function bytesOfBase64(text) {
  try {
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; ++i) bytes[i] = binary.charCodeAt(i);
    return bytes;
  } catch {
    throw new MapError('its text is not base64: the file was cut or changed');
  }
}

/**
 * @param {Uint8Array<ArrayBuffer>} packed a gzip member
 * @returns {Promise<Uint8Array>}
 */
export async function inflate(packed) {
  if (typeof DecompressionStream === 'undefined')
    throw new MapError('this browser has no DecompressionStream');
  try {
    const stream =
        new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new MapError('its gzip data is cut or damaged');
  }
}

/** Reads LEB128 varints, first to last. */
export class VarintReader {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  /** @returns {number} */
  next() {
    const bytes = this.bytes;
    const first = bytes[this.at];
    // Nearly every number is below 128.
    if (first < 128) {
      ++this.at;
      return first;
    }
    let value = 0;
    let scale = 1;
    for (let length = 0; length < 8; ++length) {
      if (this.at >= bytes.length)
        throw new MapError(`it ends inside a number (byte ${this.at})`);
      const byte = bytes[this.at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw new MapError(`a number is too long (byte ${this.at})`);
  }

  /** @returns {boolean} */
  get done() {
    return this.at >= this.bytes.length;
  }
}
