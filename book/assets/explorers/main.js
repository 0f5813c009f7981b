// What a page with explorers runs. The book's build puts this file and what it imports into one
// script (book/_ext/explorers.py): a page that is opened as a file cannot load modules.
import { beer } from "./beer.js";
import { books } from "./books.js";
import { boxes } from "./boxes.js";
import { card } from "./card.js";
import { crossSection } from "./cross_section.js";
import { crowd } from "./crowd.js";
import { dualOrders } from "./dual_orders.js";
import { dualRules } from "./dual_rules.js";
import { counts, limits } from "./effort.js";
import { expiring } from "./expiring.js";
import { start } from "./explorer.js";
import { families } from "./families.js";
import { startFrames } from "./frames.js";
import { startGame } from "./game.js";
import { kconvex } from "./kconvex.js";
import { learnedOrders } from "./learned_orders.js";
import { levels } from "./levels.js";
import { links } from "./links.js";
import { lostOrders } from "./lost_orders.js";
import { lostRules } from "./lost_rules.js";
import { lotPaths, lotSize, wrongGuess } from "./lots.js";
import { order } from "./order.js";
import { queue } from "./queue.js";
import { cut, recipe } from "./recipe.js";
import { restocks } from "./restocks.js";
import { rules } from "./rules.js";
import { salads } from "./salads.js";
import { sawtooth } from "./sawtooth.js";
import { baseStock, criticalRatio, waitingLine } from "./shelf.js";
import { spread } from "./spread.js";
import { tangent } from "./tangent.js";
import { countLaw, slowSupplier, twoSpreads } from "./variability.js";
import { waterline } from "./waterline.js";

const MODELS = {
  baseStock, beer, books, boxes, card, countLaw, counts, criticalRatio, crossSection,
  crowd, cut, dualOrders, dualRules, expiring, families, kconvex, learnedOrders, levels,
  limits, links, lostOrders, lostRules, lotPaths, lotSize, order, queue, recipe, restocks,
  rules, salads, sawtooth, slowSupplier, spread, tangent, twoSpreads, waitingLine, waterline,
  wrongGuess,
};

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".shop").forEach(startGame);
  document.querySelectorAll(".explorer").forEach((root) => {
    const { model } = root.dataset;
    if (model === undefined) return startFrames(root);
    start(root, MODELS[model], root === document.querySelector(".explorer[data-model]"));
  });
});
