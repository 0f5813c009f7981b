// The game on the landing page: sixty days of a shop. Its rules, the rule (s, S) as a player, and
// what could have been earned by who had known all customers. Nothing here draws.
import { poissonPmf } from "./probability.js";
import { foldIn, key, uniform } from "./random.js";

export const DAYS = 60;
export const MOST = 60; // units of one order
const CUSTOMERS = 8; // a day, in the mean of a Poisson law

// EUR: a sale earns, a delivery costs, a unit that stays for a night costs, one that expires loses.
export const PRICES = { sale: 5, delivery: 20, night: 0.25, expired: 3 };

// life: days on the shelf; lead: days from order to delivery. The opening delivery comes at once.
// s and S: the best numbers of the rule in the long run, by the exact chain (tests/test_shop_game.py).
export const LEVELS = [
  { name: "The shop", life: Infinity, lead: 0, s: 6, S: 40 },
  { name: "Goods expire", life: 3, lead: 0, s: 5, S: 22 },
  { name: "Slow delivery", life: Infinity, lead: 2, s: 24, S: 58 },
];

// The customers of each day: the quantile of a Poisson law at a uniform draw.
export function customers(seed) {
  const cumulative = [];
  for (let k = 0, total = 0; k < 60; k++) cumulative.push((total += poissonPmf(k, CUSTOMERS)));
  return Array.from({ length: DAYS }, (_, day) => {
    const [u] = uniform(foldIn(key(seed), day), 1);
    return cumulative.findIndex((share) => u < share);
  });
}

// The morning of the first day. `shelf`: units by the days that they have left, the oldest first;
// `coming`: what is on its way, the next to come first.
export const opening = ({ life, lead }) => ({
  day: 0,
  shelf: Array(life === Infinity ? 1 : life - 1).fill(0),
  coming: Array(lead).fill(0),
  earned: 0,
});

const sum = (units) => units.reduce((total, one) => total + one, 0);
export const onShelf = ({ shelf }) => sum(shelf);
export const position = ({ shelf, coming }) => sum(shelf) + sum(coming);
// What is on its way: [[day whose morning it comes in, units], ...].
export const arrivals = ({ day, coming }) =>
  coming.flatMap((units, i) => (units ? [[day + i, units]] : []));

// One day: an order, what is delivered, customers, the night. What is left on the last evening
// goes back at cost.
export function oneDay({ life, lead }, state, order, demand) {
  const atOnce = lead === 0 || state.day === 0;
  const [arrives, ...coming] = atOnce ? [order, ...state.coming] : [...state.coming, order];
  const shelf = life === Infinity ? [state.shelf[0] + arrives] : [...state.shelf, arrives];
  const morning = sum(shelf);
  let left = demand;
  const evening = shelf.map((units) => {
    const sold = Math.min(units, left);
    left -= sold;
    return units - sold;
  });
  const expired = life === Infinity ? 0 : evening.shift();
  const sold = demand - left;
  const earned = PRICES.sale * sold - PRICES.delivery * (order > 0) -
    PRICES.expired * expired - PRICES.night * sum(evening);
  return {
    day: state.day + 1, shelf: evening, coming, earned: state.earned + earned,
    told: { order, arrives, morning, demand, sold, lost: left, expired },
  };
}

// All states of a game with its orders, the opening first.
export function play(level, demands, orders) {
  const states = [opening(level)];
  orders.forEach((order, day) => states.push(oneDay(level, states[day], order, demands[day])));
  return states;
}

// The orders of the rule (s, S), which looks at what is on the shelf and on its way.
export function ruleOrders(level, demands, s = level.s, S = level.S) {
  let state = opening(level);
  return demands.map((demand) => {
    const there = position(state);
    const order = there <= s ? S - there : 0;
    state = oneDay(level, state, order, demand);
    return order;
  });
}

// The most that can be earned by who knows every customer. Each day is served by the last delivery
// before it, or by none: from a delivery on, the best is known backwards.
export function hindsight({ life, lead }, demands) {
  const after = Array(DAYS + 1).fill(0); // from a delivery in the morning of a day
  for (let day = DAYS - 1; day >= 0; day--) {
    let best = -Infinity;
    let earned = -PRICES.delivery;
    for (let next = day + 1; next <= DAYS; next++) {
      const nights = next - 1 - day;
      if (nights < life)
        earned += demands[next - 1] * Math.max(0, PRICES.sale - PRICES.night * nights);
      best = Math.max(best, earned + after[next]);
    }
    after[day] = best;
  }
  if (lead === 0) return after[0];
  // Deliveries on the first day, and then not before the second day's order arrives.
  let best = -Infinity;
  let earned = -PRICES.delivery;
  for (let next = 1; next <= DAYS; next++) {
    earned += demands[next - 1] * Math.max(0, PRICES.sale - PRICES.night * (next - 1));
    if (next > lead) best = Math.max(best, earned + after[next]);
  }
  return best;
}

// A game as text: level, seed, and an order a sign; null for what is no game.
const SIGNS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
export const asText = (level, seed, orders) =>
  `${level + 1}-${seed}-${orders.map((order) => SIGNS[order]).join("")}`;
export function fromText(text) {
  const found = /^([123])-(\d{1,6})-([0-9a-zA-Y]{0,60})$/.exec(text);
  if (!found) return null;
  return {
    level: Number(found[1]) - 1, seed: Number(found[2]),
    orders: [...found[3]].map((sign) => SIGNS.indexOf(sign)),
  };
}
