// What cards and tables are drawn with: elements that are reused, and times, sizes and statuses as people
// read them. Data only ever becomes text: nothing here makes HTML of a string.

/** Shape, word and CSS class of each status; the word is always beside the shape. */
const STATUSES = {
  Submitted: ["○", "Submitted", "waiting"],
  Accepted: ["◔", "Accepted", "waiting"],
  InProduction: ["▶", "In production", "running"],
  Suspended: ["‖", "Suspended", "held"],
  Cancelled: ["⊘", "Cancelled", "gone"],
  Completed: ["✔", "Completed", "done"],
  Downloaded: ["✔", "Downloaded", "done"],
  Failed: ["✖", "Failed", "failed"],
  Terminated: ["✖", "Terminated", "failed"],
};
/** In a bar: what is certain first. */
const BAR_ORDER = ["Downloaded", "Completed", "Failed", "Terminated", "Cancelled"];
const FINAL = new Set(BAR_ORDER);
const DELIVERED = new Set(["Completed", "Downloaded"]);

export function markOf(status) {
  return (STATUSES[status] ?? ["•"])[0];
}

export function wordOf(status) {
  return (STATUSES[status] ?? ["", status ?? ""])[1];
}

export function kindOf(status) {
  return (STATUSES[status] ?? ["", "", "waiting"])[2];
}

export function isFinal(status) {
  return FINAL.has(status);
}

export function total(counts) {
  return Object.values(counts ?? {}).reduce((sum, each) => sum + each, 0);
}

export function delivered(counts) {
  return [...DELIVERED].reduce((sum, each) => sum + (counts?.[each] ?? 0), 0);
}

export function undelivered(counts) {
  return ["Failed", "Terminated"].reduce((sum, each) => sum + (counts?.[each] ?? 0), 0);
}

/** Make an element: properties, `aria-…`, `data-…` and `role` as attributes, then its children. */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name in node && !name.includes("-")) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Set text, only where it changes: what is selected or read aloud stays. */
export function put(node, text) {
  const said = String(text ?? "");
  if (node.textContent !== said) node.textContent = said;
  return node;
}

/** The beginning of a text that may be of any length. */
export function clip(text, most) {
  const said = String(text ?? "");
  return said.length > most ? `${said.slice(0, most - 1)}…` : said;
}

/** Show or hide; what had the focus hands it on, so that the keyboard is not lost. */
export function show(node, isShown, heir) {
  if (!isShown && heir && node.contains(document.activeElement)) heir.focus({ preventScroll: true });
  if (node.hidden === isShown) node.hidden = !isShown;
  return node;
}

export function attribute(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** Keep one child per key, in this order, making and moving as few as can be. */
export function keyed(parent, things, keyOf, make, update) {
  const kept = (parent.oseoKept ??= new Map());
  const wanted = new Set(things.map(keyOf));
  for (const [key, node] of kept) {
    if (!wanted.has(key)) {
      node.remove();
      kept.delete(key);
    }
  }
  let place = parent.firstElementChild;
  for (const thing of things) {
    const key = keyOf(thing);
    let node = kept.get(key);
    if (!node) {
      node = make(thing);
      kept.set(key, node);
    }
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
    update(node, thing);
  }
}

export function size(bytes) {
  let rest = bytes ?? 0;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (rest < 1000) return `${unit === "B" ? rest : rest.toFixed(rest < 10 ? 1 : 0)} ${unit}`;
    rest /= 1000;
  }
  return `${rest.toFixed(1)} TB`;
}

export function duration(seconds) {
  for (const [limit, unit, divisor] of [[100, "s", 1], [6000, "min", 60], [172800, "h", 3600]]) {
    if (seconds < limit) return `${Math.max(1, Math.round(seconds / divisor))} ${unit}`;
  }
  return `${Math.round(seconds / 86400)} days`;
}

const MINUTES = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hour12: false });
const SECONDS = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

/** The time of day, with the date where it is another day; in the reader's own time zone. */
export function clock(moment, withSeconds = false) {
  const then = new Date(moment);
  if (Number.isNaN(then.getTime())) return "";
  const time = (withSeconds ? SECONDS : MINUTES).format(then);
  return then.toDateString() === new Date().toDateString() ? time : `${day(then)} ${time}`;
}

