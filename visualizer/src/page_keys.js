// Keys that work anywhere on the page: ? lists them all, / goes to a moment or a
// place that is typed, p plays. And the link to what is shown.
import {byId} from './element.js';
import {formatCount} from './quantity.js';

/** @typedef {import('./results.js').Results} Results */
/** @typedef {import('./cursor.js').Place} Place */
/** @typedef {{words: string, place: Partial<Place>}} Goal */

/**
 * Where a text leads: peak, valley, end, a mark's name, a request's number,
 * `arena 3`, `arena 3 pool 5`, or an address of the recorded process.
 * @param {Results} results
 * @param {string} text
 * @param {string} allocator the one that is shown
 * @returns {Goal | null}
 */
export function goalOf(results, text, allocator) {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return null;
  const {moments, marks, timeline} = results;
  if (wanted === 'peak') return {words: 'the peak', place: {sample: moments.peak}};
  if (/^(last )?valley$/.test(wanted) && moments.last_valley !== null)
    return {words: 'the last valley', place: {sample: moments.last_valley}};
  if (wanted === 'end') return {words: 'the end', place: {sample: moments.end}};
  const place = /^arena (\d{1,9})(?:[ ,]+pool (\d{1,9}))?$/.exec(wanted);
  const shown = results.allocators.find(({spelled}) => spelled === allocator);
  const created = shown?.arenas?.created ?? 0;
  if (place && Number(place[1]) < created) {
    return {words: wanted, place: {arena: Number(place[1]),
      pool: place[2] === undefined ? null : Number(place[2]), block: null}};
  }
  const {addresses, arena_bytes: bytes} = shown?.arenas ?? {};
  if (/^0x[0-9a-f]{1,13}$/.test(wanted) && addresses && bytes) {
    const at = Number(wanted);
    // Of arenas that lay there one after another, the last.
    const arena = addresses.findLastIndex(
        (base) => at >= base && at < base + bytes);
    const pool_bytes = shown?.arenas?.pool_bytes ?? 1;
    if (arena >= 0) {
      const first = Math.ceil(addresses[arena] / pool_bytes) * pool_bytes;
      return {words: `${wanted}, in arena ${arena}`, place: {arena, block: null,
        pool: at < first ? null : Math.floor((at - first) / pool_bytes)}};
    }
  }
  const number = /^(?:request )?([\d ,\u202f]+)$/.exec(wanted);
  if (number) {
    const request = Number(number[1].replace(/[^\d]/g, ''));
    const sample = timeline.request.findIndex((done) => done >= request);
    return {words: `request ${formatCount(request)}`,
            place: {sample: sample < 0 ? moments.end : sample}};
  }
  const mark = marks.find(({name}) => name.toLowerCase() === wanted) ??
      marks.find(({name}) => name.toLowerCase().includes(wanted));
  return mark ? {words: `the mark “${mark.name}”`, place: {sample: mark.sample}} :
      null;
}

/**
 * @param {Results} results
 * @param {import('./cursor.js').Cursor} cursor
 */
export function listenForKeys(results, cursor) {
  const help = /** @type {HTMLDialogElement} */ (byId('keys'));
  const search = /** @type {HTMLDialogElement} */ (byId('goto'));
  const input = /** @type {HTMLInputElement} */ (byId('goto-text'));
  const answer = byId('goto-words');
  const open = (/** @type {HTMLDialogElement} */ dialog) => {
    if (!dialog.open) dialog.showModal();
  };
  byId('keys-open').addEventListener('click', () => open(help));
  byId('goto-open').addEventListener('click', () => open(search));
  byId('keys-close').addEventListener('click', () => help.close());
  byId('goto-close').addEventListener('click', () => search.close());
  byId('goto-go').addEventListener('click', () => go());
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    go();
  });
  const go = () => {
    const goal = goalOf(results, input.value, cursor.place.allocator);
    if (goal === null) {
      answer.textContent = `Nothing here is called “${input.value}”. Known: ` +
          ['peak', 'valley', 'end', ...results.marks.map(({name}) => name),
           'a request’s number', 'arena 3', 'arena 3 pool 5', '0x7f…'].join(', ');
      return;
    }
    search.close();
    cursor.move(goal.place);
    byId('live-region').textContent = `Went to ${goal.words}.`;
    if (goal.place.arena !== undefined) byId('heap').scrollIntoView();
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || help.open ||
        search.open) return;
    const target = /** @type {HTMLElement} */ (event.target);
    // The browser takes the focus out of a closed dialog only some time after:
    // what is typed until then is not meant for the dialog's field.
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) &&
        /** @type {HTMLInputElement} */ (target).type !== 'range' &&
        target.closest('dialog') === null) return;
    if (event.key === '?') open(help);
    else if (event.key === '/') open(search);
    else if (event.key === 'p') byId('play').click();
    else return;
    event.preventDefault();
  });
  const link = byId('copy-link');
  link.addEventListener('click', async () => {
    const address = location.href.replace(/#.*$/, '') + cursor.hash();
    history.replaceState(null, '', cursor.hash());
    try {
      await navigator.clipboard.writeText(address);
      link.textContent = 'Link copied';
    } catch {
      // Without a clipboard: the address bar has it.
      link.textContent = 'Link is in the address bar';
    }
    byId('live-region').textContent = link.textContent;
  });
  cursor.addEventListener('change', () => {
    link.textContent = 'Copy link';
  });
}
