// The results file as the page reads it: types only (schema
// arenalab.results/1, tools/replay/RESULTS.md) and the two helpers that find
// the data blocks inside the page. Bytes and nanoseconds are numbers; what is
// not known is null.

/**
 * @typedef {{name: string, request: number, sample: number}} Mark
 *
 * @typedef {{encoding: string, arena_bytes: number, pool_bytes: number,
 *   alignment: number, classes: number, header_bytes: number,
 *   samples: number, told?: number[] | null, data?: string}} MapHeader
 *
 * @typedef {{encoding: string, samples: number, count: number,
 *   told: number[] | null, types: string[] | null, sites: string[] | null,
 *   owners?: boolean, data?: string}} ObjectsHeader
 *
 * @typedef {{encoding: string, samples: number, count: number,
 *   told: number[] | null, types: string[] | null, sites: string[] | null,
 *   owners: boolean}} LiveHeader
 *
 * @typedef {{sample: number, pool: number, class: number, live_blocks: number,
 *   carved_blocks: number, free_list: number[]}} PoolExample
 *
 * @typedef {{pools: number[], used_blocks: number[], free_blocks: number[]}}
 *   ClassRow
 *
 * @typedef {{name: string, spelled: string, label: string, version: string,
 *   held_bytes: number[] | null, committed_bytes: number[] | null,
 *   rss_bytes: number[] | null, rss_recorded_bytes?: number[] | null,
 *   waterfall: {parts: string[], bytes: number[][]} | null,
 *   large: {held_bytes: number[] | null, rss_bytes?: number[] | null} | null,
 *   arenas: {arena_bytes: number, pool_bytes: number, created: number,
 *     released: number, high_water: number, live_at_end: number,
 *     live: number[], addresses?: number[] | null} | null,
 *   classes: {size_bytes: number[], peak: ClassRow,
 *     last_valley: ClassRow | null, end: ClassRow} | null,
 *   time: {gross_ns_per_event: number[], again_ns_per_event: number[],
 *     gross_median: number, net_median: number | null,
 *     ratio_to_pymalloc: {median: number, low: number, high: number,
 *       verdict: string} | null} | null,
 *   objects?: ObjectsHeader | null, example?: PoolExample | null,
 *   places?: {encoding: string} | null, map: MapHeader | null}} Allocator
 *
 * @typedef {{schema: string, complete: boolean,
 *   timeline: {request: number[], allocated_bytes: number[],
 *     time_ns: number[], requested_bytes: number[],
 *     requested_small_bytes: number[], live_objects: number[],
 *     process_rss_bytes?: (number | null)[] | null},
 *   marks: Mark[],
 *   moments: {peak: number, valleys: number[], last_valley: number | null,
 *     end: number},
 *   limits: {generation?: string, load: number[] | null, page_load: number[] | null,
 *     class_repack: number[] | null},
 *   live?: LiveHeader | null, options: {clock?: string, scope?: string},
 *   allocators: Allocator[]}} Results
 */

/**
 * The results inside the page.
 * @returns {Results}
 */
export function readResults() {
  const block = document.getElementById('results');
  return JSON.parse(block?.textContent ?? '');
}

/**
 * The base64 text of an allocator's payload, or null where it has none. They
 * stand in blocks of their own, so that the JSON is parsed without them.
 * @param {'map' | 'objects' | 'places'} kind
 * @param {number} allocator its position in `allocators`
 * @returns {string | null}
 */
export function readPayload(kind, allocator) {
  return document.getElementById(`${kind}-${allocator}`)?.textContent?.trim() ??
      null;
}

/** The base64 text of what all places are about. */
export function readLive() {
  return document.getElementById('live')?.textContent?.trim() ?? null;
}
