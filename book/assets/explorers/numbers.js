// Numbers for people, as the course's Python sentences write them.

const FORMATS = Array.from({ length: 13 }, (_, digits) =>
  new Intl.NumberFormat("en-US", {
    minimumFractionDigits: digits, maximumFractionDigits: digits, roundingMode: "halfEven",
  }));

// f"{x:,.2f}": a fixed number of digits, and commas between thousands. As Python does, we round
// what a number is, as `toFixed`, and not what it looks like, as the formats: 0.015 is a little
// less, so 0.01. What is exactly in the middle goes to the even neighbour, as in the formats.
export function fixed(x, digits = 0) {
  if (Math.abs(x) < 0.5 * 10 ** -digits) x = 0;
  const middle = /50{24}$/.test(x.toFixed(digits + 25));
  return FORMATS[digits].format(middle ? x : Number(x.toFixed(digits)));
}

// reports.number(x, digits): significant digits, powers of ten where zeros would be many.
export function number(x, digits = 3) {
  const [mantissa, exponent] = Math.abs(x).toExponential(digits - 1).split("e");
  const power = Number(exponent);
  const sign = x < 0 ? "−" : "";
  if (x !== 0 && (power <= -5 || power >= Math.max(digits, 6))) {
    const raised = [...exponent.replace("+", "")].map((c) =>
      "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
    return `${sign}${mantissa.replace(/\.?0+$/, "")} × 10${raised.join("")}`;
  }
  return sign + fixed(Math.abs(x), Math.max(digits - 1 - power, 0));
}

// f"{x:.1%}"
export const percent = (share, digits = 1) => `${fixed(100 * share, digits)}%`;

// By how much more something costs than the best, in words and in short.
export const compared = (extra) =>
  extra < 5e-4 ? "less than 0.1% more than"
    : extra < 0.9995 ? `${percent(extra)} more than` : `${fixed(1 + extra, 1)} times as much as`;
export const dearer = (extra) =>
  extra < 5e-4 ? "no more"
    : extra < 0.9995 ? `${percent(extra)} more` : `${fixed(1 + extra, 1)} times as much`;
export const mark = (extra) => (extra < 1 ? `+${percent(extra)}` : `×${fixed(1 + extra, 1)}`);

export const count = (n, one, many = `${one}s`) => `${fixed(n)} ${n === 1 ? one : many}`;

export const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

export const sum = (values) => values.reduce((total, x) => total + x, 0);

// `count` numbers from `low` to `high`, both included.
export const linspace = (low, high, count) =>
  Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));

// The integers from `first` to `last`, both included.
export const range = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

// The first of some lengths of an axis that is long enough.
export const longEnough = (lengths, needed) =>
  lengths.find((length) => needed <= length) ?? lengths[lengths.length - 1];

// The place in increasing numbers that is nearest to x.
export function nearest(values, x) {
  let best = 0;
  values.forEach((value, i) => {
    if (Math.abs(value - x) < Math.abs(values[best] - x)) best = i;
  });
  return best;
}

// figures.round_up: a round number of at least x, for an axis that stays while its curves move.
export function roundUp(x) {
  const power = 10 ** Math.floor(Math.log10(x));
  const step = [1, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= x * (1 - 1e-12));
  return Number((step * power).toPrecision(12));
}

// A function that keeps its last value, for as long as it is asked for the same.
export function last(f) {
  let known = null;
  return (...given) => {
    if (!known?.given.every((x, i) => x === given[i])) known = { given, value: f(...given) };
    return known.value;
  };
}
