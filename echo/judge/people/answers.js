// What a rater has answered: kept in this browser, written to a CSV and read from one.
"use strict";

// Letters of any script, digits, and between them spaces, dots, hyphens: never a formula, a quote or a separator.
const NAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._-]{0,39}$/u;

class Answers {
  // page: {id, columns, scores, top, step, pairs}; storage: the browser's, which may refuse.
  constructor(page, storage) {
    this.page = page;
    this.storage = storage;
    this.place = "people-" + page.id;
    this.known = new Set(page.pairs.map((pair) => Answers.key(pair.id, pair.showing)));
    this.keeps = true;
    this.clear();
    this.read();
  }

  static key(id, showing) {
    return id + "/" + showing;
  }

  clear() {
    this.rater = "";
    this.at = 0;
    this.given = {};
  }

  read() {
    try {
      const held = JSON.parse(this.storage.getItem(this.place) || "{}");
      if (held.given) Object.assign(this, { rater: held.rater, at: held.at, given: held.given });
    } catch {
      this.keeps = false;
    }
  }

  keep() {
    try {
      this.storage.setItem(this.place, JSON.stringify({ rater: this.rater, at: this.at, given: this.given }));
    } catch {
      this.keeps = false;
    }
  }

  // The answer to a pair, to be changed in place; scores that are not given yet are null.
  of(pair) {
    const key = Answers.key(pair.id, pair.showing);
    const none = Object.fromEntries(this.page.scores.map((name) => [name, null]));
    return (this.given[key] ??= { scores: none, seconds: 0, by: "person" });
  }

  complete(pair) {
    const answer = this.given[Answers.key(pair.id, pair.showing)];
    return Boolean(answer) && Object.values(answer.scores).every((score) => score !== null);
  }

  get count() {
    return this.page.pairs.filter((pair) => this.complete(pair)).length;
  }

  // Lines in the order of the page, of complete answers alone.
  csv() {
    const lines = [this.page.columns];
    for (const pair of this.page.pairs.filter((one) => this.complete(one))) {
      const { scores, seconds, by } = this.of(pair);
      const given = this.page.scores.map((name) => scores[name]);
      lines.push([pair.id, pair.showing, ...given, seconds.toFixed(1), this.rater, by, this.page.id]);
    }
    return lines.map((line) => line.join(",") + "\n").join("");
  }

  // Take the answers of a saved file beside those that are here; throws an Error that says in one line what is wrong.
  load(text) {
    const lines = text.replace(/^\ufeff/, "").split(/\r?\n/).filter((line) => line.trim());
    const comma = (lines[0] || "").includes(";") ? ";" : ","; // spreadsheets of some countries
    const split = (line) => line.split(comma).map((field) => field.replace(/^"(.*)"$/, "$1"));
    if (!lines.length || split(lines[0]).join() !== this.page.columns.join()) {
      throw new Error("This file was not saved by a page like this one.");
    }
    const read = lines.slice(1).map((line, number) => {
      const field = Object.fromEntries(split(line).map((value, i) => [this.page.columns[i], value]));
      const wrong = (what) => new Error(`Line ${number + 2} of the file: ${what}.`);
      if (field.page !== this.page.id) throw wrong("it was saved by another page, of other pairs");
      if (!this.known.has(Answers.key(field.pair, field.showing))) throw wrong("this page has no such pair");
      if (!NAME.test(field.rater)) throw wrong("the name cannot be read");
      const number_of = (name) => Number((field[name] || "x").replace(comma === ";" ? "," : ".", "."));
      const scores = Object.fromEntries(this.page.scores.map((name) => [name, number_of(name)]));
      const fits = (score) => score >= 0 && score <= this.page.top && Number.isInteger(score / this.page.step);
      if (!Object.values(scores).every(fits)) throw wrong("a score is not 0 to 5 in steps of a half");
      const seconds = number_of("seconds");
      if (!(seconds >= 0) || !["person", "script"].includes(field.by)) throw wrong("it was changed");
      return [Answers.key(field.pair, field.showing), { scores, seconds, by: field.by }, field.rater];
    });
    const names = new Set(read.map(([, , rater]) => rater));
    if (this.count) names.add(this.rater);
    if (names.size > 1) {
      throw new Error(`These are answers of ${[...names].join(" and ")}; a page holds those of one person.`);
    }
    for (const [key, answer, rater] of read) {
      this.given[key] = answer;
      this.rater = rater;
    }
    this.at = Math.max(0, this.page.pairs.findIndex((pair) => !this.complete(pair)));
    this.keep();
  }
}
