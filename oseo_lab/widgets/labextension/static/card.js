// The card of one order: draws an OrderView (oseo_lab.model.view) and keeps what is drawn up to date.
// Who feeds it does not matter: the page itself over REST (live.js), or a kernel (the widget's adapter).

import { Announcement, Bar, Chip, attribute, clip, clock, day, el, inWords, isFinal, keyed, markOf, orderKind, orderWord, plural, put, shortId, show, size, total, undelivered, wordOf } from "./dom.js";
import { NAME, againText, factsOf, infoOf, named, readyText, retryText, running, stagesPassed, unfinished } from "./words.js";

/** Most rows that are drawn, whatever is sent. */
const ROWS = 50;
/** Rows shown before "show all"; those that failed or run come first. */
const FEW = 8;

/** Most characters that are drawn of what is said of something. */
const WORDS = 500;

/** What buttons say and do. `confirm` asks once more before what cannot be taken back. */
const BUTTONS = [
  { action: "retry", text: (view) => retryText(view), prime: true },
  { action: "resume", text: () => "Resume" },
  { action: "pause", text: () => "Pause" },
  {
    action: "cancel",
    text: () => "Cancel order",
    confirm: (view) => `Cancel ${plural(unfinished(view), "unfinished item")}? What is delivered stays.`,
    yes: "Yes, cancel",
  },
  { action: "share", text: () => "Share" },
];

export class Card {
  /**
   * @param {HTMLElement} host where it is drawn
   * @param {object} handlers `act(action, body)` carries out a button and returns a promise; optional
   *   `copy(text)`; `href(url)` returns the address a result is reached at, or null.
   */
  constructor(host, handlers) {
    this.handlers = handlers;
    this.view = null;
    this.isWide = false;
    this.node = el("section", { className: "oseo-card", role: "group" });
    this.node.append(this.head(), this.middle(), this.table(), this.troubles(), this.foot(), this.voice());
    host.append(this.node);
  }

  // ------------------------------------------------------------------------------------- what is there

  head() {
    this.title = el("h3", { className: "oseo-title", tabIndex: -1 });
    this.id = el("span", { className: "oseo-quiet oseo-id" });
    this.dot = el("span", { className: "oseo-dot", "aria-hidden": "true" });
    this.connection = el("span");
    this.live = el("span", { className: "oseo-live oseo-quiet" }, this.dot, this.connection);
    return el("header", { className: "oseo-head" }, this.title, this.id, this.live);
  }

  middle() {
    this.chip = new Chip();
    this.counts = el("span", { className: "oseo-counts" });
    this.ready = el("span", { className: "oseo-ready" });
    this.info = el("p", { className: "oseo-info", hidden: true });
    this.announcement = new Announcement();
    this.bar = new Bar();
    const line = el("div", { className: "oseo-line" }, this.chip.node, this.counts, this.ready);
    return el("div", {}, this.announcement.node, line, this.bar.node, this.info);
  }

  table() {
    const head = ["Status", "Item", "Progress", "Result"].map((text, index) =>
      el("th", { scope: "col", className: index === 3 ? "oseo-right" : "" }, text),
    );
    this.rows = el("tbody");
    this.more = el("button", { type: "button", className: "oseo-link", hidden: true });
    this.more.addEventListener("click", () => {
      this.isWide = !this.isWide;
      this.drawRows();
      if (!this.isWide) this.node.scrollIntoView({ block: "nearest" }); // it has shrunk: who reads stays with it
    });
    this.beyond = el("span", { className: "oseo-quiet" });
    this.grid = el("table", { className: "oseo-rows" }, el("thead", {}, el("tr", {}, ...head)), this.rows);
    const under = el("div", { className: "oseo-under" }, this.more, this.beyond);
    return el("div", { className: "oseo-scroll" }, this.grid, under);
  }

  troubles() {
    this.failures = el("ul", { className: "oseo-failures" });
    return this.failures;
  }

  foot() {
    this.buttons = new Map();
    const bar = el("div", { className: "oseo-buttons" });
    for (const each of BUTTONS) {
      const button = el("button", { type: "button", className: each.prime ? "oseo-prime" : "" });
      button.addEventListener("click", () => this.press(each));
      this.buttons.set(each.action, button);
      bar.append(button);
    }
    this.asked = this.question();
    this.share = this.sharing();
    this.facts = el("span", { className: "oseo-quiet oseo-facts" });
    this.dashboard = el("a", { target: "_blank", rel: "noopener", hidden: true }, "Dask dashboard ↗");
    this.said = el("p", { className: "oseo-said", role: "status", hidden: true });
    const line = el("div", { className: "oseo-line oseo-footline" }, bar, this.facts, this.dashboard);
    return el("footer", {}, line, this.asked, this.share, this.said, this.history());
  }

