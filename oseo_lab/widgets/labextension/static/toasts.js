// Toasts: an order of the page's user has ended, or a subscription has delivered, while the page is open.
// Nothing for orders whose card is looked at; crowds become one sentence; one page of several says it.

import { clip, delivered, inWords, isFinal, number, orderWord, plural, total, undelivered } from "./dom.js";

/** Milliseconds for which ends gather before anything is said; another page of the same browser may be first. */
const GATHER = 800;
const JITTER = 400;
/** More orders than these are told of in one sentence, which asks for nothing. */
const SINGLY = 3;
/** Most orders that are waited with, and remembered as told. */
const MOST = 10_000;
/** Longest name in a sentence: JupyterLab cuts toasts at 140 characters. */
const NAME = 60;

const SUBSCRIPTION = "SUBSCRIPTION_ORDER";

export class Toasts {
  /**
   * @param {Service} service whose events are heard
   * @param {object} how `say(text, kind, summary)` shows a toast, `kind` being "success", "warning", "error" or
   *   "info", and `summary` the order it is about, null for several; `isSeen(orderId)` whether its card is
   *   looked at now.
   */
  constructor(service, how) {
    this.service = service;
    this.how = how;
    this.due = new Map();
    this.told = new Map();
    this.delivered = new Map();
    if (window.BroadcastChannel) {
      this.others = new BroadcastChannel(`oseo-lab toasts ${service.api}`);
      this.others.onmessage = ({ data }) => data.forEach(([id, status]) => this.due.get(id) === status && this.due.delete(id));
    }
    document.addEventListener("visibilitychange", () => this.soon());
  }

  /** Begin to hear; what subscriptions had delivered before is no news. */
  async begin(owner) {
    this.owner = owner;
    this.service.events.join((ids, isCrowd, turns) => this.heard(turns));
    const open = new URLSearchParams([["status", "Suspended,Accepted,InProduction"], ["limit", "200"]]);
    const answer = await this.service.ask("GET", `orders/summaries?${open}`).catch(() => ({ orders: [] }));
    for (const each of answer.orders) {
      if (each.order_type === SUBSCRIPTION && !this.delivered.has(each.order_id)) {
        this.delivered.set(each.order_id, delivered(each.counts));
      }
    }
  }

  heard(turns) {
    for (const [id, status] of turns) {
      if (!isFinal(status) && status !== "Suspended") {
        this.due.delete(id); // it goes on, such as one that is tried again
        continue;
      }
      remember(this.due, id, status);
    }
    if (this.due.size) this.soon();
  }

  soon() {
    clearTimeout(this.timer);
    if (!this.due.size || document.visibilityState === "hidden") return; // said to whoever comes back
    this.timer = setTimeout(() => this.tell(), GATHER + JITTER * Math.random());
  }

  async tell() {
    const due = [...this.due];
    this.due.clear();
    this.others?.postMessage(due);
    const ended = due.filter(([id, status]) => isFinal(status) && !this.how.isSeen(id));
    if (ended.length > SINGLY) this.tellMany(ended);
    for (const [id, status] of due) {
      if (!isFinal(status) || (ended.length <= SINGLY && ended.some(([each]) => each === id))) await this.tellOne(id);
    }
  }

  tellMany(ended) {
    const counts = new Map();
    for (const [, status] of ended) counts.set(status, (counts.get(status) ?? 0) + 1);
    const words = [...counts].map(([status, count]) => `${number(count)} ${status}`);
    const isWell = counts.get("Completed") === ended.length;
    this.how.say(`${plural(ended.length, "order")} have ended: ${words.join(", ")}`, isWell ? "success" : "warning", null);
  }

  /** Ask where an order stands, and say what is new of it. */
  async tellOne(id) {
    const view = await this.service.view(id).catch(() => null);
    const summary = view?.summary;
    if (!summary || (this.owner && summary.owner !== this.owner)) return;
    const isStanding = summary.order_type === SUBSCRIPTION;
    const said = isStanding && !isFinal(summary.status) ? this.news(summary) : ending(summary);
    const moment = `${summary.status} ${summary.updated}`;
    if (isStanding) remember(this.delivered, id, delivered(summary.counts));
    if (!said || this.told.get(id) === moment || this.how.isSeen(id)) return;
    remember(this.told, id, moment);
    this.how.say(`${clip(summary.name, NAME)}: ${said.text}`, said.kind, summary);
  }

  /** What a subscription has delivered since it was last heard of. */
  news(summary) {
    const fresh = delivered(summary.counts) - (this.delivered.get(summary.order_id) ?? 0);
    return fresh > 0 ? { text: `${plural(fresh, "scene")} delivered`, kind: "success" } : null;
  }
}

/** How an order ended, in words; nothing where its user cancelled it and nobody had anything to say. */
function ending(summary) {
  const { status, counts, info, wanted } = summary;
  if (!isFinal(status)) return null;
  if (status === "Cancelled") {
    if (wanted === "cancelled" && !info) return null;
    return { text: info ? `Cancelled: ${info}` : "Cancelled", kind: "info" };
  }
  const failed = undelivered(counts);
  const kind = !failed ? "success" : delivered(counts) ? "warning" : "error";
  return { text: `${orderWord(summary)}${total(counts) ? `, ${inWords(counts)}` : ""}`, kind };
}

/** Keep the newest of many. */
function remember(map, key, value) {
  map.delete(key);
  map.set(key, value);
  if (map.size > MOST) map.delete(map.keys().next().value);
}
