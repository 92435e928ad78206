// The probability of a spurious member, in slices of time: exact where the sample types are few, estimated elsewhere.
import { enumerationSteps, shareInterval, spuriousProbability, spuriousShare } from "./chance.js";

// Steps of an enumeration that fit into a frame, and those that are not worth waiting for.
const AT_ONCE = 3e5;
const AT_MOST = 3e8;
const SAMPLES = 10000;
const SLICE = 8;
const PAUSE = 120;

export class ChanceJob {
  // `report` gets { kind: "exact" | "estimate" | "pending", value, low, high, samples } whenever more is known.
  constructor(report) {
    this.report = report;
    this.timer = 0;
  }

  stop() {
    clearTimeout(this.timer);
  }

  start(world, n, seed) {
    this.stop();
    const optimal = world.trulyOptimal.filter(Boolean).length;
    const pairs = optimal * (world.size - optimal);
    const steps = pairs ? enumerationSteps(n, world.merged.length, 2 * world.size, pairs) : 0;
    if (steps <= AT_ONCE) {
      const work = spuriousProbability(world, n);
      let part = work.next();
      while (!part.done) part = work.next();
      this.report({ kind: "exact", value: part.value, low: part.value, high: part.value, samples: null });
      return;
    }
    this.report({ kind: "pending", value: null, low: 0, high: 1, samples: null });
    const exact = steps <= AT_MOST;
    const work = exact ? spuriousProbability(world, n) : spuriousShare(world, n, SAMPLES, seed);
    this.timer = setTimeout(() => this.#continue(work, exact), PAUSE);
  }

  #continue(work, exact) {
    const until = performance.now() + SLICE;
    let part;
    do part = work.next();
    while (!part.done && !(part.value?.drawn === SAMPLES) && performance.now() < until);
    if (exact && part.done) {
      this.report({ kind: "exact", value: part.value, low: part.value, high: part.value, samples: null });
      return;
    }
    if (!exact) {
      const { drawn, hits } = part.value;
      const [low, high] = shareInterval(hits, drawn);
      this.report({ kind: "estimate", value: hits / drawn, low, high, samples: drawn });
      if (drawn === SAMPLES) return;
    }
    this.timer = setTimeout(() => this.#continue(work, exact), 0);
  }
}
