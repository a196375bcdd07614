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
    const m = $("message");
    for (const a of document.querySelectorAll("#kept a")) {
      if (m && a.parentNode.id === "kept-" + m.dataset.number) a.setAttribute("aria-current", "true");
      else a.removeAttribute("aria-current");
    }
    document.querySelector(".hero")?.classList.toggle("brief", Boolean(m));
    offerCopies();
  }

  // The player has the events of one message, and shows those before its position. What the page had
  // from the start it does not have until somebody asks for it: then it is partial.
  let events = [], at = 0, number = 0, partial = true, paused = false, timer = 0;
  const isRow = (e) => e.data.startsWith("<li") && !e.data.includes("<section");
  const key = (name) => player.querySelector(`[data-do="${name}"]`);
  function show() {
    player.hidden = !$("message");
    $("where").textContent = partial ? "" : `${at} of ${events.length}`;
    key("pause").textContent = paused ? "Go on" : "Pause";
    key("pause").setAttribute("aria-pressed", paused);
    key("back").disabled = !partial && at <= 1;
    key("next").disabled = key("end").disabled = at >= events.length;
  }
  function tick() {
    clearTimeout(timer);
    timer = 0;
    if (!paused && at < events.length) {
      const e = events[at++];
      put(e.data);
      timer = setTimeout(tick, calm.matches ? 0 : isRow(e) ? 110 : 650);
    }
    show();
  }
  function hold() {
    paused = true;
    clearTimeout(timer);
    timer = 0;
  }
  function take(e) {
    if (e.message !== number) { // another one than that of the player
      events = [];
      at = 0;
      number = e.message;
      paused = false;
      partial = !e.data.startsWith("<article");
    }
    if (events.some((o) => o.id === e.id)) return;
    events.push(e);
    if (timer) show();
    else tick();
  }
  function showTo(n) {
    hold();
    stage.replaceChildren();
    for (at = 0; at < n;) put(events[at++].data, true);
    show();
  }
  // Rows of a list are one step with what comes after them.
  function before(n) {
    for (n--; n > 1 && isRow(events[n - 1]); n--);
    return Math.max(n, 1);
  }
  function after(n) {
    while (n < events.length && isRow(events[n])) n++;
    return Math.min(n + 1, events.length);
  }
  const keys = {
    replay() { showTo(1); paused = false; tick(); },
    back() { showTo(before(at)); },
    next() { showTo(after(at)); },
    end() { clearTimeout(timer); timer = 0; paused = false; while (at < events.length) put(events[at++].data, true); show(); },
    pause() { if (paused) { paused = false; tick(); } else { hold(); show(); } },
  };
  player.addEventListener("click", async (e) => {
    const name = e.target.dataset.do;
    if (!name) return;
    await load();
    if (events.length) keys[name]();
  });

  // follow calls f with the events of a path.
  function follow(path, f) {
    const s = new EventSource(path);
    s.addEventListener("step", (e) => {
      const [id, message] = e.lastEventId.split(".").map(Number);
      f({ id, message, data: e.data });
    });
    return s;
  }
  // load has the player get all events of the message that is shown.
  function load() {
    const m = $("message");
    if (!partial || !m) return Promise.resolve();
    return new Promise((done) => {
      const all = [], n = Number(m.dataset.number);
      let quiet = 0;
      const end = () => {
        s.close();
        clearTimeout(quiet);
        if (all.length) { events = all; at = all.length; number = n; partial = false; }
        done();
      };
      const s = follow(`${stage.dataset.base}/${n}/events`, (e) => {
        all.push(e);
        clearTimeout(quiet);
        quiet = setTimeout(end, 200);
      });
      s.onerror = end;
      quiet = setTimeout(end, 5000);
    });
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
    if (b.dataset.fetch) {
      const r = await fetch(b.dataset.fetch);
      if (r.ok) copy(b, await r.text());
      return;
    }
    const from = b.dataset.copy ? $(b.dataset.copy) : b.previousElementSibling;
    copy(b, from.value === undefined ? from.textContent : from.value);
  });

  // What if: the verdict follows.
  document.addEventListener("change", async (e) => {
    const f = e.target.closest("form[data-live]");
    if (!f) return;
    const query = () => new URLSearchParams(new FormData(f)).toString(), asked = query();
    const r = await fetch(`${f.dataset.live}?${asked}`), html = await r.text();
    if (r.ok && query() === asked) $("whatif-answer").replaceWith(...parse(html)); // not an answer that came late
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
  // A page that is not seen is not told: browsers have six connections to a server for all tabs.
  if (stage.dataset.live) {
    let source = null, last = stage.dataset.after;
    const watch = () => {
      if (document.hidden) {
        source?.close();
        source = null;
      } else if (!source) {
        source = follow(`${stage.dataset.live}?after=${last}`, (e) => { last = e.id; take(e); });
        source.addEventListener("reload", () => location.reload());
        // Refused, as where too many pages are open: the page as it is by then has to do.
        source.onerror = (e) => { if (e.target.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 10000); };
        source.addEventListener("gone", () => { source.close(); setTimeout(() => location.reload(), 2000); }); // unless this page deleted it
      }
    };
    document.addEventListener("visibilitychange", watch);
    watch();
  }
})();
