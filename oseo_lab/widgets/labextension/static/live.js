// One page's connection to the ordering service that served it: REST with the page's own cookie or token,
// and one stream of events that all cards of all tabs share. Events are hints: whoever hears one asks again.

import { announcementOf } from "./dom.js";

/** Milliseconds between two questions about one order, at least. */
const PACE = 250;
/** The same while events come in crowds: nobody reads counts that move by hundreds, and a page has other work. */
const CROWDED_PACE = 500;
/** Milliseconds after which a running order is asked about though nothing was heard. */
const CHECK = 20_000;
/** Milliseconds between tries to reach a server that is away: growing, with jitter. */
const BACK_OFF = [500, 1000, 2000, 4000, 8000];
/** Milliseconds without a byte after which a stream is taken for lost: the server speaks every 15 s. */
const SILENCE = 40_000;

/** Milliseconds for which events gather after one was heard: cards ask no more often anyway. */
const GATHER = 200;
/** Events gathered at once that are a crowd. */
const CROWD = 40;

/** Milliseconds after which what operators tell everybody is asked for again, at least. */
const ANNOUNCED = 120_000;

/** Said with what is asked by itself, so that a server nobody uses can be seen to rest. */
export const QUIETLY = "?no_track_activity=1";

/** What the line of an order itself has, beside those of its items. */
const OWN_LINE = '"number":0,';

const LOGGED_OUT = "This page is not logged in any more: reload it";

function pause(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}

function backOff(tries) {
  return BACK_OFF[Math.min(tries, BACK_OFF.length - 1)] * (0.75 + 0.5 * Math.random());
}

/** What the service refused, in its own words; `status` 0 where it did not answer at all. */
export class Refused extends Error {
  constructor(text, status = 0) {
    super(text);
    this.status = status;
  }
}

export class Service {
  /** @param {string} base URL of the Jupyter Server, with a slash at the end; @param {string} token of the page */
  constructor(base, token = "") {
    this.api = new URL("oseo/api/v1/", new URL(base, document.baseURI)).href;
    this.token = token;
    this.events = new Events(this);
    this.readers = new Set();
  }

  headers() {
    if (this.token) return { Authorization: `token ${this.token}` };
    const xsrf = document.cookie.match(/(?:^|;\s*)_xsrf=([^;]*)/);
    return xsrf ? { "X-XSRFToken": xsrf[1] } : {};
  }

  async request(method, path, { body, accept = "application/json", signal } = {}) {
    const headers = { Accept: accept, ...this.headers() };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const sent = body === undefined ? undefined : JSON.stringify(body);
    let answer;
    try {
      answer = await fetch(this.api + path, {
        method, headers, body: sent, signal, credentials: "same-origin", cache: "no-store", redirect: "manual",
      });
    } catch {
      throw new Refused("The server does not answer");
    }
    if (answer.type === "opaqueredirect") throw new Refused(LOGGED_OUT, 401); // the token goes nowhere else
    if (!answer.ok) throw new Refused(await reasonOf(answer), answer.status);
    return answer;
  }

  async ask(method, path, body) {
    const answer = await this.request(method, path, { body });
    return answer.status === 204 ? {} : answer.json();
  }

  /** The service's name, owner and instance; asked once. */
  about() {
    this.known ??= this.ask("GET", "").catch((refused) => {
      this.known = undefined;
      throw refused;
    });
    return this.known;
  }

  /** Tell what operators tell everybody, now and whenever that changes: `reader(text)`; returns what ends it. */
  announcements(reader) {
    this.readers.add(reader);
    if (this.announcement) reader(this.announcement);
    this.readAnnouncement();
    return () => this.readers.delete(reader);
  }

  /** Ask what operators tell everybody, not too often; `isNew` where this page has changed it. */
  async readAnnouncement(isNew = false) {
    clearTimeout(this.announcementTimer);
    if (!this.readers.size) return;
    const isOld = isNew || !(performance.now() - this.announcementRead < ANNOUNCED);
    if (isOld && (isNew || document.visibilityState !== "hidden")) {
      this.announcementRead = performance.now();
      const about = await this.ask("GET", QUIETLY).catch(() => null);
      const text = announcementOf(about?.announcement);
      if (about && text !== this.announcement) {
        this.announcement = text;
        for (const each of this.readers) each(text);
      }
    }
    clearTimeout(this.announcementTimer);
    this.announcementTimer = setTimeout(() => this.readAnnouncement(), ANNOUNCED + 1000);
  }

  view(orderId) {
    return this.ask("GET", `${pathOf(orderId)}/view`);
  }

