// Draws a panel: a tree of plain nodes that Python keeps, as labelled, keyboard-reachable HTML.
//
// The page decides nothing. It tells Python what was edited or pressed ("edit", "press" with a key) and draws
// what comes back; a node that did not change keeps its elements, so nobody loses the field they are in.
// Everything shown is set as text, never as markup.

let counter = 0;

/** Make an element; attributes that are null or false are left out, "on..." are listeners. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  // arrows and Enter on these are theirs, no commands of the notebook (JupyterLab knows typing in a text itself)
  if (tag === "button" || tag === "select" || ["radio", "checkbox"].includes(attributes.type))
    made.setAttribute("data-lm-suppress-shortcuts", "true");
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "value") made.value = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((each) => each !== null && each !== undefined && each !== ""));
  return made;
}

const MARKS = { error: "✖ ", warn: "⚠ ", good: "✔ " };

function toned(tag, node, extra = {}) {
  const said = (MARKS[node.tone] || "") + node.text;
  return el(tag, { class: `oseo-${node.tone || "plain"}`, ...extra }, said);
}

// ------------------------------------------------------------------------------------------------- controls
// Each takes (node, say) and returns the element of one field's control; `say(value)` tells of an edit.

function input(node, say, more) {
  return el("input", {
    id: node.id,
    "data-key": node.key,
    value: node.value ?? "",
    placeholder: node.placeholder,
    required: node.required,
    disabled: node.disabled,
    "aria-describedby": `${node.id}-about`,
    "aria-invalid": node.problem ? "true" : null,
    "aria-label": node.spoken,
    autocomplete: "off",
    spellcheck: "false",
    onchange: (event) => say(event.target.value.trim() || null),
    onkeydown: (event) => {
      if (event.key === "Enter") event.target.dispatchEvent(new Event("change"));
    },
    ...more,
  });
}

function suggested(node, say) {
  const list = `${node.id}-list`;
  const offered = (node.choices || []).filter((each) => each.offered);
  return [
    input(node, say, { type: "text", list }),
    el("datalist", { id: list }, offered.map((each) => el("option", { value: each.value }))),
  ];
}

function select(node, say) {
  const known = node.choices.some((each) => each.value === node.value);
  const none = el("option", { value: "" }, node.required ? "choose…" : "not set");
  const made = el(
    "select",
    {
      id: node.id,
      "data-key": node.key,
      disabled: node.disabled,
      "aria-describedby": `${node.id}-about`,
      "aria-invalid": node.problem ? "true" : null,
      "aria-label": node.spoken,
      onchange: (event) => say(event.target.value || null),
    },
    known && node.fixed ? "" : none,
    node.choices.map((each) =>
      el(
        "option",
        { value: each.value, disabled: !each.offered && each.value !== node.value, title: each.reason },
        each.offered ? each.label : `${each.label} (not now)`,
      ),
    ),
  );
  made.value = known ? node.value : "";
  return made;
}

function boxes(node, say, type) {
  const several = type === "checkbox";
  const chosen = several ? node.value || [] : [node.value];
  return el(
    "span",
    { class: "oseo-choices", role: several ? "group" : "radiogroup", "aria-label": node.spoken || node.label,
      "aria-describedby": `${node.id}-about` },
    node.choices.map((each, place) => {
      const at = chosen.indexOf(each.value);
      const box = el("input", {
        type,
        name: node.id,
        id: `${node.id}-${place}`,
        "data-key": `${node.key}=${each.value}`,
        disabled: node.disabled || (!each.offered && at < 0),
        onchange: () => say(several ? toggled(chosen, each.value) : each.value),
      });
      box.checked = at >= 0;
      const order = several && at >= 0 && chosen.length > 1 ? el("sup", {}, String(at + 1)) : "";
      const name = { for: box.id, title: each.reason, class: each.offered ? null : "oseo-greyed" };
      return el("label", name, box, " ", each.label, order);
    }),
  );
}

function toggled(chosen, value) {
  return chosen.includes(value) ? chosen.filter((each) => each !== value) : [...chosen, value];
}

/** A moment: picked in UTC or in this browser's zone, told in UTC. */
function moment(node, say) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone || "local";
  const shown = (zone) => {
    const at = node.value ? new Date(node.value) : null;
    if (!at || Number.isNaN(at.getTime())) return "";
    const shift = zone === "UTC" ? 0 : at.getTimezoneOffset() * 60000;
    return new Date(at.getTime() - shift).toISOString().slice(0, -1).replace(/\.000$/, "");
  };
  const zone = el("select", { class: "oseo-zone", "aria-label": `time zone of ${node.spoken || node.label}` },
    el("option", { value: "UTC" }, "UTC"), here === "UTC" ? "" : el("option", { value: "here" }, here));
  const picker = input(node, () => {}, {
    type: "datetime-local",
    step: "any",
    value: shown("UTC"),
    onchange: (event) => {
      const said = event.target.value;
      if (!said) return say(null);
      const at = new Date(zone.value === "UTC" ? `${said}Z` : said);
      return say(at.toISOString().replace(".000Z", "Z"));
    },
  });
  zone.addEventListener("change", () => (picker.value = shown(zone.value)));
  return [picker, zone];
}

