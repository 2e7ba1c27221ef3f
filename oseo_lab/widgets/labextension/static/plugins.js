// The JupyterLab and Notebook 7 plugins: live orders in outputs, the fallback of forms whose kernel has gone,
// "Order products" and "My orders" in launcher and command palette.

import { Card } from "./card.js";
import { isFinal } from "./dom.js";
import { Following, Service } from "./live.js";
import { OrdersTable } from "./orders.js";

const ORDER = "application/vnd.oseo-lab.order+json";
const ORDERS = "application/vnd.oseo-lab.orders+json";
const FORM = "application/vnd.oseo-lab.widget+json";
const WIDGET = "application/vnd.jupyter.widget-view+json";
/** Before widget views (-10), as lower ranks come first. */
const RANK = -20;
/** Milliseconds between two looks at all orders, at least. */
const TABLE_PACE = 1000;

const START = "import oseo_lab as oseo\n\nlab = oseo.connect()\nlab.composer()";
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><g class="jp-icon3" fill="none" ' +
  'stroke="#616161" stroke-width="1.8"><circle cx="12" cy="12" r="6.2"/><ellipse cx="12" cy="12" rx="11" ' +
  'ry="3.6" transform="rotate(-28 12 12)"/></g><circle class="jp-icon3" cx="20.4" cy="6.4" r="1.9" fill="#616161"/></svg>';

/** Where tokens come from; each is optional, for not every application has a launcher. */
const TOKENS = {
  tracker: ["@jupyterlab/notebook", "INotebookTracker"],
  rendermime: ["@jupyterlab/rendermime", "IRenderMimeRegistry"],
  launcher: ["@jupyterlab/launcher", "ILauncher"],
  palette: ["@jupyterlab/apputils", "ICommandPalette"],
};

/** Return the plugins, made of the modules that the application shares. */
export async function plugins(sharedModule, here) {
  const [lumino, coreutils, apputils, ui] = await Promise.all(
    ["@lumino/widgets", "@jupyterlab/coreutils", "@jupyterlab/apputils", "@jupyterlab/ui-components"].map(sharedModule),
  );
  const { PageConfig } = coreutils;
  const service = new Service(PageConfig.getBaseUrl(), PageConfig.getToken());
  const kit = { Widget: lumino.Widget, MainAreaWidget: apputils.MainAreaWidget, service };
  kit.icon = new ui.LabIcon({ name: "oseo-lab:orders", svgstr: ICON });
  style(here);
  return [
    await plugin(sharedModule, "outputs", ["rendermime", "tracker"], (app, found) => drawOutputs(kit, found)),
    await plugin(sharedModule, "start", ["launcher", "palette"], (app, found) => addCommands(kit, app, found)),
  ];
}

function style(here) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL("card.css", here).href;
  document.head.append(link);
}

async function plugin(sharedModule, name, wanted, begin) {
  const found = {};
  for (const each of wanted) {
    const [module, token] = TOKENS[each];
    const there = (await sharedModule(module))?.[token];
    if (there) found[each] = there;
  }
  return {
    id: `oseo-lab:${name}`,
    autoStart: true,
    optional: Object.values(found),
    activate: (app, ...given) => {
      begin(app, Object.fromEntries(Object.keys(found).map((each, index) => [each, given[index]])));
    },
  };
}

// ------------------------------------------------------------------------------------------- outputs

function drawOutputs(kit, { rendermime, tracker }) {
  if (rendermime) addRenderers(kit, rendermime);
  // a notebook's own registry knows the widgets of its kernel
  tracker?.widgetAdded.connect((_, panel) => addRenderers(kit, panel.content.rendermime));
}

function addRenderers(kit, rendermime) {
  const factory = (mimeType, createRenderer) => ({ safe: true, mimeTypes: [mimeType], defaultRank: RANK, createRenderer });
  rendermime.addFactory(factory(ORDER, (options) => liveOutput(kit, rendermime, options, orderLive)), RANK);
  rendermime.addFactory(factory(ORDERS, (options) => liveOutput(kit, rendermime, options, ordersLive)), RANK);
  rendermime.addFactory(factory(FORM, (options) => formOutput(kit, rendermime, options)), RANK);
}

/** What an order or a table of them is shown in: live from the server of this page, or as its kernel tells. */
function liveOutput(kit, rendermime, options, draw) {
  const output = new kit.Widget();
  output.addClass("oseo-output");
  let shown = null;
  let key = null;
  output.renderModel = async (model) => {
    const said = model.data[options.mimeType];
    const data = said !== null && typeof said === "object" ? said : {};
    const same = JSON.stringify([data.instance, data.order_id, data.query]);
    if (shown && key === same) {
      shown.saved(data); // written back, or shown again: what is drawn stays
      return;
    }
    shown?.dispose();
    key = same;
    shown = await whichever(kit, rendermime, options, draw, output, model, data);
  };
  const dispose = output.dispose.bind(output);
  output.dispose = () => {
    shown?.dispose();
    shown = null;
    dispose();
  };
  return output;
}

