// The request that is being written: one object, shown by the form, the JSON and the examples.
import { DEFAULTS } from "./request_rules.js";
import { page } from "./page.js";

const STORED = "gpt-image-emulator.draft";
const listeners = new Set();

// A tab keeps its own; a new one begins with the last of all.
function restored() {
  try {
    return { ...DEFAULTS, ...JSON.parse(sessionStorage.getItem(STORED) ?? localStorage.getItem(STORED)) };
  } catch {
    return { ...DEFAULTS };
  }
}

export const draft = {
  request: restored(),

  // Tells everybody of a change; `by` says who made it, so that nobody is told his own words.
  replace(request, by) {
    this.request = request;
    const text = JSON.stringify(request);
    for (const storage of [sessionStorage, localStorage]) {
      try {
        storage.setItem(STORED, text);
      } catch {
        storage.removeItem(STORED); // too large to outlive this page
      }
    }
    for (const listener of listeners) listener(request, by);
  },

  // Changes fields; one that is undefined is left out, and so is each other spelling of it.
  change(fields, by) {
    const others = Object.keys(fields).flatMap((name) => otherSpellings(name, this.request));
    const request = { ...this.request, ...Object.fromEntries(others.map((name) => [name, undefined])), ...fields };
    for (const name of Object.keys(request)) if (request[name] === undefined) delete request[name];
    this.replace(request, by);
  },

  listen(listener) {
    listeners.add(listener);
    listener(this.request, null);
  },
};

// Other names under which clients send a field (GEN-11); imageSize is a tier or a size.
function otherSpellings(name, { imageSize }) {
  const isTier = page.tiers.includes(imageSize);
  return {
    size: ["aspect_ratio", "aspectRatio", ...(isTier ? [] : ["imageSize"])],
    resolution: isTier ? ["imageSize"] : [],
    input_images: ["image_urls", "images"],
  }[name] ?? [];
}

// The fields that decide price, pixels and references, whichever spelling was used.
export function effective(request) {
  const valueOf = (name, otherwise) =>
    [name, ...otherSpellings(name, request)].map((each) => request[each]).find((value) => value !== undefined) ?? otherwise;
  return {
    size: valueOf("size", DEFAULTS.size),
    resolution: valueOf("resolution", DEFAULTS.resolution),
    quality: valueOf("quality", DEFAULTS.quality),
    n: valueOf("n", DEFAULTS.n),
    input_images: valueOf("input_images", []),
  };
}