function area(node, say, panel) {
  return [
    input(node, say, { type: "text", class: "oseo-wide" }),
    ...(node.buttons || []).map((each) => button(each, panel)),
  ];
}

const CONTROLS = {
  text: (node, say) => input(node, say, { type: "text", class: node.wide ? "oseo-wide" : null }),
  number: (node, say) =>
    input(node, say, { type: "text", inputmode: "decimal", class: "oseo-number", title: node.range }),
  date: (node, say) => input(node, say, { type: "date" }),
  suggest: suggested,
  select,
  radio: (node, say) => boxes(node, say, "radio"),
  multi: (node, say) => boxes(node, say, "checkbox"),
  time: moment,
  area,
};

// ---------------------------------------------------------------------------------------------------- nodes
// Each takes (node, panel) and returns an element; a container keeps its children patched.

function about(node) {
  const said = [
    node.problem ? el("span", { class: "oseo-error", role: "alert" }, `✖ ${node.problem}`) : "",
    ...(node.reasons || []).map((each) => el("span", { class: "oseo-warn" }, `⚠ ${each}`)),
    node.hint && !node.problem ? el("span", { class: "oseo-quiet" }, node.hint) : "",
    node.help && node.help !== node.hint && node.id ? el("span", { class: "oseo-unseen" }, node.help) : "",
  ];
  return el("span", { class: "oseo-about", id: `${node.id}-about` }, said);
}

/** A button that takes back what was chosen, where there is something to take back. */
function undo(node, panel) {
  if (!node.undo) return "";
  return el("button", { class: "oseo-undo", type: "button", "data-key": `${node.key}:undo`, title: node.undo,
    "aria-label": `${node.label}: ${node.undo}`,
    onclick: () => panel.tell({ type: "edit", key: node.key, value: null }) }, "↺");
}

function field(node, panel) {
  const at = { ...node, id: `oseo-${panel.number}-${counter++}` };
  const say = (value) => panel.tell({ type: "edit", key: node.key, value });
  const grouped = node.control === "radio" || node.control === "multi";
  const required = node.required ? el("span", { class: "oseo-required", title: "needed" }, " needed") : "";
  const label = el(grouped ? "span" : "label",
    { class: "oseo-label", for: grouped ? null : at.id, title: node.help }, node.label, required);
  const back = node.chosen ? undo(node, panel) : "";
  const unit = node.unit ? el("span", { class: "oseo-unit" }, node.unit) : "";
  const control = CONTROLS[node.control](at, say, panel);
  const long = node.problem ? " oseo-wrong" : (node.reasons || []).length ? " oseo-long" : "";
  return el("div", { class: `oseo-field${long}` },
    node.inline ? "" : label, el("div", { class: "oseo-control" }, control, unit, back, about(at)));
}

