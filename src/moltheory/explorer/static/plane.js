// The plane of two objectives: true risks as handles that are dragged, one sample, its front and its boxes.
import { cut, html, number, placeLabels, staircase, svg, ticks } from "./draw.js";

let planes = 0;
const TOUCH = 22;

export class Plane {
  // `actions`: drag(h, risks, since), drop(h), nudge(h, [dx, dy] in steps, since), home(h); `since` is the event's time.
  constructor(root, actions) {
    this.actions = actions;
    this.id = `mte-clip-${(planes += 1)}`;
    this.element = svg("svg", { class: "mte-svg", role: "group" });
    this.layers = {};
    this.clip = svg("rect");
    this.element.append(svg("defs", {}, svg("clipPath", { id: this.id }, this.clip)));
    for (const name of ["lines", "boxes", "links", "fronts", "sample", "handles", "labels"]) {
      this.layers[name] = svg("g", { class: `mte-${name}` });
      if (["boxes", "fronts"].includes(name)) this.layers[name].setAttribute("clip-path", `url(#${this.id})`);
      this.element.append(this.layers[name]);
    }
    this.handles = [];
    this.font = html("canvas").getContext("2d");
    this.widths = new Map();
    root.append(this.element);
    this.#listen();
  }

  setWorld(world) {
    this.world = world;
    this.spans = world.ranges.map(([low, high]) => [low - 0.06 * (high - low), high + 0.06 * (high - low)]);
    this.layers.handles.replaceChildren();
    const many = world.size > 40;
    this.handles = world.names.map((name, h) => {
      const handle = svg("g", { class: "mte-handle", tabindex: 0, role: "slider", "aria-roledescription": "point in two objectives" });
      handle.append(svg("title", {}, name), svg("circle", { class: "mte-touch", r: TOUCH }), svg("path", { class: "mte-mark" }));
      handle.dataset.h = h;
      handle.dataset.many = many;
      return handle;
    });
    this.layers.handles.append(...this.handles);
    this.element.setAttribute(
      "aria-label",
      `Plane of ${world.objectives[0]} and ${world.objectives[1]}: points can be dragged, or moved with the arrow keys`,
    );
  }

  resize(width, highest) {
    this.width = Math.max(260, Math.round(width));
    this.height = Math.round(Math.min(Math.max(this.width * 0.86, 270), highest));
    this.frame = [52, 10, this.width - 10, this.height - 44];
    const [left, top, right, bottom] = this.frame;
    for (const [key, value] of Object.entries({ width: this.width, height: this.height, viewBox: `0 0 ${this.width} ${this.height}` })) {
      this.element.setAttribute(key, value);
    }
    for (const [key, value] of Object.entries({ x: left, y: top, width: right - left, height: bottom - top })) this.clip.setAttribute(key, value);
  }

  x(value) {
    const [low, high] = this.spans[0];
    return this.frame[0] + ((value - low) / (high - low)) * (this.frame[2] - this.frame[0]);
  }

  y(value) {
    const [low, high] = this.spans[1];
    return this.frame[3] - ((value - low) / (high - low)) * (this.frame[3] - this.frame[1]);
  }

