// The order of what a search finds: lectures, whose titles are numbered, before all else, and of
// them first those that are called so, as a page or as its file: others may have such a section.
var asked = new URLSearchParams(location.search).get("q")?.trim().toLowerCase() ?? "";
var Scorer = {
  score: ([docname, title, anchor, description, score]) =>
    score + (title.startsWith('<span class="section-number">') ? 20 : 0)
      + (asked && `${title} ${docname.split("/").pop()}`.toLowerCase().includes(asked) ? 15 : 0),
  objNameMatch: 11,
  objPartialMatch: 1,
  objPrio: { 0: 0, 1: 0, 2: 0 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
