// Chance: seeded samples, all sample types with their probabilities, and an interval for a share.
import { toNumber } from "./rational.js";

// Random bits by sfc32 (C. Doty-Humphrey), filled from a seed and a number of the stream by splitmix32.
export function randomSource(seed, stream = 0) {
  let state = (Math.imul(seed | 0, 0x9e3779b9) ^ Math.imul((stream | 0) + 1, 0x85ebca6b) ^ Math.floor(seed / 2 ** 32)) | 0;
  const mixed = () => {
    state = (state + 0x9e3779b9) | 0;
    let t = state ^ (state >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return t ^ (t >>> 15);
  };
  let [a, b, c, d] = [mixed(), mixed(), mixed(), 1];
  const bits = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return t >>> 0;
  };
  for (let round = 0; round < 12; round++) bits();
  // 53 bits in [0, 1).
  return () => ((bits() >>> 5) * 67108864 + (bits() >>> 6)) / 9007199254740992;
}

// A function that draws the counts of n examples over outcomes with these chances (fractions).
export function sampler(chances) {
  const places = chances.flatMap(([a], k) => (a > 0n ? [k] : []));
  const ends = new Float64Array(places.length);
  let total = 0;
  places.forEach((k, j) => (ends[j] = total += toNumber(chances[k])));
  const last = places.length - 1;
  return (n, random) => {
    const counts = new Array(chances.length).fill(0);
    for (let example = 0; example < n; example++) {
      const u = random();
      let low = 0;
      let high = last;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (u < ends[middle]) high = middle;
        else low = middle + 1;
      }
      counts[places[low]] += 1;
    }
    return counts;
  };
}

function binomial(n, k) {
  let found = 1;
  for (let j = 1; j <= k; j++) found = (found * (n - k + j)) / j;
  return found;
}

// How many steps an enumeration takes: choices of counts, and comparisons of each candidate with each optimal one.
export function enumerationSteps(n, nOutcomes, nColumns, nPairs) {
  const types = binomial(n + nOutcomes - 1, nOutcomes - 1);
  const choices = binomial(n + nOutcomes, nOutcomes - 1);
  return choices * (nColumns + 6) + types * 3 * nPairs;
}

// Mantissa in [1, 2) and exponent of a positive integer times a power of two.
function split(value, shift) {
  if (value === 0n) return [0, 0];
  const length = value.toString(16).length * 4;
  const surplus = Math.max(0, length - 128);
  let mantissa = Number(value >> BigInt(surplus));
  const exponent = Math.floor(Math.log2(mantissa));
  mantissa /= 2 ** exponent;
  return [mantissa, exponent + shift + surplus];
}

// p^c / c! for c = 0..n, to 160 bits and rounded once.
function powersOverFactorials([a, b], n) {
  let value = 1n << 160n;
  let shift = -160;
  const mantissas = new Float64Array(n + 1);
  const exponents = new Int32Array(n + 1);
  for (let c = 0; c <= n; c++) {
    if (c) {
      const below = BigInt(c) * b;
      const extra = below.toString(2).length;
      value = ((value * a) << BigInt(extra)) / below;
      shift -= extra;
      const surplus = value.toString(16).length * 4 - 164;
      if (surplus > 0) {
        value >>= BigInt(surplus);
        shift += surplus;
      }
    }
    [mantissas[c], exponents[c]] = split(value, shift);
  }
  return { mantissas, exponents };
}

function factorial(n) {
  let value = 1n;
  let shift = 0;
  for (let c = 2n; c <= BigInt(n); c++) {
    value *= c;
    const surplus = value.toString(16).length * 4 - 200;
    if (surplus > 0) {
      value >>= BigInt(surplus);
      shift += surplus;
    }
  }
  return split(value, shift);
}

const tables = { key: "", found: null };

function weightTables(chances, n) {
  const key = `${n};${chances.map((chance) => chance.join("/")).join()}`;
  if (tables.key !== key) {
    tables.key = key;
    tables.found = { factors: chances.map((chance) => powersOverFactorials(chance, n)), whole: factorial(n) };
  }
  return tables.found;
}

// Sums of losses, from `start` by `rows` (one for each outcome), and whether they make a front with a spurious member. A
// data-independent objective starts at its risks and is not summed. The front has
// none exactly if truly optimal hypotheses dominate all others: what is dominated is so by some member of the front.
function sumsOf(world, outcomes) {
  const { size } = world;
  const optimal = [];
  const others = [];
  world.trulyOptimal.forEach((is, h) => (is ? optimal : others).push(h));
  const rows = outcomes.map((outcome) => {
    const row = new Float64Array(2 * size);
    for (const i of [0, 1]) {
      for (let h = 0; h < size; h++) row[2 * h + i] = world.dependent[i] ? world.table[i][outcome * size + h] : 0;
    }
    return row;
  });
  const start = new Float64Array(2 * size);
  world.trueRisks.forEach((risks, h) => risks.forEach((risk, i) => (start[2 * h + i] = world.dependent[i] ? 0 : risk)));
  const isSpurious = (s) => {
    for (const d of others) {
      const x = s[2 * d];
      const y = s[2 * d + 1];
      let dominated = false;
      for (const p of optimal) {
        const u = s[2 * p];
        const v = s[2 * p + 1];
        if (u <= x && v <= y && (u < x || v < y)) {
          dominated = true;
          break;
        }
      }
      if (!dominated) return true;
    }
    return false;
  };
  return { optimal, others, rows, start, isSpurious };
}

