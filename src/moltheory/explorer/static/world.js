// A finite world whose true risks can be moved: fronts, errors and half-widths of it, and of one sample.
import { add, divide, equal, fraction, lcm, less, multiply, subtract } from "./rational.js";
import { parseFraction, readDecimal, readNumber, toNumber } from "./rational.js";

const LARGEST_SCALE = 1000000n;
// Columns with more values are moved in doubles: no denominator would be small, and a drag must not wait.
const MOST_EXACT = 256;

// Which rows no other row dominates; equal rows stay together.
export function nondominated(points) {
  return points.map(
    ([x, y]) => !points.some(([u, v]) => u <= x && v <= y && (u < x || v < y)),
  );
}

// By how much a point falls short of another one: the largest amount by which it is worse in an objective.
const gap = (q, p) => Math.max(q[0] - p[0], q[1] - p[1], 0);

// Coverage and purity error of what a sample selected, in true risks.
export function errors(trueRisks, trulyOptimal, selected) {
  const truth = trueRisks.filter((_, h) => trulyOptimal[h]);
  const chosen = trueRisks.filter((_, h) => selected[h]);
  const coverage = truth.map((p) => chosen.reduce((least, q) => Math.min(least, gap(q, p)), Infinity));
  const purity = chosen.map((q) => truth.reduce((least, p) => Math.min(least, gap(q, p)), Infinity));
  return { coverage: Math.max(...coverage), purity: Math.max(...purity) };
}

// Joint half-widths of a finite class by Hoeffding's inequality and the union bound; 0 where nothing depends on data.
export function halfWidths(n, delta, nHypotheses, dependent, ranges) {
  const share = delta / dependent.filter(Boolean).length;
  const budget = Math.log(2) - Math.log(share) + Math.log(nHypotheses);
  return dependent.map((depends, i) => (depends ? (ranges[i][1] - ranges[i][0]) * Math.sqrt(budget / (2 * n)) : 0));
}

export class World {
  constructor(spec) {
    Object.assign(this, { title: spec.title, names: spec.hypotheses, objectives: spec.objectives });
    Object.assign(this, { ranges: spec.ranges, dependent: spec.dependent });
    this.size = spec.hypotheses.length;
    this.chances = spec.probabilities.map(parseFraction);
    this.nOutcomes = this.chances.length;
    this.support = this.chances.flatMap(([a], k) => (a > 0n ? [k] : []));
    this.limits = spec.ranges.map((pair) => pair.map(readNumber));
    const common = this.chances.reduce((found, [, d]) => lcm(found, d), 1n);
    const weights = this.chances.map(([a, d]) => a * (common / d));
    this.base = [0, 1].map((i) => this.names.map((_, h) => this.#column(spec, h, i, weights, common)));
    this.#merge();
    this.columns = this.base.map((columns) => columns.map((column) => column));
    this.trueRisks = this.names.map((_, h) => [0, 1].map((i) => this.base[i][h].risk));
    this.#tabulate(0);
    this.#tabulate(1);
  }

  // One column of losses: distinct exact values, and which outcome has which.
  #column(spec, h, i, weights, common) {
    const scale = spec.scales[i];
    const codes = new Int32Array(this.nOutcomes);
    const places = new Map();
    const values = [];
    for (let k = 0; k < this.nOutcomes; k++) {
      const loss = spec.losses[k][h][i];
      if (!places.has(loss)) {
        places.set(loss, values.length);
        values.push(scale === null ? readDecimal(loss) : fraction(BigInt(Math.round(loss * scale)), BigInt(scale)));
      }
      codes[k] = places.get(loss);
    }
    const masses = values.map(() => 0n);
    for (let k = 0; k < this.nOutcomes; k++) masses[codes[k]] += weights[k];
    const mean = values.reduce((sum, value, j) => add(sum, multiply(value, fraction(masses[j], common))), [0n, 1n]);
    const constant = masses.filter((mass) => mass > 0n).length === 1;
    return { codes, values, numbers: values.map(toNumber), mean, constant, risk: toNumber(mean) };
  }

  // Outcomes on which all losses agree are one outcome for a front.
  #merge() {
    const places = new Map();
    this.merged = [];
    for (const k of this.support) {
      const key = this.base.flatMap((columns) => columns.map((column) => column.codes[k])).join();
      if (!places.has(key)) {
        places.set(key, this.merged.length);
        this.merged.push({ outcome: k, chance: [0n, 1n] });
      }
      const entry = this.merged[places.get(key)];
      entry.chance = add(entry.chance, this.chances[k]);
    }
  }

