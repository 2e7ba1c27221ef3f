// The table of orders: draws OrderSummaries (oseo_lab.model.view), newest first, and keeps them up to date.

import { Announcement, Bar, Chip, ago, attribute, clip, clock, delivered, el, keyed, number, orderKind, orderWord, put, shortId, show, size, total } from "./dom.js";

/** Most orders that are drawn. */
const ORDERS = 50;

export class OrdersTable {
  /**
   * @param {HTMLElement} host where it is drawn
   * @param {object} handlers optional `open(summary)` opens an order; optional `filter(choice)` is told what
   *   is looked for: `{name, status}`.
   */
  constructor(host, handlers = {}) {
    this.handlers = handlers;
    this.node = el("section", { className: "oseo-card oseo-orders", role: "group", "aria-label": "My orders" });
    this.announcement = new Announcement();
    this.node.append(this.head(), this.announcement.node, this.table());
    host.append(this.node);
  }

  head() {
    this.title = el("h3", { className: "oseo-title" }, "My orders");
    this.count = el("span", { className: "oseo-quiet", role: "status" });
    this.dot = el("span", { className: "oseo-dot", "aria-hidden": "true" });
    this.connection = el("span");
    this.live = el("span", { className: "oseo-live oseo-quiet" }, this.dot, this.connection);
    const head = el("header", { className: "oseo-head" }, this.title, this.count, this.live);
    if (!this.handlers.filter) return head;
    this.name = el("input", { type: "search", placeholder: "name, * for any", "aria-label": "Name of the orders", size: 18 });
    this.status = el("select", { "aria-label": "Status of the orders" });
    for (const [value, text] of STATES) this.status.append(el("option", { value }, text));
    const told = () => this.handlers.filter({ name: this.name.value.trim(), status: this.status.value });
    this.name.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(told, 250);
    });
    this.name.addEventListener("keydown", (event) => event.stopPropagation());
    this.status.addEventListener("change", told);
    head.append(el("span", { className: "oseo-filter" }, this.name, " ", this.status));
    return head;
  }

  table() {
    const names = ["Order", "Status", "Items", "Size", "Ordered", "Kept until"];
    const head = names.map((text) => el("th", { scope: "col" }, text));
    this.rows = el("tbody");
    this.none = el("p", { className: "oseo-quiet", hidden: true }, "No orders yet. lab.search(…).order(…).submit() makes one.");
    this.more = el("p", { className: "oseo-quiet", hidden: true });
    this.grid = el("table", { className: "oseo-rows" }, el("thead", {}, el("tr", {}, ...head)), this.rows);
    return el("div", { className: "oseo-scroll" }, this.grid, this.none, this.more);
  }

  /** Draw summaries; `hasMore` where there are others beyond them. */
  update(summaries, hasMore = false) {
    this.asOf = Date.now();
    const drawn = summaries.slice(0, ORDERS);
    const isMore = hasMore || summaries.length > ORDERS;
    const running = summaries.filter((each) => orderKind(each) === "running").length;
    const words = [`${number(summaries.length)}${hasMore ? "+" : ""}`];
    if (running) words.push(`${number(running)} in production`);
    put(this.count, words.join(" · "));
    show(this.grid, drawn.length > 0);
    show(this.none, drawn.length === 0);
    const isFiltered = Boolean(this.name?.value || this.status?.value);
    if (isFiltered) put(this.none, "No order is like that.");
    keyed(this.rows, drawn, (each) => each.order_id, () => this.makeRow(), (node, each) => this.drawRow(node, each));
    show(put(this.more, "and older ones: say a name or a status to find them"), isMore);
    this.connect();
  }

  makeRow() {
    const parts = {
      open: el("button", { type: "button", className: "oseo-link oseo-order" }),
      id: el("span", { className: "oseo-quiet oseo-id" }),
      owner: el("span", { className: "oseo-quiet" }),
      chip: new Chip(),
      bar: new Bar(),
      items: el("span"),
      size: el("td"),
      made: el("td"),
      expires: el("td", { "data-name": "kept until" }),
    };
    const name = el("td", {}, parts.open, " ", parts.id, " ", parts.owner);
    const items = el("td", { className: "oseo-items" }, parts.bar.node, parts.items);
    const node = el("tr", {}, name, el("td", {}, parts.chip.node), items, parts.size, parts.made, parts.expires);
    node.oseo = parts;
    return node;
  }

  drawRow(node, summary) {
    const parts = node.oseo;
    put(parts.open, clip(summary.name, 80));
    attribute(parts.open, "title", summary.name);
    parts.open.disabled = !this.handlers.open;
    parts.open.onclick = () => this.handlers.open?.(summary);
    put(parts.id, shortId(summary.order_id));
    put(parts.owner, summary.is_shared ? `of ${summary.owner}` : "");
    parts.chip.update(summary.status, orderWord(summary), orderKind(summary));
    parts.bar.update(summary.counts, 0);
    put(parts.items, `${number(delivered(summary.counts))}/${number(total(summary.counts))}`);
    put(parts.size, summary.size ? size(summary.size) : "");
    put(parts.made, summary.created ? ago(summary.created) : "");
    attribute(parts.made, "title", summary.created ? clock(summary.created, true) : "");
    put(parts.expires, summary.expires ? clock(summary.expires).split(" ")[0] : "");
  }

  /** What operators tell everybody. */
  tellAll(text) {
    this.announcement.update(text);
  }

  /** Tell how fresh it is, as a card does. */
  connect(state = this.state ?? { kind: "still" }) {
    this.state = state;
    const asOf = clock(this.asOf ?? Date.now(), true);
    const lost = `${state.text ?? "The server does not answer"} since ${clock(state.since ?? Date.now())}; trying again`;
    put(this.connection, { live: `live, ${asOf}`, lost, still: `${state.text ?? ""} as of ${asOf}` }[state.kind]);
    const name = `oseo-live oseo-quiet oseo-is-${state.kind}`;
    if (this.live.className !== name) this.live.className = name;
    attribute(this.dot, "data-shape", { live: "●", lost: "△" }[state.kind] ?? "");
  }

  dispose() {
    this.node.remove();
  }
}

const STATES = [
  ["", "any status"],
  ["InProduction", "In production"],
  ["Accepted", "Accepted"],
  ["Submitted", "Submitted"],
  ["Suspended", "Suspended"],
  ["Completed", "Completed"],
  ["Failed", "Failed"],
  ["Cancelled", "Cancelled"],
];
