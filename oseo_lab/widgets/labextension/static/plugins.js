// The JupyterLab and Notebook 7 plugins: live orders in outputs, the fallback of forms whose kernel has gone,
// launcher and command palette, toasts.

import { Service } from "./live.js";
import { addCommands, ordersPanel, showOrder } from "./panels.js";
import { boardLive, orderLive, ordersLive } from "./shown.js";
import { Toasts } from "./toasts.js";

const ORDER = "application/vnd.oseo-lab.order+json";
const ORDERS = "application/vnd.oseo-lab.orders+json";
const BOARD = "application/vnd.oseo-lab.board+json";
const FORM = "application/vnd.oseo-lab.widget+json";
const WIDGET = "application/vnd.jupyter.widget-view+json";
/** Before widget views (-10), as lower ranks come first. */
const RANK = -20;
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
  const kit = { Widget: lumino.Widget, MainAreaWidget: apputils.MainAreaWidget, service, live: new Set() };
  kit.icon = new ui.LabIcon({ name: "oseo-lab:orders", svgstr: ICON });
  style(here);
  return [
    await plugin(sharedModule, "outputs", ["rendermime", "tracker"], (app, found) => drawOutputs(kit, found)),
    await plugin(sharedModule, "start", ["launcher", "palette"], (app, found) => addCommands(kit, app, found)),
    await plugin(sharedModule, "toasts", [], (app) => beginToasts(kit, app, apputils.Notification)),
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
  rendermime.addFactory(factory(BOARD, (options) => liveOutput(kit, rendermime, options, boardLive)), RANK);
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
  // another server's order, or a page without the service, such as Voilà's: a kernel that lives tells of it
  // through its widget; widgets run code, and who wrote a notebook that is not trusted may not say which
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

// -------------------------------------------------------------------------------------------- toasts

/** Milliseconds for which a toast stays; it is kept in the notification centre. */
const STAYS = 10_000;

function beginToasts(kit, app, Notification) {
  if (!Notification) return;
  const say = (text, kind, summary) => {
    const callback = () => (summary ? showOrder(kit, app, summary) : ordersPanel(kit, app));
    const caption = summary ? "Open this order" : "Open all your orders";
    Notification.emit(text, kind, { autoClose: STAYS, actions: [{ label: "Open", caption, callback }] });
  };
  const isSeen = (orderId) => [...kit.live].some((each) => each.orderId === orderId && each.isLookedAt());
  const begin = ({ owner }) => new Toasts(kit.service, { say, isSeen }).begin(owner);
  app.restored.then(() => kit.service.about()).then(begin, () => {}); // no service, no orders
}
