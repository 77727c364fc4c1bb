// The rules of a request's fields that the page can tell at once; the server has the last word.
import { page } from "./page.js";

const oneOf = (values) => ({ accepted: `one of ${values.join(", ")}`, test: (value) => values.includes(value) });

const PIXELS = /^[1-9][0-9]*x[1-9][0-9]*$/;
const URLS = /^(https?:\/\/|data:)/i;

const RULES = {
  model: { accepted: `a model's id, such as ${page.model}`, test: (value) => typeof value === "string" && value !== "" },
  prompt: {
    accepted: `a text of 1 to ${page.mostPromptCharacters.toLocaleString("en")} characters`,
    test: (value) => typeof value === "string" && value !== "" && [...value].length <= page.mostPromptCharacters,
  },
  size: {
    accepted: `one of ${page.sizes.join(", ")}, or WIDTHxHEIGHT such as 1536x1024`,
    test: (value) => typeof value === "string" && (page.sizes.includes(value) || PIXELS.test(value)),
  },
  resolution: oneOf(page.tiers),
  quality: oneOf(page.qualities),
  n: {
    accepted: `a whole number from ${page.leastImages} to ${page.mostImages}`,
    test: (value) => Number.isInteger(value) && value >= page.leastImages && value <= page.mostImages,
  },
  callback_url: {
    accepted: "an absolute http or https URL",
    test: (value) => typeof value === "string" && /^https?:\/\/./i.test(value),
  },
  input_images: {
    accepted: `a list of at most ${page.mostReferences} URLs`,
    test: (value) =>
      Array.isArray(value) &&
      value.length <= page.mostReferences &&
      value.every((url) => typeof url === "string" && URLS.test(url)),
  },
};
const REQUIRED = ["model", "prompt"];

export const DEFAULTS = {
  model: page.model,
  prompt: "",
  size: "auto",
  resolution: page.tiers[0],
  quality: page.defaultQuality,
  n: page.leastImages,
};

// What is wrong with a request: [{field, message}]; empty: nothing that the page can tell.
export function problems(request) {
  if (request === null || typeof request !== "object" || Array.isArray(request)) {
    return [{ field: null, message: "The body must be a JSON object." }];
  }
  const missing = REQUIRED.filter((field) => !(field in request)).map((field) => ({
    field,
    message: `${field} is missing; it must be ${RULES[field].accepted}.`,
  }));
  const wrong = Object.entries(RULES)
    .filter(([field, rule]) => field in request && !rule.test(request[field]))
    .map(([field, rule]) => ({ field, message: `${field} must be ${rule.accepted}.` }));
  return [...missing, ...wrong];
}