  /** Carry out a card's button. */
  act(orderId, action, body = {}) {
    const path = { share: "shares" }[action] ?? action;
    const sent = action === "retry" ? { item_ids: body.item_ids ?? null } : body;
    return this.ask("POST", `${pathOf(orderId)}/${path}`, sent);
  }

  /** The address of a result as this page reaches it; null for what is no web address. */
  href(address) {
    try {
      const url = new URL(address, this.api);
      return ["http:", "https:"].includes(url.protocol) ? url.href : null;
    } catch {
      return null;
    }
  }
}

/** Where an order lies; whatever a notebook calls one, nothing else is asked. */
function pathOf(orderId) {
  if (typeof orderId !== "string" || /^\.{0,2}$/.test(orderId)) throw new Refused("This is no order", 404);
  return `orders/${encodeURIComponent(orderId)}`;
}

async function reasonOf(answer) {
  if (answer.status === 401) return LOGGED_OUT;
  try {
    const problem = await answer.json();
    const said = problem.detail ?? problem.title;
    if (answer.status === 403 && (typeof said !== "string" || /_xsrf/i.test(said))) return LOGGED_OUT;
    return typeof said === "string" ? said : `The server answered ${answer.status}`;
  } catch {
    return answer.status === 403 ? LOGGED_OUT : `The server answered ${answer.status}`;
  }
}

/**
 * The page's ear. Browsers allow few connections to one server, so one tab listens and tells the others.
 */
class Events {
  constructor(service) {
    this.service = service;
    this.listeners = new Set();
    this.isUp = false;
    this.downSince = null;
  }

  /**
   * Hear of orders: `listener(ids, isCrowd, turns)` with the set that changed, null where any may have, and
   * `[id, status]` of each whose own status is another now.
   */
  join(listener) {
    this.listeners.add(listener);
    this.begin();
    return () => this.listeners.delete(listener);
  }

  begin() {
    if (this.hasBegun) return;
    this.hasBegun = true;
    const name = `oseo-lab ${this.service.api}`;
    if (!navigator.locks || !window.BroadcastChannel) {
      this.read();
      return;
    }
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = ({ data }) => {
      if (data.kind !== "who") this.hear(data);
      else if (this.isReader && this.last) this.channel.postMessage(this.last);
    };
    this.channel.postMessage({ kind: "who" });
    navigator.locks.request(name, () => this.read());
  }

  tell(message) {
    if (message.kind !== "news") this.last = message;
    this.channel?.postMessage(message);
    this.hear(message);
  }

  hear({ kind, ids, isCrowd, turns, since }) {
    if (kind === "down") {
      this.isUp = false;
      this.downSince ??= since;
    } else if (kind === "up") {
      this.isUp = true;
      this.downSince = null;
    }
    for (const each of this.listeners) each(kind === "news" ? ids : null, isCrowd, turns ?? []);
  }

  /** Read the stream for as long as the page lives, and come back after every loss. */
  async read() {
    this.isReader = true;
    for (let tries = 0; ; tries += 1) {
      try {
        await this.stream(() => {
          tries = 0;
          this.tell({ kind: "up" });
        });
      } catch {
        // said below: whoever looks sees it on the cards
      }
      if (tries > 0 || this.isUp) this.tell({ kind: "down", since: Date.now() });
      await pause(backOff(tries));
    }
  }

  async stream(begun) {
    const stop = new AbortController();
    let silence = setTimeout(() => stop.abort(), SILENCE);
    try {
      const options = { accept: "text/event-stream", signal: stop.signal };
      const answer = await this.service.request("GET", `events${QUIETLY}`, options);
      begun();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(() => stop.abort(), SILENCE);
        const end = (rest += value).lastIndexOf("\n\n");
        if (end < 0) continue;
        const text = rest.slice(0, end);
        const heard = idsIn(text);
        rest = rest.slice(end + 2);
        if (!heard.length) continue;
        const isCrowd = heard.length > CROWD;
        this.tell({ kind: "news", ids: new Set(heard), isCrowd, turns: turnsIn(text) });
        await pause(isCrowd ? CROWDED_PACE : GATHER); // what comes in crowds is read in crowds
      }
    } finally {
      clearTimeout(silence);
      stop.abort();
    }
  }
}

/** The order that each event is about: their text is not read further, for the view is asked anyway. */
function idsIn(text) {
  return Array.from(text.matchAll(/"order_id":\s*"([^"]+)"/g), ([, id]) => id);
}

