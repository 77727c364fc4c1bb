// What a request costs and how large it comes out, by the server's price table and frames.
import { page } from "./page.js";

const MILLION = 1_000_000;
const PIXELS = /^([1-9][0-9]{0,5})x([1-9][0-9]{0,5})$/;

function billedTier(size, tier) {
  if (size === "auto") return "1K";
  const pixels = PIXELS.exec(size);
  if (!pixels) return tier;
  const area = pixels[1] * pixels[2];
  const limits = Object.entries(page.prices.pixelsByTier);
  return (limits.find(([, limit]) => area <= limit) ?? [page.tiers.at(-1)])[0];
}

export function creditsPerImage({ size, resolution, quality }) {
  const { creditsByTier, millionthsByQuality } = page.prices;
  return Math.ceil((creditsByTier[billedTier(size, resolution)] * millionthsByQuality[quality]) / MILLION);
}

// Credits, and dollars from the largest package to the entry package (CRED-3).
export function estimate(request) {
  const credits = creditsPerImage(request) * request.n;
  const { entry, largest } = page.creditsPerDollar;
  return { credits, leastDollars: credits / largest, mostDollars: credits / entry };
}

// The pixels that come out, or null where only the server can tell.
export function pixels({ size, resolution }) {
  if (page.frames[size]) return page.frames[size][page.tiers.indexOf(resolution)];
  return page.profile === "model-page" && PIXELS.test(size) ? size : null;
}
