// Everything here only makes quicker what links and forms already do.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const words = $('#words').dataset;
const modal = $('#modal');
const fields = 'input:not([type=checkbox],[type=radio]),select,textarea,[contenteditable]';

// --- Toasts: {level, text, undo} in the HX-Trigger header; at most three at once.
const told = new Set();
function toast({ level = 'ok', text, undo, id }) {
  if (id && told.has(id)) return;
  told.add(id);
  const box = document.createElement('div');
  box.className = 'toast';
  if (level === 'error') box.setAttribute('role', 'alert');
  const line = document.createElement('span');
  line.textContent = text;
  box.append(line);
  if (undo) box.append(button(words.undo, () => { dismiss(box); htmx.ajax('POST', undo, { swap: 'none' }); }));
  box.append(button('×', () => dismiss(box), words.dismiss));
  $('#toasts').append(box);
  while ($('#toasts').children.length > 3) $('#toasts').firstChild.remove();
  stay(box, level);
}
function dismiss(box) {
  box.remove();
  keepFocus();
}
function button(text, act, name) {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = text;
  if (name) made.setAttribute('aria-label', name);
  made.addEventListener('click', act);
  return made;
}
// Errors stay; the others go after a while, but not while somebody is at them.
function stay(box, level) {
  if (level === 'error') return;
  const later = () => box.matches(':hover, :focus-within') ? setTimeout(later, 2000) : box.remove();
  setTimeout(later, $('button + button', box) ? 10000 : 6000);
}
document.addEventListener('toast', event => [event.detail.list ?? event.detail].flat().forEach(toast));
document.addEventListener('htmx:responseError', event => {
  const { status } = event.detail.xhr;
  if (status === 401 || status === 403) location.reload();
  else toast({ level: 'error', text: `${words.failed} (${status})` });
});
document.addEventListener('htmx:sendError', () => toast({ level: 'error', text: words.offline }));
document.addEventListener('htmx:timeout', () => toast({ level: 'error', text: words.offline }));
$$('#toasts .toast').forEach(box => {
  stay(box, box.dataset.level);
  $('[data-dismiss]', box)?.addEventListener('click', () => dismiss(box));
});

// --- Focus: when what has it goes away, the next Tab begins at the page's content, not at its top.
let held = null;
document.addEventListener('focusin', event => { held = event.target; });
document.addEventListener('htmx:afterRequest', keepFocus);
function keepFocus() {
  if (held && !held.isConnected && document.activeElement === document.body) $('#main').focus({ preventScroll: true });
}

// --- The dialog: filled by hx-get, opened when filled, emptied when closed.
let opener = null;
document.addEventListener('htmx:beforeRequest', event => {
  if (event.detail.target?.id === 'modal-body' && !modal.open) opener = document.activeElement?.id;
});
document.addEventListener('htmx:afterSwap', event => {
  if (event.detail.target?.id === 'modal-body' && $('#modal-body').childElementCount && !modal.open) modal.showModal();
});
document.addEventListener('close-modal', () => modal.close());
modal.addEventListener('click', event => {
  if (event.target === modal || event.target.closest('[data-close]')) { if (event.target.closest('a[data-close]')) event.preventDefault(); modal.close(); }
});
modal.addEventListener('close', () => {
  $('#modal-body').replaceChildren();
  if (opener) document.getElementById(opener)?.focus();
  opener = null;
  keepFocus();
});
document.addEventListener('click', event => {
  if (!event.target.closest('[data-help]')) return;
  event.preventDefault();
  opener = document.activeElement?.id;
  $('#modal-body').replaceChildren($('#help').content.cloneNode(true));
  modal.showModal();
});
document.addEventListener('click', event => $$('details.menu[open]').forEach(menu => { if (!menu.contains(event.target)) menu.open = false; }));

// --- Theme: shown at once, kept by the form that the button belongs to.
document.addEventListener('theme', event => {
  const root = document.documentElement;
  if (event.detail.theme === 'system') delete root.dataset.theme; else root.dataset.theme = event.detail.theme;
});

