// What stands beside the plane: the button, both errors with their histograms, the chance of a decoy, the settings.
import { html, number, probability, svg } from "./draw.js";

const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000];
const WIDTH = 320;
const HEIGHT = 74;

let panels = 0;

function field(label, control, extra = []) {
  return html("label", { class: "mte-field" }, html("span", {}, label), control, ...extra);
}

export class Panel {
  // `actions`: sample(), hold(on), setting(name, value), preset(j), reset()
  constructor(root, titles, actions) {
    this.actions = actions;
    this.id = `mte-${(panels += 1)}`;
    const button = html("button", { type: "button", class: "mte-sample-button" });
    button.append(html("strong", {}, "Sample"), html("span", {}, "press, or hold for many"));
    this.button = button;
    this.coverage = this.#card("coverage", "Coverage error", "how far the sample’s front misses the true front");
    this.purity = this.#card("purity", "Purity error", "how far its worst member is from the true front");
    this.chance = html("p", { class: "mte-chance" });
    this.key = html("p", { class: "mte-key" });
    this.words = html("p", { class: "mte-words" });
    this.words.append("A decoy is dominated: another hypothesis is at least as good in both true risks, and better in one. On the front of a sample it is a spurious member.");
    this.verdict = html("p", { class: "mte-verdict" });
    this.live = html("div", { class: "mte-live", "aria-live": "polite", role: "status" });
    this.size = html("input", { type: "range", min: 0, max: SIZES.length - 1, step: 1, "aria-label": "sample size n" });
    this.exactSize = html("input", { type: "number", min: 1, max: 10000, step: 1, inputmode: "numeric", "aria-label": "sample size n, as a number" });
    this.delta = html("input", { type: "number", min: 0.001, max: 0.5, step: 0.01, inputmode: "decimal" });
    this.seed = html("input", { type: "number", min: 0, max: 4294967295, step: 1, inputmode: "numeric" });
    this.rules = { n: "a whole number from 1 to 10,000", delta: "from 0.001 to 0.5", seed: "a whole number from 0 to 4,294,967,295" };
    this.ranges = html("p", { class: "mte-ranges", id: `${this.id}-ranges` }, "n: 1 to 10,000; δ: 0.001 to 0.5; seed: 0 to 4,294,967,295");
    this.refusal = html("p", { class: "mte-refusal", role: "alert" });
    for (const [name, input] of Object.entries({ n: this.exactSize, delta: this.delta, seed: this.seed })) {
      input.title = this.rules[name];
      input.setAttribute("aria-describedby", this.ranges.id);
    }
    this.boxes = html("input", { type: "checkbox" });
    this.reset = html("button", { type: "button", class: "mte-reset" }, "Reset");
    this.preset = html("select", {}, ...titles.map((title, j) => html("option", { value: j }, title)));
    const choice = field("World", this.preset);
    choice.hidden = titles.length < 2;
    this.top = html("div", { class: "mte-top" }, choice, html("p", { class: "mte-hint" }, "Drag a point. Hold Sample, and watch the two errors part."));
    const check = html("label", { class: "mte-field mte-check" }, this.boxes, html("span", {}, "Boxes"));
    this.settings = html("div", { class: "mte-settings" });
    this.settings.append(
      html("div", { class: "mte-field mte-size" }, html("span", {}, "Sample size n"), this.size, this.exactSize),
      field("δ", this.delta),
      field("Seed", this.seed),
      check,
      this.reset,
      this.ranges,
      this.refusal,
    );
    const errors = html("div", { class: "mte-errors" }, this.coverage.root, this.purity.root);
    this.side = html("div", { class: "mte-side" }, button, errors, this.verdict, this.chance, this.settings);
    root.append(this.live);
    this.#listen();
  }

  #card(kind, title, meaning) {
    const value = html("output", { class: "mte-value" });
    const mean = html("span", { class: "mte-mean" });
    const note = html("span", { class: "mte-note" });
    const picture = svg("svg", { class: "mte-histogram", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
    const scale = html("div", { class: "mte-scale", "aria-hidden": "true" });
    const head = html("div", { class: "mte-head" }, html("strong", {}, title), value);
    const root = html("div", { class: `mte-card mte-${kind}` }, head, html("p", {}, meaning), picture, scale, html("div", { class: "mte-foot" }, mean, note));
    return { root, value, mean, note, picture, scale, title };
  }

  #listen() {
    const { actions, button } = this;
    const start = (event) => {
      if (event.button || this.held) return;
      this.held = true;
      if (event.pointerId !== undefined) button.setPointerCapture(event.pointerId);
      button.classList.add("mte-held");
      actions.sample();
      actions.hold(true);
    };
    const stop = () => {
      if (!this.held) return;
      this.held = false;
      button.classList.remove("mte-held");
      actions.hold(false);
    };
    this.stop = stop;
    button.addEventListener("pointerdown", start);
    for (const type of ["pointerup", "pointercancel", "lostpointercapture", "blur", "keyup"]) button.addEventListener(type, stop);
    // A long press would open a menu on a phone.
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    button.addEventListener("keydown", (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      if (!event.repeat) start(event);
    });
    // A click without a pointer or a key comes from assistive technology.
    button.addEventListener("click", (event) => {
      if (event.detail === 0 && !event.pointerType) actions.sample();
    });
    const bounded = (input, name, label) => {
      input.addEventListener("change", () => {
        const value = input.value.trim() === "" ? NaN : Number(input.value);
        const whole = name === "delta" || Number.isInteger(value);
        const ok = whole && value >= Number(input.min) && value <= Number(input.max);
        const got = input.value.trim() ? `, not ${input.value.trim()}` : "";
        this.refusal.textContent = ok ? "" : `${label} must be ${this.rules[name]}${got}: it stays ${this.shown[name]}.`;
        if (ok) actions.setting(name, value);
        else this.showSettings(this.shown);
      });
    };
    this.size.addEventListener("input", () => actions.setting("n", SIZES[Number(this.size.value)]));
    bounded(this.exactSize, "n", "n");
    bounded(this.delta, "delta", "δ");
    bounded(this.seed, "seed", "The seed");
    this.boxes.addEventListener("change", () => actions.setting("boxes", this.boxes.checked));
    this.preset.addEventListener("change", () => actions.preset(Number(this.preset.value)));
    this.reset.addEventListener("click", () => actions.reset());
  }

