// The request that is being written: one object, shown by the form, the JSON and the examples.
import { DEFAULTS } from "./request_rules.js";
import { page } from "./page.js";

const STORED = "draft";
const listeners = new Set();

function restored() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(STORED)) };
  } catch {
    return { ...DEFAULTS };
  }
}

export const draft = {
  request: restored(),

  // Tells everybody of a change; `by` says who made it, so that nobody is told his own words.
  replace(request, by) {
    this.request = request;
    try {
      localStorage.setItem(STORED, JSON.stringify(request));
    } catch {
      localStorage.removeItem(STORED); // too large to outlive this page
    }
    for (const listener of listeners) listener(request, by);
  },

  // Changes fields; one that is undefined is left out.
  change(fields, by) {
    const request = { ...this.request, ...fields };
    for (const name of Object.keys(request)) if (request[name] === undefined) delete request[name];
    this.replace(request, by);
  },

  listen(listener) {
    listeners.add(listener);
    listener(this.request, null);
  },
};

// The fields that decide price and pixels, whichever spelling was used.
export function effective(request) {
  const { imageSize } = request;
  const isTier = page.tiers.includes(imageSize);
  return {
    size: request.size ?? request.aspect_ratio ?? request.aspectRatio ?? (isTier ? undefined : imageSize) ?? DEFAULTS.size,
    resolution: request.resolution ?? (isTier ? imageSize : undefined) ?? DEFAULTS.resolution,
    quality: request.quality ?? DEFAULTS.quality,
    n: request.n ?? DEFAULTS.n,
  };
}