// --- Small comforts of forms.
document.addEventListener('change', event => { if (event.target.matches('[data-submit]')) event.target.form.requestSubmit(); });
for (const select of $$('select[data-zone]')) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ($$('option', select).some(option => option.value === zone)) select.value = zone;
}
document.addEventListener('focusin', event => {
  const choice = event.target.dataset.chooses && document.getElementById(event.target.dataset.chooses);
  if (choice) choice.checked = true;
});

// --- Select mode: a shift-click takes everything in between.
let last = null;
document.addEventListener('click', event => {
  const box = event.target.closest?.('.pick input');
  if (!box) return;
  const all = $$('.pick input');
  if (event.shiftKey && last) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    if (from >= 0) all.slice(from, to + 1).forEach(one => { one.checked = box.checked; });
  }
  last = box;
  count();
});
function count() {
  const shown = $('#picked');
  if (shown) shown.textContent = shown.dataset.words.replace('%s', $$('.pick input:checked').length);
}
document.addEventListener('click', event => {
  if (!event.target.closest('[data-pick-all]')) return;
  $$('.pick input').forEach(box => { box.checked = true; });
  count();
});
// What was ticked before this script ran, or is ticked again after going back.
if ($('.pick input:checked')) count();

// --- Adaptive polling: fragments listen for `tick`; quick while somebody is there, slow otherwise.
let active = Date.now(), beaten = Date.now();
setInterval(() => {
  const pause = Date.now() - active < 60000 ? 3000 : 60000;
  if (document.visibilityState !== 'visible' || Date.now() - beaten < pause) return;
  beaten = Date.now();
  htmx.trigger(document.body, 'tick');
}, 1000);
for (const name of ['pointermove', 'keydown', 'scroll', 'visibilitychange']) document.addEventListener(name, () => { active = Date.now(); }, { passive: true });
// The list's own poll names what has changed; only cards that are on the page are fetched anew.
const stale = new Set();
let fetching = false;
document.addEventListener('cards', async event => {
  event.detail.ids.forEach(id => stale.add(id));
  if (fetching) return;
  fetching = true;
  while (stale.size) {
    const ids = [...stale].slice(0, 12);
    ids.forEach(id => stale.delete(id));
    const shown = ids.filter(id => document.getElementById(`s${id}`));
    if (shown.length) await htmx.ajax('GET', `${event.detail.url}?${shown.map(id => `id=${id}`).join('&')}`, { swap: 'none' }).catch(() => {});
  }
  fetching = false;
});
// A card may have left the page, by a filter say, while it was on its way.
document.addEventListener('htmx:beforeSwap', event => {
  if (!event.detail.pathInfo?.requestPath.includes('/cards?')) return;
  const parts = document.createElement('template');
  parts.innerHTML = event.detail.serverResponse;
  for (const part of [...parts.content.children]) if (!document.getElementById(part.id)) part.remove();
  event.detail.serverResponse = parts.innerHTML;
});

// --- Keyboard.
const items = () => $$('.card h2 a, .row h2 a');
const current = () => document.activeElement.closest('.card, .row') ?? $('.series');
const press = name => () => $(`[data-key="${name}"]`, current() ?? document)?.click();
function step(by) {
  const links = items(), at = links.findIndex(link => current()?.contains(link));
  links[Math.max(0, Math.min(links.length - 1, at + by))]?.focus();
}
const keys = {
  '/': () => { const find = $('#find'); (find.offsetParent ? find : $('#lq') ?? $('#q'))?.focus(); },
  '?': () => $('[data-help]').click(),
  j: () => step(1), k: () => step(-1), p: press('p'), c: press('c'), e: press('e'),
  x: () => { const box = $('.pick input', current() ?? document); if (box?.offsetParent) box.click(); else $('[data-key=x]')?.click(); },
};
let leading = false;
document.addEventListener('keydown', event => {
  if (event.key === 'Escape') $$('details.menu[open]').forEach(menu => { menu.open = false; $('summary', menu).focus(); });
  if (document.body.dataset.shortcuts !== 'on' || event.ctrlKey || event.metaKey || event.altKey || modal.open || event.target.matches(fields)) return;
  const place = leading && $(`[data-go="${event.key}"]`);
  leading = event.key === 'g';
  if (place) { location.href = place.href; return; }
  if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
});