  showSettings(settings) {
    this.shown = settings;
    const nearest = SIZES.findLastIndex((size) => size <= settings.n);
    this.size.value = String(nearest);
    this.size.setAttribute("aria-valuetext", `n = ${settings.n}`);
    this.exactSize.value = String(settings.n);
    this.delta.value = String(settings.delta);
    this.seed.value = String(settings.seed);
    this.boxes.checked = settings.boxes;
    this.preset.value = String(settings.preset);
  }

  // `last` are the errors of the last sample; `bins` counts of samples, `sums` sums of errors; `largest` the largest error.
  showErrors({ last, bins, sums, drawn, bound, largest }, delta) {
    for (const kind of ["coverage", "purity"]) {
      const card = this[kind];
      const samples = `${drawn.toLocaleString("en")} ${drawn === 1 ? "sample" : "samples"}`;
      card.value.textContent = number(last[kind]);
      card.mean.textContent = drawn ? `mean ${number(sums[kind] / drawn)}, ${samples}` : "the sample shown, no other yet";
      card.scale.replaceChildren(html("span", {}, "0"), html("span", {}, number(largest)));
      this.#histogram(card, bins[kind], drawn, last[kind], kind === "coverage" ? bound : null, largest);
    }
    const share = `${number(100 * (1 - delta))}%`;
    this.coverage.note.textContent =
      bound < largest ? `┊ bound 2C = ${number(bound)} (${share} of samples)` : `bound 2C = ${number(bound)}: says nothing yet`;
    this.purity.note.textContent = "no such bound exists";
  }

  // What the marks of the plane mean.
  showKey(world, moreObjectives) {
    const mark = (name, ...parts) => html("span", {}, svg("svg", { viewBox: "0 0 26 16", width: 26, height: 16, "aria-hidden": "true" }, ...parts), name);
    const line = (kind) => svg("path", { class: kind, d: "M1 8H25" });
    const square = (kind) => svg("rect", { class: kind, x: 8.5, y: 3.5, width: 9, height: 9 });
    this.key.replaceChildren(
      mark("truly optimal", line("mte-true-front"), svg("circle", { class: "mte-optimal", cx: 13, cy: 8, r: 6 })),
      mark("decoy", svg("path", { class: "mte-decoy-mark", d: "M13 1L20 8L13 15L6 8Z" })),
      mark("sample’s front", line("mte-sample-front"), square("mte-member")),
      mark("spurious member", square("mte-spurious"), svg("circle", { class: "mte-ring", cx: 13, cy: 8, r: 7 })),
      mark("rest of the sample", square("mte-other")),
    );
    if (moreObjectives) this.key.append(html("span", {}, `two of ${moreObjectives + 2} objectives: fronts and errors are those of these two`));
  }

  #histogram(card, counts, drawn, value, bound, largest) {
    const tallest = Math.max(1, ...counts);
    const base = HEIGHT - 4;
    const step = WIDTH / counts.length;
    const parts = [svg("line", { class: "mte-base", x1: 0, x2: WIDTH, y1: base, y2: base })];
    if (bound !== null && bound <= largest) {
      const x = (bound / largest) * WIDTH;
      parts.push(svg("line", { class: "mte-bound", x1: x, x2: x, y1: 0, y2: base }));
    }
    counts.forEach((count, j) => {
      if (!count) return;
      const height = Math.max(2, (count / tallest) * (base - 6));
      parts.push(svg("rect", { class: "mte-bar", x: j * step + 1, y: base - height, width: step - 2, height }));
    });
    const x = (Math.min(counts.length - 1, Math.floor((value / largest) * counts.length + 1e-9)) + 0.5) * step;
    parts.push(svg("path", { class: "mte-now", d: `M${x - 5} ${HEIGHT}L${x + 5} ${HEIGHT}L${x} ${base - 5}Z` }));
    card.picture.replaceChildren(...parts);
    card.picture.setAttribute("aria-label", `Histogram of the ${card.title.toLowerCase()} in ${drawn} samples`);
  }

  showVerdict(text) {
    if (this.verdict.textContent !== text) this.verdict.textContent = text;
  }

  // `found`: { kind: "exact" | "estimate" | "pending", value, low, high, samples }.
  showChance(found, n) {
    const parts = [html("span", {}, `At n = ${n}, a sample’s front has a member that is not truly optimal with probability `)];
    const value = found.value === null ? "…" : found.kind === "estimate" ? `about ${number(found.value)}` : probability(found.value);
    parts.push(html("strong", {}, value), " ");
    if (found.kind === "estimate") {
      const range = `${number(found.low)} to ${number(found.high)}, 95% interval of ${found.samples.toLocaleString("en")} samples`;
      parts.push(html("em", { class: "mte-chip" }, "estimate"), html("small", {}, ` ${range}`));
    } else {
      parts.push(html("em", { class: "mte-chip" }, found.kind === "exact" ? "exact" : "computing"));
    }
    this.chance.dataset.kind = found.kind;
    this.chance.replaceChildren(...parts);
  }

  announce(text) {
    this.live.textContent = text;
  }
}
