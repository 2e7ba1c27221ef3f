// The operators' board: draws a Board (oseo_lab.model.desk): what waits for a person, what is stuck, how the
// service is, and what users are told; buttons for what operators decide.

import { Chip, ago, attribute, clip, clock, duration, el, keyed, number, plural, put, shortId, show } from "./dom.js";

/** Rows that are drawn of each kind, whatever is sent. */
const ROWS = 50;
/** Most characters drawn of a name, and of what is said. */
const NAME = 80;
const WORDS = 300;
/** Share of the disk below which its room is called short. */
const SHORT = 0.1;

export class Board {
  /**
   * @param {HTMLElement} host where it is drawn
   * @param {object} handlers `act(method, path, body)` asks the desk below `api/v1/desk/`; without it there are
   *   no buttons; `draw(host, view)` draws the card of an order that is looked at, returns what disposes of it
   */
  constructor(host, handlers) {
    this.handlers = handlers;
    this.board = null;
    this.node = el("section", { className: "oseo-card oseo-board", role: "group", "aria-label": "Order desk" });
    this.node.append(this.head(), this.facts(), this.approvals(), this.silences(), this.desk(), this.sources(), this.announcement());
    this.said = el("p", { className: "oseo-said", role: "status", hidden: true });
    this.node.append(this.said);
    host.append(this.node);
  }

  // ------------------------------------------------------------------------------------- what is there

  head() {
    this.title = el("h3", { className: "oseo-title", tabIndex: -1 }, "Order desk");
    this.service = el("span", { className: "oseo-quiet" });
    this.dot = el("span", { className: "oseo-dot", "aria-hidden": "true" });
    this.connection = el("span");
    this.live = el("span", { className: "oseo-live oseo-quiet" }, this.dot, this.connection);
    return el("header", { className: "oseo-head" }, this.title, this.service, this.live);
  }

  facts() {
    this.tiles = el("dl", { className: "oseo-tiles" });
    return this.tiles;
  }

