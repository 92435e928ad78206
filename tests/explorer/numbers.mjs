// Reads cases as JSON from the standard input and writes what the explorer's module finds for each.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const module = await import(pathToFileURL(process.argv[2]).href);
const { cases, shares, numbers } = JSON.parse(readFileSync(0, "utf8"));

function finished(work) {
  let part = work.next();
  while (!part.done) part = work.next();
  return part.value;
}

const found = cases.map(({ spec, moves, n, delta, counts, seed }) => {
  const world = new module.World(spec);
  moves.forEach((risks, h) => risks.forEach((risk, i) => risk !== world.trueRisks[h][i] && world.move(h, i, risk)));
  const draw = module.sampler(world.chances);
  const random = module.randomSource(seed);
  const judged = world.judge(counts);
  return {
    losses: [0, 1].map((i) => Array.from(world.table[i], (loss) => loss / world.scale[i])),
    lattice: world.lattice,
    trueRisks: world.trueRisks,
    trulyOptimal: world.trulyOptimal,
    ...judged,
    widths: module.halfWidths(n, delta, world.size, world.dependent, world.ranges),
    probability: finished(module.spuriousProbability(world, n)),
    merged: world.merged.length,
    drawn: [draw(n, random), draw(n, random)],
    sums: Array.from({ length: 200 }, () => draw(n, random)).reduce((a, b) => a.map((x, k) => x + b[k])),
  };
});
const intervals = shares.map(([hits, samples]) => module.shareInterval(hits, samples));
const read = numbers.map((x) => module.readNumber(x).map(String));
process.stdout.write(JSON.stringify({ found, intervals, read }));
