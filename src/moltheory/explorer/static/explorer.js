// The explorer: a world whose true risks are dragged, samples of it, and what their fronts get right and wrong.
import { randomSource, sampler } from "./chance.js";
import { ChanceJob } from "./chance_job.js";
import { html, number, roundedUp } from "./draw.js";
import { Panel } from "./panel.js";
import { Plane } from "./plane.js";
import { followTheme } from "./theme.js";
import { halfWidths, World } from "./world.js";

const BINS = 20;
// Steps in which a point moves, from one end of the range to the other: risks stay simple fractions, so that ties occur.
const STEPS = 200;

export class Explorer {
  // `model` has get, set, save_changes, on and off, as anywidget's models do.
  constructor(model, root) {
    this.model = model;
    this.root = root;
    this.frames = [];
    this.chance = { kind: "pending", value: null, low: 0, high: 1, samples: null };
    root.classList.add("mte");
    // JupyterLab's shortcuts, such as the arrow keys, must not act on its cells from here.
    root.dataset.lmSuppressShortcuts = "true";
    this.specs = model.get("_worlds");
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.job = new ChanceJob((found) => this.#setChance(found));
    this.panel = new Panel(root, this.specs.map(({ title }) => title), {
      sample: () => this.press(),
      hold: (on) => this.hold(on),
      setting: (name, value) => this.setting(name, value),
      preset: (j) => this.choose(j),
      reset: () => this.choose(this.settings.preset),
    });
    this.figure = html("div", { class: "mte-figure" });
    this.plane = new Plane(this.figure, {
      drag: (h, risks, since) => this.dragTo(h, risks, since),
      drop: (h) => this.#announcePoint(h),
      nudge: (h, steps, since) => this.nudge(h, steps, since),
      home: (h) => this.moveTo(h, [0, 1].map((i) => this.world.base[i][h].risk)),
    });
    this.figure.append(this.panel.key, this.panel.words);
    root.append(this.panel.top, html("div", { class: "mte-grid" }, this.figure, this.panel.side));
    this.stopTheme = followTheme(root);
    this.#load(model.get("preset"), model.get("true_risks"));
    this.#fit();
    this.resizes = new ResizeObserver(() => this.#fit());
    this.resizes.observe(this.figure);
    this.#listen();
    const counts = model.get("counts");
    if (counts.length === this.world.nOutcomes) this.#show(counts);
    else this.#draw(1);
    this.#update();
  }

  destroy() {
    this.job.stop();
    this.holding = false;
    this.gone = true;
    clearTimeout(this.saving);
    this.resizes.disconnect();
    this.stopTheme();
    for (const [event, act] of this.listeners) this.model.off(event, act);
    this.root.replaceChildren();
  }

  // ---- world and settings ----

  #load(preset, risks) {
    const spec = this.specs[preset];
    const { model } = this;
    this.world = new World(spec);
    this.drawCounts = sampler(this.world.chances);
    this.settings = { n: model.get("n"), delta: model.get("delta"), seed: model.get("seed"), preset };
    this.settings.boxes = this.world.size <= 8;
    if (risks?.length === this.world.size) this.#move(risks);
    this.counts = [];
    this.judged = null;
    this.plane.setWorld(this.world);
    this.panel.showKey(this.world, spec.more_objectives);
    this.#restart();
  }

  #move(risks) {
    risks.forEach((pair, h) => pair.forEach((risk, i) => risk !== this.world.trueRisks[h][i] && this.world.move(h, i, risk)));
  }