/** The lines of orders themselves, which are few among those of their items: `[id, status]`. */
function turnsIn(text) {
  const found = [];
  for (let at = text.indexOf(OWN_LINE); at >= 0; at = text.indexOf(OWN_LINE, at + 1)) {
    const end = text.indexOf("\n", at);
    const line = text.slice(text.lastIndexOf("\n", at) + 1, end < 0 ? undefined : end);
    const [, id] = line.match(/"order_id":\s*"([^"]+)"/) ?? [];
    const [, status] = line.match(/"status":\s*"([A-Za-z]+)"/) ?? [];
    if (id && status) found.push([id, status]);
  }
  return found;
}

/**
 * Keeps one thing on the page up to date: asks at once, and again when news of it come, at most four times
 * a second (twice while they come in crowds) and a third of the time, only while somebody can see it; comes back by itself.
 */
export class Following {
  /**
   * @param {Service} service
   * @param {object} how `ask()` returns what is shown, `show(answer)` shows it, `state(state)` tells how fresh
   *   it is, `concerns(ids)` whether news are about it, `rests()` whether nothing more happens by itself,
   *   `node` what must be seen; optional `pace`, milliseconds between two questions, and `check`, after which
   *   it is asked though nothing was heard.
   */
  constructor(service, how) {
    this.service = service;
    this.how = how;
    this.tries = 0;
    this.next = 0;
    this.isDirty = true;
    this.isSeen = true;
    this.leave = service.events.join((ids, isCrowd) => this.heard(ids, isCrowd));
    this.watch(how.node);
    this.go();
  }

  watch(node) {
    this.looked = () => this.go();
    document.addEventListener("visibilitychange", this.looked);
    if (!window.IntersectionObserver) return;
    this.observer = new IntersectionObserver((entries) => {
      this.isSeen = entries.at(-1).isIntersecting;
      this.go();
    });
    this.observer.observe(node);
  }

  heard(ids, isCrowd) {
    if (ids === null) {
      this.freshness();
      if (!this.service.events.isUp) return;
    } else if (!this.how.concerns(ids)) {
      return;
    }
    this.isCrowd = isCrowd;
    this.news();
  }

  /** Something has changed, or may have. */
  news() {
    this.isDirty = true;
    this.go();
  }

  go() {
    const mayLook = this.isSeen && document.visibilityState !== "hidden";
    if (!this.isDirty || this.isBusy || this.isOver || !mayLook) return;
    clearTimeout(this.timer);
    const wait = this.next - performance.now();
    if (wait > 0) this.timer = setTimeout(() => this.ask(), wait);
    else this.ask();
  }

  async ask() {
    this.isBusy = true;
    this.isDirty = false;
    const began = performance.now();
    try {
      const answer = await this.how.ask();
      if (this.isOver) return;
      this.tries = 0;
      this.lostSince = null;
      this.how.show(answer);
      this.freshness();
      const pace = this.how.pace ?? (this.isCrowd ? CROWDED_PACE : PACE);
      this.next = began + Math.max(pace, 3 * (performance.now() - began));
      this.later();
    } catch (refused) {
      if (!this.isOver) this.missed(refused);
    } finally {
      this.isBusy = false;
      this.go();
    }
  }

  missed(refused) {
    if (!(refused instanceof Refused)) {
      console.error(refused);
      this.how.state({ kind: "still", text: "This could not be drawn" });
      return;
    }
    if (refused.status === 404 || refused.status === 401 || refused.status === 403) {
      const text = refused.status === 404 ? "This server has no such order" : refused.message;
      this.how.state({ kind: "still", text });
      return;
    }
    this.lostSince ??= Date.now();
    this.how.state({ kind: "lost", since: this.lostSince, text: refused.message });
    this.next = performance.now() + backOff(this.tries);
    this.tries += 1;
    this.isDirty = true;
  }

  /** Whether somebody can see it now. */
  get isLookedAt() {
    return !this.isOver && this.isSeen && document.visibilityState !== "hidden";
  }

  freshness() {
    const { isUp, downSince } = this.service.events;
    if (this.lostSince || (!isUp && downSince)) {
      this.how.state({ kind: "lost", since: this.lostSince ?? downSince, text: "The server does not answer" });
    } else {
      this.how.state({ kind: "live" });
    }
  }

  later() {
    clearTimeout(this.check);
    if (!this.how.rests()) this.check = setTimeout(() => this.news(), this.how.check ?? CHECK);
  }

  stop() {
    this.isOver = true;
    clearTimeout(this.timer);
    clearTimeout(this.check);
    this.leave();
    this.observer?.disconnect();
    document.removeEventListener("visibilitychange", this.looked);
  }
}