function group(node, panel) {
  const legend = el("legend", { title: node.help }, node.label, undo(node, panel));
  const made = el("fieldset", { class: "oseo-group" }, legend);
  const inside = el("div", { class: "oseo-inside" });
  made.append(inside);
  if (node.problem) made.append(el("div", { class: "oseo-error", role: "alert" }, `✖ ${node.problem}`));
  if (node.hint) made.append(el("div", { class: "oseo-quiet" }, node.hint));
  panel.patch(inside, node.children);
  return made;
}

function button(node, panel) {
  return el("button", {
    type: "button",
    class: `oseo-button oseo-${node.tone || "normal"}`,
    "data-key": node.key,
    disabled: node.disabled,
    title: node.reason,
    onclick: () => panel.tell({ type: "press", key: node.key }),
  }, node.label);
}

function table(node, panel) {
  const pick = (value) => panel.tell({ type: "edit", key: node.key, value: toggled(node.chosen, value) });
  const choose = (place) => {
    const value = node.values[place];
    const reason = (node.reasons || {})[value];
    const box = el("input", { type: "checkbox", "aria-label": `choose ${value}`, title: reason,
      "data-key": `${node.key}=${value}`, disabled: Boolean(reason), onchange: () => pick(value) });
    box.checked = node.chosen.includes(value);
    return el("td", {}, box);
  };
  const picture = (place) => {
    const shown = (node.pictures || [])[place];
    return el("td", { class: "oseo-picture" }, shown ? el("img", { src: shown, alt: "", loading: "lazy" }) : "");
  };
  const head = node.head.map((each) => el("th", { scope: "col" }, each));
  if (node.pictures) head.unshift(el("th", { scope: "col" }, ""));
  if (node.values) head.unshift(el("th", { scope: "col" }, "use"));
  const body = node.rows.map((row, place) =>
    el("tr", { class: (node.reasons || {})[(node.values || [])[place]] ? "oseo-greyed" : null },
      node.values ? choose(place) : "", node.pictures ? picture(place) : "",
      row.map((cell, column) => el("td", { class: (node.right || []).includes(column) ? "oseo-right" : null },
        cell))));
  const more = node.total > node.rows.length
    ? el("div", { class: "oseo-quiet" }, `and ${node.total - node.rows.length} more`) : "";
  return el("div", { class: "oseo-scroll", tabindex: "0", role: "region", "aria-label": node.label || "table" },
    el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, body)), more);
}

function code(node) {
  const text = el("pre", { class: "oseo-code", tabindex: "0", "aria-label": node.label }, node.text);
  const said = el("span", { class: "oseo-quiet", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(node.text);
      said.textContent = " copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(text);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      said.textContent = " selected: copy with Ctrl+C";
    }
  };
  return el("div", {}, el("button", { type: "button", class: "oseo-button oseo-normal", "data-key": "copy-text",
    onclick: copy }, "Copy"), said, text);
}

/** A small column chart: what it shows is said in words too. */
function spark(node) {
  const SVG = "http://www.w3.org/2000/svg";
  const most = Math.max(1, ...node.values);
  const make = (tag, attributes) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const width = node.values.length * 12;
  const drawn = make("svg", { viewBox: `0 0 ${width} 28`, width, height: 28, role: "img", "aria-label": node.label });
  node.values.forEach((value, place) => {
    const height = value ? Math.max(3, (value / most) * 26) : 1;
    const bar = make("rect", { x: place * 12 + 1, y: 28 - height, width: 10, height, rx: 1,
      class: value ? "oseo-bar" : "oseo-nobar" });
    const title = make("title", {});
    title.textContent = `${(node.labels || [])[place] || ""}: ${value}`;
    bar.append(title);
    drawn.append(bar);
  });
  return el("div", { class: "oseo-spark" }, drawn, el("span", { class: "oseo-quiet" }, node.text || ""));
}

