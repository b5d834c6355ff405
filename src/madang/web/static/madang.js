// What the page does by itself: ages of times, the theme's switch, whether the stream is alive, open menus.
"use strict";
(() => {
  const root = document.documentElement;
  const relative = new Intl.RelativeTimeFormat(root.lang, { numeric: "auto", style: "narrow" });
  const STEPS = [["second", 60], ["minute", 60], ["hour", 24], ["day", 1e9]];

  function age(time) {
    let value = (Date.parse(time.dateTime) - Date.now()) / 1000;
    if (Number.isNaN(value)) return;
    value = Math.min(value, 0);
    for (const [unit, size] of STEPS) {
      if (Math.abs(value) < size) {
        const text = relative.format(Math.ceil(value), unit);
        if (time.textContent !== text) time.textContent = text;
        return;
      }
      value /= size;
    }
  }
  const ages = (within) => within.querySelectorAll("time[datetime]").forEach(age);
  ages(document);
  setInterval(() => { if (!document.hidden) ages(document); }, 5000);
  document.addEventListener("htmx:sseMessage", (event) => ages(event.target));

  const button = document.getElementById("theme");
  const dark = () => root.dataset.theme === "dark" ||
    (root.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  const label = () => { button.title = dark() ? button.dataset.light : button.dataset.dark; };
  label();
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("madang-theme", root.dataset.theme); } catch (_) { /* only for this page then */ }
    label();
  });

  const link = document.getElementById("link");
  const word = document.getElementById("link-word");
  const alive = (yes) => {
    link.classList.toggle("lost", !yes);
    const text = yes ? link.dataset.live : link.dataset.lost;
    if (word.textContent !== text) word.textContent = text;
  };
  document.addEventListener("htmx:sseOpen", () => alive(true));
  document.addEventListener("htmx:sseError", () => alive(false));

  // A page that nobody sees lets its stream go (a browser has few connections for one host, and nobody should be kept
  // busy), and asks for what it missed when it is seen again. To htmx it is an EventSource like any other.
  class Stream extends EventTarget {
    #inner = null; #last = ""; #names = new Set(); #over = new AbortController(); #resting = 0;
    constructor(url) {
      super();
      this.url = url;
      this.#open();
      document.addEventListener("visibilitychange", () => this.#seen(!document.hidden), { signal: this.#over.signal });
    }
    get readyState() { return this.#inner ? this.#inner.readyState : EventSource.CONNECTING; }
    addEventListener(name, listener) {
      super.addEventListener(name, listener);
      if (this.#names.has(name)) return;
      this.#names.add(name);
      this.#inner?.addEventListener(name, this.#pass);
    }
    close() { clearTimeout(this.#resting); this.#over.abort(); this.#inner?.close(); }
    #pass = (event) => {
      this.#last = event.lastEventId || this.#last;
      this.dispatchEvent(new MessageEvent(event.type, { data: event.data, lastEventId: event.lastEventId }));
    };
    #open() {
      const url = new URL(this.url, location.href);
      if (this.#last) url.searchParams.set("since", this.#last);
      this.#inner = new EventSource(url);
      this.#inner.onopen = (event) => this.onopen?.(event);
      this.#inner.onerror = (event) => this.onerror?.(event);
      for (const name of this.#names) this.#inner.addEventListener(name, this.#pass);
    }
    #seen(yes) {
      clearTimeout(this.#resting);
      if (!yes) {
        this.#resting = setTimeout(() => { this.#inner.close(); this.#inner = null; }, document.body.dataset.rest * 1000);
      } else if (!this.#inner) this.#open();
    }
  }
  htmx.createEventSource = (url) => new Stream(url);

  const said = document.getElementById("said");
  let hiding = 0;
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target !== said) return;
    clearTimeout(hiding);
    hiding = setTimeout(() => said.replaceChildren(), 8000);
  });

  // One menu at a time; Escape and a click elsewhere close it, and so does a choice.
  const menus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of menus()) {
      if (!menu.contains(event.target) || event.target.closest(".choices button")) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
})();