  // Forget all samples but the last: the world or its settings are others now.
  #restart() {
    this.largest = this.#largestError();
    this.random = randomSource(this.settings.seed);
    this.drawn = 0;
    this.bins = { coverage: new Array(BINS).fill(0), purity: new Array(BINS).fill(0) };
    this.sums = { coverage: 0, purity: 0 };
    this.job.start(this.world, this.settings.n, this.settings.seed);
  }

  // The end of the histograms: 1 for losses in [0, 1], elsewhere just above the largest error that is possible now.
  #largestError() {
    const { ranges, trueRisks, trulyOptimal } = this.world;
    if (ranges.every(([low, high]) => high - low <= 1)) return 1;
    const sides = [0, 1].map((i) => {
      const best = Math.min(...trueRisks.filter((_, h) => trulyOptimal[h]).map((risks) => risks[i]));
      return Math.max(...trueRisks.map((risks) => risks[i])) - best;
    });
    return roundedUp(Math.max(...sides, 1e-3));
  }

  choose(preset) {
    this.#load(preset, null);
    this.plane.drawGrid();
    this.#draw(1);
    this.#update();
    this.#save();
    this.panel.announce(`World ${this.world.title}, as it was.`);
  }

  setting(name, value) {
    if (this.settings[name] === value) return;
    this.settings[name] = value;
    if (name === "n" || name === "seed") {
      this.#restart();
      this.#draw(1);
    }
    this.#update();
  }

  // ---- points ----

  // The nearest risk to which a point can be moved.
  snapped(h, i, risk) {
    const [low, high] = this.world.ranges[i];
    const [least, most] = this.world.span(h, i);
    const step = (high - low) / STEPS;
    const round = low + Math.round((risk - low) / step) * step;
    return Number(Math.min(Math.max(round, least), most).toPrecision(12));
  }

  moveTo(h, risks) {
    if (risks.every((risk, i) => risk === this.world.trueRisks[h][i])) return;
    risks.forEach((risk, i) => risk !== this.world.trueRisks[h][i] && this.world.move(h, i, risk));
    this.#restart();
    if (this.counts.length) this.#show(this.counts);
    this.#update();
  }

  // Once per frame, however many events there are.
  dragTo(h, risks, since) {
    const waiting = this.dragged;
    this.dragged = { h, risks, since: waiting?.since ?? since };
    if (waiting) return;
    requestAnimationFrame(() => {
      const { h: point, risks: aim, since: start } = this.dragged;
      this.dragged = null;
      if (this.gone) return;
      this.moveTo(point, aim.map((risk, i) => this.snapped(point, i, risk)));
      this.frames.push(performance.now() - start);
      if (this.frames.length > 500) this.frames.shift();
    });
  }

  nudge(h, steps, since) {
    const { world } = this;
    const moved = steps.map((step, i) => {
      const [low, high] = world.ranges[i];
      return step ? this.snapped(h, i, world.trueRisks[h][i] + (step * (high - low)) / STEPS) : world.trueRisks[h][i];
    });
    this.moveTo(h, moved);
    this.frames.push(performance.now() - since);
    this.#announcePoint(h);
  }

  // ---- samples ----

  #draw(count) {
    for (let j = 0; j < count; j++) {
      this.#show(this.drawCounts(this.settings.n, this.random));
      this.drawn += 1;
      for (const kind of ["coverage", "purity"]) {
        const bin = Math.floor((this.judged[kind] / this.largest) * BINS + 1e-9);
        this.bins[kind][Math.min(BINS - 1, bin)] += 1;
        this.sums[kind] += this.judged[kind];
      }
    }
  }

  #show(counts) {
    this.counts = counts;
    this.judged = this.world.judge(counts);
  }

  press() {
    this.#draw(1);
    this.#update();
    this.#announceSample();
  }

  // While the button is held: ever more samples per second.
  hold(on) {
    this.holding = on;
    if (!on) {
      this.#announceSample();
      return;
    }
    const start = performance.now() + 300;
    let last = start;
    let owed = 0;
    const step = (now) => {
      if (!this.holding) return;
      if (now > last + (this.calm.matches ? 250 : 0)) {
        owed += ((now - last) / 1000) * Math.min(1500, 12 * 2 ** ((now - start) / 700));
        last = now;
        const until = performance.now() + 12;
        for (; owed >= 1 && performance.now() < until; owed -= 1) this.#draw(1);
        owed = Math.min(owed, 1);
        this.#update();
      }
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  // ---- what is seen and heard ----

  get widths() {
    const { world, settings } = this;
    return halfWidths(settings.n, settings.delta, world.size, world.dependent, world.ranges);
  }

  #fit() {
    const width = this.figure.clientWidth;
    if (!width || width === this.fitted) return;
    this.fitted = width;
    this.plane.resize(width, this.root.clientWidth < 720 ? 380 : 500);
    this.plane.drawGrid();
    if (this.judged) this.#render();
  }

  #setChance(found) {
    this.chance = found;
    this.panel.showChance(found, this.settings.n);
    this.#saveSoon();
  }

  #update() {
    this.#render();
    this.#saveSoon();
  }

  #render() {
    if (!this.fitted) return;
    const { settings, judged, world } = this;
    this.plane.draw(judged, settings.boxes ? this.widths : null);
    this.panel.showSettings(settings);
    const bound = 2 * Math.max(...this.widths);
    this.panel.showErrors({ last: judged, bins: this.bins, sums: this.sums, drawn: this.drawn, bound, largest: this.largest }, settings.delta);
    const members = judged.front.filter(Boolean).length;
    const spurious = judged.spurious === 0 ? "all truly optimal" : `${judged.spurious} of them not truly optimal`;
    this.panel.showVerdict(`Last sample: ${members} of ${world.size} hypotheses on its front, ${spurious}.`);
  }

  #announcePoint(h) {
    const { world } = this;
    const place = world.objectives.map((name, i) => `${name} ${number(world.trueRisks[h][i])}`).join(", ");
    this.panel.announce(`${world.names[h]}: ${place}; ${world.trulyOptimal[h] ? "on the true front" : "a decoy"}.`);
  }

  #announceSample() {
    const { coverage, purity } = this.judged;
    this.panel.announce(`Sample ${this.drawn}: coverage error ${number(coverage)}, purity error ${number(purity)}.`);
  }

  // ---- the model ----

  #saveSoon() {
    this.saving ??= setTimeout(() => this.#save(), 60);
  }

  #save() {
    clearTimeout(this.saving);
    this.saving = undefined;
    if (this.gone || !this.judged) return;
    for (const [name, value] of Object.entries(this.state())) this.model.set(name, value);
    this.model.save_changes();
  }

  state() {
    const { world, settings, judged, widths } = this;
    return {
      preset: settings.preset,
      n: settings.n,
      delta: settings.delta,
      seed: settings.seed,
      true_risks: world.trueRisks.map((pair) => [...pair]),
      counts: [...this.counts],
      results: {
        truly_optimal: world.trulyOptimal,
        empirical_risks: judged.empirical,
        front: judged.front,
        spurious: judged.spurious,
        coverage_error: judged.coverage,
        purity_error: judged.purity,
        widths,
        bound: 2 * Math.max(...widths),
        probability: this.chance,
        drawn: this.drawn,
        coverage_histogram: [...this.bins.coverage],
        purity_histogram: [...this.bins.purity],
        coverage_mean: this.drawn ? this.sums.coverage / this.drawn : null,
        purity_mean: this.drawn ? this.sums.purity / this.drawn : null,
      },
    };
  }

  // Changes that come from Python, or from another view of the same explorer.
  #listen() {
    const { model } = this;
    const differs = (name, own) => JSON.stringify(model.get(name)) !== JSON.stringify(own);
    const on = (name, act) => [`change:${name}`, act];
    this.listeners = [
      on("preset", () => differs("preset", this.settings.preset) && this.choose(model.get("preset"))),
      on("n", () => this.setting("n", model.get("n"))),
      on("delta", () => this.setting("delta", model.get("delta"))),
      on("seed", () => this.setting("seed", model.get("seed"))),
      on("true_risks", () => {
        const risks = model.get("true_risks");
        if (risks.length !== this.world.size || !differs("true_risks", this.world.trueRisks)) return;
        this.#move(risks);
        this.#restart();
        this.#show(this.counts);
        this.#update();
      }),
      on("counts", () => {
        const counts = model.get("counts");
        if (counts.length !== this.world.nOutcomes || !differs("counts", this.counts)) return;
        this.#show(counts);
        this.#render();
      }),
    ];
    for (const [event, act] of this.listeners) model.on(event, act);
  }
}

export function render({ model, el }) {
  const explorer = new Explorer(model, el);
  el.explorer = explorer;
  return () => explorer.destroy();
}

export default { render };