  // Risks at a place of the window.
  #risksAt(clientX, clientY) {
    const box = this.element.getBoundingClientRect();
    const px = ((clientX - box.left) / box.width) * this.width;
    const py = ((clientY - box.top) / box.height) * this.height;
    const [[x0, x1], [y0, y1]] = this.spans;
    return [
      x0 + ((px - this.frame[0]) / (this.frame[2] - this.frame[0])) * (x1 - x0),
      y0 + ((this.frame[3] - py) / (this.frame[3] - this.frame[1])) * (y1 - y0),
    ];
  }

  // The handle nearest to a place; of equally near ones that which has the focus, then the last, which lies on top.
  #nearest([x, y]) {
    let best = -1;
    let least = Infinity;
    this.world.trueRisks.forEach((risks, h) => {
      const distance = Math.hypot(this.x(risks[0]) - this.x(x), this.y(risks[1]) - this.y(y));
      const focused = this.handles[h] === document.activeElement || this.handles[h].contains(document.activeElement);
      const rank = distance - (focused ? 0.5 : 0);
      if (rank <= least) [best, least] = [h, rank];
    });
    return best;
  }

  #listen() {
    const { element, actions } = this;
    let held = null;
    // A touch on a point drags it and does not scroll the page: not every browser heeds `touch-action` inside a drawing.
    element.addEventListener("touchstart", (event) => event.target.closest(".mte-handle") && event.preventDefault(), { passive: false });
    element.addEventListener("pointerdown", (event) => {
      if (event.button || held || !event.target.closest(".mte-handle")) return;
      const at = this.#risksAt(event.clientX, event.clientY);
      const h = this.#nearest(at);
      held = { h, id: event.pointerId, offset: this.world.trueRisks[h].map((risk, i) => risk - at[i]) };
      element.setPointerCapture(event.pointerId);
      this.handles[h].focus({ preventScroll: true });
      event.preventDefault();
    });
    element.addEventListener("pointermove", (event) => {
      if (!held || event.pointerId !== held.id) return;
      const at = this.#risksAt(event.clientX, event.clientY);
      actions.drag(held.h, at.map((risk, i) => risk + held.offset[i]), event.timeStamp);
    });
    const release = (event) => {
      if (!held || event.pointerId !== held.id) return;
      const { h } = held;
      held = null;
      actions.drop(h);
    };
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) element.addEventListener(type, release);
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    element.addEventListener("keydown", (event) => {
      const handle = event.target.closest(".mte-handle");
      if (!handle || event.altKey || event.ctrlKey || event.metaKey) return;
      const h = Number(handle.dataset.h);
      if (event.key in moves) actions.nudge(h, moves[event.key].map((step) => step * (event.shiftKey ? 10 : 2)), event.timeStamp);
      else if (event.key === "Home") actions.home(h);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  #textWidth(text) {
    if (!this.widths.has(text)) {
      this.font.font = "600 13px system-ui, sans-serif";
      this.widths.set(text, this.font.measureText(text).width * 1.06 + 2);
    }
    return this.widths.get(text);
  }

  drawGrid() {
    const { lines } = this.layers;
    const [left, top, right, bottom] = this.frame;
    const { world } = this;
    lines.replaceChildren();
    const count = this.width < 420 ? 4 : 5;
    for (const tick of ticks(...world.ranges[0], count)) {
      const x = this.x(tick);
      lines.append(svg("line", { x1: x, x2: x, y1: top, y2: bottom }), svg("text", { x, y: bottom + 17, "text-anchor": "middle" }, number(tick)));
    }
    for (const tick of ticks(...world.ranges[1], count)) {
      const y = this.y(tick);
      lines.append(svg("line", { x1: left, x2: right, y1: y, y2: y }), svg("text", { x: left - 7, y: y + 4, "text-anchor": "end" }, number(tick)));
    }
    const [first, second] = world.objectives.map((name) => cut(name, 24));
    lines.append(
      svg("text", { class: "mte-axis", x: (left + right) / 2, y: this.height - 8, "text-anchor": "middle" }, `← better    ${first}`),
      svg("text", { class: "mte-axis", transform: `translate(13 ${(top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, `← better    ${second}`),
    );
  }

  // Everything that moves. `sample` is what World.judge returned, or null; `widths` are half-widths or null for no boxes.
  draw(sample, widths) {
    const { world } = this;
    const optimal = world.trulyOptimal;
    const at = world.trueRisks.map(([x, y]) => [this.x(x), this.y(y)]);
    const top = this.spans[1][1];
    const right = this.spans[0][1];
    const marks = at.map(([x, y]) => [x - 9, y - 9, x + 9, y + 9]);
    const line = (points, name) => {
      const corners = staircase(points, top, right).map(([x, y]) => [this.x(x), this.y(y)]);
      corners.slice(1).forEach(([x, y], j) => {
        const [u, v] = corners[j];
        marks.push([Math.min(x, u) - 2, Math.min(y, v) - 2, Math.max(x, u) + 2, Math.max(y, v) + 2]);
      });
      return svg("path", { class: name, d: `M${corners.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L")}` });
    };
    const fronts = [line(world.trueRisks.filter((_, h) => optimal[h]), "mte-true-front")];
    const points = [];
    const links = [];
    const boxes = [];
    if (sample) {
      fronts.push(line(sample.empirical.filter((_, h) => sample.front[h]), "mte-sample-front"));
      sample.empirical.forEach((risks, h) => {
        const [x, y] = [this.x(risks[0]), this.y(risks[1])];
        const kind = sample.front[h] ? (optimal[h] ? "mte-member" : "mte-spurious") : "mte-other";
        links.push(svg("line", { x1: at[h][0], y1: at[h][1], x2: x, y2: y }));
        points.push(svg("rect", { class: kind, x: x - 4.5, y: y - 4.5, width: 9, height: 9 }));
        if (kind === "mte-spurious") points.push(svg("circle", { class: "mte-ring", cx: x, cy: y, r: 10 }));
        marks.push([x - 6, y - 6, x + 6, y + 6]);
        if (widths && (world.size <= 12 || sample.front[h])) {
          boxes.push(this.#box(risks, widths, kind));
          if (!widths[1]) marks.push([this.x(risks[0] - widths[0]), y - 2, this.x(risks[0] + widths[0]), y + 2]);
          if (!widths[0]) marks.push([x - 2, this.y(risks[1] + widths[1]), x + 2, this.y(risks[1] - widths[1])]);
        }
      });
    }
    this.layers.boxes.replaceChildren(...boxes);
    this.layers.links.replaceChildren(...links);
    this.layers.fronts.replaceChildren(...fronts);
    this.layers.sample.replaceChildren(...points);
    world.names.forEach((name, h) => this.#drawHandle(name, h, at[h], optimal[h]));
    this.#drawLabels(at, optimal, marks);
  }

  #box([x, y], [w, v], kind) {
    const [x0, x1] = [this.x(x - w), this.x(x + w)];
    const [y0, y1] = [this.y(y + v), this.y(y - v)];
    if (w && v) return svg("rect", { class: kind, x: x0, y: y0, width: x1 - x0, height: y1 - y0 });
    // A half-width of 0: the box is a line with ends.
    const ends = w ? [`M${x0} ${y0 - 5}V${y0 + 5}`, `M${x1} ${y0 - 5}V${y0 + 5}`] : [`M${x0 - 5} ${y0}H${x0 + 5}`, `M${x0 - 5} ${y1}H${x0 + 5}`];
    return svg("path", { class: kind, d: `M${x0} ${y0}L${x1} ${y1}${ends.join("")}` });
  }

  #drawHandle(name, h, [x, y], isOptimal) {
    const handle = this.handles[h];
    const { world } = this;
    const [first, second] = world.trueRisks[h];
    const size = world.size > 40 ? 4 : world.size > 12 ? 6 : 8;
    const round = `M${-size} 0A${size} ${size} 0 1 1 ${size} 0A${size} ${size} 0 1 1 ${-size} 0Z`;
    const diamond = `M0 ${-size - 2}L${size + 2} 0L0 ${size + 2}L${-size - 2} 0Z`;
    handle.setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)})`);
    handle.lastChild.setAttribute("d", isOptimal ? round : diamond);
    handle.classList.toggle("mte-decoy", !isOptimal);
    const place = `${world.objectives[0]} ${number(first)}, ${world.objectives[1]} ${number(second)}`;
    const states = {
      "aria-label": `${name}, ${isOptimal ? "on the true front" : "decoy, not on the true front"}`,
      "aria-valuetext": place,
      "aria-valuenow": first,
      "aria-valuemin": world.ranges[0][0],
      "aria-valuemax": world.ranges[0][1],
    };
    for (const [key, value] of Object.entries(states)) {
      if (handle.getAttribute(key) !== String(value)) handle.setAttribute(key, value);
    }
  }

  // One label for all hypotheses that lie on one point.
  #drawLabels(at, optimal, marks) {
    const groups = new Map();
    this.world.names.forEach((name, h) => {
      const key = at[h].map((value) => value.toFixed(1)).join();
      if (!groups.has(key)) groups.set(key, { at: at[h], names: [], decoy: true });
      groups.get(key).names.push(name);
      if (optimal[h]) groups.get(key).decoy = false;
    });
    const shown = [...groups.values()].slice(0, 40).map((group) => {
      const more = group.names.length - 3;
      const text = group.names.slice(0, 3).map((name) => cut(name)).join(", ") + (more > 0 ? ` +${more}` : "");
      return { ...group, text };
    });
    const labels = shown.map(({ at: [x, y], text }) => ({ x, y, width: this.#textWidth(text), height: 15, away: 12 }));
    const places = placeLabels(labels, marks, this.frame, this.world.size);
    this.layers.labels.replaceChildren(
      ...shown.flatMap(({ text, decoy }, j) => {
        if (!places[j]) return [];
        const [x, y, anchor] = places[j];
        return [svg("text", { x, y, "text-anchor": anchor, class: decoy ? "mte-decoy" : "" }, text)];
      }),
    );
  }
}
