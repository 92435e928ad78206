// Small helpers of drawing: elements, ticks, numbers as text, places for labels.

const SVG = "http://www.w3.org/2000/svg";

export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

export function html(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// Ticks at round numbers, about `count` of them.
export function ticks(low, high, count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= raw * 0.999);
  const found = [];
  for (let j = Math.ceil(low / step - 1e-9); j * step <= high + 1e-9 * step; j++) found.push(Number((j * step).toPrecision(12)));
  return found;
}

// At most three digits after the point and about four in all.
export function number(x) {
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size >= 1000) return Math.round(x).toLocaleString("en");
  if (size >= 0.001) return String(Number(x.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : 3)));
  const power = Math.floor(Math.log10(size));
  return `${(x / 10 ** power).toFixed(1)}×10${superscript(power)}`;
}

// The least of 1, 2, 5, 10, 20, ... that is at least as large.
export function roundedUp(x) {
  const power = 10 ** Math.floor(Math.log10(x));
  return Number(([1, 2, 5, 10].find((factor) => factor * power >= x * (1 - 1e-12)) * power).toPrecision(3));
}

const superscript = (power) => [...String(power)].map((sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]).join("");

// A probability: never 0 or 1 unless it is.
export function probability(p) {
  if (p > 0.9995 && p < 1) return "above 0.999";
  return number(p);
}

export function cut(text, most = 18) {
  const letters = [...text];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text;
}

// Corners of a staircase through points in two objectives that are minimised, from the top edge to the right edge.
export function staircase(points, top, right) {
  const sorted = [...points].sort((p, q) => p[0] - q[0] || p[1] - q[1]);
  const corners = [];
  sorted.forEach(([x, y], j) => {
    corners.push([x, j ? sorted[j - 1][1] : top], [x, y]);
  });
  if (sorted.length) corners.push([right, sorted.at(-1)[1]]);
  return corners;
}

const overlaps = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

// Places [x, y, anchor] for texts beside their points, none over another, a mark or the edge, and each nearer to its own
// point than to any other; null where there is none. A text that has none may hide what is after the first `hard`
// marks: lines and boxes.
export function placeLabels(labels, marks, frame, hard = marks.length) {
  const taken = [];
  const apart = ([x0, y0, x1, y1], { x, y }) => Math.hypot(Math.max(x0 - x, 0, x - x1), Math.max(y0 - y, 0, y - y1));
  const find = (label, obstacles) => {
    const { x, y, width, height, away } = label;
    const beside = [away, away + 8].flatMap((far) => [
      [x + far, y - away * 0.6, "start"],
      [x - far, y - away * 0.6, "end"],
      [x + far, y + away * 0.6 + height * 0.7, "start"],
      [x - far, y + away * 0.6 + height * 0.7, "end"],
      [x + far + 4, y + height * 0.35, "start"],
      [x - far - 4, y + height * 0.35, "end"],
    ]);
    const above = y - away - 4;
    const below = y + away + height;
    const outer = [[x, above, "middle"], [x, below, "middle"]];
    for (const base of [above, below, below + 6]) outer.push([x + 4, base, "start"], [x - 4, base, "end"]);
    for (const [left, base, anchor] of [...beside, ...outer]) {
      const start = anchor === "start" ? left : anchor === "end" ? left - width : left - width / 2;
      const box = [start - 1, base - height * 0.8, start + width + 1, base + height * 0.25];
      const inside = box[0] >= frame[0] && box[1] >= frame[1] && box[2] <= frame[2] && box[3] <= frame[3];
      if (!inside || taken.some((other) => overlaps(box, other)) || obstacles.some((other) => overlaps(box, other))) continue;
      const own = apart(box, label);
      if (labels.some((other) => other !== label && apart(box, other) <= own)) continue;
      taken.push(box);
      return [left, base, anchor];
    }
    return null;
  };
  const found = labels.map((label) => find(label, marks));
  // Labels of few points are all shown.
  if (labels.length <= 12) found.forEach((place, j) => (found[j] = place ?? find(labels[j], marks.slice(0, hard))));
  return found;
}
