// The API with the reader's key. A key is a secret: it is kept for this tab, or for this browser
// where the reader asks for that, and goes into a header, never into a URL.
import { page } from "./page.js";

const STORED = { key: "apiKey", token: "controlToken" };
const OPEN_KEY = "sk-test";

function stored(name) {
  return sessionStorage.getItem(name) ?? localStorage.getItem(name) ?? "";
}

export const keys = {
  get current() {
    return stored(STORED.key) || (page.keysAreOpen ? OPEN_KEY : "");
  },
  get token() {
    return stored(STORED.token);
  },
  get remembered() {
    return localStorage.getItem(STORED.key) !== null;
  },
  use(key, token, remember) {
    for (const [name, value] of [[STORED.key, key], [STORED.token, token]]) {
      sessionStorage.removeItem(name);
      localStorage.removeItem(name);
      if (value) (remember ? localStorage : sessionStorage).setItem(name, value);
    }
  },
};

// What a person may see of a key: the same as the server's own hint.
export function hint(key) {
  return key.length > 12 ? `${key.slice(0, 5)}…${key.slice(-2)}` : `${key.slice(0, 4)}…`;
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
  const error = answer?.error ?? { message: `The answer ${response.status} is no JSON.` };
  return new ApiError(response.status, error, Number(response.headers.get("Retry-After") ?? 0));
}