  approvals() {
    this.waiting = new Part("Waiting for approval", ["Order", "Owner", "Items", "Since", ""]);
    this.rejected = el("span");
    this.reason = el("input", { type: "text", required: true, maxLength: 1000, size: 40 });
    const yes = el("button", { type: "submit", className: "oseo-danger" }, "Reject");
    const back = el("button", { type: "button" }, "Back");
    back.addEventListener("click", () => this.reject(null));
    this.form = el("form", { className: "oseo-ask", hidden: true });
    this.form.append(this.rejected, el("label", {}, "because ", this.reason), yes, back);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { order_id: id } = this.rejecting;
      this.act("POST", `orders/${encodeURIComponent(id)}/reject`, { reason: this.reason.value.trim() }, "Rejected; its owner is told why.");
      this.reject(null);
    });
    own(this.form, () => this.reject(null));
    this.waiting.node.append(this.form);
    return this.waiting.node;
  }

  silences() {
    this.stuck = new Part("Stuck: nothing heard for 30 minutes", ["Item", "Order", "Owner", "Silent since", ""]);
    return this.stuck.node;
  }

  /** Where an order lies that is looked at before it is decided of. */
  desk() {
    this.asked = el("p", { className: "oseo-quiet oseo-remark" });
    this.lies = el("div");
    const close = el("button", { type: "button" }, "Put it back");
    close.addEventListener("click", () => this.putBack());
    this.looked = el("div", { className: "oseo-looked", hidden: true }, this.lies, this.asked, close);
    return this.looked;
  }

  sources() {
    this.collections = new Part("Collections", ["State", "Collection", "Made by", "Last said"]);
    return this.collections.node;
  }

  announcement() {
    this.text = el("input", { type: "text", maxLength: 500, size: 46, "aria-label": "Announcement to users", placeholder: "nothing is announced" });
    this.until = el("input", { type: "datetime-local", "aria-label": "until (optional)" });
    this.publish = el("button", { type: "submit", className: "oseo-prime" }, "Publish");
    this.withdraw = el("button", { type: "button" }, "Withdraw");
    this.withdraw.addEventListener("click", () => {
      this.isWriting = false;
      this.act("DELETE", "announcement", undefined, "Nothing is announced any more.");
    });
    for (const each of [this.text, this.until]) each.addEventListener("input", () => (this.isWriting = true));
    const line = el("div", { className: "oseo-line" }, this.text, el("label", {}, "until ", this.until), this.publish, this.withdraw);
    this.announcing = el("form", { className: "oseo-announce", hidden: true }, el("h4", {}, "Announcement to users"), line);
    this.announcing.addEventListener("submit", (event) => {
      event.preventDefault();
      this.announce();
    });
    own(this.announcing, () => this.title.focus({ preventScroll: true }));
    return this.announcing;
  }

  // ------------------------------------------------------------------------------------- what it shows

  /** Draw a board; older ones than what is drawn are let pass. */
  update(board) {
    if (this.board && new Date(board.as_of) < new Date(this.board.as_of)) return;
    this.board = board;
    put(this.service, clip(board.title, NAME));
    this.drawFacts();
    this.drawWaiting();
    this.drawStuck();
    this.drawCollections();
    this.drawAnnouncement();
    this.connect();
  }

  /** Forget what is drawn: it was no board. */
  clear() {
    this.board = null;
  }

  drawFacts() {
    keyed(this.tiles, factsOf(this.board), (each) => each[0], makeTile, (node, [name, value, isTrouble]) => {
      put(node.firstChild, name);
      put(node.lastChild, isTrouble ? `⚠ ${value}` : value);
      attribute(node, "class", isTrouble ? "oseo-tile oseo-held" : "oseo-tile");
    });
  }

  drawWaiting() {
    const { waiting = [], waiting_count: count } = this.board;
    this.waiting.update(count ?? waiting.length, waiting.length, "Nothing waits for you.");
    keyed(this.waiting.rows, waiting.slice(0, ROWS), (each) => each.order_id, () => makeRow(["", "of", "items", "asked"], ["Approve", "Reject …", "Look"]), (node, each) => {
      const [, owner, items, since] = node.oseo.cells;
      const about = [each.remark && `“${clip(each.remark, WORDS)}”`, (each.collections ?? []).join(", ")];
      node.oseo.name(each.name, shortId(each.order_id), about.filter(Boolean).join(" · "));
      put(owner, clip(each.owner, NAME));
      put(items, each.items ? number(each.items) : "");
      put(since, each.since ? ago(each.since) : "");
      attribute(since, "title", each.since ? clock(each.since, true) : "");
      const [approve, reject, look] = node.oseo.buttons;
      this.offer(look, `Look at ${each.name}`, () => this.look(each));
      this.offer(approve, `Approve ${each.name}`, () =>
        this.act("POST", `orders/${encodeURIComponent(each.order_id)}/approve`, {}, `${clip(each.name, NAME)} is approved and goes on.`),
      );
      this.offer(reject, `Reject ${each.name}`, () => this.reject(each));
    });
    if (this.rejecting && !waiting.some((each) => each.order_id === this.rejecting.order_id)) this.reject(null);
  }

  drawStuck() {
    const { stuck = [], stuck_count: count } = this.board;
    this.stuck.update(count ?? stuck.length, stuck.length, "");
    const firsts = new Map(stuck.map((each) => [each.order_id, each]).reverse());
    keyed(this.stuck.rows, stuck.slice(0, ROWS), (each) => `${each.order_id}/${each.number}`, () => makeRow(["", "of", "by", "silent since"], ["Run again", "Look"]), (node, each) => {
      const [, order, owner, since] = node.oseo.cells;
      node.oseo.name(each.item_id, "", each.info ?? "");
      put(order, clip(each.name, NAME));
      put(owner, clip(each.owner, NAME));
      put(since, each.since ? `${clock(each.since)}, ${ago(each.since)}` : "");
      const [again, look] = node.oseo.buttons;
      this.offer(look, `Look at ${each.name}`, () => this.look(each));
      this.offer(again, `Run the stuck items of ${each.name} again`, () =>
        this.act("POST", `orders/${encodeURIComponent(each.order_id)}/run-again`, {}, `Stuck items of ${clip(each.name, NAME)} begin anew.`),
      );
      if (firsts.get(each.order_id) !== each) {
        show(again, false, this.title); // they are of the order, not of the item
        show(look, false, this.title);
      }
    });
  }

  drawCollections() {
    const { collections = [] } = this.board;
    this.collections.update(collections.length, collections.length, "");
    keyed(this.collections.rows, collections.slice(0, ROWS), (each) => each.collection_id, makeSource, (node, each) => {
      const { chip, cells } = node.oseo;
      chip.update(each.is_ok ? "Completed" : "Suspended", each.is_ok ? "ok" : "failing", each.is_ok ? "done" : "held");
      put(chip.shape, each.is_ok ? "✔" : "⚠");
      put(cells[0], clip(each.collection_id, NAME));
      put(cells[1], each.provider === "LOCAL" ? "this service" : clip(each.provider, NAME));
      put(cells[2], each.is_ok ? "" : `${clip(each.reason ?? "no reason was given", WORDS)}${each.at ? ` (${ago(each.at)})` : ""}`);
    });
  }

  drawAnnouncement() {
    show(this.announcing, Boolean(this.handlers.act), this.title);
    const { text = "", until = null } = this.board.announcement ?? {};
    show(this.withdraw, Boolean(text), this.title);
    if (this.isWriting || this.announcing.contains(document.activeElement)) return;
    this.text.value = text;
    this.until.value = until ? local(until) : "";
  }

  offer(button, label, press) {
    show(button, Boolean(this.handlers.act), this.title);
    attribute(button, "aria-label", label);
    button.disabled = this.state?.kind === "lost";
    button.onclick = press;
  }

  /** Tell how fresh it is, as a card does. */
  connect(state = this.state ?? { kind: "still" }) {
    this.state = state;
    const asOf = this.board ? clock(this.board.as_of, true) : "";
    const lost = `${state.text ?? "The server does not answer"} since ${clock(state.since ?? Date.now())}; trying again`;
    const still = [state.text, asOf && `as of ${asOf}`].filter(Boolean).join(" · ");
    put(this.connection, { live: `live, ${asOf}`, lost, still }[state.kind]);
    const name = `oseo-live oseo-quiet oseo-is-${state.kind}`;
    if (this.live.className !== name) this.live.className = name;
    attribute(this.dot, "data-shape", { live: "●", lost: "△" }[state.kind] ?? "");
    for (const each of this.node.querySelectorAll("button")) each.disabled = state.kind === "lost";
  }

  // --------------------------------------------------------------------------------- what buttons do

  /** Show what was asked, and where it stands. */
  async look(order) {
    const found = await this.act("GET", `orders/${encodeURIComponent(order.order_id)}`, undefined, "");
    if (!found) return;
    this.putBack();
    put(this.asked, askedText(found.asked));
    this.looking = this.handlers.draw(this.lies, found.view);
    show(this.looked, true);
    this.looked.scrollIntoView({ block: "nearest" });
  }

  putBack() {
    this.looking?.dispose();
    this.looking = null;
    show(this.looked, false, this.title);
  }

  reject(order) {
    const before = this.rejecting;
    this.rejecting = order;
    show(this.form, Boolean(order), before && this.title);
    if (!order) return;
    put(this.rejected, `Reject ${clip(order.name, NAME)} of ${clip(order.owner, NAME)}`);
    this.reason.value = "";
    this.reason.focus();
  }

  announce() {
    const text = this.text.value.trim();
    if (!text) return this.tell("Say what users are to know.", true);
    const until = this.until.value ? new Date(this.until.value).toISOString() : null;
    this.isWriting = false;
    return this.act("PUT", "announcement", { text, until }, "Published: everybody sees it.");
  }

  async act(method, path, body, done) {
    this.tell("…");
    try {
      const answer = await this.handlers.act(method, path, body);
      this.tell(done);
      return answer;
    } catch (problem) {
      this.tell(problem.message, true);
      return null;
    }
  }

  tell(text, isTrouble = false) {
    put(this.said, text);
    this.said.classList.toggle("oseo-trouble", isTrouble);
    show(this.said, Boolean(text));
  }

  dispose() {
    this.node.remove();
  }
}

