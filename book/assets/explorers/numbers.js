// Numbers for people, as the course's Python sentences write them.

const FORMATS = Array.from({ length: 13 }, (_, digits) =>
  new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }));

// f"{x:,.2f}": a fixed number of digits, and commas between thousands.
export const fixed = (x, digits = 0) =>
  FORMATS[digits].format(Math.abs(x) < 0.5 * 10 ** -digits ? 0 : x);

// f"{x:.1%}"
export const percent = (share, digits = 1) => `${fixed(100 * share, digits)}%`;

export const count = (n, one, many = `${one}s`) => `${fixed(n)} ${n === 1 ? one : many}`;

export const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

export const sum = (values) => values.reduce((total, x) => total + x, 0);

// `count` numbers from `low` to `high`, both included.
export const linspace = (low, high, count) =>
  Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));

// The place in increasing numbers that is nearest to x.
export function nearest(values, x) {
  let best = 0;
  values.forEach((value, i) => {
    if (Math.abs(value - x) < Math.abs(values[best] - x)) best = i;
  });
  return best;
}
