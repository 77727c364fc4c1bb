// Reads JSON like JSON.parse, and knows where things are: what is wrong stands at a place, and each
// member of the outer object has one.

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y; // linear in time
const WORD = /true|false|null/y;
const DEEPEST = 200;

export class JsonProblem extends Error {
  constructor(message, at) {
    super(message);
    this.at = at;
  }
}

// The value, and of each member of the outer object where its value begins: {value, places}.
export function parseWithPlaces(text) {
  const reader = new Reader(text);
  reader.space();
  reader.value(0);
  reader.space();
  if (reader.at < text.length) throw new JsonProblem("There is something after the end.", reader.at);
  return { value: JSON.parse(text), places: reader.places };
}

export function lineAndColumn(text, at) {
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: before.at(-1).length + 1 };
}

class Reader {
  constructor(text) {
    Object.assign(this, { text, at: 0, places: {} });
  }

  take(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found?.[0];
  }

  space() {
    this.take(SPACE);
  }

  next() {
    return this.text[this.at];
  }

  fail(expected) {
    const found = this.at < this.text.length ? `${JSON.stringify(this.next())} is there` : "the text ends";
    throw new JsonProblem(`Expected ${expected}; ${found}.`, this.at);
  }

  value(depth) {
    if (depth > DEEPEST) throw new JsonProblem("This is too deep.", this.at);
    if (this.next() === "{") this.object(depth);
    else if (this.next() === "[") this.list(depth);
    else if (this.next() === '"') this.string();
    else if (this.take(WORD) === undefined && this.take(NUMBER) === undefined) this.fail("a value");
  }

  string() {
    const found = this.take(STRING);
    if (found === undefined) throw new JsonProblem("This text has no end, or a character that must be escaped.", this.at);
    return JSON.parse(found);
  }

  object(depth) {
    this.sequence("}", "a comma or }", () => {
      if (this.next() !== '"') this.fail('a name in "quotes"');
      const start = this.at;
      const name = this.string();
      this.space();
      if (this.next() !== ":") this.fail("a colon");
      this.at += 1;
      this.space();
      if (depth === 0) {
        if (Object.hasOwn(this.places, name)) throw new JsonProblem(`${name} is there twice.`, start);
        this.places[name] = this.at;
      }
      this.value(depth + 1);
    });
  }

  list(depth) {
    this.sequence("]", "a comma or ]", () => this.value(depth + 1));
  }

  sequence(end, expected, item) {
    this.at += 1;
    this.space();
    if (this.next() === end) {
      this.at += 1;
      return;
    }
    for (;;) {
      item();
      this.space();
      if (this.next() === end) break;
      if (this.next() !== ",") this.fail(expected);
      this.at += 1;
      this.space();
    }
    this.at += 1;
  }
}