// The exact probability that the empirical front has a member that is not truly optimal: the sum over all sample types.
// A generator: it yields now and then, so that its caller can go on later, and returns the probability.
export function* spuriousProbability(world, n) {
  const { optimal, others, rows, start, isSpurious } = sumsOf(world, world.merged.map(({ outcome }) => outcome));
  if (!others.length || !optimal.length) return 0;
  const nOutcomes = world.merged.length;
  const { factors, whole } = weightTables(world.merged.map(({ chance }) => chance), n);
  const sums = Array.from({ length: nOutcomes + 1 }, () => Float64Array.from(start));
  const mantissa = new Float64Array(nOutcomes + 1);
  const exponent = new Float64Array(nOutcomes + 1);
  const left = new Int32Array(nOutcomes + 1);
  const count = new Int32Array(nOutcomes + 1).fill(-1);
  [mantissa[0], exponent[0]] = whole;
  left[0] = n;
  const last = nOutcomes - 1;
  // Neumaier's sum: what is lost in an addition is added at the end.
  let total = 0;
  let lost = 0;
  let steps = 0;
  let level = 0;
  while (level >= 0) {
    const c = level === last ? left[level] : (count[level] += 1);
    if (c > left[level]) {
      level -= 1;
      continue;
    }
    const next = sums[level + 1];
    const before = sums[level];
    const row = rows[level];
    for (let j = 0; j < next.length; j++) next[j] = before[j] + c * row[j];
    mantissa[level + 1] = mantissa[level] * factors[level].mantissas[c];
    exponent[level + 1] = exponent[level] + factors[level].exponents[c];
    if (level < last) {
      left[level + 1] = left[level] - c;
      level += 1;
      count[level] = -1;
      continue;
    }
    if (isSpurious(next)) {
      const mass = mantissa[nOutcomes] * 2 ** exponent[nOutcomes];
      const sum = total + mass;
      lost += Math.abs(total) >= mass ? total - sum + mass : mass - sum + total;
      total = sum;
    }
    level -= 1;
    steps += 1;
    if (steps % 512 === 0) yield;
  }
  return Math.min(1, total + lost);
}

// The share of samples with such a member, one sample at a time; yields how many were drawn and how many had one.
export function* spuriousShare(world, n, samples, seed) {
  const { rows, start, isSpurious } = sumsOf(world, world.chances.map((_, k) => k));
  const draw = sampler(world.chances);
  const random = randomSource(seed, 1);
  const sums = Float64Array.from(start);
  let hits = 0;
  for (let drawn = 1; drawn <= samples; drawn++) {
    sums.set(start);
    draw(n, random).forEach((count, k) => {
      if (count) for (let j = 0; j < sums.length; j++) sums[j] += count * rows[k][j];
    });
    if (isSpurious(sums)) hits += 1;
    yield { drawn, hits };
  }
}

function logGamma(x) {
  if (x < 12) return logGamma(x + 1) - Math.log(x);
  const z = 1 / (x * x);
  const series = (1 / 12 - z * (1 / 360 - z * (1 / 1260 - z * (1 / 1680 - (z * 1) / 1188)))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series;
}

// The regularized incomplete beta function, by Lentz's continued fraction.
function betaShare(x, a, b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaShare(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1) || tiny);
  let found = d;
  for (let m = 1; m < 1000; m++) {
    let part = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + part * d || tiny);
    c = 1 + part / c || tiny;
    found *= d * c;
    part = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + part * d || tiny);
    c = 1 + part / c || tiny;
    const step = d * c;
    found *= step;
    if (Math.abs(step - 1) < 1e-15) break;
  }
  return front * found;
}

function betaQuantile(level, a, b) {
  let low = 0;
  let high = 1;
  for (let round = 0; round < 60; round++) {
    const middle = (low + high) / 2;
    if (betaShare(middle, a, b) < level) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

// The interval of Clopper and Pearson for a probability.
export function shareInterval(hits, samples, delta = 0.05) {
  const low = hits === 0 ? 0 : betaQuantile(delta / 2, hits, samples - hits + 1);
  const high = hits === samples ? 1 : betaQuantile(1 - delta / 2, hits + 1, samples - hits);
  return [low, high];
}
