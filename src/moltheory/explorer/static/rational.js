// Exact fractions: numbers as their author meant them, so that equal risks are equal and ties are ties.
// A fraction is [numerator, denominator] of BigInt in lowest terms, the denominator positive.

const SIMPLE = 1000000n;

function gcd(a, b) {
  while (b) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
}

export function fraction(numerator, denominator = 1n) {
  if (denominator < 0n) [numerator, denominator] = [-numerator, -denominator];
  const common = gcd(numerator, denominator) || 1n;
  return [numerator / common, denominator / common];
}

export const add = ([a, b], [c, d]) => fraction(a * d + c * b, b * d);
export const subtract = ([a, b], [c, d]) => fraction(a * d - c * b, b * d);
export const multiply = ([a, b], [c, d]) => fraction(a * c, b * d);
export const divide = ([a, b], [c, d]) => fraction(a * d, b * c);
export const less = ([a, b], [c, d]) => a * d < c * b;
export const equal = ([a, b], [c, d]) => a === c && b === d;

export function lcm(a, b) {
  return (a / gcd(a, b)) * b;
}

// The nearest double.
export function toNumber([a, b]) {
  const sign = a < 0n ? -1 : 1;
  const size = a < 0n ? -a : a;
  if (size < 9007199254740992n && b < 9007199254740992n) return (sign * Number(size)) / Number(b);
  // Scaled so that the quotient has more than 64 bits; the last one stands for all that are cut off.
  const shift = BigInt(Math.max(0, 66 + b.toString(2).length - size.toString(2).length));
  const scaled = size << shift;
  const quotient = ((scaled / b) << 1n) | (scaled % b ? 1n : 0n);
  return sign * Number(quotient) * 2 ** (-Number(shift) - 1);
}

// "3/8" or "3".
export function parseFraction(text) {
  const [a, b = "1"] = text.split("/");
  return fraction(BigInt(a), BigInt(b));
}

// The exact value of a double.
function exactly(x) {
  let shift = 0;
  while (!Number.isInteger(x)) {
    x *= 2;
    shift += 1;
  }
  return fraction(BigInt(x), 1n << BigInt(shift));
}

// The fraction nearest to a positive one among those with denominators up to a limit: of the last two convergents
// that fit, the nearer.
function limitDenominator([a, b], limit) {
  if (b <= limit) return [a, b];
  let [p0, q0, p1, q1] = [0n, 1n, 1n, 0n];
  let [n, d] = [a, b];
  for (;;) {
    const whole = n / d;
    const next = q0 + whole * q1;
    if (next > limit) break;
    [p0, q0, p1, q1] = [p1, q1, p0 + whole * p1, next];
    [n, d] = [d, n - whole * d];
  }
  const k = (limit - q0) / q1;
  const other = [p0 + k * p1, q0 + k * q1];
  return 2n * d * (q0 + k * q1) <= b ? [p1, q1] : other;
}

// The decimal that a double is written as.
export function readDecimal(x) {
  const [digits, exponent = "0"] = String(x).toLowerCase().split("e");
  const [whole, part = ""] = digits.split(".");
  const power = Number(exponent) - part.length;
  const size = BigInt(whole + part);
  return power < 0 ? fraction(size, 10n ** BigInt(-power)) : fraction(size * 10n ** BigInt(power));
}

// Read a double as the simplest fraction that rounds to it, with a denominator up to a million; else as its decimal.
export function readNumber(x) {
  if (Number.isInteger(x)) return [BigInt(x), 1n];
  const size = Math.abs(x);
  if (size < 1e-12) return readDecimal(x);
  const [a, b] = limitDenominator(exactly(size), SIMPLE);
  const simple = fraction(x < 0 ? -a : a, b);
  return toNumber(simple) === x ? simple : readDecimal(x);
}