/** A heading with a count, a table below it, and what is said where there is nothing. */
class Part {
  constructor(title, names) {
    this.name = title;
    this.title = el("h4");
    this.rows = el("tbody");
    const head = names.map((text) => el("th", { scope: "col" }, text));
    this.grid = el("table", { className: "oseo-rows" }, el("thead", {}, el("tr", {}, ...head)), this.rows);
    this.none = el("p", { className: "oseo-quiet" });
    this.beyond = el("p", { className: "oseo-quiet" });
    this.node = el("div", { className: "oseo-part-of-board" }, this.title, this.none, this.grid, this.beyond);
  }

  update(count, listed, none) {
    put(this.title, count ? `${this.name} (${number(count)})` : this.name);
    show(this.grid, listed > 0);
    show(put(this.none, none), !listed && Boolean(none));
    show(this.node, Boolean(listed || none));
    show(put(this.beyond, `and ${plural(count - Math.min(listed, ROWS), "other")}`), count > Math.min(listed, ROWS));
  }
}

function makeTile() {
  return el("div", {}, el("dt"), el("dd"));
}

function makeRow(names, labels) {
  const cells = names.map((each) => el("td", each ? { "data-name": each } : {}));
  const buttons = labels.map((text, index) => el("button", { type: "button", className: index ? "" : "oseo-prime" }, text));
  const node = el("tr", {}, ...cells, el("td", { className: "oseo-right" }, el("span", { className: "oseo-buttons" }, ...buttons)));
  const parts = [el("b"), el("span", { className: "oseo-quiet oseo-id" }), el("div", { className: "oseo-quiet oseo-remark" })];
  cells[0].append(parts[0], " ", parts[1], parts[2]);
  const name = (text, id, more) => {
    put(parts[0], clip(text, NAME));
    put(parts[1], id);
    show(put(parts[2], clip(more, WORDS)), Boolean(more));
  };
  node.oseo = { cells, buttons, name };
  return node;
}

