// The page works without this. It shows what comes while it comes, plays it again, and copies.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  document.documentElement.classList.add("js");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const stage = $("stage"), player = $("player");

  // Pieces of page. An element takes the place of the one with its id, or goes where data-in says.
  function parse(html) {
    const t = document.createElement("template");
    t.innerHTML = html;
    return [...t.content.children];
  }
  function put(html, quiet) {
    for (const e of parse(html)) {
      const old = e.id && $(e.id);
      if (old) old.replaceWith(e);
      else if (e.dataset.in && $(e.dataset.in)) $(e.dataset.in).append(e);
      else if (e.id === "message") stage.replaceChildren(e);
      if (!quiet && !old) e.classList.add("new");
      if (!quiet && e.dataset.say) $("said").textContent = e.dataset.say;
    }
    offerCopies();
  }

  // The player has the events of one message, and shows those before its position.
  let events = [], at = 0, paused = false, timer = 0, number = 0, source = null, live = false;
  const isRow = (e) => e.data.startsWith("<li") && !e.data.includes("<section");
  function show() {
    $("where").textContent = events.length ? `${at} of ${events.length}` : "";
    const p = player.querySelector('[data-do="pause"]');
    p.textContent = paused ? "Go on" : "Pause";
    p.setAttribute("aria-pressed", paused);
    player.querySelector('[data-do="back"]').disabled = at <= 1;
    player.querySelector('[data-do="on"]').disabled = player.querySelector('[data-do="end"]').disabled = at >= events.length;
    player.hidden = !$("message");
  }
  function tick() {
    clearTimeout(timer);
    timer = 0;
    if (paused || at >= events.length) return show();
    const e = events[at++];
    put(e.data);
    show();
    timer = setTimeout(tick, calm.matches ? 0 : isRow(e) ? 110 : 650);
  }
  function take(e) {
    if (e.message !== number) { // another message has begun
      events = []; at = 0; number = e.message; paused = false;
    }
    events.push(e);
    if (!timer) tick();
    else show();
  }
  function showTo(n) {
    paused = true;
    clearTimeout(timer);
    timer = 0;
    at = 0;
    stage.replaceChildren();
    while (at < n) put(events[at++].data, true);
    show();
  }
  // The end of the step before: rows belong to what comes after them.
  function before(n) {
    n--;
    while (n > 1 && isRow(events[n - 1])) n--;
    return Math.max(n, 1);
  }
  function after(n) {
    while (n < events.length && isRow(events[n])) n++;
    return Math.min(n + 1, events.length);
  }

  // The first press of a key of the player loads what was shown before this page was.
  let loaded = null;
  function load() {
    if (loaded) return loaded;
    if (live && events.length && events[0].data.startsWith("<article")) return Promise.resolve();
    const m = $("message"), base = stage.dataset.base;
    if (!m || !base) return Promise.resolve();
    return loaded = new Promise((done) => {
      const all = [], s = new EventSource(`${base}/${m.dataset.number}/events`);
      let quiet = 0;
      const end = () => { s.close(); events = all; at = all.length; number = +m.dataset.number; done(); };
      s.addEventListener("step", (e) => { all.push({ data: e.data, message: +m.dataset.number }); clearTimeout(quiet); quiet = setTimeout(end, 300); });
      s.addEventListener("reload", end);
      s.onerror = end;
    });
  }
  const keys = {
    replay() { showTo(1); paused = false; tick(); },
    back() { showTo(before(at)); },
    on() { const n = after(at); showTo(n); },
    end() { paused = false; while (at < events.length) put(events[at++].data, true); show(); },
    pause() { paused = !paused; if (paused) { clearTimeout(timer); timer = 0; show(); } else tick(); },
  };
  player.addEventListener("click", async (e) => {
    const key = e.target.dataset.do;
    if (!key) return;
    await load();
    if (events.length) keys[key]();
  });

  function listen(path, after) {
    let last = after;
    source = new EventSource(`${path}?after=${after}`);
    source.addEventListener("step", (e) => {
      live = true;
      last = +e.lastEventId;
      const first = parse(e.data)[0];
      const n = first && first.id === "message" ? +first.dataset.number : number || +($("message") || { dataset: {} }).dataset.number;
      if (number === 0 && $("message") && first.id !== "message") { put(e.data); return show(); } // more of what the page has
      take({ data: e.data, message: n });
    });
    source.addEventListener("reload", () => location.reload());
    source.addEventListener("gone", () => { source.close(); location.reload(); });
  }

  // An address, without leaving the page.
  const form = document.querySelector("form[data-session]");
  if (form) form.addEventListener("submit", async (e) => {
    e.preventDefault();
    try {
      const r = await fetch(form.dataset.session, { method: "POST" });
      if (!r.ok) throw 0;
      location.assign((await r.json()).page);
    } catch { form.submit(); }
  });

  // Copying.
  async function copy(button, text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // without https there is no clipboard but this
      const t = document.createElement("textarea");
      t.value = text;
      document.body.append(t);
      t.select();
      document.execCommand("copy");
      t.remove();
      button.focus();
    }
    const was = button.textContent;
    button.textContent = "Copied";
    $("said").textContent = "Copied";
    setTimeout(() => { button.textContent = was; }, 1500);
  }
  function offerCopies() {
    for (const value of document.querySelectorAll(".mv-change code")) {
      if (value.parentNode.querySelector("button")) continue;
      const b = document.createElement("button");
      b.type = "button";
      b.textContent = "Copy";
      b.className = "copy";
      const what = value.parentNode.previousElementSibling;
      b.setAttribute("aria-label", "Copy the " + (what ? what.textContent : "value"));
      value.after(b);
    }
  }
  document.addEventListener("click", async (e) => {
    const b = e.target.closest("button.copy");
    if (!b) return;
    if (b.dataset.fetch) return copy(b, await (await fetch(b.dataset.fetch)).text());
    const from = b.dataset.copy ? $(b.dataset.copy) : b.previousElementSibling;
    copy(b, from.value === undefined ? from.textContent : from.value);
  });

  // What if: the verdict follows.
  document.addEventListener("change", async (e) => {
    const f = e.target.closest("form[data-live]");
    if (!f) return;
    const r = await fetch(`${f.dataset.live}?${new URLSearchParams(new FormData(f))}`);
    if (r.ok) $("whatif-answer").replaceWith(...parse(await r.text()));
  });

  // A message may be dropped on the form.
  const drop = document.querySelector("form[data-drop]");
  if (drop) {
    const over = (on) => (e) => { e.preventDefault(); drop.classList.toggle("over", on); };
    drop.addEventListener("dragover", over(true));
    drop.addEventListener("dragleave", over(false));
    drop.addEventListener("drop", (e) => {
      over(false)(e);
      if (e.dataTransfer.files.length) { $("file").files = e.dataTransfer.files; drop.requestSubmit(); }
      else $("source").value = e.dataTransfer.getData("text");
    });
  }

  offerCopies();
  show();
  if (stage.dataset.live) listen(stage.dataset.live, stage.dataset.after);
})();
