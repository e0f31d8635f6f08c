// Lists the captured mail and keeps the list current. Everything that came from a
// letter is set as text; its HTML is shown by the frame alone.
'use strict';

const el = (id) => document.getElementById(id);
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

let items = [];
let open = ''; // id of the message shown
let asText = false;

async function refresh() {
  try {
    const answer = await fetch('/_dev/mail/messages', { cache: 'no-cache' });
    if (!answer.ok) throw new Error(answer.statusText);
    items = (await answer.json()).items;
    el('state').textContent = '';
  } catch {
    el('state').textContent = 'The server does not answer';
  }
  draw();
}

function draw() {
  const wanted = el('filter').value.trim().toLowerCase();
  const shown = items.filter((m) => (m.to + ' ' + m.subject).toLowerCase().includes(wanted));
  if (!shown.some((m) => m.id === open)) open = shown[0]?.id ?? '';
  drawList(shown);
  drawMessage(shown.find((m) => m.id === open));
  el('empty').hidden = items.length > 0;
  document.title = items.length ? `Mail (${items.length}) · development` : 'Mail · development';
}

function drawList(shown) {
  const list = el('list');
  const known = new Map([...list.children].map((row) => [row.dataset.id, row]));
  const rows = shown.map((m) => known.get(m.id) ?? row(m));
  if (rows.length !== list.children.length || rows.some((r, i) => r !== list.children[i])) list.replaceChildren(...rows);
  for (const [i, r] of rows.entries()) {
    r.querySelector('time').textContent = since(shown[i].created_at);
    const button = r.querySelector('button');
    if (shown[i].id === open) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  }
}

function row(m) {
  const li = document.createElement('li');
  li.dataset.id = m.id;
  const button = document.createElement('button');
  button.type = 'button';
  button.append(part('strong', m.subject || 'No subject'), part('span', m.to), part('time', since(m.created_at)));
  button.addEventListener('click', () => { open = m.id; draw(); });
  li.append(button);
  return li;
}

function drawMessage(m) {
  el('message').hidden = !m;
  if (!m) return;
  const onlyText = !m.html;
  if (el('message').dataset.id !== m.id) {
    el('message').dataset.id = m.id;
    el('subject').textContent = m.subject || 'No subject';
    el('to').textContent = m.to;
    el('time').textContent = full.format(new Date(m.created_at));
    el('time').dateTime = m.created_at;
    el('text').textContent = m.text;
    el('links').replaceChildren(...m.links.map(link));
    // Replacing the location leaves no entry in the history of the page.
    if (!onlyText) el('html').contentWindow.location.replace('/_dev/mail/messages/' + encodeURIComponent(m.id) + '/html');
  }
  el('html').hidden = asText || onlyText;
  el('text').hidden = !(asText || onlyText);
  el('show-html').disabled = onlyText;
  el('show-html').setAttribute('aria-pressed', String(!(asText || onlyText)));
  el('show-text').setAttribute('aria-pressed', String(asText || onlyText));
}

function link(address) {
  const li = document.createElement('li');
  const a = part('a', address);
  if (/^https?:\/\//.test(address)) a.href = address;
  a.target = '_blank';
  a.rel = 'noopener noreferrer';
  li.append(a);
  return li;
}

function part(name, text) {
  const e = document.createElement(name);
  e.textContent = text;
  return e;
}

function since(instant) {
  const seconds = Math.round((new Date(instant) - Date.now()) / 1000);
  if (seconds > -10) return 'now';
  if (seconds > -60) return ago.format(Math.round(seconds / 10) * 10, 'second');
  if (seconds > -3600) return ago.format(Math.round(seconds / 60), 'minute');
  if (seconds > -86400) return ago.format(Math.round(seconds / 3600), 'hour');
  return ago.format(Math.round(seconds / 86400), 'day');
}

function move(step) {
  const rows = [...el('list').children];
  const next = rows[rows.findIndex((r) => r.dataset.id === open) + step];
  if (!next) return;
  open = next.dataset.id;
  draw();
  next.querySelector('button').focus();
}

el('filter').addEventListener('input', draw);
el('show-html').addEventListener('click', () => { asText = false; draw(); });
el('show-text').addEventListener('click', () => { asText = true; draw(); });
el('list').addEventListener('keydown', (e) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
  if (step) { e.preventDefault(); move(step); }
});
document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
setInterval(() => { if (!document.hidden) refresh(); }, 2000);
refresh();