async function whichever(kit, rendermime, options, draw, output, model, data) {
  const drawn = draw(kit, output.node, data);
  let refused = null;
  const about = await kit.service.about().catch((reason) => {
    refused = reason;
    return null;
  });
  const isAway = about === null && !refused.status;
  if (isAway || (about?.instance && about.instance === data.instance)) {
    drawn.follow(); // where the server is away, the card says so, and comes back
    return drawn;
  }
  // another server's order, or a page without the service, such as Voilà's: a kernel that lives tells of it through its widget; widgets run code, and
  // who wrote a notebook that is not trusted may not say which
  if (model.data[WIDGET] && model.trusted && options.canRunWidgets !== false) {
    const inner = widgetRenderer(rendermime, options);
    if (inner) {
      await inner.renderModel(model);
      if (inner.widgets?.length) {
        drawn.dispose();
        kit.Widget.attach(inner, output.node);
        return { saved: () => {}, dispose: () => inner.dispose() };
      }
      inner.dispose();
    }
  }
  if (refused && refused.status !== 404) drawn.follow(); // it may let us in again
  else drawn.rest("Saved with this notebook");
  return drawn;
}

/**
 * A card of what a notebook holds, until the server tells what is so. Somebody else may have written the
 * notebook: links and buttons come with the server's own view, which takes the place of whatever was drawn,
 * so that nobody acts on another order than the one they see.
 */
function orderLive(kit, node, data) {
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
      card.dispose();
    },
  };
}

function ordersLive(kit, node, data, open) {
  const { service } = kit;
  const query = { ...data.query };
  let following = null;
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
      table.dispose();
    },
  };
}

/** A name that says no pattern means names that hold it. */
function wide(name) {
  return !name || /[*?]/.test(name) ? name : `*${name}*`;
}

// --------------------------------------------------------------------------------------------- forms

function widgetRenderer(rendermime, options) {
  return rendermime.getFactory(WIDGET)?.createRenderer({ ...options, mimeType: WIDGET }) ?? null;
}

/**
 * A form needs its kernel. While there is none, or it has forgotten the form, the story saved beside it is
 * shown instead of a sentence about widgets. It stays the widget manager's own renderer, which finds it.
 * Widgets run code: in a notebook that is not trusted the story is all that is shown.
 */
function formOutput(kit, rendermime, options) {
  const html = () => rendermime.createRenderer("text/html");
  const inner = widgetRenderer(rendermime, options);
  if (!inner) return html();
  const render = inner.renderModel.bind(inner);
  const story = document.createElement("div");
  inner.renderModel = async (model) => {
    if (!model.trusted) {
      if (model.data["text/html"]) await tell(kit, inner, story, html(), model);
      else inner.node.textContent = String(model.data["text/plain"] ?? "");
      return;
    }
    const drawing = render(model);
    if (model.data["text/html"] && !inner.widgets.length) await tell(kit, inner, story, html(), model);
    await drawing;
    if (inner.widgets.length) story.remove();
    else if (model.data["text/html"]) await tell(kit, inner, story, html(), model);
  };
  return inner;
}

async function tell(kit, inner, story, renderer, model) {
  story.replaceChildren();
  await renderer.renderModel(model);
  if (inner.isDisposed || inner.widgets.length) return;
  inner.node.replaceChildren(story);
  kit.Widget.attach(renderer, story.isConnected ? story : document.body);
  if (renderer.node.parentNode !== story) story.append(renderer.node);
}

// ------------------------------------------------------------------------------- launcher and palette

function addCommands(kit, app, { launcher, palette }) {
  const category = "Earth observation";
  const add = (id, label, caption, execute) => {
    app.commands.addCommand(id, { label, caption, icon: kit.icon, execute });
    palette?.addItem({ command: id, category });
    launcher?.add({ command: id, category, rank: 1 });
  };
  add("oseo-lab:order", "Order products", "Compose an order in a new notebook", (given) => composer(app, given.cwd));
  add("oseo-lab:orders", "My orders", "All your orders, as they stand now", () => ordersPanel(kit, app));
}

/** Open a new notebook whose first cell shows the composer, and run it. */
async function composer(app, cwd) {
  const kernelName = app.serviceManager.kernelspecs?.specs?.default;
  const panel = await app.commands.execute("notebook:create-new", { cwd, kernelName });
  if (!panel?.content) return;
  await panel.context.ready;
  panel.content.widgets[0].model.sharedModel.setSource(START);
  await panel.sessionContext.ready;
  await app.commands.execute("notebook:run-all-cells");
}

let panelOfOrders = null;

function ordersPanel(kit, app) {
  if (!panelOfOrders || panelOfOrders.isDisposed) {
    panelOfOrders = panel(kit, app, "oseo-lab-orders", "My orders", (node) =>
      ordersLive(kit, node, { query: {}, canFilter: true }, (summary) => orderPanel(kit, app, summary)),
    );
  }
  open(app, panelOfOrders);
}

function orderPanel(kit, app, summary) {
  const data = { order_id: summary.order_id };
  open(app, panel(kit, app, `oseo-lab-${summary.order_id}`, summary.name, (node) => orderLive(kit, node, data)));
}

function panel(kit, app, id, label, draw) {
  const content = new kit.Widget();
  content.addClass("oseo-panel");
  const drawn = draw(content.node);
  drawn.follow();
  content.disposed.connect(() => drawn.dispose());
  const main = new kit.MainAreaWidget({ content });
  main.id = `${id}-${Date.now()}`;
  main.title.label = label;
  main.title.icon = kit.icon;
  main.title.closable = true;
  return main;
}

function open(app, main) {
  if (!main.isAttached) app.shell.add(main, "main");
  app.shell.activateById(main.id);
}
