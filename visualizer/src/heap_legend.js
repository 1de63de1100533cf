// What the map's colours mean, drawn from the palette itself.
import {byId, html, svg} from './element.js';
import {kViridis} from './palette.js';

/** @param {(string | Node)[]} children */
function entry(...children) {
  return html('span', {}, children);
}

export function showHeapLegend() {
  const stops = Array.from({length: 11}, (_, tenth) => {
    const color = kViridis[Math.round(tenth * 25.5)];
    return svg('stop', {offset: tenth / 10,
                        'stop-color': `rgb(${color.join(',')})`});
  });
  const scale = svg('svg', {width: 140, height: 14, 'aria-hidden': 'true'}, [
    svg('linearGradient', {id: 'occupancy'}, stops),
    svg('rect', {width: 140, height: 14, fill: 'url(#occupancy)'})]);
  const hatch = svg('svg', {width: 18, height: 14, 'aria-hidden': 'true'}, [
    svg('rect', {width: 18, height: 14, class: 'ground'}),
    svg('path', {d: 'M-2 4 4 -2M-2 10 10 -2M-2 16 16 -2M4 16 20 0M10 16 20 6',
                 class: 'hatch'})]);
  byId('heap-legend').replaceChildren(
      entry('one block live', scale, 'full'),
      entry(hatch, 'free but held'));
}