  // Whether the losses of a hypothesis in an objective are the same for all outcomes.
  isConstant(h, i) {
    return this.base[i][h].constant;
  }

  // The least and the largest true risk to which a point can be moved; one that depends on the outcome keeps off both ends.
  span(h, i) {
    const [low, high] = this.ranges[i];
    const step = this.isConstant(h, i) ? 0 : (high - low) / 200;
    return [low + step, high - step];
  }

  // Give a column of losses another mean: shrunk towards the lower end of the range, or its complement towards the upper.
  move(h, i, risk) {
    const base = this.base[i][h];
    const target = risk === base.risk ? base.mean : readNumber(risk);
    this.trueRisks[h][i] = risk;
    if (equal(target, base.mean)) this.columns[i][h] = base;
    else if (base.values.length > MOST_EXACT) {
      this.columns[i][h] = { ...base, values: null, numbers: this.#movedNumbers(base, risk, this.ranges[i]) };
    } else {
      const values = this.#moved(base, target, this.limits[i]);
      this.columns[i][h] = { ...base, values, numbers: values.map(toNumber) };
    }
    this.#tabulate(i);
  }

  #movedNumbers({ numbers, risk }, target, [low, high]) {
    if (target < risk) return numbers.map((loss) => low + (loss - low) * ((target - low) / (risk - low)));
    return numbers.map((loss) => high - (high - loss) * ((high - target) / (high - risk)));
  }

  #moved(base, target, [low, high]) {
    if (base.constant) return base.values.map(() => target);
    if (less(target, base.mean)) {
      const factor = divide(subtract(target, low), subtract(base.mean, low));
      return base.values.map((loss) => add(low, multiply(subtract(loss, low), factor)));
    }
    const factor = divide(subtract(high, target), subtract(high, base.mean));
    return base.values.map((loss) => subtract(high, multiply(subtract(high, loss), factor)));
  }

  // The losses of an objective over all outcomes: integers over one denominator where it is small, doubles elsewhere.
  #tabulate(i) {
    const columns = this.columns[i];
    let common = 1n;
    for (const { values } of columns) {
      if (!values || common > LARGEST_SCALE) common = LARGEST_SCALE + 1n;
      else for (const [, d] of values) if (common <= LARGEST_SCALE) common = lcm(common, d);
    }
    const whole = common <= LARGEST_SCALE;
    this.scale ??= [1, 1];
    this.lattice ??= [true, true];
    this.table ??= [null, null];
    this.lattice[i] = whole;
    this.scale[i] = whole ? Number(common) : 1;
    const table = new Float64Array(this.nOutcomes * this.size);
    columns.forEach(({ codes, values, numbers }, h) => {
      const entries = whole ? values.map(([a, d]) => Number(a * (common / d))) : numbers;
      for (let k = 0; k < this.nOutcomes; k++) table[k * this.size + h] = entries[codes[k]];
    });
    this.table[i] = table;
  }

  get trulyOptimal() {
    return nondominated(this.trueRisks);
  }

  // Empirical risks in a sample with these counts of the outcomes.
  empirical(counts) {
    const n = counts.reduce((sum, count) => sum + count, 0);
    const sums = [0, 1].map((i) => {
      const found = new Float64Array(this.size);
      for (let k = 0; k < this.nOutcomes; k++) {
        if (counts[k]) for (let h = 0; h < this.size; h++) found[h] += counts[k] * this.table[i][k * this.size + h];
      }
      return found;
    });
    return this.names.map((_, h) =>
      [0, 1].map((i) => (this.dependent[i] ? sums[i][h] / (n * this.scale[i]) : this.trueRisks[h][i])),
    );
  }

  // Everything that is shown of one sample.
  judge(counts) {
    const empirical = this.empirical(counts);
    const front = nondominated(empirical);
    const optimal = this.trulyOptimal;
    const spurious = front.filter((member, h) => member && !optimal[h]).length;
    return { empirical, front, spurious, ...errors(this.trueRisks, optimal, front) };
  }
}