export function day(moment) {
  const then = new Date(moment);
  const [year, month, date] = [then.getFullYear(), then.getMonth() + 1, then.getDate()];
  return `${year}-${String(month).padStart(2, "0")}-${String(date).padStart(2, "0")}`;
}

export function ago(moment) {
  const seconds = (Date.now() - new Date(moment).getTime()) / 1000;
  return seconds < 45 ? "just now" : `${duration(seconds)} ago`;
}

export function number(value) {
  return Number(value ?? 0).toLocaleString("en");
}

export function plural(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** The first eight digits of an id of ours; of another service's the end. */
export function shortId(orderId) {
  const own = String(orderId).replace(/^urn:uuid:/, "");
  if (own !== orderId) return own.slice(0, 8);
  return own.length <= 24 ? own : `…${own.slice(-20)}`;
}

/** A bar by status: final items in their colour, the done part of running ones in theirs. */
export class Bar {
  constructor() {
    this.node = el("div", { className: "oseo-bar", role: "img" });
    this.parts = {};
    for (const status of [...BAR_ORDER, "running"]) {
      const kind = status === "running" ? "running" : kindOf(status);
      this.parts[status] = this.node.appendChild(el("span", { className: `oseo-part oseo-${kind}` }));
    }
  }

  update(counts, running) {
    const all = total(counts) || 1;
    for (const [status, part] of Object.entries(this.parts)) {
      const share = (status === "running" ? running : counts?.[status] ?? 0) / all;
      const width = `${(100 * share).toFixed(2)}%`;
      if (part.style.width !== width) part.style.width = width;
    }
    attribute(this.node, "aria-label", inWords(counts));
  }
}

/** Counts as a sentence: what is delivered first, then the rest by status. */
export function inWords(counts) {
  const all = total(counts);
  if (!all) return "no products yet";
  const words = [`${number(delivered(counts))} of ${number(all)} delivered`];
  const rest = [
    ["failed", undelivered(counts)],
    ["running", counts.InProduction ?? 0],
    ["waiting", (counts.Submitted ?? 0) + (counts.Accepted ?? 0)],
    ["suspended", counts.Suspended ?? 0],
    ["cancelled", counts.Cancelled ?? 0],
  ];
  for (const [word, count] of rest) if (count) words.push(`${number(count)} ${word}`);
  return words.join(" · ");
}

/** A status as a chip: shape and word, the colour only besides. */
export class Chip {
  constructor() {
    this.shape = el("span", { "aria-hidden": "true" });
    this.word = el("span");
    this.node = el("span", { className: "oseo-chip" }, this.shape, this.word);
  }

  update(status, word = wordOf(status), kind = kindOf(status)) {
    put(this.shape, markOf(status));
    put(this.word, word);
    const name = `oseo-chip oseo-${kind}`;
    if (this.node.className !== name) this.node.className = name;
  }
}

/** What operators tell everybody now (oseo_lab.model.desk.Announcement), as text; empty where it is over. */
export function announcementOf(announcement) {
  const { text, until } = announcement ?? {};
  return typeof text === "string" && !(until && new Date(until) < new Date()) ? text : "";
}

/** What operators tell everybody who uses the service: a quiet line, or none. */
export class Announcement {
  constructor() {
    this.text = el("span");
    this.node = el("p", { className: "oseo-announcement", role: "note", hidden: true }, el("b", {}, "Announcement: "), this.text);
  }

  update(text) {
    put(this.text, clip(text, 500));
    show(this.node, Boolean(text));
  }
}

/** What to call a status of a whole order: Completed with failures is "partly"; a subscription waits. */
export function orderWord(summary) {
  const missing = undelivered(summary.counts) + (summary.counts?.Cancelled ?? 0);
  if (DELIVERED.has(summary.status) && missing && delivered(summary.counts)) {
    return `${wordOf(summary.status)}, partly`;
  }
  if (!isFinal(summary.status) && summary.wanted === "cancelled") return "Cancelling";
  const isStanding = summary.order_type === "SUBSCRIPTION_ORDER" && summary.wanted === "completed";
  if (isStanding && summary.status === "Suspended") return `${wordOf(summary.status)}, waiting for products`;
  return wordOf(summary.status);
}

export function orderKind(summary) {
  return orderWord(summary).endsWith("partly") ? "held" : kindOf(summary.status);
}