function makeSource() {
  const chip = new Chip();
  const cells = [el("td"), el("td"), el("td", { className: "oseo-progress" })];
  const node = el("tr", {}, el("td", {}, chip.node), ...cells);
  node.oseo = { chip, cells };
  return node;
}

/** Name, value, and whether somebody should look. */
function factsOf(board) {
  const { queue = {}, workers = {}, failures = {}, disk_free: free, quotations_waiting: quotations } = board;
  const age = queue.oldest ? (new Date(board.as_of) - new Date(queue.oldest)) / 1000 : 0;
  const oldest = queue.items && queue.oldest ? ` · oldest ${age < 1 ? "new" : duration(age)}` : "";
  const failed = Object.values(failures).reduce((sum, each) => sum + each, 0);
  const kinds = Object.entries(failures).map(([kind, count]) => `${number(count)} ${kind}`);
  const facts = [
    ["Queue", `${plural(queue.items ?? 0, "item")}${oldest}`],
    ["Workers", workers.total ? `${number(workers.busy)} of ${number(workers.total)} busy` : `${number(workers.busy)} busy`],
    ["Failed today", failed ? `${number(failed)} (${kinds.join(", ")})` : "none"],
  ];
  if (free != null) facts.push(["Disk", `${Math.round(100 * (1 - free))} % used`, free < SHORT]);
  if (quotations) facts.push(["Quotations", `${number(quotations)} to be answered`]);
  return facts;
}

/** What was submitted, in one line: products, then options that were chosen. */
function askedText(asked) {
  const items = asked?.items ?? [];
  const names = items.slice(0, 5).map((each) => each.identifier?.identifier ?? each.item_id);
  const more = items.length > 5 ? ` and ${number(items.length - 5)} more` : "";
  const options = new Map();
  for (const { values } of [...(asked?.options ?? []), ...items.flatMap((each) => each.options ?? [])]) {
    for (const [name, value] of Object.entries(values ?? {})) {
      options.set(name, typeof value === "object" ? JSON.stringify(value) : String(value));
    }
  }
  const chosen = [...options].map(([name, value]) => `${name} ${value}`).join(", ");
  return clip(`Asked for: ${names.join(", ")}${more}${chosen ? ` · with ${chosen}` : ""}`, 4 * WORDS);
}

/** A moment as an input for local times takes it. */
function local(moment) {
  const then = new Date(moment);
  return new Date(then.getTime() - 60e3 * then.getTimezoneOffset()).toISOString().slice(0, 16);
}

/** A notebook has keys of its own: what is typed here is for this form. */
function own(form, leave) {
  form.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") leave();
  });
}