  question() {
    this.asking = el("span");
    this.yes = el("button", { type: "button", className: "oseo-danger" });
    const no = el("button", { type: "button" }, "No");
    no.addEventListener("click", () => this.ask(null));
    this.yes.addEventListener("click", () => {
      const { action } = this.pending;
      this.ask(null);
      this.act(action);
    });
    const box = el("div", { className: "oseo-ask", role: "alertdialog", "aria-label": "Are you sure?", hidden: true });
    box.append(this.asking, this.yes, no);
    box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.ask(null);
    });
    return box;
  }

  sharing() {
    this.grantee = el("input", { type: "text", placeholder: "user name, or empty for a link", size: 24 });
    this.until = el("input", { type: "date", value: day(Date.now() + 30 * 86400e3) });
    const give = el("button", { type: "submit", className: "oseo-prime" }, "Share");
    const box = el("form", { className: "oseo-ask", hidden: true });
    box.append(
      el("label", {}, "With ", this.grantee),
      el("label", {}, "until ", this.until),
      give,
      el("span", { className: "oseo-quiet" }, "read only"),
    );
    box.addEventListener("submit", (event) => {
      event.preventDefault();
      this.giveShare();
    });
    // a notebook has keys of its own: what is typed here is for this form
    box.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") show(box, false, this.buttons.get("share"));
    });
    return box;
  }

  history() {
    this.log = el("ul", { className: "oseo-log" });
    this.logTitle = el("summary");
    this.logBox = el("details", { className: "oseo-history" }, this.logTitle, this.log);
    return this.logBox;
  }

  voice() {
    this.region = el("div", { className: "oseo-hidden", "aria-live": "polite" });
    return this.region;
  }

  // ------------------------------------------------------------------------------------- what it shows

  /** Draw a view; older ones than what is drawn are let pass. */
  update(view) {
    if (this.view && new Date(view.as_of) < new Date(this.view.as_of)) return;
    this.view = view;
    const { summary } = view;
    put(this.title, clip(summary.name, NAME));
    attribute(this.title, "title", summary.name);
    attribute(this.node, "aria-label", `Order ${clip(summary.name, NAME)}`);
    put(this.id, shortId(summary.order_id));
    this.chip.update(summary.status, orderWord(summary), orderKind(summary));
    put(this.counts, inWords(summary.counts));
    put(this.ready, readyText(view));
    this.bar.update(summary.counts, running(view));
    show(put(this.info, clip(summary.info, WORDS)), Boolean(summary.info) && !(view.failures ?? []).length);
    this.drawRows();
    this.drawFailures();
    this.drawButtons();
    this.drawLog();
    put(this.facts, factsOf(view).join(" · "));
    this.drawDashboard();
    this.tellAll();
    this.speak();
    this.connect();
  }

  drawRows() {
    const { view } = this;
    const all = view.rows ?? [];
    const rows = all.slice(0, this.isWide ? ROWS : FEW);
    show(this.grid, rows.length > 0);
    keyed(this.rows, rows, (each) => each.number, makeRow, (node, row) => this.drawRow(node, row));
    show(this.more, all.length > FEW, this.title);
    const drawn = Math.min(all.length, ROWS);
    put(this.more, this.isWide ? "show fewer" : `show ${Math.max(0, drawn - FEW)} more`);
    const hidden = total(view.summary.counts) - drawn;
    put(this.beyond, hidden > 0 && rows.length ? `and ${plural(hidden, "item")} that need no look now` : "");
  }

  /** What operators tell everybody: of use where something may still be slow. */
  tellAll(text = this.told) {
    this.told = text;
    this.announcement.update(this.view && !isFinal(this.view.summary.status) ? text : "");
  }

  drawDashboard() {
    const { dashboard, summary } = this.view;
    const href = dashboard && !isFinal(summary.status) ? this.handlers.href?.(dashboard) ?? null : null;
    show(this.dashboard, Boolean(href), this.title);
    if (href) attribute(this.dashboard, "href", href);
  }

  drawRow(node, row) {
    const { chip, name, passed, stage, ahead, fill, meter, info, result, size: bytes, open, copy } = node.oseo;
    chip.update(row.status);
    put(name, clip(row.item_id, NAME));
    attribute(name, "title", row.identifier === row.item_id ? row.item_id : `${row.item_id} · ${row.identifier}`);
    const runs = row.status === "InProduction" && !row.provider; // of what others make, nobody tells how far it is
    const percent = Math.round(100 * (row.fraction ?? 0));
    show(meter, runs);
    if (runs) {
      fill.style.width = `${percent}%`;
      attribute(meter, "aria-valuenow", percent);
    }
    show(put(stage, runs ? `${clip(row.stage ?? "starting", NAME)} ${percent}\u00a0%` : ""), runs);
    put(passed, runs ? stagesPassed(row.passed) : "");
    put(ahead, runs ? (row.ahead ?? []).map((each) => ` →\u00a0${clip(each, NAME)}`).join("") : "");
    put(info, clip(infoOf(row), WORDS));
    put(bytes, row.size ? size(row.size) : "");
    const href = row.href ? this.handlers.href?.(row.href) ?? null : null;
    show(result, Boolean(row.size || href));
    show(open, Boolean(href), this.title);
    show(copy, Boolean(href), this.title);
    if (href) {
      attribute(open, "href", href);
      attribute(open, "aria-label", `Open ${row.name ?? row.item_id}`);
      attribute(copy, "aria-label", `Copy the address of ${row.name ?? row.item_id}`);
      copy.onclick = () => this.copied(copy, href);
    }
  }

  drawFailures() {
    const groups = (this.view.failures ?? []).slice(0, ROWS);
    show(this.failures, groups.length > 0, this.title);
    const keyOf = (each) => `${each.failure}|${each.reason}`;
    keyed(this.failures, groups, keyOf, makeFailure, (node, group) => {
      const { mark, count, reason, again, which } = node.oseo;
      put(mark, group.can_retry ? "↻" : "✖");
      put(count, plural(group.count, "item"));
      put(reason, clip(group.reason, WORDS));
      const ids = group.item_ids ?? [];
      put(which, ids.length ? clip(named(ids, group.count), WORDS) : "");
      // one reason of several: the button below tries everything that may help
      const some = group.can_retry && ids.length === group.count && groups.filter((each) => each.can_retry).length > 1;
      show(again, some && this.may("retry"), this.title);
      put(again, againText(group.count));
      again.onclick = () => this.act("retry", { item_ids: ids });
    });
  }

  drawButtons() {
    for (const each of BUTTONS) {
      const button = this.buttons.get(each.action);
      put(button, each.text(this.view));
      show(button, this.may(each.action), this.title);
    }
    if (this.pending && !this.may(this.pending.action)) this.ask(null);
  }

  may(action) {
    return Boolean(this.handlers.act) && (this.view.actions ?? []).includes(action);
  }

  drawLog() {
    const lines = (this.view.log ?? []).slice(0, ROWS);
    const count = this.view.log_length ?? lines.length;
    show(this.logBox, lines.length > 0, this.title);
    put(this.logTitle, `History (${plural(count, "line")})`);
    if (!this.logBox.open && this.log.childElementCount) {
      if (this.logBox.dataset.waits) return;
      this.logBox.dataset.waits = "1"; // drawn when somebody looks
      this.logBox.addEventListener("toggle", () => this.drawLogLines(), { once: true });
      return;
    }
    this.drawLogLines();
  }

  drawLogLines() {
    delete this.logBox.dataset.waits;
    const lines = (this.view.log ?? []).slice(0, ROWS);
    const keyOf = (each) => `${each.at}|${each.item_id ?? ""}|${each.status}`;
    keyed(this.log, lines, keyOf, () => el("li"), (node, line) => {
      const who = clip(line.item_id ?? "order", NAME);
      const why = line.info ? ` — ${clip(line.info, WORDS)}` : "";
      put(node, `${clock(line.at, true)}  ${markOf(line.status)} ${wordOf(line.status)}  ${who}${why}`);
    });
  }

  /** Say aloud what matters: a change of status, and each quarter. */
  speak() {
    const { summary } = this.view;
    const all = total(summary.counts);
    const done = all - unfinished(this.view);
    const state = `${orderWord(summary)}|${all ? Math.floor((4 * done) / all) : 0}|${undelivered(summary.counts) > 0}`;
    if (this.spoken === state) return;
    const isFirst = this.spoken === undefined;
    this.spoken = state;
    if (!isFirst) put(this.region, `Order ${clip(summary.name, NAME)}: ${orderWord(summary)}, ${inWords(summary.counts)}`);
  }

  // ---------------------------------------------------------------------------------- who it hears from

  /** Tell how fresh it is: `{kind: "live" | "lost" | "still" | "kernel", since, text}`. */
  connect(state = this.state ?? { kind: "still" }) {
    const changed = this.state?.kind !== state.kind;
    this.state = state;
    const asOf = this.view ? clock(this.view.as_of, true) : "";
    const done = this.view && isFinal(this.view.summary.status);
    const text = {
      live: done ? `as of ${asOf}` : `live, ${asOf}`,
      lost: `${state.text ?? "The server does not answer"} since ${clock(state.since ?? Date.now())}; trying again`,
      still: state.text ? `${state.text} · as of ${asOf}` : `as of ${asOf}`,
    }[state.kind];
    put(this.connection, text);
    const name = `oseo-live oseo-quiet oseo-is-${done && state.kind === "live" ? "still" : state.kind}`;
    if (this.live.className !== name) this.live.className = name;
    attribute(this.dot, "data-shape", state.kind === "lost" ? "△" : state.kind === "live" && !done ? "●" : "");
    for (const button of this.buttons.values()) button.disabled = state.kind === "lost";
    if (changed && state.kind === "lost") put(this.region, "The server does not answer; trying again.");
  }

  // --------------------------------------------------------------------------------- what buttons do

  press(button) {
    if (button.action === "share") {
      show(this.share, this.share.hidden);
      if (!this.share.hidden) this.grantee.focus();
    } else if (button.confirm) {
      this.ask(button);
    } else {
      this.act(button.action);
    }
  }

  ask(button) {
    const before = this.pending;
    this.pending = button;
    show(this.asked, Boolean(button), before && this.buttons.get(before.action));
    if (button) {
      put(this.asking, button.confirm(this.view));
      put(this.yes, button.yes);
      this.yes.focus();
    }
  }

  async act(action, body = {}) {
    const button = this.buttons.get(action);
    button.disabled = true;
    this.tell(`${put(button, button.textContent).textContent} …`);
    try {
      const answer = await this.handlers.act(action, body);
      this.tell("");
      return answer;
    } catch (problem) {
      this.tell(problem.message, true);
    } finally {
      button.disabled = this.state?.kind === "lost";
    }
  }

  async giveShare() {
    const grantee = this.grantee.value.trim() || null;
    const until = new Date(`${this.until.value}T23:59:59`);
    if (Number.isNaN(until.getTime())) return this.tell("Say until when.", true);
    const answer = await this.act("share", { grantee, until: until.toISOString() });
    if (!answer) return;
    show(this.share, false, this.buttons.get("share"));
    if (!answer.url) return this.tell(`Shared with ${grantee} until ${day(until)}.`);
    this.tell(`Whoever has this link can look until ${day(until)}: ${answer.url}`);
    const copy = el("button", { type: "button", className: "oseo-link" }, "copy the link");
    copy.addEventListener("click", () => this.copied(copy, answer.url));
    this.said.append(" ", copy);
  }

  tell(text, isTrouble = false) {
    put(this.said, text);
    this.said.classList.toggle("oseo-trouble", isTrouble);
    show(this.said, Boolean(text));
  }

  async copied(button, text) {
    try {
      await (this.handlers.copy ?? ((each) => navigator.clipboard.writeText(each)))(text);
      const before = button.textContent;
      put(button, "copied");
      setTimeout(() => put(button, before), 1500);
    } catch {
      this.tell(text); // no clipboard here: it can be selected
    }
  }

  dispose() {
    this.node.remove();
  }
}

