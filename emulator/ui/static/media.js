import { clock } from "./live.js";

// Links of pictures. They are signed by path, so this page asks its own server, whatever the host.

export function ownPath(link) {
  try {
    const { pathname, search } = new URL(link, location.origin);
    return pathname.startsWith("/media/") ? pathname + search : null;
  } catch {
    return null;
  }
}

// The instant at which a link stopped working on the account's clock; null: it has not, or nobody knows.
export function hasExpired(link) {
  const expires = link && Number(new URL(link, location.origin).searchParams.get("expires"));
  if (!expires || !clock.told || clock.now() < expires * 1000) return null;
  return new Date(expires * 1000).toISOString();
}

// What is wrong with a link; null where it works.
export async function linkProblem(link) {
  try {
    if ((await fetch(ownPath(link), { method: "HEAD" })).ok) return null;
    const response = await fetch(ownPath(link));
    if (response.ok) return null;
    const { error } = await response.json();
    return { isExpired: error.code === "link_expired", message: error.message };
  } catch {
    return { isExpired: false, message: "The picture did not arrive." };
  }
}