function countdown(node, panel) {
  const made = el("span", { class: "oseo-quiet" });
  const until = new Date(node.until).getTime();
  const stamp = new Date(until).toISOString().replace("T", " ").slice(0, 16);
  const tick = () => {
    const left = Math.floor((until - Date.now()) / 1000);
    if (!made.isConnected && made.wasShown) return;
    made.wasShown = made.isConnected;
    if (left <= 0) {
      made.textContent = `lapsed at ${stamp} UTC`;
      panel.tell({ type: "press", key: node.key });
      return;
    }
    const said = left > 172800 ? `${Math.floor(left / 86400)} days` : left > 7200 ? `${Math.floor(left / 3600)} h`
      : left > 120 ? `${Math.floor(left / 60)} min` : `${left} s`;
    made.textContent = `valid for ${said} (until ${stamp} UTC)`;
    setTimeout(tick, left > 130 ? 10000 : 1000);
  };
  setTimeout(tick, 0);
  return made;
}

const NODES = {
  head: (node, panel) => el("div", { class: "oseo-head", role: "heading", "aria-level": String(node.level || 3) },
    el("span", {}, node.title), node.aside ? el("span", { class: "oseo-quiet" }, node.aside) : "",
    node.until ? countdown(node, panel) : ""),
  text: (node) => toned("div", node),
  status: (node) => el("div", { role: "status", "aria-live": "polite", class: node.busy ? "oseo-busy" : null },
    node.text ? toned("span", node) : ""),
  list: (node) => el("ul", { class: `oseo-${node.tone || "plain"}` }, node.items.map((each) => el("li", {}, each))),
  facts: (node) => el("dl", { class: "oseo-facts" }, node.rows.flatMap(([name, said]) =>
    [el("dt", {}, name), el("dd", {}, said)])),
  chips: (node, panel) => el("div", { class: "oseo-field" }, el("span", { class: "oseo-label" }, node.label),
    el("div", { class: "oseo-chips" }, node.items.map((each) =>
    el("span", { class: "oseo-chip", title: each.reason }, each.label,
      each.key ? el("button", { type: "button", "data-key": each.key, "aria-label": `take out ${each.label}`,
        title: "take out", onclick: () => panel.tell({ type: "press", key: each.key }) }, "×") : "")),
    node.more ? el("span", { class: "oseo-quiet" }, node.more) : "")),
  buttons: (node, panel) => el("div", { class: "oseo-buttons" }, node.buttons.map((each) => button(each, panel))),
  fields: (node, panel) => panel.patch(el("div", { class: node.row ? "oseo-row" : "oseo-fields" }), node.children),
  field,
  group,
  table,
  code,
  spark,
};

// ---------------------------------------------------------------------------------------------------- panel

class Panel {
  constructor(root, tell) {
    this.root = root;
    this.tell = tell;
    this.number = counter++;
  }

  /** Make a container's children those of the nodes; what is equal stays. */
  patch(container, nodes) {
    const before = container.drawn || [];
    nodes.forEach((node, place) => {
      const said = JSON.stringify(node);
      const old = before[place];
      if (old && old.said === said) return;
      const made = this.again(old, node) || NODES[node.kind](node, this);
      if (!old) container.append(made);
      else if (old.element !== made) old.element.replaceWith(made);
      before[place] = { said, node, element: made };
    });
    for (const gone of before.splice(nodes.length)) gone.element.remove();
    container.drawn = before;
    return container;
  }

  /** Patch a container of fields in place; null where it has to be drawn anew. */
  again(old, node) {
    if (!old || old.node.kind !== "fields" || node.kind !== "fields" || old.node.row !== node.row) return null;
    return this.patch(old.element, node.children);
  }

  draw(tree) {
    const active = this.root.getRootNode().activeElement;
    const key = this.root.contains(active) ? active.dataset.key : null;
    this.patch(this.root, tree);
    if (!key || active.isConnected) return;
    const again = this.root.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (again) again.focus({ preventScroll: true });
  }
}

export default {
  render({ model, el: host }) {
    const root = el("div", { class: "oseo-panel", role: "group", "aria-label": model.get("label") });
    host.append(root);
    const panel = new Panel(root, (content) => model.send(content));
    const draw = () => panel.draw(model.get("tree"));
    model.on("change:tree", draw);
    draw();
    return () => model.off("change:tree", draw);
  },
};