function makeRow() {
  const parts = {
    chip: new Chip(),
    name: el("span", { className: "oseo-name" }),
    passed: el("span", { className: "oseo-quiet" }),
    stage: el("span", { className: "oseo-stage" }),
    ahead: el("span", { className: "oseo-quiet oseo-ahead" }),
    fill: el("span", { className: "oseo-fill" }),
    info: el("span", { className: "oseo-quiet" }),
    size: el("span", { className: "oseo-size" }),
    open: el("a", { target: "_blank", rel: "noopener" }, "open"),
    copy: el("button", { type: "button", className: "oseo-link" }, "copy link"),
  };
  parts.meter = el("span", { className: "oseo-meter", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, parts.fill);
  parts.result = el("span", { className: "oseo-result" }, parts.size, parts.open, parts.copy);
  const progress = el("td", { className: "oseo-progress" }, parts.meter, parts.passed, parts.stage, parts.ahead, parts.info);
  const node = el("tr", {}, el("td", {}, parts.chip.node), el("td", {}, parts.name), progress);
  node.append(el("td", { className: "oseo-right" }, parts.result));
  node.oseo = parts;
  return node;
}

function makeFailure() {
  const parts = {
    mark: el("span", { className: "oseo-mark", "aria-hidden": "true" }),
    count: el("b"),
    reason: el("span"),
    which: el("span", { className: "oseo-quiet oseo-which" }),
    again: el("button", { type: "button" }),
  };
  const text = el("span", { className: "oseo-reason" }, parts.count, " ", parts.reason, " ", parts.which);
  const node = el("li", {}, parts.mark, text, parts.again);
  node.oseo = parts;
  return node;
}
