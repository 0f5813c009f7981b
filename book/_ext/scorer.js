// The order of what a search finds: lectures, whose titles are numbered, before all else.
var Scorer = {
  score: ([docname, title, anchor, description, score]) =>
    score + (title.startsWith('<span class="section-number">') ? 20 : 0),
  objNameMatch: 11,
  objPartialMatch: 1,
  objPrio: { 0: 0, 1: 0, 2: 0 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
