// Cards, tables of orders and the order desk, fed by the server of the page: what outputs and panels show.

import { Board } from "./board.js";
import { Card } from "./card.js";
import { isFinal } from "./dom.js";
import { Following, QUIETLY } from "./live.js";
import { OrdersTable } from "./orders.js";

/** Milliseconds between two looks at all orders, or at the desk, at least. */
const TABLE_PACE = 1000;
/** Milliseconds after which the desk is looked at anew: of other people's orders no events are heard. */
const DESK_CHECK = 5000;

/**
 * A card of what a notebook holds, until the server tells what is so. Somebody else may have written the
 * notebook: links and buttons come with the server's own view, which takes the place of whatever was drawn,
 * so that nobody acts on another order than the one they see.
 */
export function orderLive(kit, node, data) {
  const { service } = kit;
  const card = new Card(node, {});
  const handlers = {
    href: (address) => service.href(address),
    act: async (action, body) => {
      const answer = await service.act(data.order_id, action, body);
      following?.news();
      return answer;
    },
  };
  let following = null;
  const ends = [];
  const isTold = () => card.handlers === handlers;
  const drawSaved = (view) => {
    try {
      card.update(view);
    } catch {
      card.view = null; // no view of an order: the server tells what is so
    }
  };
  const tell = (view) => {
    if (!isTold()) {
      card.handlers = handlers;
      card.view = null; // whatever date the notebook's has
    }
    card.update(view);
  };
  if (data.view) drawSaved(data.view);
  return {
    saved: (newer) => newer.view && !isTold() && drawSaved(newer.view),
    rest: (text) => card.connect({ kind: "still", text }),
    follow: () => {
      const live = { orderId: data.order_id, isLookedAt: () => following.isLookedAt };
      kit.live.add(live);
      ends.push(() => kit.live.delete(live), service.announcements((text) => card.tellAll(text)));
      following = new Following(service, {
        node: card.node,
        ask: () => service.view(data.order_id),
        show: tell,
        state: (state) => card.connect(state),
        concerns: (ids) => ids.has(data.order_id),
        rests: () => Boolean(card.view) && isFinal(card.view.summary.status),
      });
    },
    dispose: () => {
      following?.stop();
      ends.forEach((end) => end());
      card.dispose();
    },
  };
}

export function ordersLive(kit, node, data, open) {
  const { service } = kit;
  const query = { ...data.query };
  let following = null;
  let silence = () => {};
  const table = new OrdersTable(node, {
    open,
    filter: data.canFilter
      ? (choice) => {
          Object.assign(query, { name: wide(choice.name), status: choice.status });
          following?.news();
        }
      : undefined,
  });
  if (Array.isArray(data.orders)) {
    try {
      table.update(data.orders);
    } catch {
      table.update([]); // these are none
    }
  }
  const ask = () => {
    const said = Object.entries({ limit: 50, ...query }).filter(([, value]) => value !== "" && value != null);
    return service.ask("GET", `orders/summaries?${new URLSearchParams(said)}`);
  };
  return {
    saved: () => {},
    rest: (text) => table.connect({ kind: "still", text }),
    follow: () => {
      silence = service.announcements((text) => table.tellAll(text));
      following = new Following(service, {
        node: table.node,
        pace: TABLE_PACE,
        ask,
        show: (answer) => table.update(answer.orders, Boolean(answer.cursor)),
        state: (state) => table.connect(state),
        concerns: () => true,
        rests: () => false,
      });
    },
    dispose: () => {
      following?.stop();
      silence();
      table.dispose();
    },
  };
}

/** A name that says no pattern means names that hold it. */
function wide(name) {
  return !name || /[*?]/.test(name) ? name : `*${name}*`;
}

/** The order desk: what a notebook holds of it has no buttons until the server's own takes its place. */
export function boardLive(kit, node, data) {
  const { service } = kit;
  const board = new Board(node, {});
  let following = null;
  const act = async (method, path, body) => {
    const answer = await service.ask(method, `desk/${path}`, body);
    if (path === "announcement") service.readAnnouncement(true);
    if (method !== "GET") following?.news();
    return answer;
  };
  const draw = (host, view) => {
    const card = new Card(host, {});
    card.update(view);
    return card;
  };
  try {
    if (data.board) board.update(data.board);
  } catch {
    board.clear(); // no desk: the server tells what is so
  }
  return {
    saved: () => {},
    rest: (text) => board.connect({ kind: "still", text }),
    follow: () => {
      following = new Following(service, {
        node: board.node,
        pace: TABLE_PACE,
        check: DESK_CHECK,
        ask: () => service.ask("GET", `desk${QUIETLY}`),
        show: (answer) => {
          board.handlers = { act, draw };
          board.update(answer);
        },
        state: (state) => board.connect(state),
        concerns: () => true,
        rests: () => false,
      });
    },
    dispose: () => {
      following?.stop();
      board.dispose();
    },
  };
}
