// The API with the reader's key. A key is a secret: it is kept for this tab, or for this browser
// where the reader asks for that, and goes into a header, never into a URL.
import { page } from "./page.js";

const STORED = { key: "gpt-image-emulator.key", token: "gpt-image-emulator.token" };
const OPEN_KEY = "sk-test";

function stored(name) {
  return sessionStorage.getItem(name) ?? localStorage.getItem(name) ?? "";
}

// Read once: a page keeps its key, whatever another tab chooses meanwhile.
export const keys = {
  current: stored(STORED.key) || (page.keysAreOpen ? OPEN_KEY : ""),
  token: stored(STORED.token),
  remembered: localStorage.getItem(STORED.key) !== null,

  // Chooses for the next page: reload this one.
  use(key, token, remember) {
    for (const [name, value] of [[STORED.key, key], [STORED.token, token]]) {
      sessionStorage.removeItem(name);
      localStorage.removeItem(name);
      if (value) (remember ? localStorage : sessionStorage).setItem(name, value);
    }
  },
};

// What a person may see of a key. Where any key works, a short one is a name rather than a secret.
export function hint(key) {
  if (page.keysAreOpen && key.length <= 12) return key;
  return key.length > 12 ? `${key.slice(0, 5)}…${key.slice(-2)}` : `${key.slice(0, 4)}…`;
}

// Tells keys apart in what the browser keeps, and says no more of one than 32 bits (FNV-1a).
export function mark(key) {
  let hash = 0x811c9dc5;
  for (const letter of key) hash = Math.imul(hash ^ letter.codePointAt(0), 0x01000193) >>> 0;
  return hash.toString(16);
}

export class ApiError extends Error {
  constructor(status, error, retryAfterSeconds = 0) {
    super(error.message);
    Object.assign(this, { status, code: error.code, param: error.param, retryAfterSeconds });
  }
}

export const noAnswer = () =>
  new ApiError(0, { message: "No answer from the emulator: it is stopped, or a fault cut the connection." });

export function headers(path) {
  const sent = {};
  if (keys.current) sent.Authorization = `Bearer ${keys.current}`;
  if (keys.token && path.startsWith("/_emulator")) sent["X-Emulator-Token"] = keys.token;
  return sent;
}

// Sends a request; the answer's JSON, or an ApiError that says what is wrong.
export async function call(method, path, body) {
  const options = { method, headers: headers(path) };
  if (body instanceof FormData) options.body = body;
  else if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = typeof body === "string" ? body : JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw noAnswer();
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  throw problemOf(response, answer);
}

export function problemOf(response, answer) {
  const error = answer?.error ?? { message: `The server answered ${response.status}, but not with JSON.` };
  return new ApiError(response.status, error, Number(response.headers.get("Retry-After")) || 0);
}
