// Launcher, command palette and the panels they open: "Order products", "My orders", and for operators the
// "Order desk".

import { boardLive, orderLive, ordersLive } from "./shown.js";

const START = "import oseo_lab as oseo\n\nlab = oseo.connect()\nlab.composer()";

export function addCommands(kit, app, { launcher, palette }) {
  const category = "Earth observation";
  const add = (id, label, caption, execute) => {
    app.commands.addCommand(id, { label, caption, icon: kit.icon, execute });
    palette?.addItem({ command: id, category });
    launcher?.add({ command: id, category, rank: 1 });
  };
  add("oseo-lab:order", "Order products", "Compose an order in a new notebook", (given) => composer(app, given.cwd));
  add("oseo-lab:orders", "My orders", "All your orders, as they stand now", () => ordersPanel(kit, app));
  const desk = () => add("oseo-lab:desk", "Order desk", "What waits for operators", () => deskPanel(kit, app));
  kit.service.about().then((about) => about.is_operator && desk(), () => {}); // nobody else has a desk
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

export function ordersPanel(kit, app) {
  once(kit, app, "orders", "My orders", (node) =>
    ordersLive(kit, node, { query: {}, canFilter: true }, (summary) => showOrder(kit, app, summary)),
  );
}

function deskPanel(kit, app) {
  once(kit, app, "desk", "Order desk", (node) => boardLive(kit, node, {}));
}

/** Show an order in a panel of its own; again, where it has one already. */
export function showOrder(kit, app, summary) {
  const data = { order_id: summary.order_id };
  once(kit, app, summary.order_id, summary.name, (node) => orderLive(kit, node, data));
}

const PANELS = new Map();

function once(kit, app, key, label, draw) {
  const there = PANELS.get(key);
  if (there && !there.isDisposed) return open(app, there);
  const made = panel(kit, app, `oseo-lab-${key}`, label, draw);
  PANELS.set(key, made);
  made.disposed.connect(() => PANELS.get(key) === made && PANELS.delete(key));
  return open(app, made);
}

function panel(kit, app, id, label, draw) {
  const content = new kit.Widget();
  content.addClass("oseo-tab");
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
  if (!main.parent) app.shell.add(main, "right"); // a page of Notebook 7 has room for one thing in its middle
  app.shell.activateById(main.id);
}
