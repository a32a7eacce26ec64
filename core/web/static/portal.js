/* What the portal does beyond plain pages. Every page works without this file; it only saves steps.
   No eval, no inline handlers, no sentences: words come with the page, behaviour hangs on data-* attributes:
     data-do="dialog|close|side|reveal|print|dismiss|copy"  data-arg="<id>"
     data-bulk  a form whose checked rows show the bulk bar        data-rows  a table or list that j, k, x and Enter walk
     data-dirty a form that warns when left unsaved                data-save  the form Ctrl S sends
     data-look  a form that changes theme, density or keys         data-focus takes the focus when the page opens */
(function () {
  'use strict';

  var root = document.documentElement;
  root.classList.add('scripted');

  function one(selector, within) { return (within || document).querySelector(selector); }
  function all(selector, within) { return Array.prototype.slice.call((within || document).querySelectorAll(selector)); }
  function token() { var meta = one('meta[name=csrf-token]'); return meta ? meta.content : ''; }
  function toasts() { return one('.toasts'); }

  /* toasts: said by the server in the page or in a header, gone after a while unless the reader is on them */

  function fade(toast) {
    setTimeout(function () {
      if (toast.matches(':hover, :focus-within')) { fade(toast); } else { toast.remove(); }
    }, toast.hasAttribute('data-long') ? 10000 : 5000);
  }

  function say(text) {
    var toast = document.createElement('div'), span = document.createElement('span');
    toast.className = 'toast';
    toast.setAttribute('role', 'status');
    span.textContent = text;
    toast.appendChild(span);
    toasts().appendChild(toast);
    fade(toast);
  }

  all('.toast').forEach(fade);

  /* on a phone the tabs run out of the screen: the current one is brought into it */

  all('.tabs [aria-current]').forEach(function (tab) { tab.scrollIntoView({ block: 'nearest', inline: 'center' }); });

  /* dialogs, menus, drawer */

  function open(dialog) {
    all('details.menu[open]').forEach(function (menu) { menu.open = false; });
    if (!dialog.open) { dialog.showModal(); }
  }

  function drawer(show, button) {
    var side = one('.side');
    if (!side) { return; }
    side.classList.toggle('open', show);
    all('[data-do=side]').forEach(function (b) { b.setAttribute('aria-expanded', String(show)); });
    if (show) { one('a', side).focus(); } else if (button) { button.focus(); }
  }

  var acts = {
    dialog: function (el) {
      var dialog = document.getElementById(el.dataset.arg);
      if (!dialog) { return false; }
      open(dialog);
    },
    close: function (el) { el.closest('dialog').close(); },
    side: function (el) { drawer(!one('.side').classList.contains('open'), el); },
    print: function () { window.print(); },
    dismiss: function (el) { el.closest('[data-dismissable]').remove(); },
    copy: function (el) {
      var from = document.getElementById(el.dataset.arg);
      if (!navigator.clipboard || !from) { return false; }
      navigator.clipboard.writeText(from.textContent).then(function () { if (el.dataset.said) { say(el.dataset.said); } });
    },
    reveal: function (el) {
      var input = document.getElementById(el.dataset.arg), hidden = input.type === 'password';
      input.type = hidden ? 'text' : 'password';
      el.setAttribute('aria-pressed', String(hidden));
    }
  };

  document.addEventListener('click', function (e) {
    var el = e.target.closest('[data-do]'), side = one('.side.open');
    all('details.menu[open]').forEach(function (menu) { if (!menu.contains(e.target)) { menu.open = false; } });
    if (side && !side.contains(e.target) && !(el && el.dataset.do === 'side')) { drawer(false); }
    if (e.target.tagName === 'DIALOG' && e.target.open) { e.target.close(); return; }
    if (!el || !acts[el.dataset.do] || e.ctrlKey || e.metaKey || e.shiftKey) { return; }
    if (acts[el.dataset.do](el) !== false) { e.preventDefault(); }
  });

  /* links that act as buttons also answer the space bar */
  document.addEventListener('keydown', function (e) {
    if (e.key === ' ' && e.target.matches('a[role=button]')) { e.preventDefault(); e.target.click(); }
  });

  /* theme, density, keys: applied at once, remembered by the server's cookie */

  document.addEventListener('submit', function (e) {
    var form = e.target, button = e.submitter;
    if (!form.matches('[data-look]') || !button || !button.name) { return; }
    e.preventDefault();
    var body = new FormData(form), name = button.name, value = button.value;
    body.append(name, value);
    root.dataset[name] = value;
    if (button.hasAttribute('data-toggle')) {
      button.value = value === 'dark' ? 'light' : 'dark';
    } else {
      all('button[name=' + name + ']', form).forEach(function (b) { b.setAttribute('aria-pressed', String(b === button)); });
    }
    fetch(form.action, { method: 'POST', body: body, redirect: 'manual', headers: { 'X-CSRFToken': token() } })
      .catch(function () { say(toasts().dataset.lost); });
  });

  /* forms: one submit only, a warning before typed work is lost */

  var dirty = false;
  document.addEventListener('input', function (e) { if (e.target.closest('form[data-dirty]')) { dirty = true; } });
  document.addEventListener('submit', function (e) {
    var form = e.target;
    if (e.defaultPrevented || form.method !== 'post') { return; }
    if (form.hasAttribute('data-sent')) { e.preventDefault(); return; }
    dirty = false;
    form.setAttribute('data-sent', '');
    if (e.submitter) { e.submitter.setAttribute('aria-busy', 'true'); }
  });
  addEventListener('pageshow', function (e) {
    if (e.persisted) { all('form[data-sent]').forEach(function (form) { form.removeAttribute('data-sent'); }); }
  });
  addEventListener('beforeunload', function (e) { if (dirty) { e.preventDefault(); e.returnValue = toasts().dataset.leave; } });

  /* rows: selection and the bulk bar */

  function bulk(form) {
    var rows = all('tbody input[type=checkbox]', form), head = one('[data-all]', form), bar = one('.bulk', form);
    function count() {
      var chosen = rows.filter(function (box) { return box.checked; }).length, said = one('[data-n]', form);
      if (bar) { bar.hidden = chosen === 0; }
      if (said) { said.textContent = chosen; }
      if (head) { head.checked = rows.length > 0 && chosen === rows.length; head.indeterminate = chosen > 0 && chosen < rows.length; }
      rows.forEach(function (box) { box.closest('tr').classList.toggle('sel', box.checked); });
    }
    form.addEventListener('change', function (e) {
      if (e.target === head) { rows.forEach(function (box) { box.checked = head.checked; }); }
      count();
    });
    count();
  }

  function walk(step) {
    var rows = all('table[data-rows] tbody tr, ul[data-rows] > li'), now = rows.indexOf(one('[data-rows] .at'));
    if (!rows.length) { return false; }
    var next = rows[now < 0 ? 0 : Math.min(Math.max(now + step, 0), rows.length - 1)];
    rows.forEach(function (row) { row.classList.toggle('at', row === next); });
    next.scrollIntoView({ block: 'nearest' });
    var link = one('a, input, button', next);
    if (link) { link.focus({ preventScroll: true }); }
  }

  /* the palette: filters what the page knows; Enter without a match searches everything */

  function palette(dialog) {
    var form = one('[data-palette]', dialog), input = one('input', form), options = all('[role=option]', dialog), at = null;
    function mark(option) {
      if (at) { at.setAttribute('aria-selected', 'false'); }
      at = option;
      if (!at) { input.removeAttribute('aria-activedescendant'); return; }
      at.setAttribute('aria-selected', 'true');
      input.setAttribute('aria-activedescendant', at.id);
      at.scrollIntoView({ block: 'nearest' });
    }
    function shown() { return options.filter(function (option) { return !option.hidden; }); }
    function filter() {
      var wish = input.value.trim().toLowerCase();
      options.forEach(function (option) {
        option.hidden = wish !== '' && (option.textContent + ' ' + (option.dataset.k || '')).toLowerCase().indexOf(wish) < 0;
      });
      all('[role=group]', dialog).forEach(function (group) { group.hidden = !one('[role=option]:not([hidden])', group); });
      mark(shown()[0] || null);
    }
    input.addEventListener('input', filter);
    input.addEventListener('keydown', function (e) {
      var list = shown(), step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
      if (e.key === 'Escape') { e.preventDefault(); dialog.close(); }
      if (step && list.length) { e.preventDefault(); mark(list[(list.indexOf(at) + step + list.length) % list.length]); }
    });
    form.addEventListener('submit', function (e) {
      if (at) { e.preventDefault(); location.href = at.href; } else if (!form.hasAttribute('action')) { e.preventDefault(); }
    });
    dialog.addEventListener('close', function () { input.value = ''; filter(); });
    filter();
  }

  /* keys: Ctrl K and Ctrl S always; single keys unless switched off (WCAG 2.1.4) and never while typing */

  var lastG = 0;
  document.addEventListener('keydown', function (e) {
    var pal = document.getElementById('pal'), key = e.key, command = e.ctrlKey || e.metaKey;
    var typing = /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName) && !/^(checkbox|radio)$/.test(e.target.type);
    if (command && key.toLowerCase() === 'k' && pal) {
      e.preventDefault();
      if (pal.open) { pal.close(); } else { open(pal); }
      return;
    }
    if (command && key.toLowerCase() === 's') {
      var form = one('dialog[open] form') || one('form[data-save]');
      if (form) { e.preventDefault(); form.requestSubmit(); }
      return;
    }
    if (key === 'Escape') {
      all('details.menu[open]').forEach(function (menu) { menu.open = false; one('summary', menu).focus(); });
      if (one('.side.open')) { drawer(false, one('[data-do=side]')); }
      return;
    }
    if (typing || command || e.altKey || root.dataset.keys === 'off' || one('dialog[open]')) { return; }
    if (Date.now() - lastG < 1200) {
      var target = one('#pal [data-letter="' + CSS.escape(key) + '"]');
      lastG = 0;
      if (target) { e.preventDefault(); location.href = target.href; return; }
    }
    if (key === 'g') { lastG = Date.now(); }
    if (key === '/' && pal) { e.preventDefault(); open(pal); }
    if (key === '?' && document.getElementById('keys')) { open(document.getElementById('keys')); }
    if (key === 'j' || key === 'k') { walk(key === 'j' ? 1 : -1); }
    if (key === 'x') {
      var box = one('tr.at input[type=checkbox]');
      if (box) { box.click(); }
    }
  });

  /* htmx: the token on every request, the server's toast, and the focus after a swap */

  document.addEventListener('htmx:configRequest', function (e) { e.detail.headers['X-CSRFToken'] = token(); });
  document.addEventListener('htmx:sendError', function () { say(toasts().dataset.lost); });
  document.addEventListener('htmx:responseError', function (e) { if (e.detail.xhr.status >= 500) { say(toasts().dataset.lost); } });
  document.addEventListener('htmx:afterRequest', function (e) {
    var text = e.detail.xhr && e.detail.xhr.getResponseHeader('X-Toast');
    if (text) { say(decodeURIComponent(text)); }
  });
  document.addEventListener('htmx:afterSwap', function (e) { ready(e.target); });

  function ready(part) {
    all('form[data-bulk]', part).forEach(bulk);
    var first = one('[data-focus]', part);
    if (first) { first.focus(); }
  }

  ready(document);
  if (document.getElementById('pal')) { palette(document.getElementById('pal')); }
})();
