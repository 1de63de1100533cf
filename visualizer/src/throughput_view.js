// Speed of each allocator: every repetition as a dot, the A/A arm's range as a
// grey band, the median, the interval of the ratio and its verdict. All numbers
// are the file's; nothing is judged here.
import {byId, html, svg} from './element.js';
import {strokeOf} from './palette.js';

/** @typedef {import('./results.js').Allocator} Allocator */

const kSigns = /** @type {Record<string, string>} */ (
    {faster: '▼', slower: '▲', 'no difference': '='});

/**
 * @param {Allocator} allocator
 * @param {number} n its position, for its colour
 * @param {number} top the axis's end, ns per event
 * @param {number} width
 */
function strip(allocator, n, top, width) {
  const time = allocator.time;
  const height = 40;
  const at = (/** @type {number} */ ns) => 4 + (ns / top) * (width - 8);
  const root = svg('svg', {width, height, role: 'img',
                           viewBox: `0 0 ${width} ${height}`,
                           preserveAspectRatio: 'none'});
  if (time === null) return root;
  const both = [...time.gross_ns_per_event, ...time.again_ns_per_event];
  root.setAttribute('aria-label', `${time.gross_ns_per_event.length} ` +
      `repetitions from ${Math.min(...both).toFixed(1)} to ${
          Math.max(...both).toFixed(1)} nanoseconds per event`);
  root.append(svg('line', {x1: 4, x2: width - 4, y1: height / 2,
                           y2: height / 2, class: 'axis'}));
  if (time.again_ns_per_event.length) {
    const low = Math.min(...time.again_ns_per_event);
    const high = Math.max(...time.again_ns_per_event);
    root.append(svg('rect', {x: at(low), width: at(high) - at(low) || 1, y: 4,
                             height: height - 8, class: 'noise'}));
  }
  time.gross_ns_per_event.forEach((ns, i) => {
    // Spread over the strip's height, so that equal times do not hide.
    root.append(svg('circle', {cx: at(ns), cy: 10 + ((i * 7) % 20), r: 3,
                               fill: strokeOf(n).color, class: 'dot'}));
  });
  root.append(svg('line', {x1: at(time.gross_median), x2: at(time.gross_median),
                           y1: 2, y2: height - 2, class: 'median'}));
  return root;
}

/** @param {Allocator[]} allocators */
export function showThroughput(allocators) {
  const host = byId('throughput-rows');
  const timed = allocators.filter((a) => a.time !== null);
  byId('throughput').hidden = timed.length === 0;
  if (timed.length === 0) return;
  const top = 1.06 * Math.max(...timed.flatMap((a) => a.time ?
      [...a.time.gross_ns_per_event, ...a.time.again_ns_per_event] : []));
  // All strips share one axis, so they are equally wide (page.css, .speed).
  const beside = host.clientWidth > 860 ? 590 : 0;
  const width = Math.max(180, host.clientWidth - beside);
  host.replaceChildren(...allocators.flatMap((allocator, n) => {
    const time = allocator.time;
    if (time === null) return [];
    const ratio = time.ratio_to_pymalloc;
    const chip = ratio === null ? html('span', {}, ['n/a']) :
        html('span', {class: `chip ${ratio.verdict.replace(/\W/g, '-')}`},
             [`${kSigns[ratio.verdict] ?? '?'} ${ratio.verdict}`]);
    return [html('div', {class: 'speed'}, [
      html('b', {}, [allocator.spelled]),
      html('span', {class: 'ns'}, [`${time.gross_median.toFixed(1)} ns`,
        html('small', {}, [time.net_median === null ? '' :
            ` net ${time.net_median.toFixed(1)}`])]),
      strip(allocator, n, top, width),
      html('span', {class: 'ratio'}, [ratio === null ? '' :
          `× ${ratio.median.toFixed(3)} [${ratio.low.toFixed(3)}, ${
              ratio.high.toFixed(3)}]`]),
      chip])];
  }));
}
